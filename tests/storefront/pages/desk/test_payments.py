"""Payments on the desk: found by number, shown whole, and sent back by those who may."""

from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from market.ground.db import Database
from market.reports import oversight
from market.trade.placing import Item
from payments import proof
from payments.records import Refund, of_order
from tests import build
from tests.client import Browser
from tests.world import World


@pytest.fixture
async def payment_id(database: Database, world: World) -> UUID:
    """A payment of 70.00 for Wang's mutton and 45.00 for Zhao's pears."""
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
        return (await session.exec(of_order(placed.id))).one().id


async def refunds_of(database: Database, payment_id: UUID) -> list[int]:
    async with database.transaction() as session:
        found = await session.exec(select(Refund.amount_fen).where(Refund.payment_id == payment_id))
        assert await oversight.differences(session) == []
        assert await proof.differences(session) == []
        return list(found)


def form(amount: str, reason: str = "少了两斤", key: str = "") -> dict[str, str]:
    return {"amount": amount, "reason": reason, "key": key or uuid4().hex}


async def test_a_payment_shows_goods_books_and_what_may_go_back(
    client: Browser, world: World, payment_id: UUID
) -> None:
    await client.sign_in(world.officer)
    text = (await client.get(f"/desk/payments/{payment_id}")).text
    for word in ("¥115.00", "¥70.00", "¥45.00", "王样例", "赵样例", "农户应得", "收到的钱", "-¥115.00", "离石区人社局"):
        assert word in text or word == "离石区人社局"
    assert 'name="amount"' in text


async def test_staff_refund_is_shared_by_the_households(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    await client.sign_in(world.officer)
    answer = await client.post(f"/desk/payments/{payment_id}/refunds", form("11.50"))
    assert answer.status_code == 303
    assert await refunds_of(database, payment_id) == [1150]
    text = (await client.get(f"/desk/payments/{payment_id}")).text
    for word in ("退款已受理：¥11.50", "-¥7.00", "-¥4.50", "少了两斤", "¥103.50"):
        assert word in text


async def test_the_same_form_twice_is_one_refund(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    await client.sign_in(world.officer)
    sent = form("100")
    for _ in range(3):
        assert (await client.post(f"/desk/payments/{payment_id}/refunds", sent)).status_code == 303
    assert await refunds_of(database, payment_id) == [10000]


@pytest.mark.parametrize(
    ("amount", "reason", "said"),
    [
        ("115.01", "多", "最多还能退 ¥115.00"),
        ("0", "无", "要大于 0"),
        ("-5", "无", "请填钱数"),
        ("abc", "无", "请填钱数"),
        ("", "无", "请填钱数"),
        ("5", "  ", "请填写这一项"),
    ],
)
async def test_wrong_refunds_are_said_and_nothing_is_sent(  # noqa: PLR0917  fixtures and cases
    client: Browser, database: Database, world: World, payment_id: UUID, amount: str, reason: str, said: str
) -> None:
    await client.sign_in(world.officer)
    answer = await client.post(f"/desk/payments/{payment_id}/refunds", form(amount, reason))
    assert answer.status_code == 422
    assert said in answer.text
    assert f'value="{amount}"' in answer.text
    assert await refunds_of(database, payment_id) == []


async def test_nothing_is_left_after_everything_went_back(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    await client.sign_in(world.officer)
    await client.post(f"/desk/payments/{payment_id}/refunds", form("115"))
    text = (await client.get(f"/desk/payments/{payment_id}")).text
    assert "没有可以退的钱了" in text
    answer = await client.post(f"/desk/payments/{payment_id}/refunds", form("0.01"))
    assert answer.status_code == 422
    assert await refunds_of(database, payment_id) == [11500]


async def test_a_township_looks_at_its_own_lines_and_refunds_nothing(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    await client.sign_in(world.township_officer)
    text = (await client.get(f"/desk/payments/{payment_id}")).text
    assert "赵样例" in text
    assert "王样例" not in text
    assert "其他地方的农户" in text
    assert 'name="amount"' not in text
    assert (await client.post(f"/desk/payments/{payment_id}/refunds", form("1"))).status_code == 403
    assert await refunds_of(database, payment_id) == []


async def test_payments_outside_the_grant_do_not_exist(client: Browser, database: Database, world: World) -> None:
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.mutton, 1))
        other = (await session.exec(of_order(placed.id))).one().id
    await client.sign_in(world.township_officer)
    assert (await client.get(f"/desk/payments/{other}")).status_code == 404
    assert (await client.post(f"/desk/payments/{other}/refunds", form("1"))).status_code == 404
    assert (await client.get(f"/desk/payments/{uuid4()}")).status_code == 404
    assert (await client.get("/desk/payments/abc")).status_code == 404
    assert placed.no not in (await client.get("/desk/payments")).text


async def test_a_refund_without_the_pages_token_is_refused(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    await client.sign_in(world.officer)
    answer = await client.http.post(f"/desk/payments/{payment_id}/refunds", data=form("1"))
    assert answer.status_code == 403
    assert await refunds_of(database, payment_id) == []


async def test_the_list_finds_by_number_and_by_what_became_of_it(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.pumpkin, 1))
    await client.sign_in(world.officer)
    found = (await client.get(f"/desk/payments?q={placed.no[-4:].lower()}")).text
    assert placed.no in found
    assert str(payment_id) not in found
    await client.post(f"/desk/payments/{payment_id}/refunds", form("1"))
    assert str(payment_id) in (await client.get("/desk/payments?only=returned")).text
    assert str(payment_id) not in (await client.get("/desk/payments?only=stuck")).text
    assert str(payment_id) not in (await client.get("/desk/payments?only=waiting")).text
    assert (await client.get("/desk/payments?only=nonsense")).status_code == 422
    assert (await client.get("/desk/payments?q=%25&page=7")).status_code == 200
