"""An order whose time ran out: paid after all, its goods are held anew or the buyer is told why not."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text

from market.ground.clock import start_of
from market.ground.db import Database, run
from market.ground.errors import NotMovable, OutOfStock
from market.ground.settings import Settings
from market.people import accounts
from market.reports import oversight
from market.trade import orders
from market.trade.orders import HOLD, Order, OrderState
from market.trade.placing import Item
from payments import desk, proof, records
from payments.moves import of_payment
from payments.records import Method, Payment, PaymentState
from payments.stripe import Fate, Gateway, Seen
from tests import build
from tests.world import BEGIN, World

LATE = BEGIN + 2 * HOLD


async def expired(database: Database, world: World, item: Item) -> str:
    async with database.transaction() as session:
        placed = await build.order(session, world, item)
    async with database.transaction() as session:
        assert placed.no in await orders.expire_due(session, now=LATE)
    return placed.no


async def pay_in_cash(database: Database, world: World, no: str, *, now: datetime = LATE) -> Payment:
    async with database.transaction() as session:
        buyer = await accounts.viewer_of(session, world.buyer)
        closed = Gateway(Settings(demo=True))
        return await desk.start(session, closed, buyer, no, Method.CASH, return_url="", now=now)


async def order_of(database: Database, no: str) -> Order:
    async with database.transaction() as session:
        viewer = await accounts.viewer_of(session, 0)
        assert not viewer.signed_in
        found = await run(session, text("SELECT id FROM orders WHERE no = :no"), {"no": no})
        return await orders.lock(session, int(found.scalar_one()))


async def all_is_well(database: Database) -> None:
    async with database.transaction() as session:
        assert [*await oversight.differences(session), *await proof.differences(session)] == []


async def test_goods_still_there_are_held_anew(database: Database, world: World) -> None:
    no = await expired(database, world, Item(world.last_leg, 1))
    await pay_in_cash(database, world, no)
    order = await order_of(database, no)
    assert (order.state, order.expires_at > LATE) == (OrderState.CONFIRMED, True)
    async with database.transaction() as session:
        moves = [move.to_state for move in await session.exec(orders.moves_of(order.id or 0))]
    assert moves == [OrderState.EXPIRED, OrderState.PLACED, OrderState.CONFIRMED]
    await all_is_well(database)


async def test_an_order_the_clock_has_not_come_by_yet_keeps_its_goods(database: Database, world: World) -> None:
    async with database.transaction() as session:
        no = (await build.order(session, world, Item(world.last_leg, 1))).no
    await pay_in_cash(database, world, no)
    assert (await order_of(database, no)).state is OrderState.CONFIRMED
    await all_is_well(database)


async def test_goods_somebody_else_has_are_refused_by_name(database: Database, world: World) -> None:
    no = await expired(database, world, Item(world.last_leg, 1))
    async with database.transaction() as session:
        await build.order(session, world, Item(world.last_leg, 1), buyer=world.second_buyer, now=LATE)
    with pytest.raises(OutOfStock) as refused:
        await pay_in_cash(database, world, no)
    assert [(line.listing_id, line.wanted, line.left) for line in refused.value.lines] == [(world.last_leg, 1, 0)]
    assert (await order_of(database, no)).state is OrderState.EXPIRED
    await all_is_well(database)


async def test_a_day_that_has_come_is_too_late(database: Database, world: World) -> None:
    no = await expired(database, world, Item(world.last_leg, 1))
    day = start_of((await order_of(database, no)).handover_on)
    with pytest.raises(NotMovable):
        await pay_in_cash(database, world, no, now=day)
    await pay_in_cash(database, world, no, now=day - timedelta(seconds=1))


async def test_money_after_the_handover_day_goes_back(database: Database, world: World) -> None:
    no = await expired(database, world, Item(world.mutton, 2))
    order = await order_of(database, no)
    payment = Payment(
        order_id=order.id or 0, method=Method.ALIPAY, rail=Method.ALIPAY.rail, amount_fen=order.total_fen,
        started_at=BEGIN, started_by=world.buyer, provider_id="pi_late",
    )  # fmt: skip
    async with database.transaction() as session:
        session.add(payment)
    seen = Seen("pi_late", Fate.SUCCEEDED, order.total_fen, "pi_late")
    async with database.transaction() as session:
        after = start_of(order.handover_on) + timedelta(days=1)
        assert await desk.settle(session, payment.id, seen, now=after) == "goods_gone"
        assert await records.refunded_fen(session, payment.id) == order.total_fen
        told = await run(session, text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'announce_returned'"))
        assert told.scalar_one() == 1
    async with database.transaction() as session:
        moves = [(m.from_state, m.to_state, m.why) for m in await session.exec(of_payment(payment.id))]
    assert moves == [(PaymentState.STARTED, PaymentState.SUCCEEDED, "arrived")]
    await all_is_well(database)
