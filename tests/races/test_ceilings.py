"""Two phones put up the rest of one harvest at once. Looking first and writing after would sell it twice."""

import asyncio

from sqlmodel import select

from market.goods import capacity, listings
from market.goods.capacity import Share
from market.goods.listings import Listing, ListingState, Offer
from market.goods.produce import Produce
from market.ground.clock import day_of
from market.ground.db import Database
from market.ground.measure import Measure
from market.people import accounts, households
from tests.world import BEGIN, World

REST = Offer("millet", Measure.JIN, 800, 350)
"""All that one mu gives besides what is up already."""


async def _one_mu(database: Database, world: World) -> None:
    async with database.transaction() as session:
        agent = await accounts.viewer_of(session, world.agent)
        await capacity.enter(session, agent, world.liu, {Share("land"): 10}, now=BEGIN)


async def test_looking_without_holding_lets_both_through(database: Database, world: World) -> None:
    """The race is real: both see the whole rest of the ceiling before either has put anything up."""
    await _one_mu(database, world)
    both_have_looked = asyncio.Barrier(2)

    async def naive() -> bool:
        async with database.transaction() as session:
            item = await session.get_one(Produce, "millet")
            top = await capacity.ceiling(session, world.liu, item, besides=0, on=day_of(BEGIN), hold=False)
            await both_have_looked.wait()
            return top is not None and top.left_grams >= REST.quantity * 500

    assert all(await asyncio.gather(naive(), naive()))


async def test_of_two_listings_at_once_one_waits(database: Database, world: World) -> None:
    await _one_mu(database, world)

    async def put_up() -> ListingState:
        async with database.transaction() as session:
            agent = await accounts.viewer_of(session, world.agent)
            home = await households.seller(session, agent, world.liu)
            return (await listings.put_up(session, agent, home, REST, now=BEGIN)).state

    states = await asyncio.gather(*(put_up() for _ in range(6)))
    assert sorted(states) == [ListingState.LIVE, *[ListingState.WAITING] * 5]
    async with database.transaction() as session:
        found = await session.exec(select(Listing.state).where(Listing.household_id == world.liu))
        assert sorted(found) == [ListingState.LIVE, ListingState.LIVE, *[ListingState.WAITING] * 5]
