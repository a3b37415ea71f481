"""When the cut-off has passed, each household of a handover is told its list, once."""

from datetime import timedelta

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import cutoffs
from market.ground.db import run
from market.trade.orders import Order
from market.trade.placing import Item
from tests import build
from tests.world import World


async def queued(session: AsyncSession) -> list[int]:
    found = await run(
        session,
        text("SELECT (args ->> 'household_id')::int FROM procrastinate_jobs WHERE task_name = 'announce_cutoff'"),
    )
    return sorted(found.scalars())


async def test_every_household_of_the_handover_is_told_once(session: AsyncSession, world: World) -> None:
    placed = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
    await build.order(session, world, Item(world.millet, 1))
    cutoff_at = (await session.get_one(Order, placed.id)).cutoff_at
    assert await cutoffs.call(session, now=cutoff_at - timedelta(seconds=1)) == 0
    assert await cutoffs.call(session, now=cutoff_at) == 2
    assert await cutoffs.call(session, now=cutoff_at + timedelta(minutes=5)) == 0
    assert await queued(session) == sorted([world.wang, world.zhao])


async def test_a_cutoff_long_past_is_not_called_any_more(session: AsyncSession, world: World) -> None:
    placed = await build.cash_order(session, world)
    cutoff_at = (await session.get_one(Order, placed.id)).cutoff_at
    assert await cutoffs.call(session, now=cutoff_at + timedelta(days=9)) == 0
    assert await queued(session) == []
