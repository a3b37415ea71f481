"""Goods as officers find them: what waits and for how long, what was halted, what comes near its last good day."""

from datetime import date
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import ColumnElement
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.goods import decisions, spoilage
from market.goods.listings import Listing, ListingState
from market.goods.produce import Produce
from market.goods.stock import Stock
from market.goods.waiting import Halt
from market.ground import places
from market.ground.errors import NotFound
from market.ground.places import Division
from market.people.accounts import Viewer
from market.people.households import Household

PAGE = 30
"""Listings shown at once."""


class Only(StrEnum):
    """Which part of the goods is asked for."""

    WAITING = ""
    """Put up and not seen by buyers yet: those who wait longest first."""
    HALTED = "halted"
    SPOILING = "spoiling"
    """On sale and near its last good day: what spoils first comes first."""
    ON_SALE = "on_sale"


class Row(NamedTuple):
    """A listing with whose it is."""

    listing: Listing
    stock: Stock
    item: Produce
    household: Household
    village: str


async def listed(
    session: AsyncSession, officer: Viewer, *, on: date, only: Only = Only.WAITING, q: str = "", offset: int = 0
) -> list[Row]:
    """Goods of the officer's divisions; one more than a page when there are more."""
    found = _rows(officer).where(*_only(only, on))
    if q.strip():
        found = found.where(_like(q.strip()))
    order = {
        Only.SPOILING: (col(Listing.sell_by_on), col(Listing.id)),
        Only.ON_SALE: (col(Listing.id).desc(),),
    }.get(only, (col(Listing.listed_at), col(Listing.id)))
    rows = (await session.exec(found.order_by(*order).offset(offset).limit(PAGE + 1))).all()
    villages = await places.names(session, {listing.division_code for listing, *_more in rows})
    return [Row(*row, villages.get(row[0].division_code, "")) for row in rows]


async def one(session: AsyncSession, officer: Viewer, listing_id: int) -> Row:
    """One of them. NotFound outside the officer's divisions."""
    row = (await session.exec(_rows(officer).where(col(Listing.id) == listing_id))).one_or_none()
    if row is None:
        raise NotFound("listing", str(listing_id))
    return Row(*row, (await places.get(session, row[0].division_code)).name)


def _rows(officer: Viewer) -> Select[Listing, Stock, Produce, Household]:
    return (
        select(Listing, Stock, Produce, Household)
        .join(Stock, col(Stock.listing_id) == col(Listing.id))
        .join(Produce, col(Produce.code) == col(Listing.produce_code))
        .join(Household, col(Household.id) == col(Listing.household_id))
        .join(Division, col(Division.code) == col(Listing.division_code))
        .where(decisions.inside(officer))
    )


def _only(only: Only, on: date) -> tuple[ColumnElement[bool], ...]:
    live = col(Listing.state) == ListingState.LIVE
    if only is Only.HALTED:
        halts = select(Halt.listing_id).where(col(Halt.lifted_at).is_(None))
        return (col(Listing.id).in_(halts),)
    if only is Only.SPOILING:
        return (live, col(Stock.on_hand) > col(Stock.reserved), spoilage.near(on))
    return (live,) if only is Only.ON_SALE else (col(Listing.state) == ListingState.WAITING,)


def _like(text: str) -> ColumnElement[bool]:
    """SQL: the text is in the title, the household's name or its village, or is the household's number."""
    return or_(
        col(Listing.title).contains(text, autoescape=True),
        col(Household.head_name).contains(text, autoescape=True),
        col(Division.name).contains(text, autoescape=True),
        col(Household.number) == text,
    )
