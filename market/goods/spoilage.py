"""The spoilage clock: what comes near its last good day, and what is past it and no longer sold."""

from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, func
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.goods import stock
from market.goods.listings import Listing, ListingState
from market.goods.produce import Produce
from market.goods.stock import Stock
from market.ground import audit
from market.ground.clock import day_of

WARN_DAYS = 7
"""So long ahead a household is told; for what keeps less than twice as long, when half of its time is over."""
_AT_ONCE = 200
"""Listings taken in one transaction."""


def comes_near(listing: Listing, item: Produce, *, on: date) -> bool:
    """Whether the listing's last good day is near enough to say so."""
    if listing.sell_by_on is None or item.storage_days is None:
        return False
    return on >= listing.sell_by_on - timedelta(days=min(WARN_DAYS, item.storage_days // 2))


def spoiling(*, on: date) -> Select[Listing, Stock, Produce]:
    """What is on sale, has something left and comes near its last good day: what spoils first comes first."""
    return (
        select(Listing, Stock, Produce)
        .join(Stock, col(Stock.listing_id) == col(Listing.id))
        .join(Produce, col(Produce.code) == col(Listing.produce_code))
        .where(Listing.state == ListingState.LIVE, col(Stock.on_hand) > col(Stock.reserved), near(on))
        .order_by(col(Listing.sell_by_on), col(Listing.id))
    )


async def to_warn(session: AsyncSession, *, now: datetime) -> list[Listing]:
    """Listings whose households have not been told yet that they come near; each is given out once."""
    unwarned = (
        spoiling(on=day_of(now))
        .where(col(Listing.warned_on).is_(None))
        .limit(_AT_ONCE)
        .with_for_update(of=Listing, key_share=True, skip_locked=True)
    )
    found = [listing for listing, _stock, _item in await session.exec(unwarned)]
    for listing in found:
        listing.warned_on = day_of(now)
    return found


async def stop_spoilt(session: AsyncSession, *, now: datetime) -> list[Listing]:
    """Stop selling what is past its last good day: what is left goes out of stock, what is ordered stays ordered."""
    past = (
        select(Listing)
        .where(Listing.state != ListingState.WITHDRAWN, col(Listing.sell_by_on) < day_of(now))
        .order_by(col(Listing.id))
        .limit(_AT_ONCE)
        .with_for_update(key_share=True, skip_locked=True)
    )
    stopped = list(await session.exec(past))
    for listing in stopped:
        listing_id = listing.id or 0
        await stock.set_left(session, listing_id, 0, by=None, kind=stock.Move.SPOILT, now=now)
        listing.state, listing.changed_at = ListingState.WITHDRAWN, now
        subject, day = f"listing:{listing_id}", str(listing.sell_by_on)
        audit.note(session, None, "stop_spoilt", household_id=listing.household_id, subject=subject, note=day, now=now)
    return stopped


def near(on: date) -> ColumnElement[bool]:
    """SQL: the last good day of a listing, beside its produce, is near enough to say so."""
    days = func.least(WARN_DAYS, col(Produce.storage_days) // 2)
    return col(Listing.sell_by_on) - days <= on
