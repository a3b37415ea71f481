"""Listings: the offer of one household, from going live to being withdrawn."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ARRAY, CheckConstraint, Index, String
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.goods import capacity, gates, produce, search, stock, waiting
from market.goods.gates import Papers
from market.goods.produce import Produce, ProduceMeasure
from market.goods.waiting import Lot, Waits
from market.ground.clock import day_of
from market.ground.db import choice, fen, key_of, new_id, place_code
from market.ground.errors import Malformed, NotFound, NotMovable
from market.ground.measure import Measure
from market.people import acts_for, households
from market.people.accounts import Viewer
from market.people.households import Household

_MAX_TITLE, _MAX_NOTE = 30, 300


class ListingState(StrEnum):
    """Whether buyers see it."""

    LIVE = "live"
    """On sale, as long as something is left."""
    WAITING = "waiting"
    """Put up, but something must be there before buyers see it: `market/goods/waiting.py` says what."""
    WITHDRAWN = "withdrawn"
    """The household stopped selling it."""


class Listing(SQLModel, table=True):
    """上架: one produce of one household, in one measure, at one price."""

    __tablename__ = "listings"
    __table_args__ = (
        CheckConstraint("price_fen > 0", name="price_fen"),
        CheckConstraint("grams_each IS NULL OR grams_each > 0", name="grams_each"),
        CheckConstraint("sell_by_on IS NULL OR sell_by_on >= ready_on AND ready_on IS NOT NULL", name="sell_by_on"),
        Index("ix_listings_words", "words", postgresql_using="gin"),
        # What costs the same is ordered by what spoils first.
        Index("ix_listings_live_price", "price_fen", "sell_by_on", "id", postgresql_where="state = 'live'"),
        Index("ix_listings_live_sell_by", "sell_by_on", "id", postgresql_where="state = 'live'"),
        Index("ix_listings_live_place", "division_code", "id", postgresql_where="state = 'live'"),
        Index("ix_listings_live_produce", "produce_code", "id", postgresql_where="state = 'live'"),
    )

    id: int | None = new_id()
    household_id: int = key_of("households.id", index=True)
    division_code: str = place_code(references=True)
    produce_code: str = Field(foreign_key="produce.code", max_length=24)
    measure: Measure = choice(Measure, name="measure")
    grams_each: int | None = None
    """Weight of one, where it is known: always for 斤, 公斤, bags and boxes."""
    price_fen: int = fen()
    title: str = Field(max_length=_MAX_TITLE)
    note: str = Field(default="", max_length=_MAX_NOTE)
    photo: str | None = Field(default=None, max_length=64)
    """Content hash of its photo."""
    ready_on: date | None = None
    """When it was harvested, slaughtered, laid or made; None where nobody knows how long the produce keeps."""
    sell_by_on: date | None = None
    """The last day it is good: that day and the produce's storage life, as they were when it was put up."""
    warned_on: date | None = None
    """When its household was told that this day comes near."""
    state: ListingState = choice(ListingState, name="state", default=ListingState.LIVE)
    listed_at: datetime
    listed_by: int | None = key_of("accounts.id", default=None)
    changed_at: datetime
    search_text: str = ""
    words: list[str] = Field(default_factory=list, sa_type=ARRAY(String))


@dataclass(frozen=True)
class Offer:
    """What a household wants to put up."""

    produce_code: str
    measure: Measure
    price_fen: int
    quantity: int
    grams_each: int | None = None
    title: str = ""
    note: str = ""
    photo: str | None = None
    ready_on: date | None = None
    """None: when such goods usually come in."""
    papers: Papers | None = None


def of_household(household_id: int) -> Select[Listing, stock.Stock, Produce]:
    """A household's listings with their stock: live, waiting, withdrawn, the newest of each first."""
    return (
        select(Listing, stock.Stock, Produce)
        .join(stock.Stock, col(stock.Stock.listing_id) == col(Listing.id))
        .join(Produce, col(Produce.code) == col(Listing.produce_code))
        .where(Listing.household_id == household_id)
        .order_by(col(Listing.state), col(Listing.id).desc())
    )


