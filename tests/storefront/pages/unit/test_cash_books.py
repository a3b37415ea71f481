"""One's own cash book and handing cash in, on a phone: what each of the two sees, and what they are told."""

import re

import pytest
from sqlmodel import select

from market.ground.clock import now
from market.ground.db import Database
from market.people import accounts
from payments import cash_books, hand_ins
from payments.cash_records import HandIn, HandInState
from payments.hand_ins import Wish
from tests import build
from tests.client import Browser
from tests.world import World


@pytest.fixture
async def clerk(client: Browser, world: World, database: Database) -> Browser:
    """The clerk, with 70.00 in hand."""
    async with database.transaction() as session:
        await build.cash_order(session, world, now=now())
    await client.sign_in(world.clerk)
    return client


async def the_hand_in(database: Database) -> HandIn:
    async with database.transaction() as session:
        return (await session.exec(select(HandIn))).one()


async def held(database: Database, account_id: int) -> int:
    async with database.transaction() as session:
        return (await cash_books.in_hand(session, account_id)).fen


async def declare(clerk: Browser, world: World, amount: str = "70") -> str:
    answer = await clerk.post("/unit/cash/hand-ins", {"amount": amount, "receiver": str(world.accountant)})
    assert answer.status_code == 303
    return str(answer.headers["location"])


async def test_the_book_shows_what_is_in_hand_and_where_it_came_from(clerk: Browser) -> None:
    page = (await clerk.get("/unit/cash/book")).text
    assert "手里的现金" in page
    assert "收到货款" in page
    assert page.count("¥70.00") >= 3
    assert re.search(r"\d{6}-[0-9A-Z]{4}-[0-9A-Z]{4}", page)
    sheet = (await clerk.get("/unit/cash/book/sheet")).text
    assert "拿钱的人" in sheet
    assert "¥70.00" in sheet


async def test_an_empty_book(client: Browser, world: World) -> None:
    for person in (world.agent, world.organiser, world.accountant):
        await client.sign_in(person)
        page = (await client.get("/unit/cash/book")).text
        assert "没有要交的钱" in page
        assert "这个月没有进出" in page


async def test_other_months(clerk: Browser) -> None:
    assert "这个月没有进出" in (await clerk.get("/unit/cash/book?month=2025-01")).text
    assert (await clerk.get("/unit/cash/book?month=2025-13")).status_code == 422
    assert (await clerk.get("/unit/cash/book/sheet?month=x")).status_code == 422


async def test_cash_is_handed_in_and_counted(clerk: Browser, world: World, database: Database) -> None:
    asked = (await clerk.get("/unit/cash/hand-ins/new")).text
    assert 'value="70.00"' in asked
    assert "second_accountant" in asked
    assert ">agent<" not in asked
    home = await declare(clerk, world)
    given = (await clerk.get(home)).text
    assert "钱还记在您手里" in given
    assert "撤回" in given
    assert "点清了" not in given
    assert "其中 ¥70.00 已经交出去" in (await clerk.get("/unit/cash/book")).text
    receiver = clerk.another()
    await receiver.sign_in(world.accountant)
    assert "clerk交来的钱" in (await receiver.get("/unit/cash/book")).text
    page = (await receiver.get(home)).text
    assert 'id="f-counted" name="counted" value=""' in page, "the receiver counts for themselves"
    for _ in range(2):
        answer = await receiver.post(f"{home}/count", {"counted": "69.5", "remark": "少五毛"})
        assert answer.status_code == 303
    said = (await receiver.get(home)).text
    assert "比交来的少 ¥0.50，差的还记在clerk手里" in said
    assert "少五毛" in said
    assert (await held(database, world.clerk), await held(database, world.accountant)) == (50, 6950)
    assert "交给accountant" in (await clerk.get("/unit/cash/book")).text
    assert "clerk交来" in (await receiver.get("/unit/cash/book")).text


