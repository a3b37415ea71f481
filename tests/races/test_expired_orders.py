"""Orders whose time ran out, paid at the same moment: the goods are sold once, all other money goes back."""

import asyncio

import pytest
from sqlalchemy import text
from sqlmodel import select

from market.goods.stock import Stock
from market.ground.db import Database, run
from market.ground.errors import OutOfStock
from market.ground.settings import Settings
from market.people import accounts
from market.reports import oversight
from market.trade import orders
from market.trade.orders import HOLD, Order
from market.trade.placing import Item
from payments import desk, proof
from payments.records import Method, Payment
from payments.stripe import Fate, Gateway, Seen
from tests import build
from tests.world import BEGIN, World

LATE = BEGIN + 2 * HOLD


async def two_expired(database: Database, world: World) -> list[tuple[int, str, int]]:
    """Two buyers' orders for the one whole sheep, one after the other run out: buyer, number, id."""
    made = []
    for at, buyer in enumerate((world.buyer, world.second_buyer)):
        then = BEGIN + at * HOLD / 10
        async with database.transaction() as session:
            placed = await build.order(session, world, Item(world.last_leg, 1), buyer=buyer, now=then)
        async with database.transaction() as session:
            await orders.expire_due(session, now=LATE)
        made.append((buyer, placed.no, placed.id))
    return made


async def test_looking_first_and_holding_after_revives_both(database: Database, world: World) -> None:
    """The race is real: both look, both see one left, both hold it as they saw it."""
    both_have_looked = asyncio.Barrier(2)

    async def naive() -> bool:
        async with database.transaction() as session:
            stock = (await session.exec(select(Stock).where(Stock.listing_id == world.last_leg))).one()
            await both_have_looked.wait()
            if stock.left < 1:
                return False
            values = {"reserved": stock.reserved + 1, "id": world.last_leg}
            await run(session, text("UPDATE stock SET reserved = :reserved WHERE listing_id = :id"), values)
            return True

    await two_expired(database, world)
    assert sum(await asyncio.gather(naive(), naive())) == 2


async def test_two_expired_orders_taken_up_at_once_hold_the_last_unit_once(database: Database, world: World) -> None:
    closed = Gateway(Settings(demo=True))

    async def pay(buyer: int, no: str) -> bool:
        try:
            async with database.transaction() as session:
                viewer = await accounts.viewer_of(session, buyer)
                await desk.start(session, closed, viewer, no, Method.CASH, return_url="", now=LATE)
        except OutOfStock:
            return False
        return True

    made = await two_expired(database, world)
    assert sum(await asyncio.gather(*(pay(buyer, no) for buyer, no, _ in made))) == 1
    await all_is_well(database)


async def test_late_money_for_two_expired_orders_pays_one_and_goes_back_for_the_other(
    database: Database, world: World
) -> None:
    async def arrive(payment: Payment) -> str:
        async with database.transaction() as session:
            seen = Seen(payment.provider_id or "", Fate.SUCCEEDED, payment.amount_fen, payment.provider_id)
            return await desk.settle(session, payment.id, seen, now=LATE)

    payments = [
        Payment(
            order_id=order_id, method=Method.ALIPAY, rail=Method.ALIPAY.rail, amount_fen=120_000, started_at=BEGIN,
            started_by=buyer, provider_id=f"pi_{order_id}",
        )
        for buyer, _, order_id in await two_expired(database, world)
    ]  # fmt: skip
    async with database.transaction() as session:
        session.add_all(payments)
    assert sorted(await asyncio.gather(*map(arrive, payments))) == ["goods_gone", "paid"]
    async with database.transaction() as session:
        assert await build.balances(session) == {"payable": 120_000, "clearing": -240_000, "returns": 120_000}
    await all_is_well(database)


async def test_looking_at_the_state_first_lets_clock_and_money_both_win(database: Database, world: World) -> None:
    """The race is real: both see the order waiting; its goods go back on sale though it is paid."""
    both_have_looked = asyncio.Barrier(2)
    async with database.transaction() as session:
        placed = await build.order(session, world, Item(world.last_leg, 1))

    async def naive(to: str, held: int) -> bool:
        async with database.transaction() as session:
            state = (await session.exec(select(Order.state).where(Order.id == placed.id))).one()
            await both_have_looked.wait()
            if state != "placed":
                return False
            await run(session, text("UPDATE orders SET state = :to WHERE id = :id"), {"to": to, "id": placed.id})
            values = {"held": held, "id": world.last_leg}
            await run(session, text("UPDATE stock SET reserved = :held WHERE listing_id = :id"), values)
            return True

    assert sum(await asyncio.gather(naive("expired", 0), naive("paid", 1))) == 2
    async with database.transaction() as session:
        assert await oversight.differences(session) != []


@pytest.mark.parametrize("rounds", [6])
async def test_paying_while_the_clock_expires_ends_one_way(database: Database, world: World, rounds: int) -> None:
    """Whoever comes first, the goods are sold exactly when the money stays."""

    async def expire() -> None:
        async with database.transaction() as session:
            await orders.expire_due(session, now=LATE)

    async def arrive(payment: Payment) -> str:
        async with database.transaction() as session:
            seen = Seen(payment.provider_id or "", Fate.SUCCEEDED, payment.amount_fen, payment.provider_id)
            return await desk.settle(session, payment.id, seen, now=LATE)

    for at in range(rounds):
        async with database.transaction() as session:
            placed = await build.order(session, world, Item(world.mutton, 1))
            payment = Payment(
                order_id=placed.id, method=Method.ALIPAY, rail=Method.ALIPAY.rail, amount_fen=placed.total_fen,
                started_at=BEGIN, started_by=world.buyer, provider_id=f"pi_{at}",
            )  # fmt: skip
            session.add(payment)
        _, outcome = await asyncio.gather(expire(), arrive(payment))
        assert outcome == "paid"
    await all_is_well(database)


async def all_is_well(database: Database) -> None:
    async with database.transaction() as session:
        assert [*await oversight.differences(session), *await proof.differences(session)] == []