async def seller_listing(session: AsyncSession, viewer: Viewer, listing_id: int) -> Listing:
    """A listing this person may change, locked until the transaction ends. NotFound outside the grant."""
    theirs = households.sold_for_by(viewer).with_only_columns(col(Household.id)).order_by(None)
    found = (
        await session.exec(
            select(Listing)
            .where(Listing.id == listing_id, col(Listing.household_id).in_(theirs))
            .with_for_update(key_share=True)
        )
    ).one_or_none()
    if found is None:
        raise NotFound("listing", str(listing_id))
    return found


async def put_up(session: AsyncSession, by: Viewer, household: Household, offer: Offer, *, now: datetime) -> Listing:
    """Put an offer on sale, or let it wait for what is still missing. Malformed names the field to look at again."""
    item = await produce.get(session, offer.produce_code)
    row = await produce.counted(session, item.code, offer.measure)
    grams_each = row.checked_grams(offer.grams_each)
    check_price(row, offer.price_fen, grams_each)
    check_quantity(row, offer.quantity)
    ready_on = item.checked_day(offer.ready_on, on=day_of(now))
    title = offer.title.strip()[:_MAX_TITLE] or item.name
    text = await search.text_of(session, item, title, household.division_code)
    listing = Listing(
        household_id=household.id or 0,
        division_code=household.division_code,
        produce_code=item.code,
        measure=offer.measure,
        grams_each=grams_each,
        price_fen=offer.price_fen,
        title=title,
        note=offer.note.strip()[:_MAX_NOTE],
        photo=offer.photo,
        ready_on=ready_on,
        sell_by_on=item.sell_by(ready_on),
        state=ListingState.WAITING,
        listed_at=now,
        listed_by=by.account_id,
        changed_at=now,
        search_text=text,
        words=search.words_of(text),
    )
    session.add(listing)
    await session.flush()  # its stock needs the id
    listing_id = listing.id or 0
    await stock.bring(session, listing_id, offer.quantity, by=by.account_id, now=now)
    if offer.papers is not None and ready_on is not None:
        given = await gates.checked(session, offer.papers, division_code=household.division_code, now=now)
        await gates.keep(session, listing_id, ready_on, given, by=by.account_id, now=now)
    await settle(session, listing, now=now)
    note(session, by, listing, "put_up", f"{offer.quantity} @ {offer.price_fen}", now)
    return listing


async def waits_of(session: AsyncSession, listing: Listing, *, on: date, hold: bool = False) -> Waits:
    """What keeps a listing from being sold."""
    await session.flush()  # papers and stock that came in this very act count
    item = await session.get_one(Produce, listing.produce_code)
    row = await produce.counted(session, listing.produce_code, listing.measure)
    each = row.grams_of_one(listing.grams_each)
    brought = await capacity.brought_in(session, listing.id or 0, on=on) if each else 0
    lot = Lot(listing.id or 0, listing.household_id, listing.ready_on, brought * each if each else None)
    return await waiting.waits_of(session, item, lot, on=on, hold=hold)


async def settle(session: AsyncSession, listing: Listing, *, now: datetime) -> Waits:
    """Show a listing to buyers when nothing is waited for, hide it when something is. What was withdrawn stays so."""
    waits = await waits_of(session, listing, on=day_of(now), hold=True)
    if listing.state is not ListingState.WITHDRAWN:
        listing.state = ListingState.WAITING if waits else ListingState.LIVE
    return waits


async def change_price(session: AsyncSession, by: Viewer, listing_id: int, price_fen: int, *, now: datetime) -> Listing:
    """A new price from now on; orders already placed keep theirs."""
    listing = await seller_listing(session, by, listing_id)
    _must_be_offered(listing, "change_price")
    check_price(await produce.counted(session, listing.produce_code, listing.measure), price_fen, listing.grams_each)
    note(session, by, listing, "change_price", f"{listing.price_fen} > {price_fen}", now)
    listing.price_fen, listing.changed_at = price_fen, now
    return listing


