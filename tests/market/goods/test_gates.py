"""Gates: mutton is not seen before its papers are complete, and every lot has papers of its own."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import catalogue, gates, listings, papers, slaughter_points
from market.goods.catalogue import Wanted
from market.goods.gates import Paper, Papers
from market.goods.listings import Listing, ListingState, Offer
from market.goods.slaughter_points import SlaughterPoint
from market.ground.audit import Trace
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound, NotOnSale
from market.ground.measure import Measure
from market.people import accounts, households
from market.people.accounts import Viewer
from market.trade.placing import Item
from tests import build
from tests.world import BEGIN, PAPERS, World

MUTTON = Offer("mutton", Measure.JIN, 3500, 20)
TODAY = day_of(BEGIN)


async def seller_of(session: AsyncSession, world: World) -> Viewer:
    return await accounts.viewer_of(session, world.wang_account)


async def put_up(session: AsyncSession, world: World, offer: Offer) -> Listing:
    seller = await seller_of(session, world)
    household = await households.seller(session, seller, world.wang)
    return await listings.put_up(session, seller, household, offer, now=BEGIN)


async def on_sale(session: AsyncSession) -> set[int]:
    return {card.id for card in (await catalogue.find(session, Wanted())).items}


async def test_without_papers_it_waits_unseen(session: AsyncSession, world: World) -> None:
    listing = await put_up(session, world, MUTTON)
    assert listing.state is ListingState.WAITING
    waits = await listings.waits_of(session, listing, on=TODAY)
    assert waits.papers == (Paper.SLAUGHTER_POINT, Paper.CERTIFICATE_NO, Paper.CERTIFICATE_PHOTO)
    assert listing.id not in await on_sale(session)
    with pytest.raises(NotFound):
        await catalogue.card(session, listing.id or 0)
    with pytest.raises(NotOnSale):
        await build.order(session, world, Item(listing.id or 0, 1))


async def test_with_all_papers_it_is_seen_at_once(session: AsyncSession, world: World) -> None:
    listing = await put_up(session, world, replace(MUTTON, papers=PAPERS))
    assert listing.state is ListingState.LIVE
    assert listing.id in await on_sale(session)


async def test_papers_may_come_one_by_one_and_none_is_lost(session: AsyncSession, world: World) -> None:
    listing, seller = await put_up(session, world, MUTTON), await seller_of(session, world)
    number, left = listing.id or 0, []
    for given in (Papers(certificate_no="1400 0020 2611 0001"), Papers("point"), Papers(certificate_photo="a" * 32)):
        await papers.hand_in(session, seller, number, given, now=BEGIN)
        left.append(len((await listings.waits_of(session, listing, on=TODAY)).papers))
    assert left == [2, 1, 0]
    assert listing.state is ListingState.LIVE
    shown = await gates.of_lot(session, number, listing.ready_on)
    assert shown is not None
    assert (shown.slaughter_point_code, shown.certificate_no, shown.certificate_photo, shown.given_by) == (
        "point", "1400002026110001", "a" * 32, world.wang_account,
    )  # fmt: skip
    traced = (await session.exec(select(Trace.household_id).where(Trace.act == "hand_in_papers"))).all()
    assert traced == [world.wang] * 3


async def test_buyers_see_the_numbers_and_not_the_photo(session: AsyncSession, world: World) -> None:
    seen = await gates.seen_by_buyers(session, world.mutton, TODAY)
    assert seen is not None
    assert (seen.slaughter_point, seen.certificate_no) == ("样例屠宰点", PAPERS.certificate_no)
    assert not hasattr(seen, "certificate_photo")
    assert await gates.seen_by_buyers(session, world.millet, TODAY) is None


@pytest.mark.parametrize(
    ("given", "field", "problem"),
    [
        (Papers("nowhere"), "slaughter_point", "choose_one"),
        (Papers("closed"), "slaughter_point", "choose_one"),
        (Papers(certificate_no="12"), "certificate_no", "not_a_paper_number"),
        (Papers(certificate_no="1234567; DROP"), "certificate_no", "not_a_paper_number"),
        (Papers(licence_no="x" * 41), "licence_no", "not_a_paper_number"),
        (Papers(issued_on=TODAY + timedelta(days=1)), "issued_on", "in_future"),
    ],
)
async def test_papers_that_cannot_be_are_refused(
    session: AsyncSession, world: World, given: Papers, field: str, problem: str
) -> None:
    session.add(SlaughterPoint(code="closed", name="关了的", division_code="141102", closed=True))
    seller = await seller_of(session, world)
    with pytest.raises(Malformed) as refused:
        await papers.hand_in(session, seller, world.mutton, given, now=BEGIN)
    assert (refused.value.field, refused.value.problem) == (field, problem)


async def test_a_city_lends_its_slaughter_points_to_its_counties(session: AsyncSession, world: World) -> None:
    session.add(SlaughterPoint(code="city", name="市里的", division_code="1411"))
    found = [point.code for point in await session.exec(slaughter_points.usable_in("141102006201"))]
    assert found == ["point", "city"]
    assert [point.code for point in await session.exec(slaughter_points.usable_in("141181100201"))] == ["city"]


async def test_another_day_is_another_lot_with_papers_of_its_own(session: AsyncSession, world: World) -> None:
    seller = await seller_of(session, world)
    listing = await papers.change_day(session, seller, world.mutton, TODAY - timedelta(days=1), now=BEGIN)
    assert (listing.state, listing.sell_by_on) == (ListingState.WAITING, TODAY + timedelta(days=2))
    listing = await papers.change_day(session, seller, world.mutton, TODAY, now=BEGIN)
    assert listing.state is ListingState.LIVE


async def test_what_was_stopped_and_comes_again_on_another_day_needs_new_papers(
    session: AsyncSession, world: World
) -> None:
    seller = await seller_of(session, world)
    await listings.withdraw(session, seller, world.mutton, now=BEGIN)
    undone = await listings.put_back(session, seller, world.mutton, 60, now=BEGIN)
    assert undone.state is ListingState.LIVE
    later = BEGIN + timedelta(days=5)
    await listings.withdraw(session, seller, world.mutton, now=later)
    again = await listings.put_back(session, seller, world.mutton, 30, now=later)
    assert (again.state, again.ready_on) == (ListingState.WAITING, day_of(later))


async def test_what_has_no_gate_takes_no_papers(session: AsyncSession, world: World) -> None:
    seller = await seller_of(session, world)
    with pytest.raises(Malformed) as refused:
        await papers.hand_in(session, seller, world.pumpkin, PAPERS, now=BEGIN)
    assert refused.value.problem == "not_asked"


async def test_nobody_else_hands_in_papers(session: AsyncSession, world: World) -> None:
    for account in (world.zhao_account, world.buyer, world.officer):
        viewer = await accounts.viewer_of(session, account)
        with pytest.raises(NotFound):
            await papers.hand_in(session, viewer, world.mutton, PAPERS, now=BEGIN)
        with pytest.raises(NotFound):
            await papers.change_day(session, viewer, world.mutton, date(2026, 11, 1), now=BEGIN)


async def test_price_and_amount_may_be_mended_while_it_waits(session: AsyncSession, world: World) -> None:
    listing, seller = await put_up(session, world, MUTTON), await seller_of(session, world)
    await listings.change_price(session, seller, listing.id or 0, 3600, now=BEGIN)
    await listings.change_left(session, seller, listing.id or 0, 15, now=BEGIN)
    assert (listing.state, listing.price_fen) == (ListingState.WAITING, 3600)
    stopped = await listings.withdraw(session, seller, listing.id or 0, now=BEGIN)
    assert stopped.state is ListingState.WITHDRAWN
