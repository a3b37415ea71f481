"""Stations and work units: set up and changed inside an administrator's divisions."""

import asyncio

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import Database
from market.ground.errors import Malformed, NotFound
from market.people import accounts, registers, stations, units
from market.people.households import Household
from market.people.stations import Station
from tests.world import BEGIN, COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, World


async def test_the_same_name_twice_at_once_is_one_station(database: Database, world: World) -> None:
    async def add() -> bool:
        try:
            async with database.transaction() as session:
                by = await accounts.viewer_of(session, world.administrator)
                await stations.add(session, by, name="抢着加", division_code=TOWNSHIP, now=BEGIN)
        except Malformed:
            return False
        return True

    assert sorted(await asyncio.gather(*(add() for _ in range(4)))) == [False, False, False, True]
    async with database.transaction() as session:
        assert len((await session.exec(select(Station).where(Station.name == "抢着加"))).all()) == 1


async def test_villages_move_whole_or_not_at_all(session: AsyncSession, world: World) -> None:
    by = await accounts.viewer_of(session, world.administrator)
    with pytest.raises(NotFound):
        await stations.assign_villages(session, by, [VILLAGE, "110101001001"], None, now=BEGIN)
    with pytest.raises(NotFound):
        await stations.assign_villages(session, by, [VILLAGE], 999, now=BEGIN)
    assert await stations.assign_villages(session, by, [VILLAGE, OTHER_VILLAGE], world.station, now=BEGIN) == 1
    assert await stations.assign_villages(session, by, [VILLAGE, OTHER_VILLAGE], world.station, now=BEGIN) == 0
    assert await stations.household_counts(session, [world.station]) == {world.station: 3}


async def test_a_village_between_two_stations_has_no_usual_one(session: AsyncSession, world: World) -> None:
    assert await registers.usual_stations(session, {VILLAGE, OTHER_VILLAGE}) == {VILLAGE: world.station}
    (await session.get_one(Household, world.liu)).station_id = None
    assert await registers.usual_stations(session, {VILLAGE}) == {}
    (place,) = await registers.settlements(session, await accounts.viewer_of(session, world.administrator), TOWNSHIP)
    assert (place.name, place.household_count, place.served_count) == ("梁家墕", 2, 1)


async def test_an_officer_sets_nothing_up(session: AsyncSession, world: World) -> None:
    officer = await accounts.viewer_of(session, world.officer)
    with pytest.raises(NotFound):
        await stations.add(session, officer, name="样例", division_code=TOWNSHIP, now=BEGIN)
    with pytest.raises(NotFound):
        await units.add(session, officer, name="样例", short_name="样", division_code=COUNTY, now=BEGIN)
    assert await registers.count(session, officer) == 0
    with pytest.raises(NotFound):
        await registers.entered(session, officer, world.wang)
