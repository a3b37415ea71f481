"""Everyone wants the last unit at once. The naive way is shown to sell it twice; ours sells it once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import func, select

from market.goods import listings
from market.goods.stock import Stock
from market.ground.db import Database, run
from market.ground.errors import NotOnSale, OutOfStock
from market.people import accounts
from market.trade import orders
from market.trade.orders import Order, OrderState
from market.trade.placing import Item
from tests import build
from tests.world import BEGIN, World

Attempt = Callable[[], Awaitable[bool]]


async def together(attempts: list[Attempt]) -> int:
    """Let all begin at once; how many succeeded."""
    return sum(await asyncio.gather(*(attempt() for attempt in attempts)))


def placing_by(database: Database, world: World, buyer: int, *items: Item) -> Attempt:
    async def attempt() -> bool:
        try:
            async with database.transaction() as session:
                await build.order(session, world, *items, buyer=buyer)
        except (OutOfStock, NotOnSale):
            return False
        return True

    return attempt


async def many_buyers(database: Database, count: int) -> list[int]:
    async with database.transaction() as session:
        made = [await accounts.sign_up(session, phone=f"1980000{at:04d}", now=BEGIN) for at in range(count)]
        return [account.id or 0 for account in made]


async def test_reading_then_writing_sells_the_last_unit_twice(database: Database, world: World) -> None:
    """The race is real: two sessions that look first and write after both believe they have it."""
    both_have_looked = asyncio.Barrier(2)

    async def naive() -> bool:
        async with database.transaction() as session:
            left = (await session.exec(select(Stock.on_hand).where(Stock.listing_id == world.last_leg))).one()
            await both_have_looked.wait()
            if left < 1:
                return False
            taken = text("UPDATE stock SET on_hand = :left WHERE listing_id = :id")
            await run(session, taken, {"left": left - 1, "id": world.last_leg})
            return True

    assert await together([naive, naive]) == 2


@pytest.mark.parametrize("crowd", [2, 20])
async def test_the_last_unit_is_sold_once(database: Database, world: World, crowd: int) -> None:
    buyers = await many_buyers(database, crowd)
    attempts = [placing_by(database, world, buyer, Item(world.last_leg, 1)) for buyer in buyers]
    assert await together(attempts) == 1
    async with database.transaction() as session:
        stock = (await session.exec(select(Stock).where(Stock.listing_id == world.last_leg))).one()
        assert (stock.on_hand, stock.reserved) == (1, 1)
        assert (await session.exec(select(func.count()).select_from(Order))).one() == 1


async def test_taking_goods_in_the_order_of_the_cart_waits_in_a_circle(database: Database, world: World) -> None:
    """The race is real: two carts that take their goods as they were put in, one the other way round, block."""
    both_have_one = asyncio.Barrier(2)

    async def naive(*listing_ids: int) -> bool:
        try:
            async with database.transaction() as session:
                for listing_id in listing_ids:
                    held = text("UPDATE stock SET reserved = reserved + 1 WHERE listing_id = :id")
                    await run(session, held, {"id": listing_id})
                    if listing_id == listing_ids[0]:
                        await both_have_one.wait()
        except DBAPIError as error:
            if "deadlock detected" not in str(error):
                raise
            return False
        return True

    assert await together([lambda: naive(world.mutton, world.pear), lambda: naive(world.pear, world.mutton)]) == 1


async def test_carts_in_opposite_order_never_wait_for_each_other(database: Database, world: World) -> None:
    """Twenty carts over the same goods, half of them backwards: no deadlock, and exactly what there was is sold."""
    buyers = await many_buyers(database, 20)
    goods = [Item(world.mutton, 4), Item(world.pear, 1), Item(world.millet, 1)]
    attempts = [
        placing_by(database, world, buyer, *(goods if at % 2 else reversed(goods))) for at, buyer in enumerate(buyers)
    ]
    assert await together(attempts) == 15
    async with database.transaction() as session:
        stock = (await session.exec(select(Stock).where(Stock.listing_id == world.mutton))).one()
        assert (stock.on_hand, stock.reserved) == (60, 60)


async def test_one_buyer_with_two_phones_holds_the_last_unit_once(database: Database, world: World) -> None:
    attempts = [placing_by(database, world, world.buyer, Item(world.last_leg, 1)) for _ in range(4)]
    await together(attempts)
    async with database.transaction() as session:
        stock = (await session.exec(select(Stock).where(Stock.listing_id == world.last_leg))).one()
        assert (stock.on_hand, stock.reserved) == (1, 1)
        held = select(func.count()).select_from(Order).where(Order.state == OrderState.PLACED)
        assert (await session.exec(held)).one() == 1


async def test_withdrawing_and_ordering_at_once_never_sells_what_is_gone(database: Database, world: World) -> None:
    async def withdraw() -> bool:
        async with database.transaction() as session:
            seller = await accounts.viewer_of(session, world.wang_account)
            await listings.withdraw(session, seller, world.last_leg, now=BEGIN)
        return True

    for _ in range(5):
        await together([withdraw, placing_by(database, world, world.buyer, Item(world.last_leg, 1))])
        async with database.transaction() as session:
            stock = (await session.exec(select(Stock).where(Stock.listing_id == world.last_leg))).one()
            held = select(func.count()).select_from(Order).where(Order.state == OrderState.PLACED)
            assert stock.reserved == (await session.exec(held)).one()
            assert stock.on_hand == stock.reserved
            await orders.expire_due(session, now=BEGIN + 2 * orders.HOLD)
            seller = await accounts.viewer_of(session, world.wang_account)
            await listings.withdraw(session, seller, world.last_leg, now=BEGIN)
            await listings.put_back(session, seller, world.last_leg, 1, now=BEGIN)
