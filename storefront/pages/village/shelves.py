"""A household's goods as its own pages show them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import listings, spoilage
from market.goods.listings import Listing, ListingState
from market.goods.produce import Produce
from market.goods.stock import Stock
from market.ground.clock import day_of
from market.ground.errors import NotFound
from market.ground.measure import Measure
from market.reports import household as reports
from storefront import words
from storefront.pages.village import counts, waits
from storefront.pages.village.houses import House
from storefront.texts import gettext as _


async def all_of(session: AsyncSession, house: House, *, on: date) -> list[dict[str, Any]]:
    """Everything the household put up, with what is ordered of each: what spoils first, what is on sale, the rest."""
    ordered = await reports.ordered(session, house.id, from_on=on)
    rows = (await session.exec(listings.of_household(house.id))).all()
    goods = [_shown(house, *row, ordered) | await _clock(session, row[0], row[2], on=on) for row in rows]
    return sorted(goods, key=lambda each: (not each["is_live"], each["sell_by"] if each["is_spoiling"] else date.max))


async def one_of(session: AsyncSession, house: House, listing_id: int, *, on: date) -> dict[str, Any]:
    """One of them. NotFound for a listing of another household."""
    ordered = await reports.ordered(session, house.id, from_on=on)
    row = (await session.exec(listings.of_household(house.id).where(col(Listing.id) == listing_id))).one_or_none()
    if row is None:
        raise NotFound("listing", str(listing_id))
    return _shown(house, *row, ordered) | await _clock(session, row[0], row[2], on=on)


async def _clock(session: AsyncSession, listing: Listing, item: Produce, *, on: date) -> dict[str, Any]:
    """What it waits for, and how near its last good day is."""
    is_waiting = listing.state is ListingState.WAITING
    waited_for = await listings.waits_of(session, listing, on=on) if is_waiting else None
    return {
        "sell_by": listing.sell_by_on,
        "is_spoiling": listing.state is ListingState.LIVE and spoilage.comes_near(listing, item, on=on),
        "is_past": listing.sell_by_on is not None and listing.sell_by_on < day_of(listing.changed_at),
        "needs_papers": bool(waited_for and waited_for.papers),
        "is_gated": item.gate_code is not None,
        "day_label": waits.DAY[item.ready],
        **waits.context(waited_for),
    }


def _shown(house: House, listing: Listing, stock: Stock, item: Produce, ordered: Mapping[int, int]) -> dict[str, Any]:
    count = ordered.get(listing.id or 0, 0)
    return {
        "id": listing.id,
        "listing": listing,
        "name": listing.title if listing.title != item.name else words.produce_name(item),
        "produce_code": listing.produce_code,
        "photo": listing.photo or "",
        "photo_url": words.photo_url(listing.photo, "card"),
        "thumb_url": words.photo_url(listing.photo, "thumb"),
        "village": house.village,
        "grower": house.household.display_name,
        "price_fen": listing.price_fen,
        "ready": listing.ready_on.isoformat() if listing.ready_on else "",
        "unit": words.measure(listing.measure, listing.grams_each),
        "one": counts.one(listing.measure, listing.grams_each),
        "kilo_fen": listing.price_fen * 2 if listing.measure is Measure.JIN else None,
        "left": stock.left,
        "left_quantity": words.quantity(stock.left, listing.measure, listing.grams_each),
        "left_text": _("还剩 %(quantity)s", quantity=words.quantity(stock.left, listing.measure, listing.grams_each)),
        "ordered_text": words.quantity(count, listing.measure, listing.grams_each) if count else "",
        "is_live": listing.state is not ListingState.WITHDRAWN,
        "sold_out": listing.state is ListingState.LIVE and stock.left <= 0,
        "url": f"/listings/{listing.id}",
    }
