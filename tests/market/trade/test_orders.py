"""Placing, paying, expiring and cancelling, as the database sees it."""

from datetime import timedelta

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import stops
from market.goods import listings
from market.goods.stock import Stock
from market.ground.db import Database
from market.ground.errors import Malformed, NotAllowed, NotMovable, NotOnSale, OutOfStock, PriceChanged
from market.people import accounts
from market.people.units import Wallet
from market.trade import cancellations, orders, placing
from market.trade.orders import OrderState
from market.trade.placing import Item, Placed, Terms
from tests.world import BEGIN, World

LATER = BEGIN + timedelta(minutes=16)


async def terms_of(session: AsyncSession, world: World, wallet: Wallet = Wallet.PERSONAL) -> Terms:
    member = await accounts.viewer_of(session, world.buyer)
    handover = await stops.handover_for(session, member, world.stop, now=BEGIN)
    return Terms(wallet, world.stop, handover.county_code, handover.on, handover.cutoff_at)


async def place(session: AsyncSession, world: World, *items: Item, buyer: int = 0) -> Placed:
    viewer = await accounts.viewer_of(session, buyer or world.buyer)
    return await placing.place(session, viewer, items, await terms_of(session, world), now=BEGIN)


async def stock_of(session: AsyncSession, listing_id: int) -> tuple[int, int]:
    row = (await session.exec(select(Stock.on_hand, Stock.reserved).where(Stock.listing_id == listing_id))).one()
    return row[0], row[1]


async def test_placing_holds_the_goods_of_every_line(session: AsyncSession, world: World) -> None:
    placed = await place(session, world, Item(world.mutton, 3), Item(world.pear, 2))
    assert placed.total_fen == 3 * 3500 + 2 * 4500
    assert placed.expires_at == BEGIN + orders.HOLD
    assert await stock_of(session, world.mutton) == (60, 3)
    assert await stock_of(session, world.pear) == (20, 2)
    lines = await orders.lines_of(session, placed.id)
    assert [(line.listing_id, line.amount_fen, line.grower) for line in lines] == [
        (world.mutton, 10500, "王某"),
        (world.pear, 9000, "赵某"),
    ]


async def test_the_same_listing_on_two_lines_is_one_larger_wish(session: AsyncSession, world: World) -> None:
    with pytest.raises(OutOfStock) as refused:
        await place(session, world, Item(world.mutton, 40), Item(world.mutton, 40))
    assert [(line.wanted, line.left) for line in refused.value.lines] == [(80, 60)]


async def test_one_short_line_takes_nothing_of_the_others(session: AsyncSession, world: World) -> None:
    with pytest.raises(OutOfStock):
        await place(session, world, Item(world.mutton, 5), Item(world.last_leg, 2))
    assert await stock_of(session, world.mutton) == (60, 0)
    assert await stock_of(session, world.last_leg) == (1, 0)


async def test_a_price_that_moved_is_said_not_charged(session: AsyncSession, world: World) -> None:
    with pytest.raises(PriceChanged) as refused:
        await place(session, world, Item(world.mutton, 1, seen_fen=3400))
    assert refused.value.lines[0].price_fen == 3500


async def test_a_withdrawn_listing_is_not_sold(session: AsyncSession, world: World) -> None:
    seller = await accounts.viewer_of(session, world.wang_account)
    await listings.withdraw(session, seller, world.mutton, now=BEGIN)
    with pytest.raises(NotOnSale):
        await place(session, world, Item(world.mutton, 1))


@pytest.mark.parametrize("quantity", [0, -1, 10_000])
async def test_impossible_quantities_are_refused(session: AsyncSession, world: World, quantity: int) -> None:
    with pytest.raises(Malformed):
        await place(session, world, Item(world.mutton, quantity))


async def test_a_member_cannot_spend_the_canteens_money(session: AsyncSession, world: World) -> None:
    viewer = await accounts.viewer_of(session, world.buyer)
    with pytest.raises(NotAllowed):
        await placing.place(
            session, viewer, [Item(world.mutton, 1)], await terms_of(session, world, Wallet.CANTEEN), now=BEGIN
        )


async def test_a_buyers_own_abandoned_attempt_does_not_block_them(session: AsyncSession, world: World) -> None:
    first = await place(session, world, Item(world.last_leg, 1))
    second = await place(session, world, Item(world.last_leg, 1))
    assert (await orders.lock(session, first.id)).state is OrderState.EXPIRED
    assert (await orders.lock(session, second.id)).state is OrderState.PLACED
    assert await stock_of(session, world.last_leg) == (1, 1)


async def test_somebody_elses_hold_does_block(session: AsyncSession, world: World) -> None:
    await place(session, world, Item(world.last_leg, 1))
    with pytest.raises(OutOfStock):
        await place(session, world, Item(world.last_leg, 1), buyer=world.second_buyer)


async def test_an_unpaid_order_expires_and_its_goods_return(session: AsyncSession, world: World) -> None:
    placed = await place(session, world, Item(world.mutton, 3))
    assert await orders.expire_due(session, now=BEGIN + timedelta(minutes=14)) == []
    assert await orders.expire_due(session, now=LATER) == [placed.no]
    assert await stock_of(session, world.mutton) == (60, 0)
    assert await orders.expire_due(session, now=LATER) == []


async def test_paying_sells_and_late_money_finds_its_goods_again(session: AsyncSession, world: World) -> None:
    placed = await place(session, world, Item(world.mutton, 3), Item(world.pear, 1))
    await orders.expire_due(session, now=LATER)
    order = await orders.lock(session, placed.id)
    assert await orders.mark_paid(session, order, by=None, why="late", now=LATER)
    assert await stock_of(session, world.mutton) == (57, 0)


async def test_late_money_for_goods_that_are_gone_takes_nothing(database: Database, world: World) -> None:
    async with database.transaction() as session:
        placed = await place(session, world, Item(world.last_leg, 1), Item(world.mutton, 1))
        await orders.expire_due(session, now=LATER)
        await place(session, world, Item(world.last_leg, 1), buyer=world.second_buyer)
        order = await orders.lock(session, placed.id)
        assert not await orders.mark_paid(session, order, by=None, why="late", now=LATER)
    async with database.transaction() as session:
        assert await stock_of(session, world.mutton) == (60, 0)
        assert await stock_of(session, world.last_leg) == (1, 1)


async def test_cancelling_gives_back_until_the_cutoff_and_not_after(session: AsyncSession, world: World) -> None:
    placed = await place(session, world, Item(world.mutton, 3))
    order = await orders.lock(session, placed.id)
    await orders.mark_paid(session, order, by=None, why="test", now=BEGIN)
    with pytest.raises(NotMovable):
        await cancellations.cancel(session, order, by=world.buyer, why="", now=order.cutoff_at)
    assert await cancellations.cancel(session, order, by=world.buyer, why="", now=BEGIN)
    assert await stock_of(session, world.mutton) == (60, 0)
