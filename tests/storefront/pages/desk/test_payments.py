"""Payments on the desk: found by number, shown whole, and sent back by those who may."""

from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlmodel import select

from market.ground.clock import day_of, now
from market.ground.db import Database, run
from market.reports import oversight
from market.trade import sales
from market.trade.placing import Item
from payments import oversight as desk_oversight
from payments import proof
from payments.records import Payment, Refund, RefundState, of_order
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
    shown = (await client.get(f"/desk/payments/{payment_id}")).text
    for word in ("¥115.00", "¥70.00", "¥45.00", "王样例", "赵样例", "农户应得", "收到的钱", "-¥115.00", "没有退过款"):
        assert word in shown
    assert 'name="amount"' in shown


async def test_staff_refund_is_shared_by_the_households(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    await client.sign_in(world.officer)
    answer = await client.post(f"/desk/payments/{payment_id}/refunds", form("11.50"))
    assert answer.status_code == 303
    assert await refunds_of(database, payment_id) == [1150]
    shown = (await client.get(f"/desk/payments/{payment_id}")).text
    for word in ("退款已受理：¥11.50", "-¥7.00", "-¥4.50", "少了两斤", "¥103.50"):
        assert word in shown


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
    shown = (await client.get(f"/desk/payments/{payment_id}")).text
    assert "没有可以退的钱了" in shown
    answer = await client.post(f"/desk/payments/{payment_id}/refunds", form("0.01"))
    assert answer.status_code == 422
    assert await refunds_of(database, payment_id) == [11500]


async def test_a_refund_is_brought_to_its_end_by_hand(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    await client.sign_in(world.officer)
    await client.post(f"/desk/payments/{payment_id}/refunds", form("15"))
    async with database.transaction() as session:
        refund_id = (await session.exec(select(Refund.id).where(Refund.payment_id == payment_id))).one()
    assert "由取货点收现金的人或会计当面办" in (await client.get(f"/desk/payments/{payment_id}")).text
    assert (await client.post(f"/desk/refunds/{refund_id}/attempts")).status_code == 409
    await client.sign_in(world.clerk)
    for _ in range(2):
        assert (await client.post(f"/unit/cash/refunds/{refund_id}/receipt")).status_code == 303
    await client.sign_in(world.officer)
    assert "已退回" in (await client.get(f"/desk/payments/{payment_id}")).text
    assert await refunds_of(database, payment_id) == [1500]
    await client.sign_in(world.township_officer)
    assert (await client.post(f"/desk/refunds/{refund_id}/attempts")).status_code == 403
    assert (await client.post(f"/desk/refunds/{uuid4()}/attempts")).status_code == 404


async def test_an_online_refund_that_failed_is_tried_again_or_handed_back(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    async with database.transaction() as session:
        await run(session, text("SET LOCAL session_replication_role = replica"))
        await run(session, text("UPDATE payments SET method = 'alipay', rail = 'stripe', charge_key = 'pi_1'"))
        await run(session, text("UPDATE postings SET rail = 'stripe', holder_id = NULL WHERE rail = 'cash'"))
    await client.sign_in(world.officer)
    await client.post(f"/desk/payments/{payment_id}/refunds", form("15"))
    async with database.transaction() as session:
        refund = (await session.exec(select(Refund).where(Refund.payment_id == payment_id))).one()
        refund.state, refund.failure = RefundState.FAILED, "expired_or_canceled_card"
    page = (await client.get(f"/desk/payments/{payment_id}")).text
    assert "没有退成" in page
    assert f"/desk/refunds/{refund.id}/attempts" in page
    assert str(payment_id) in (await client.get("/desk/payments?only=stuck")).text
    assert (await client.post(f"/desk/refunds/{refund.id}/attempts")).status_code == 303
    async with database.transaction() as session:
        again = (await session.exec(select(Refund).where(Refund.payment_id == payment_id))).one()
        assert (again.state, again.attempt) == (RefundState.REQUESTED, 1)
        again.state = RefundState.FAILED
    await client.sign_in(world.accountant)
    slip = {"kind": "taken_out", "amount": "15", "serial": "YS 001", "slip_on": day_of(now()).isoformat()}
    assert (await client.post("/desk/cash/slips", slip)).status_code == 303
    assert (await client.post(f"/desk/cash/refunds/{refund.id}/receipt")).status_code == 303
    assert await refunds_of(database, payment_id) == [1500]


async def test_a_township_looks_at_its_own_lines_and_refunds_nothing(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    await client.sign_in(world.township_officer)
    shown = (await client.get(f"/desk/payments/{payment_id}")).text
    assert "赵样例" in shown
    assert "王样例" not in shown
    assert "其他地方的农户" in shown
    assert 'name="amount"' not in shown
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


async def test_a_refund_for_one_line_leaves_the_other_household_its_money(
    client: Browser, database: Database, world: World, payment_id: UUID
) -> None:
    async with database.transaction() as session:
        pear = await desk_oversight.line_of(session, payment_id, world.pear)
    await client.sign_in(world.officer)
    url = f"/desk/payments/{payment_id}"
    assert "玉露香梨 ¥45.00" in (await client.get(url)).text
    wanted = {"amount": "45.01", "reason": "梨烂了", "line": str(pear), "key": "one"}
    refused = await client.post(f"{url}/refunds", wanted)
    assert (refused.status_code, "最多还能退 ¥45.00" in refused.text) == (422, True)
    assert (await client.post(f"{url}/refunds", {**wanted, "amount": "45"})).status_code == 303
    async with database.transaction() as session:
        payment = await session.get_one(Payment, payment_id)
        standing = await sales.standing(session, payment.order_id)
    assert {part.line.listing_id: part.standing_fen for part in standing} == {world.mutton: 7000, world.pear: 0}