async def change_left(session: AsyncSession, by: Viewer, listing_id: int, left: int, *, now: datetime) -> Listing:
    """Exactly this many are left to sell; what is ordered stays ordered. OverCapacity says how many more may be."""
    listing = await seller_listing(session, by, listing_id)
    _must_be_offered(listing, "change_left")
    row = await produce.counted(session, listing.produce_code, listing.measure)
    check_quantity(row, left, least=0)
    more = left - await stock.left_now(session, listing_id)
    if listing.state is ListingState.LIVE and more > 0:
        item = await session.get_one(Produce, listing.produce_code)
        each = row.grams_of_one(listing.grams_each)
        await capacity.check_more(session, listing.household_id, item, each=each, more=more, on=day_of(now))
    change = await stock.set_left(session, listing_id, left, by=by.account_id, kind=stock.Move.CHANGED, now=now)
    note(session, by, listing, "change_left", f"{change:+d}", now)
    listing.changed_at = now
    if listing.state is ListingState.WAITING:
        await settle(session, listing, now=now)
    return listing


async def add_left(session: AsyncSession, by: Viewer, listing_id: int, step: int, *, now: datetime) -> Listing:
    """A few more or fewer than are left at this moment, whatever the person's screen showed; never below nothing."""
    listing = await seller_listing(session, by, listing_id)
    left = await stock.left_now(session, listing_id) + step
    return listing if left < 0 else await change_left(session, by, listing_id, left, now=now)


async def withdraw(session: AsyncSession, by: Viewer, listing_id: int, *, now: datetime) -> Listing:
    """Stop selling. Taking out what is left makes every later order fail in the database itself."""
    listing = await seller_listing(session, by, listing_id)
    if listing.state is not ListingState.WITHDRAWN:
        await stock.set_left(session, listing_id, 0, by=by.account_id, kind=stock.Move.WITHDRAWN, now=now)
        listing.state, listing.changed_at = ListingState.WITHDRAWN, now
        note(session, by, listing, "withdraw", "", now)
    return listing


async def put_back(
    session: AsyncSession, by: Viewer, listing_id: int, quantity: int, *, ready_on: date | None = None, now: datetime
) -> Listing:
    """Sell a withdrawn listing again, with this many to sell. Without a day: the old goods while they are good."""
    listing = await seller_listing(session, by, listing_id)
    if listing.state is not ListingState.WITHDRAWN:
        raise NotMovable("listing", listing.state, "put_back")
    check_quantity(await produce.counted(session, listing.produce_code, listing.measure), quantity)
    item = await session.get_one(Produce, listing.produce_code)
    is_good = listing.sell_by_on is not None and listing.sell_by_on >= day_of(now)
    set_ready(listing, item, ready_on or (listing.ready_on if is_good else None), now=now)
    await stock.set_left(session, listing_id, quantity, by=by.account_id, kind=stock.Move.LISTED, now=now)
    listing.state = ListingState.WAITING
    await settle(session, listing, now=now)
    note(session, by, listing, "put_back", str(quantity), now)
    return listing


def set_ready(listing: Listing, item: Produce, ready_on: date | None, *, now: datetime) -> None:
    """The day its goods came in, and with it their last good day. Malformed for a day that cannot be."""
    listing.ready_on = item.checked_day(ready_on, on=day_of(now))
    listing.sell_by_on, listing.warned_on, listing.changed_at = item.sell_by(listing.ready_on), None, now


def check_price(row: ProduceMeasure, price_fen: int, grams_each: int | None) -> None:
    """Malformed for a price that can only be a slip: nothing, negative, or far outside what the produce ever costs."""
    if price_fen <= 0:
        raise Malformed("price", "not_positive", str(price_fen))
    possible = produce.band(row, grams_each)
    if price_fen < possible.least_fen:
        raise Malformed("price", "far_too_low", str(price_fen))
    if price_fen > possible.most_fen:
        raise Malformed("price", "far_too_high", str(price_fen))


def check_quantity(row: ProduceMeasure, quantity: int, *, least: int = 1) -> None:
    """Malformed for a quantity no single household has."""
    if quantity < least:
        raise Malformed("quantity", "not_positive", str(quantity))
    if quantity > row.most_quantity:
        raise Malformed("quantity", "far_too_many", str(quantity))


def _must_be_offered(listing: Listing, move: str) -> None:
    if listing.state is ListingState.WITHDRAWN:
        raise NotMovable("listing", listing.state, move)


def note(session: AsyncSession, by: Viewer, listing: Listing, act: str, text: str, now: datetime) -> None:
    """Leave a trace of an act on a listing, in the seller's name and the household's; an agent's is asked about."""
    acts_for.note(session, by, listing.household_id, act, subject=f"listing:{listing.id}", note=text, now=now)
