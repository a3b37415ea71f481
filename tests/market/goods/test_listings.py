"""A household's offers: what may be put up and changed, and by whom."""

import pytest
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import listings
from market.goods.listings import ListingState, Offer
from market.goods.stock import Stock, StockMove
from market.ground.audit import Trace
from market.ground.errors import Malformed, NotFound, NotMovable
from market.ground.measure import Measure
from market.people import accounts, households
from market.trade.placing import Item
from tests import build
from tests.world import BEGIN, World


@pytest.mark.parametrize(
    ("offer", "problem"),
    [
        (Offer("mutton", Measure.JIN, 0, 5), "not_positive"),
        (Offer("mutton", Measure.JIN, -5, 5), "not_positive"),
        (Offer("mutton", Measure.JIN, 5, 5), "far_too_low"),
        (Offer("mutton", Measure.JIN, 9_000_000, 5), "far_too_high"),
        (Offer("mutton", Measure.JIN, 3500, 0), "not_positive"),
        (Offer("mutton", Measure.JIN, 3500, 99_999), "far_too_many"),
        (Offer("mutton", Measure.BOX, 3500, 5), "wrong_measure"),
        (Offer("gold", Measure.JIN, 3500, 5), "unknown_produce"),
        (Offer("millet", Measure.BAG, 4000, 5), "missing"),
        (Offer("millet", Measure.BAG, 4000, 5, grams_each=-1), "impossible"),
    ],
)
async def test_slips_are_caught(session: AsyncSession, world: World, offer: Offer, problem: str) -> None:
    seller = await accounts.viewer_of(session, world.wang_account)
    household = await households.seller(session, seller, world.wang)
    with pytest.raises(Malformed) as refused:
        await listings.put_up(session, seller, household, offer, now=BEGIN)
    assert refused.value.problem == problem


async def test_the_band_scales_with_the_weight_of_a_pack(session: AsyncSession, world: World) -> None:
    """A 5-斤 bag may cost five times what a 斤 may; the same price for a 斤 would be a slip."""
    seller = await accounts.viewer_of(session, world.agent)
    household = await households.seller(session, seller, world.liu)
    bag = Offer("millet", Measure.BAG, 14_000, 5, grams_each=2500)
    assert (await listings.put_up(session, seller, household, bag, now=BEGIN)).grams_each == 2500
    with pytest.raises(Malformed):
        await listings.put_up(session, seller, household, Offer("millet", Measure.BAG, 14_000, 5, 500), now=BEGIN)


async def test_another_households_listing_does_not_exist(session: AsyncSession, world: World) -> None:
    stranger = await accounts.viewer_of(session, world.zhao_account)
    buyer = await accounts.viewer_of(session, world.buyer)
    officer = await accounts.viewer_of(session, world.officer)
    for viewer in (stranger, buyer, officer):
        with pytest.raises(NotFound):
            await listings.change_price(session, viewer, world.mutton, 3600, now=BEGIN)
    with pytest.raises(NotFound):
        await households.seller(session, stranger, world.wang)


async def test_what_an_agent_does_names_agent_and_household(session: AsyncSession, world: World) -> None:
    agent = await accounts.viewer_of(session, world.agent)
    await listings.change_price(session, agent, world.mutton, 3600, now=BEGIN)
    trace = (await session.exec(select(Trace).where(Trace.act == "change_price"))).one()
    assert (trace.account_id, trace.household_id, trace.note) == (world.agent, world.wang, "3500 > 3600")


async def test_an_agent_without_the_grant_loses_access_at_once(session: AsyncSession, world: World) -> None:
    agent = await accounts.viewer_of(session, world.agent)
    await accounts.end_grant(session, agent, agent.grants[0].id or 0, now=BEGIN)
    with pytest.raises(NotFound):
        await listings.change_price(session, await accounts.viewer_of(session, world.agent), world.mutton, 1, now=BEGIN)


async def test_stock_is_what_came_minus_what_went(session: AsyncSession, world: World) -> None:
    seller = await accounts.viewer_of(session, world.wang_account)
    await build.order(session, world, Item(world.mutton, 10))
    await listings.change_left(session, seller, world.mutton, 5, now=BEGIN)
    stock = await session.get_one(Stock, world.mutton)
    await session.refresh(stock)
    assert (stock.on_hand, stock.reserved, stock.left) == (15, 10, 5)
    moves = (await session.exec(select(StockMove.quantity).where(StockMove.listing_id == world.mutton))).all()
    assert sum(moves) == 15


async def test_stopping_and_selling_again(session: AsyncSession, world: World) -> None:
    seller = await accounts.viewer_of(session, world.wang_account)
    for _ in range(2):
        listing = await listings.withdraw(session, seller, world.mutton, now=BEGIN)
    assert listing.state is ListingState.WITHDRAWN
    with pytest.raises(NotMovable):
        await listings.change_price(session, seller, world.mutton, 3600, now=BEGIN)
    await listings.put_back(session, seller, world.mutton, 12, now=BEGIN)
    stock = await session.get_one(Stock, world.mutton)
    await session.refresh(stock)
    assert stock.left == 12
