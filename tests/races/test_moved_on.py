"""The stock moves on while an order waits for it: what counts is what is there when the wait ends."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import stock
from market.ground.db import Database, run
from market.ground.errors import OutOfStock
from market.trade import orders
from market.trade.orders import Order, OrderState
from market.trade.placing import Item
from tests import build
from tests.races.test_last_unit import many_buyers
from tests.world import BEGIN, World

Change = Callable[[AsyncSession], Awaitable[None]]
_WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def everything_held(database: Database, world: World, buyer: int) -> int:
    """An order that holds all there is of the mutton."""
    async with database.transaction() as session:
        left = await stock.left_now(session, world.mutton)
        return (await build.order(session, world, Item(world.mutton, left), buyer=buyer)).id


def letting_go(order_id: int) -> Change:
    async def let_go(session: AsyncSession) -> None:
        await stock.release(session, [order_id])
        order = await session.get_one(Order, order_id)
        orders.move(session, order, OrderState.EXPIRED, by=None, why="expired", now=BEGIN)

    return let_go


async def crossing(database: Database, change: Change, act: Awaitable[None]) -> None:
    """Change something; before that is committed the act begins and waits for it."""
    async with database.transaction() as session:
        await change(session)
        await session.flush()
        waits = asyncio.ensure_future(act)
        async with asyncio.timeout(20):
            while not await anybody_waits(database):  # noqa: ASYNC110  the server knows, and tells nobody
                await asyncio.sleep(0.01)
    await waits


async def anybody_waits(database: Database) -> bool:
    """In a transaction of its own: within one the server's view of its sessions stands still."""
    async with database.transaction() as session:
        return bool((await run(session, _WAITING, {})).scalar())


async def test_counting_on_from_the_snapshot_breaks_the_bound_though_goods_are_there(
    database: Database, world: World
) -> None:
    """The race is real: PostgreSQL holds the row of the snapshot to the bound, before it follows to the newest."""
    [first] = await many_buyers(database, 1)
    order_id = await everything_held(database, world, first)
    naive = text("""
        WITH locked AS (
            SELECT listing_id, on_hand - reserved >= 1 AS enough FROM stock WHERE listing_id = :id FOR NO KEY UPDATE
        ) UPDATE stock s SET reserved = s.reserved + 1 FROM locked l WHERE s.listing_id = l.listing_id AND l.enough
    """)

    async def take_one() -> None:
        async with database.transaction() as session:
            await run(session, naive, {"id": world.mutton})

    with pytest.raises(IntegrityError, match="ck_stock_reserved"):
        await crossing(database, letting_go(order_id), take_one())


async def test_a_cart_takes_what_another_lets_go_while_it_waits(database: Database, world: World) -> None:
    first, second = await many_buyers(database, 2)
    order_id = await everything_held(database, world, first)

    async def buy() -> None:
        async with database.transaction() as session:
            await build.order(session, world, Item(world.mutton, 1), Item(world.pumpkin, 1), buyer=second)

    await crossing(database, letting_go(order_id), buy())
    async with database.transaction() as session:
        held = await session.get_one(stock.Stock, world.mutton)
        assert held.reserved == 1


async def test_a_cart_hears_of_what_another_takes_while_it_waits(database: Database, world: World) -> None:
    first, second = await many_buyers(database, 2)

    async def buy() -> None:
        async with database.transaction() as session:
            await build.order(session, world, Item(world.mutton, 1), Item(world.pumpkin, 1), buyer=second)

    async def take_all(session: AsyncSession) -> None:
        left = await stock.left_now(session, world.mutton)
        await build.order(session, world, Item(world.mutton, left), buyer=first)

    with pytest.raises(OutOfStock) as refused:
        await crossing(database, take_all, buy())
    assert [(line.listing_id, line.left) for line in refused.value.lines] == [(world.mutton, 0)]


@pytest.mark.parametrize("again", [stock.hold_again, stock.take_again])
async def test_an_ended_order_finds_goods_let_go_while_it_waits(
    database: Database, world: World, again: Callable[[AsyncSession, int], Awaitable[bool]]
) -> None:
    """Money came late, or the buyer came back, in the moment another's hold ends."""
    first, second = await many_buyers(database, 2)
    async with database.transaction() as session:
        late = (await build.order(session, world, Item(world.mutton, 1), buyer=first)).id
    async with database.transaction() as session:
        await letting_go(late)(session)
    other = await everything_held(database, world, second)
    found: list[bool] = []

    async def come_back() -> None:
        async with database.transaction() as session:
            found.append(await again(session, late))

    await crossing(database, letting_go(other), come_back())
    assert found == [True]