@pytest.mark.parametrize(
    ("amount", "receiver", "said"),
    [
        ("", "accountant", "请填钱数"),
        ("0", "accountant", "要大于 0"),
        ("70.01", "accountant", "您账上能交的只有 ¥70.00"),
        ("5", "agent", "请选一个"),
        ("5", "clerk", "请选一个"),
    ],
)
async def test_what_cannot_be_handed_in(
    clerk: Browser, world: World, database: Database, amount: str, receiver: str, said: str
) -> None:
    fields = {"amount": amount, "receiver": str(getattr(world, receiver))}
    answer = await clerk.post("/unit/cash/hand-ins", fields)
    assert answer.status_code == 422
    assert said in answer.text
    async with database.transaction() as session:
        assert (await session.exec(select(HandIn))).all() == []


async def test_the_same_form_twice_is_one_and_another_sum_waits(clerk: Browser, world: World) -> None:
    assert await declare(clerk, world, "70") == await declare(clerk, world, "70")
    answer = await clerk.post("/unit/cash/hand-ins", {"amount": "5", "receiver": str(world.accountant)})
    assert "还没有点清" in (await clerk.get(answer.headers["location"])).text


async def test_more_than_was_declared_is_not_counted(clerk: Browser, world: World, database: Database) -> None:
    home = await declare(clerk, world, "50")
    await clerk.sign_in(world.accountant)
    answer = await clerk.post(f"{home}/count", {"counted": "50.01"})
    assert answer.status_code == 422
    assert "比交来的多了" in answer.text
    assert (await clerk.post(f"{home}/count", {"counted": "很多"})).status_code == 422
    assert (await the_hand_in(database)).state is HandInState.WAITING


async def test_it_is_sent_back_with_a_reason(clerk: Browser, world: World, database: Database) -> None:
    home = await declare(clerk, world)
    await clerk.sign_in(world.accountant)
    assert (await clerk.post(f"{home}/refusal", {"reason": " "})).status_code == 422
    assert (await clerk.post(f"{home}/refusal", {"reason": "袋子里只有一半"})).status_code == 303
    assert "还记在clerk手里" in (await clerk.get(home)).text
    await clerk.sign_in(world.clerk)
    assert "袋子里只有一半" in (await clerk.get(home)).text
    assert (await clerk.post(f"{home}/withdrawal")).status_code == 409
    assert await held(database, world.clerk) == 7000


async def test_it_is_withdrawn(clerk: Browser, world: World, database: Database) -> None:
    home = await declare(clerk, world)
    for _ in range(2):
        assert (await clerk.post(f"{home}/withdrawal")).status_code == 303
    assert (await the_hand_in(database)).state is HandInState.WITHDRAWN
    await clerk.sign_in(world.accountant)
    assert (await clerk.post(f"{home}/count", {"counted": "70"})).status_code == 409


async def test_nobody_else_sees_a_hand_in(clerk: Browser, world: World) -> None:
    home = await declare(clerk, world)
    for person in (world.organiser, world.second_accountant, world.agent):
        await clerk.sign_in(person)
        assert (await clerk.get(home)).status_code == 404
        assert (await clerk.post(f"{home}/count", {"counted": "70"})).status_code == 404
        assert (await clerk.post(f"{home}/refusal", {"reason": "x"})).status_code == 404
        assert (await clerk.post(f"{home}/withdrawal")).status_code == 404
    for person in (world.buyer, world.officer, world.wang_account):
        await clerk.sign_in(person)
        for path in ("/unit/cash/book", "/unit/cash/book/sheet", "/unit/cash/hand-ins/new", home):
            assert (await clerk.get(path)).status_code == 404


async def test_a_refund_out_of_an_empty_hand_is_explained(clerk: Browser, world: World, database: Database) -> None:
    async with database.transaction() as session:
        giver, accountant = [await accounts.viewer_of(session, who) for who in (world.clerk, world.accountant)]
        hand_in = await hand_ins.declare(session, giver, Wish(world.accountant, 7000), now=now())
        await hand_ins.count(session, accountant, hand_in.id or 0, 7000, now=now())
    refund_id = await build.refund(database, world, 2000)
    answer = await clerk.post(f"/unit/cash/refunds/{refund_id}/receipt")
    assert answer.status_code == 303
    assert "能用的只有 ¥0.00" in (await clerk.get("/unit/cash")).text
    await clerk.sign_in(world.accountant)
    assert (await clerk.post(f"/desk/cash/refunds/{refund_id}/receipt")).status_code == 303
    assert await held(database, world.accountant) == 5000
