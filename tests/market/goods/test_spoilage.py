"""The spoilage clock: a day and a storage life give a last good day, which sorts, warns and stops."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import catalogue, listings, papers, spoilage
from market.goods.catalogue import Sort, Wanted
from market.goods.listings import Listing, ListingState, Offer
from market.goods.produce import Produce
from market.goods.stock import Move, Stock, StockMove
from market.ground.audit import Trace
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotMovable
from market.ground.measure import Measure
from market.people import accounts, households
from market.trade.placing import Item
from tests import build
from tests.world import BEGIN, World

TODAY = day_of(BEGIN)
DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def produce(storage_days: int | None, months: list[int] | None = None) -> Produce:
    return Produce(code="x", name="x", name_en="x", storage_days=storage_days, season_months=months or [])


@given(DAYS, st.integers(1, 400), st.sets(st.integers(1, 12)))
def test_what_is_listed_today_usually_came_in_lately_and_is_still_good(on: date, keeps: int, months: set[int]) -> None:
    item = produce(keeps, sorted(months))
    day = item.usually_ready_on(on)
    assert day is not None
    assert day <= on <= (item.sell_by(day) or on)
    assert day == on or not item.in_season(on)


@given(DAYS, st.integers(1, 400))
def test_a_day_is_refused_once_its_goods_are_spoilt_and_not_before(on: date, keeps: int) -> None:
    item = produce(keeps)
    assert item.checked_day(on - timedelta(days=keeps), on=on) == on - timedelta(days=keeps)
    with pytest.raises(Malformed):
        item.checked_day(on - timedelta(days=keeps + 1), on=on)
    assert item.checked_day(on + timedelta(days=30), on=on) is not None
    with pytest.raises(Malformed):
        item.checked_day(on + timedelta(days=31), on=on)


def test_produce_nobody_knows_the_keeping_of_has_no_last_day() -> None:
    item = produce(None)
    assert item.usually_ready_on(TODAY) is None
    assert item.sell_by(TODAY) is None


async def test_a_listing_keeps_its_day_and_its_last_day(session: AsyncSession, world: World) -> None:
    found = {listing.id: listing for listing in await session.exec(select(Listing))}
    assert (found[world.mutton].ready_on, found[world.mutton].sell_by_on) == (TODAY, TODAY + timedelta(days=3))
    assert found[world.millet].sell_by_on == TODAY + timedelta(days=210)
    assert (found[world.pear].ready_on, found[world.pear].sell_by_on) == (None, None)


async def test_a_corrected_day_moves_the_last_day(session: AsyncSession, world: World) -> None:
    seller = await accounts.viewer_of(session, world.wang_account)
    listing = await papers.change_day(session, seller, world.pumpkin, TODAY - timedelta(days=20), now=BEGIN)
    assert (listing.state, listing.sell_by_on) == (ListingState.LIVE, TODAY + timedelta(days=70))
    trace = (await session.exec(select(Trace).where(Trace.act == "change_day"))).one()
    assert (trace.household_id, trace.note) == (world.wang, f"{TODAY} > {TODAY - timedelta(days=20)}")
    with pytest.raises(Malformed):
        await papers.change_day(session, seller, world.pumpkin, TODAY - timedelta(days=91), now=BEGIN)
    await listings.withdraw(session, seller, world.pumpkin, now=BEGIN)
    with pytest.raises(NotMovable):
        await papers.change_day(session, seller, world.pumpkin, TODAY, now=BEGIN)


async def test_what_spoils_first_comes_first(session: AsyncSession, world: World) -> None:
    found = await catalogue.find(session, Wanted(sort=Sort.SOON))
    order = [card.id for card in found.items]
    assert set(order[:2]) == {world.mutton, world.last_leg}
    assert order[2:] == [world.pumpkin, world.millet, world.pear]


async def test_what_costs_the_same_is_ordered_by_what_spoils_first(session: AsyncSession, world: World) -> None:
    await session.exec(update(Listing).values(price_fen=4000))
    for sort in (Sort.CHEAP, Sort.DEAR):
        order = [card.id for card in (await catalogue.find(session, Wanted(sort=sort))).items]
        assert order[2:] == [world.pumpkin, world.millet, world.pear]


@pytest.mark.parametrize("sort", list(Sort))
async def test_pages_of_one_price_and_one_day_have_no_gap_and_no_repeat(
    session: AsyncSession, world: World, sort: Sort
) -> None:
    await session.exec(update(Listing).values(price_fen=4000, sell_by_on=None))
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await catalogue.find(session, Wanted(sort=sort, limit=2, cursor=cursor))
        seen += [card.id for card in page.items]
        cursor = page.next
    assert sorted(seen) == sorted([world.mutton, world.pumpkin, world.millet, world.pear, world.last_leg])


@pytest.mark.parametrize(
    ("days_later", "near"),
    [(0, set()), (1, set()), (2, {"mutton", "last_leg"}), (3, {"mutton", "last_leg"}), (82, set()), (83, {"pumpkin"})],
)
async def test_a_week_ahead_it_is_said_and_for_short_lives_at_half(
    session: AsyncSession, world: World, days_later: int, near: set[str]
) -> None:
    on = TODAY + timedelta(days=days_later)
    if days_later > 3:
        await spoilage.stop_spoilt(session, now=BEGIN + timedelta(days=days_later))
    rows = (await session.exec(spoilage.spoiling(on=on))).all()
    assert {listing.id for listing, _stock, _item in rows} == {getattr(world, name) for name in near}
    for listing, _stock, item in rows:
        assert spoilage.comes_near(listing, item, on=on)
    everything = (await session.exec(select(Listing, Produce).join(Produce))).all()
    said = {listing.id for listing, item in everything if spoilage.comes_near(listing, item, on=on)}
    assert {listing.id for listing, _stock, _item in rows} <= said


async def test_a_household_is_warned_once_until_the_day_changes(session: AsyncSession, world: World) -> None:
    later = BEGIN + timedelta(days=2)
    assert {listing.id for listing in await spoilage.to_warn(session, now=later)} == {world.mutton, world.last_leg}
    await session.flush()
    assert await spoilage.to_warn(session, now=later) == []
    seller = await accounts.viewer_of(session, world.wang_account)
    pumpkin = BEGIN + timedelta(days=85)
    assert [listing.id for listing in await spoilage.to_warn(session, now=pumpkin)] == [world.pumpkin]
    await papers.change_day(session, seller, world.pumpkin, day_of(pumpkin) - timedelta(days=84), now=pumpkin)
    await session.flush()
    assert [listing.id for listing in await spoilage.to_warn(session, now=pumpkin)] == [world.pumpkin]


async def test_past_its_day_it_is_stopped_and_what_is_ordered_stays(session: AsyncSession, world: World) -> None:
    await build.order(session, world, Item(world.mutton, 2))
    assert await spoilage.stop_spoilt(session, now=BEGIN + timedelta(days=3)) == []
    stopped = await spoilage.stop_spoilt(session, now=BEGIN + timedelta(days=4))
    assert {listing.id for listing in stopped} == {world.mutton, world.last_leg}
    await session.flush()
    listing, stock = await session.get_one(Listing, world.mutton), await session.get_one(Stock, world.mutton)
    await session.refresh(stock)
    assert (listing.state, stock.on_hand, stock.reserved, stock.left) == (ListingState.WITHDRAWN, 2, 2, 0)
    moves = await session.exec(select(StockMove.quantity).where(StockMove.kind == Move.SPOILT).order_by("quantity"))
    assert moves.all() == [-58, -1]
    assert await spoilage.stop_spoilt(session, now=BEGIN + timedelta(days=4)) == []


async def test_a_waiting_listing_is_stopped_as_well(session: AsyncSession, world: World) -> None:
    seller = await accounts.viewer_of(session, world.wang_account)
    household = await households.seller(session, seller, world.wang)
    listing = await listings.put_up(session, seller, household, Offer("mutton", Measure.JIN, 3500, 5), now=BEGIN)
    stopped = await spoilage.stop_spoilt(session, now=BEGIN + timedelta(days=4))
    assert listing.id in {each.id for each in stopped}


async def test_new_goods_put_it_back_with_a_new_last_day(session: AsyncSession, world: World) -> None:
    seller, later = await accounts.viewer_of(session, world.wang_account), BEGIN + timedelta(days=120)
    await spoilage.stop_spoilt(session, now=later)
    again = await listings.put_back(session, seller, world.pumpkin, 40, ready_on=day_of(later), now=later)
    assert (again.state, again.sell_by_on) == (ListingState.LIVE, day_of(later) + timedelta(days=90))


async def test_what_is_already_spoilt_does_not_go_up(session: AsyncSession, world: World) -> None:
    seller = await accounts.viewer_of(session, world.wang_account)
    household = await households.seller(session, seller, world.wang)
    old = Offer("pumpkin", Measure.PIECE, 600, 5, ready_on=TODAY - timedelta(days=91))
    with pytest.raises(Malformed) as refused:
        await listings.put_up(session, seller, household, old, now=BEGIN)
    assert (refused.value.field, refused.value.problem) == ("ready_on", "kept_too_long")
