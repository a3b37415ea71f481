"""Who may choose a stop, and when its next round is."""

from dataclasses import replace
from datetime import UTC, datetime, time

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import stops
from market.delivery.stops import Plan, Stop
from market.ground.errors import Malformed, NotFound
from market.people import accounts
from market.people.accounts import VISITOR
from tests.world import BEGIN, COUNTY, TOWNSHIP, World

PLAN = Plan("样例门口", "样例路", None, 2, time(12), 4, time(10), time(11, 30))


async def test_a_units_stop_is_only_for_its_people(session: AsyncSession, world: World) -> None:
    for account_id, may in (
        (world.buyer, True),
        (world.clerk, True),
        (world.zhao_account, False),
        (world.agent, False),
    ):
        viewer = await accounts.viewer_of(session, account_id)
        offered = [stop.id for stop in await session.exec(stops.open_to(viewer, BEGIN.date()))]
        assert (world.stop in offered) is may
        if may:
            assert (await stops.handover_for(session, viewer, world.stop, now=BEGIN)).county_code == COUNTY
            continue
        with pytest.raises(NotFound):
            await stops.handover_for(session, viewer, world.stop, now=BEGIN)


async def test_a_public_stop_is_for_everybody_until_it_closes(session: AsyncSession, world: World) -> None:
    by = await accounts.viewer_of(session, world.administrator)
    stop = await stops.add(session, by, TOWNSHIP, PLAN, now=BEGIN)
    assert (await stops.handover_for(session, VISITOR, stop.id or 0, now=BEGIN)).on.isoformat() == "2026-11-06"
    await stops.close(session, by, stop.id or 0, now=BEGIN)
    with pytest.raises(NotFound):
        await stops.handover_for(session, VISITOR, stop.id or 0, now=BEGIN)
    await stops.reopen(session, by, stop.id or 0, now=BEGIN)
    assert (await stops.handover_for(session, VISITOR, stop.id or 0, now=BEGIN)).stop is stop


async def test_near_means_the_same_county(session: AsyncSession, world: World) -> None:
    viewer = await accounts.viewer_of(session, world.buyer)
    near = await session.exec(stops.open_to(viewer, BEGIN.date(), near={"141102006201"}))
    far = await session.exec(stops.open_to(viewer, BEGIN.date(), near={"1101"}))
    assert (len(near.all()), len(far.all())) == (1, 0)


async def test_an_administrator_acts_inside_only(session: AsyncSession, world: World) -> None:
    by = await accounts.viewer_of(session, world.administrator)
    officer = await accounts.viewer_of(session, world.officer)
    with pytest.raises(NotFound):
        await stops.add(session, officer, COUNTY, PLAN, now=BEGIN)
    with pytest.raises(NotFound):
        await stops.add(session, by, "1411", PLAN, now=BEGIN)
    with pytest.raises(NotFound):
        await stops.add(session, by, COUNTY, replace(PLAN, work_unit_id=999), now=BEGIN)
    for wrong, problem in (
        (replace(PLAN, handover_to=time(10)), "not_after"),
        (replace(PLAN, name="人社局门口"), "taken"),
    ):
        with pytest.raises(Malformed) as refused:
            await stops.add(session, by, COUNTY, wrong, now=BEGIN)
        assert refused.value.problem == problem


@pytest.mark.parametrize(
    ("now", "on"),
    [
        (datetime(2026, 11, 4, 3, 59, tzinfo=UTC), "2026-11-06"),
        (datetime(2026, 11, 4, 4, 0, tzinfo=UTC), "2026-11-13"),
        (datetime(2026, 11, 6, 1, 0, tzinfo=UTC), "2026-11-13"),
    ],
)
async def test_the_next_round_begins_after_the_cut_off(now: datetime, on: str) -> None:
    stop = Stop(division_code=COUNTY, **vars(PLAN))
    assert stops.next_handover(stop, now).on.isoformat() == on
