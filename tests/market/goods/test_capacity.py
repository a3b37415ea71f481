"""Capacity: land and animals times yield are a season's ceiling; above it only with an officer's yes and a reason."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import capacity, decisions, listings
from market.goods.capacity import CapacityPermit, HouseholdMeans, Share, season_of
from market.goods.listings import Listing, ListingState, Offer
from market.goods.produce import Produce
from market.goods.stock import Stock
from market.ground.audit import Trace
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound, NotMovable, OverCapacity
from market.ground.measure import Measure
from market.people import accounts, households
from market.trade.placing import Item
from tests import build
from tests.world import BEGIN, World

TODAY = day_of(BEGIN)
LAND, MILLET, PUMPKIN = Share("land"), Share("land", "millet"), Share("land", "pumpkin")
# In the small world a mu gives 300 kg of millet or 3,000 kg of pumpkins; a sheep gives 24 kg.


async def enter(session: AsyncSession, world: World, household: int, amounts: dict[Share, int | None]) -> None:
    agent = await accounts.viewer_of(session, world.agent)
    await capacity.enter(session, agent, household, amounts, now=BEGIN)
    await session.flush()


async def put_up(session: AsyncSession, world: World, household: int, offer: Offer) -> Listing:
    agent = await accounts.viewer_of(session, world.agent)
    home = await households.seller(session, agent, household)
    return await listings.put_up(session, agent, home, offer, now=BEGIN)


def millet(jin: int) -> Offer:
    return Offer("millet", Measure.JIN, 800, jin)


async def top_of(session: AsyncSession, household: int, code: str) -> capacity.Ceiling | None:
    item = await session.get_one(Produce, code)
    return await capacity.ceiling(session, household, item, besides=0, on=TODAY)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_season_begins_in_october_and_every_day_lies_in_one(on: date) -> None:
    first = season_of(on)
    assert (first.month, first.day) == (10, 1)
    assert first <= on < first.replace(year=first.year + 1)


async def test_where_nothing_is_known_nobody_is_stopped(session: AsyncSession, world: World) -> None:
    assert await top_of(session, world.liu, "millet") is None
    assert (await put_up(session, world, world.liu, millet(3000))).state is ListingState.LIVE


async def test_up_to_the_ceiling_it_is_sold_and_above_it_waits(session: AsyncSession, world: World) -> None:
    """One mu: 600 斤, of which 50 bags of 5 斤 are up already."""
    await enter(session, world, world.liu, {LAND: 10})
    top = await top_of(session, world.liu, "millet")
    assert top is not None
    assert (top.grams, top.listed_grams, top.left_grams) == (300_000, 125_000, 175_000)
    assert (await put_up(session, world, world.liu, millet(350))).state is ListingState.LIVE
    over = await put_up(session, world, world.liu, millet(1))
    assert over.state is ListingState.WAITING
    waits = await listings.waits_of(session, over, on=TODAY)
    assert (waits.reasons, waits.excess_grams) == (["capacity"], 500)


async def test_what_was_sold_counts_and_what_was_taken_out_does_not(session: AsyncSession, world: World) -> None:
    await enter(session, world, world.liu, {LAND: 10})
    await build.cash_order(session, world, Item(world.millet, 20))
    agent = await accounts.viewer_of(session, world.agent)
    await listings.withdraw(session, agent, world.millet, now=BEGIN)
    await session.flush()
    top = await top_of(session, world.liu, "millet")
    assert top is not None
    assert top.listed_grams == 20 * 2500


async def test_land_set_aside_for_one_is_not_there_for_another(session: AsyncSession, world: World) -> None:
    await enter(session, world, world.wang, {LAND: 10, MILLET: 4})
    top = await top_of(session, world.wang, "millet")
    assert top is not None
    assert top.grams == 120_000
    # 100 pumpkins of about 3 kg are up already; six tenths of a mu are left for them.
    top = await top_of(session, world.wang, "pumpkin")
    assert top is not None
    assert (top.grams, top.listed_grams) == (1_800_000, 300_000)


async def test_what_one_crop_took_of_the_land_another_cannot_have(session: AsyncSession, world: World) -> None:
    """100 pumpkins of 3 kg took a tenth of the one mu."""
    await enter(session, world, world.wang, {LAND: 10})
    top = await top_of(session, world.wang, "millet")
    assert top is not None
    assert top.grams == 270_000


async def test_a_sheep_is_a_sheep_by_the_jin_or_whole(session: AsyncSession, world: World) -> None:
    """60 斤 and one whole animal are 50 kg: two sheep are too few, three are enough."""
    await enter(session, world, world.wang, {Share("sheep"): 20})
    top = await top_of(session, world.wang, "mutton")
    assert top is not None
    assert (top.grams, top.listed_grams, top.left_grams) == (48_000, 50_000, 0)


async def test_more_left_of_a_listing_on_sale_is_refused_with_what_fits(session: AsyncSession, world: World) -> None:
    await enter(session, world, world.liu, {LAND: 10})
    agent = await accounts.viewer_of(session, world.agent)
    with pytest.raises(OverCapacity) as refused:
        await listings.change_left(session, agent, world.millet, 121, now=BEGIN)
    assert (refused.value.limit, refused.value.given) == (70, 71)
    stock = await session.get_one(Stock, world.millet)
    assert stock.left == 50
    listing = await listings.change_left(session, agent, world.millet, 120, now=BEGIN)
    assert listing.state is ListingState.LIVE
    await listings.change_left(session, agent, world.millet, 10, now=BEGIN)


async def test_made_less_it_is_sold_without_asking(session: AsyncSession, world: World) -> None:
    await enter(session, world, world.liu, {LAND: 10})
    over, agent = await put_up(session, world, world.liu, millet(400)), await accounts.viewer_of(session, world.agent)
    assert over.state is ListingState.WAITING
    less = await listings.change_left(session, agent, over.id or 0, 350, now=BEGIN)
    assert less.state is ListingState.LIVE


async def test_what_waits_takes_nothing_from_what_comes_after(session: AsyncSession, world: World) -> None:
    """A slip of the finger does not stop the honest listing that follows it."""
    await enter(session, world, world.liu, {LAND: 10})
    assert (await put_up(session, world, world.liu, millet(3000))).state is ListingState.WAITING
    assert (await put_up(session, world, world.liu, millet(300))).state is ListingState.LIVE


async def test_last_seasons_goods_do_not_count(session: AsyncSession, world: World) -> None:
    await enter(session, world, world.liu, {LAND: 10})
    item = await session.get_one(Produce, "millet")
    after = date(2027, 10, 1)
    top = await capacity.ceiling(session, world.liu, item, besides=0, on=after)
    assert top is not None
    assert top.listed_grams == 0


async def test_an_officers_yes_lets_it_go_and_is_a_row(session: AsyncSession, world: World) -> None:
    await enter(session, world, world.liu, {LAND: 10})
    over, officer = (
        await put_up(session, world, world.liu, millet(400)),
        await accounts.viewer_of(session, world.officer),
    )
    listing = await decisions.permit(session, officer, over.id or 0, why="租了邻居两亩地", now=BEGIN)
    assert listing.state is ListingState.LIVE
    (permit,) = (await session.exec(select(CapacityPermit))).all()
    assert (permit.granted, permit.grams, permit.why, permit.account_id, permit.season_on) == (
        True, 25_000, "租了邻居两亩地", world.officer, date(2026, 10, 1),
    )  # fmt: skip
    assert (await put_up(session, world, world.liu, millet(1))).state is ListingState.WAITING
    with pytest.raises(NotMovable):
        await decisions.permit(session, officer, over.id or 0, why="再来一次", now=BEGIN)


async def test_an_officers_no_leaves_it_waiting_with_the_reason(session: AsyncSession, world: World) -> None:
    await enter(session, world, world.liu, {LAND: 10})
    over, officer = (
        await put_up(session, world, world.liu, millet(400)),
        await accounts.viewer_of(session, world.officer),
    )
    listing = await decisions.refuse(session, officer, over.id or 0, why="没见到那么多地", now=BEGIN)
    assert listing.state is ListingState.WAITING
    (permit,) = (await session.exec(select(CapacityPermit))).all()
    assert (permit.granted, permit.grams) == (False, 0)
    acts = (await session.exec(select(Trace.act, Trace.household_id).where(Trace.act == "refuse_more"))).all()
    assert acts == [("refuse_more", world.liu)]


async def test_no_decision_without_a_reason_and_none_by_strangers(session: AsyncSession, world: World) -> None:
    await enter(session, world, world.liu, {LAND: 10})
    over, officer = (
        await put_up(session, world, world.liu, millet(400)),
        await accounts.viewer_of(session, world.officer),
    )
    for decide in (decisions.permit, decisions.refuse):
        with pytest.raises(Malformed):
            await decide(session, officer, over.id or 0, why="  ", now=BEGIN)
        for account in (world.township_officer, world.agent, world.buyer, world.administrator):
            stranger = await accounts.viewer_of(session, account)
            with pytest.raises(NotFound):
                await decide(session, stranger, over.id or 0, why="好", now=BEGIN)


async def test_a_halt_stops_the_sale_until_it_is_lifted(session: AsyncSession, world: World) -> None:
    officer = await accounts.viewer_of(session, world.officer)
    for _ in range(2):
        listing = await decisions.halt(session, officer, world.mutton, why="证号查不到", now=BEGIN)
    assert listing.state is ListingState.WAITING
    waits = await listings.waits_of(session, listing, on=TODAY)
    assert waits.reasons == ["halt"]
    seller = await accounts.viewer_of(session, world.wang_account)
    await listings.withdraw(session, seller, world.mutton, now=BEGIN)
    again = await listings.put_back(session, seller, world.mutton, 60, now=BEGIN)
    assert again.state is ListingState.WAITING
    for _ in range(2):
        listing = await decisions.lift(session, officer, world.mutton, now=BEGIN)
    assert listing.state is ListingState.LIVE
    with pytest.raises(NotFound):
        await decisions.halt(session, seller, world.mutton, why="x", now=BEGIN)


async def test_who_may_write_down_what_a_household_has(session: AsyncSession, world: World) -> None:
    for account in (world.agent, world.officer, world.administrator):
        viewer = await accounts.viewer_of(session, account)
        await capacity.enter(session, viewer, world.wang, {LAND: account % 50 + 1}, now=BEGIN)
        await session.flush()
    for account in (world.wang_account, world.township_officer, world.buyer, world.clerk):
        viewer = await accounts.viewer_of(session, account)
        with pytest.raises(NotFound):
            await capacity.enter(session, viewer, world.wang, {LAND: 5}, now=BEGIN)
    traces = (await session.exec(select(Trace.account_id).where(Trace.act == "enter_means"))).all()
    assert list(traces) == [world.agent, world.officer, world.administrator]
    await enter(session, world, world.wang, {LAND: None})
    assert (await session.exec(select(HouseholdMeans))).all() == []


@pytest.mark.parametrize(
    ("share", "tenths", "field"),
    [
        (Share("gold"), 5, "means"),
        (Share("land", "gold"), 5, "produce"),
        (Share("sheep", "millet"), 5, "produce"),
        (LAND, -1, "amount"),
        (LAND, 100_001, "amount"),
    ],
)
async def test_nonsense_is_not_written_down(
    session: AsyncSession, world: World, share: Share, tenths: int, field: str
) -> None:
    with pytest.raises(Malformed) as refused:
        await enter(session, world, world.wang, {share: tenths})
    assert refused.value.field == field


async def test_the_database_keeps_decisions_honest(session: AsyncSession, world: World) -> None:
    async with session.begin_nested() as attempt:
        session.add(
            CapacityPermit(
                household_id=world.liu,
                produce_code="millet",
                listing_id=world.millet,
                season_on=TODAY,
                granted=False,
                grams=5,
                why="x",
                at=BEGIN,
                account_id=world.officer,
            )
        )
        with pytest.raises(IntegrityError):
            await session.flush()
        await attempt.rollback()


@pytest.mark.parametrize(("grams", "plausible"), [(499, False), (500, True), (20_000, True), (20_001, False)])
async def test_a_piece_weighs_what_such_a_piece_can_weigh(
    session: AsyncSession, world: World, grams: int, plausible: bool
) -> None:
    offer = Offer("pumpkin", Measure.PIECE, 600, 5, grams_each=grams)
    if plausible:
        assert (await put_up(session, world, world.wang, offer)).grams_each == grams
        return
    with pytest.raises(Malformed) as refused:
        await put_up(session, world, world.wang, offer)
    assert (refused.value.field, refused.value.problem) == ("grams_each", "impossible")
