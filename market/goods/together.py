"""The same goods of several households, put up at once by their agent: one price, an amount for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.goods import listings, produce
from market.goods.listings import Listing, ListingState, Offer
from market.goods.stock import Stock
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound
from market.ground.places import Division
from market.people import households
from market.people.accounts import Viewer
from market.people.households import Household

PAGE = 60
"""Households on one screen."""


class Home(NamedTuple):
    """A household that could offer the goods, and how many listings of them it has on sale."""

    household: Household
    village: str
    listed_count: int


@dataclass(frozen=True)
class Outcome:
    """What went up, and which households' amounts could not be taken, with the problem of each."""

    up: list[Listing]
    refused: dict[int, str]


async def homes(session: AsyncSession, by: Viewer, produce_code: str, *, q: str = "", offset: int = 0) -> list[Home]:
    """The households of a person's stations by place, with what they offer of this produce; one more than a page."""
    listed = (
        select(func.count())
        .select_from(Listing)
        .join(Stock, col(Stock.listing_id) == col(Listing.id))
        .where(
            col(Listing.household_id) == col(Household.id),
            col(Listing.produce_code) == produce_code,
            col(Listing.state) != ListingState.WITHDRAWN,
            col(Stock.on_hand) > col(Stock.reserved),
        )
        .correlate(Household)
        .scalar_subquery()
    )
    theirs = households.sold_for_by(by).with_only_columns(col(Household.id)).order_by(None)
    query = (
        select(Household, Division.name, listed)
        .join(Division, col(Division.code) == col(Household.division_code))
        .where(col(Household.id).in_(theirs))
        .order_by(col(Household.division_code), col(Household.id))
    )
    if q.strip():
        query = query.where(
            or_(
                col(Household.head_name).contains(q.strip(), autoescape=True),
                col(Division.name).contains(q.strip(), autoescape=True),
            )
        )
    return [Home._make(row) for row in await session.exec(query.offset(offset).limit(PAGE + 1))]


def seen_by(viewer: Viewer, listing_ids: Sequence[int]) -> Select[Listing, Stock, Household]:
    """These listings with what is there of each, as far as this person sells for their households; in their order."""
    theirs = households.sold_for_by(viewer).with_only_columns(col(Household.id)).order_by(None)
    return (
        select(Listing, Stock, Household)
        .join(Stock, col(Stock.listing_id) == col(Listing.id))
        .join(Household, col(Household.id) == col(Listing.household_id))
        .where(col(Listing.id).in_(listing_ids), col(Household.id).in_(theirs))
        .order_by(col(Listing.id))
    )


async def put_up(
    session: AsyncSession, by: Viewer, offer: Offer, amounts: Mapping[int, int], *, now: datetime
) -> Outcome:
    """Put the offer up for each household with its own amount. An amount no household has is refused, the rest goes up.

    A ceiling or papers that are missing hold a listing back as anywhere else. Raises NotFound when one household is
    not theirs to sell for, Malformed for what is wrong with the offer itself: nothing goes up then.
    """
    theirs = households.sold_for_by(by).where(col(Household.id).in_(amounts)).order_by(None).order_by(col(Household.id))
    found = (await session.exec(theirs)).all()
    if not amounts or len(found) != len(amounts):
        raise NotFound("household")
    item = await produce.get(session, offer.produce_code)
    row = await produce.counted(session, item.code, offer.measure)
    listings.check_price(row, offer.price_fen, row.checked_grams(offer.grams_each))
    item.checked_day(offer.ready_on, on=day_of(now))
    outcome = Outcome([], {})
    for home in found:
        quantity = amounts[home.id or 0]
        try:
            listings.check_quantity(row, quantity)
        except Malformed as error:
            outcome.refused[home.id or 0] = error.problem
            continue
        outcome.up.append(await listings.put_up(session, by, home, replace(offer, quantity=quantity), now=now))
    return outcome
