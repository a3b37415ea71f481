"""Cash as an accountant sees it: whose hand, since when, the bank, refunds, and nothing of other places."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from market.ground.clock import day_of, now
from market.ground.db import Database
from market.people import accounts
from market.people.accounts import Role
from payments import cash_books, hand_ins
from payments.cash_records import BankSlip, HandIn
from payments.hand_ins import Wish
from tests import build
from tests.client import Browser
from tests.world import World


@pytest.fixture
async def accountant(client: Browser, world: World, database: Database) -> Browser:
    """The accountant; the clerk holds 70.00 and has declared 30.00 of it."""
    async with database.transaction() as session:
        await build.cash_order(session, world, now=now())
        clerk = await accounts.viewer_of(session, world.clerk)
        await hand_ins.declare(session, clerk, Wish(world.accountant, 3000, "上午的"), now=now())
    await client.sign_in(world.accountant)
    return client


async def held(database: Database, account_id: int) -> int:
    async with database.transaction() as session:
        return (await cash_books.in_hand(session, account_id)).fen


async def count_all(database: Database, world: World) -> None:
    async with database.transaction() as session:
        hand_in = (await session.exec(select(HandIn))).one()
        by = await accounts.viewer_of(session, world.accountant)
        await hand_ins.count(session, by, hand_in.id or 0, hand_in.declared_fen, now=now())


def slip(amount: str, serial: str = "YS 001", kind: str = "paid_in", days_ago: int = 0) -> dict[str, Any]:
    on = day_of(now()) - timedelta(days=days_ago)
    return {"kind": kind, "amount": amount, "serial": serial, "slip_on": on.isoformat()}


async def test_who_holds_how_much(accountant: Browser, world: World) -> None:
    page = (await accountant.get("/desk")).text
    assert f"/desk/cash/books/{world.clerk}" in page
    assert "¥70.00" in page
    assert "还没交过" in page
    assert "clerk → accountant" in page
    assert "上午的" in page
    assert "没有找到这个人" in (await accountant.get("/desk/cash?q=zzz")).text
    assert "clerk" in (await accountant.get("/desk/cash?q=cle")).text


async def test_nobody_holds_anything(client: Browser, world: World) -> None:
    await client.sign_in(world.second_accountant)
    assert "现在谁手里都没有现金" in (await client.get("/desk/cash")).text


async def test_one_book_and_its_sheet(accountant: Browser, world: World) -> None:
    page = (await accountant.get(f"/desk/cash/books/{world.clerk}")).text
    assert "clerk的现金账" in page
    assert "收到货款" in page
    assert "替他登记交款" not in page
    assert "会计" in (await accountant.get(f"/desk/cash/books/{world.clerk}/sheet?month=2026-01")).text
    assert (await accountant.get(f"/desk/cash/books/{world.clerk}?month=x")).status_code == 422
    assert (await accountant.get(f"/desk/cash/books/{world.buyer}")).status_code == 404


async def test_nothing_of_other_places(accountant: Browser, world: World) -> None:
    await accountant.sign_in(world.township_accountant)
    assert "clerk" not in (await accountant.get("/desk/cash")).text
    assert (await accountant.get(f"/desk/cash/books/{world.clerk}")).status_code == 404
    assert (await accountant.get(f"/desk/cash/books/{world.clerk}/sheet")).status_code == 404
    for person in (world.officer, world.clerk, world.organiser, world.buyer):
        await accountant.sign_in(person)
        for path in ("/desk/cash", f"/desk/cash/books/{world.clerk}", "/desk/cash/slips/new"):
            assert (await accountant.get(path)).status_code == 404
        assert (await accountant.post("/desk/cash/slips", slip("1"))).status_code == 404


async def test_cash_goes_to_the_bank_once(accountant: Browser, world: World, database: Database) -> None:
    await count_all(database, world)
    assert "¥30.00" in (await accountant.get("/desk/cash/slips/new")).text
    for _ in range(2):
        assert (await accountant.post("/desk/cash/slips", slip("25"))).status_code == 303
    page = (await accountant.get("/desk/cash")).text
    assert "存入银行 ¥25.00" in page
    assert "YS 001" in page
    assert await held(database, world.accountant) == 500
    assert (await accountant.post("/desk/cash/slips", slip("100", "YS 002", "taken_out"))).status_code == 303
    assert "从银行取出 ¥100.00" in (await accountant.get("/desk/cash")).text
    assert await held(database, world.accountant) == 10500
    assert "从银行取出" in (await accountant.get("/unit/cash/book")).text


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (slip("30.01"), "您手里能存的只有 ¥30.00"),
        (slip("0"), "要大于 0"),
        (slip("x"), "请填钱数"),
        (slip("1", " "), "请填写这一项"),
        (slip("1", days_ago=-1), "日期不对"),
        (slip("1", days_ago=200), "日期不对"),
        (slip("1") | {"slip_on": "昨天"}, "日期不对"),
        (slip("1") | {"kind": "lent"}, "请选一个"),
        (slip("2", "YS 000"), "这个单号当天已经记过了"),
    ],
)
async def test_slips_that_cannot_be(
    accountant: Browser, world: World, database: Database, fields: dict[str, Any], said: str
) -> None:
    await count_all(database, world)
    assert (await accountant.post("/desk/cash/slips", slip("1", "YS 000", "taken_out"))).status_code == 303
    wanted = "3001" if fields["amount"] == "30.01" else ""
    answer = await accountant.post("/desk/cash/slips", fields | ({"amount": "31.01"} if wanted else {}))
    assert answer.status_code == 422
    assert said.replace("30.00", "31.00") in answer.text
    async with database.transaction() as session:
        assert len((await session.exec(select(BankSlip))).all()) == 1


async def test_the_cash_of_somebody_who_left(accountant: Browser, world: World, database: Database) -> None:
    path = f"/desk/cash/books/{world.clerk}"
    fields = {"amount": "40", "receiver": str(world.second_accountant)}
    assert (await accountant.post(f"{path}/hand-ins", fields)).status_code == 422
    async with database.transaction() as session:
        by = await accounts.viewer_of(session, world.administrator)
        grants = (await accounts.viewer_of(session, world.clerk)).over(Role.CLERK)
        await accounts.end_grant(session, by, grants[0].id or 0, now=now())
    page = (await accountant.get(path)).text
    assert "替他登记交款" in page
    assert f'value="{world.accountant}"' not in page
    assert (await accountant.post(f"{path}/hand-ins", fields | {"amount": "40.01"})).status_code == 422
    assert (await accountant.post(f"{path}/hand-ins", {**fields, "receiver": ""})).status_code == 422
    assert (await accountant.post(f"{path}/hand-ins", fields)).status_code == 303
    assert "登记好了" in (await accountant.get(path)).text


async def test_a_refund_the_accountant_hands_back(accountant: Browser, world: World, database: Database) -> None:
    refund_id = await build.refund(database, world, 2000)
    assert f"/desk/cash/refunds/{refund_id}/receipt" in (await accountant.get("/desk/cash")).text
    path = f"/desk/cash/refunds/{refund_id}/receipt"
    assert (await accountant.post(path)).status_code == 303
    assert "您手里能用的只有 ¥0.00" in (await accountant.get("/desk/cash")).text
    await count_all(database, world)
    for _ in range(2):
        assert (await accountant.post(path)).status_code == 303
    assert await held(database, world.accountant) == 1000
    await accountant.sign_in(world.township_accountant)
    assert (await accountant.post(path)).status_code == 404
