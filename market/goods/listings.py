"""Listings: the offer of one household, from going live to being withdrawn."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ARRAY, CheckConstraint, Index, String
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.goods import produce, search, stock
from market.goods.produce import Produce, ProduceMeasure
from market.ground import audit, places
from market.ground.db import choice, fen, key_of, new_id, place_code
from market.ground.errors import Malformed, NotFound, NotMovable
from market.ground.measure import Measure
from market.ground.places import Division, DivisionName
from market.people import households
from market.people.accounts import Viewer
from market.people.households import Household

_MAX_TITLE, _MAX_NOTE = 30, 300


class ListingState(StrEnum):
    """Whether buyers see it."""

    LIVE = "live"
    """On sale, as long as something is left."""
    WITHDRAWN = "withdrawn"
    """The household stopped selling it."""


class Listing(SQLModel, table=True):
    """上架: one produce of one household, in one measure, at one price."""

    __tablename__ = "listings"
    __table_args__ = (
        CheckConstraint("price_fen > 0", name="price_fen"),
        CheckConstraint("grams_each IS NULL OR grams_each > 0", name="grams_each"),
        Index("ix_listings_words", "words", postgresql_using="gin"),
        Index("ix_listings_live_price", "price_fen", "id", postgresql_where="state = 'live'"),
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


def of_household(household_id: int) -> Select[Listing, stock.Stock, Produce]:
    """A household's listings with their stock: live first, newest first."""
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
    """Put an offer on sale. Malformed names the field a person must look at again."""
    item = await produce.get(session, offer.produce_code)
    row = await produce.counted(session, item.code, offer.measure)
    grams_each = _grams_each(offer)
    check_price(row, offer.price_fen, grams_each)
    check_quantity(row, offer.quantity)
    title = offer.title.strip()[:_MAX_TITLE] or item.name
    text = await _search_text(session, item, title, household.division_code)
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
    _note(session, by, listing, "put_up", f"{offer.quantity} @ {offer.price_fen}", now)
    return listing


async def change_price(session: AsyncSession, by: Viewer, listing_id: int, price_fen: int, *, now: datetime) -> Listing:
    """A new price from now on; orders already placed keep theirs."""
    listing = await seller_listing(session, by, listing_id)
    _must_be_live(listing, "change_price")
    check_price(await produce.counted(session, listing.produce_code, listing.measure), price_fen, listing.grams_each)
    _note(session, by, listing, "change_price", f"{listing.price_fen} > {price_fen}", now)
    listing.price_fen, listing.changed_at = price_fen, now
    return listing


async def change_left(session: AsyncSession, by: Viewer, listing_id: int, left: int, *, now: datetime) -> Listing:
    """What is left to sell is now exactly this many; what is ordered stays ordered."""
    listing = await seller_listing(session, by, listing_id)
    _must_be_live(listing, "change_left")
    row = await produce.counted(session, listing.produce_code, listing.measure)
    check_quantity(row, left, least=0)
    change = await stock.set_left(session, listing_id, left, by=by.account_id, kind=stock.Move.CHANGED, now=now)
    _note(session, by, listing, "change_left", f"{change:+d}", now)
    listing.changed_at = now
    return listing


async def add_left(session: AsyncSession, by: Viewer, listing_id: int, step: int, *, now: datetime) -> Listing:
    """A few more or fewer than are left at this moment, whatever the person's screen showed; never below nothing."""
    listing = await seller_listing(session, by, listing_id)
    left = await stock.left_now(session, listing_id) + step
    return listing if left < 0 else await change_left(session, by, listing_id, left, now=now)


async def change_photo(
    session: AsyncSession, by: Viewer, listing_id: int, photo: str | None, *, now: datetime
) -> Listing:
    """Show another photo, or none."""
    listing = await seller_listing(session, by, listing_id)
    listing.photo, listing.changed_at = photo, now
    _note(session, by, listing, "change_photo", photo or "", now)
    return listing


async def withdraw(session: AsyncSession, by: Viewer, listing_id: int, *, now: datetime) -> Listing:
    """Stop selling. Taking out what is left makes every later order fail in the database itself."""
    listing = await seller_listing(session, by, listing_id)
    if listing.state is ListingState.LIVE:
        await stock.set_left(session, listing_id, 0, by=by.account_id, kind=stock.Move.WITHDRAWN, now=now)
        listing.state, listing.changed_at = ListingState.WITHDRAWN, now
        _note(session, by, listing, "withdraw", "", now)
    return listing


async def put_back(session: AsyncSession, by: Viewer, listing_id: int, quantity: int, *, now: datetime) -> Listing:
    """Sell a withdrawn listing again, with this many to sell."""
    listing = await seller_listing(session, by, listing_id)
    if listing.state is not ListingState.WITHDRAWN:
        raise NotMovable("listing", listing.state, "put_back")
    check_quantity(await produce.counted(session, listing.produce_code, listing.measure), quantity)
    await stock.set_left(session, listing_id, quantity, by=by.account_id, kind=stock.Move.LISTED, now=now)
    listing.state, listing.changed_at = ListingState.LIVE, now
    _note(session, by, listing, "put_back", str(quantity), now)
    return listing


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


def _grams_each(offer: Offer) -> int | None:
    if offer.measure.fixed_grams:
        return offer.measure.fixed_grams
    if offer.measure.is_pack and not offer.grams_each:
        raise Malformed("grams_each", "missing")
    if offer.grams_each is not None and not 0 < offer.grams_each <= 100_000:  # noqa: PLR2004  100 kg: more is no pack
        raise Malformed("grams_each", "impossible", str(offer.grams_each))
    return offer.grams_each


def _must_be_live(listing: Listing, move: str) -> None:
    if listing.state is not ListingState.LIVE:
        raise NotMovable("listing", listing.state, move)


def _note(session: AsyncSession, by: Viewer, listing: Listing, act: str, text: str, now: datetime) -> None:
    audit.note(
        session,
        by.account_id,
        act,
        household_id=listing.household_id,
        subject=f"listing:{listing.id}",
        note=text,
        now=now,
    )


async def _search_text(session: AsyncSession, item: Produce, title: str, division_code: str) -> str:
    """Everything a listing is found by: its title, the produce's names, its places' names and aliases, spelled out."""
    codes = [code for code in (*places.parents(division_code), division_code) if len(code) > places.Level.COUNTY]
    rows = await session.exec(select(Division).where(col(Division.code).in_(codes)))
    aliases = await session.exec(select(DivisionName).where(col(DivisionName.division_code).in_(codes)))
    named = [f"{place.name} {place.pinyin} {place.initials}" for place in (*rows, *aliases)]
    words = " ".join(dict.fromkeys([title, item.name, *item.words.split()]))
    spelled = " ".join(" ".join(places.spell(word)) for word in words.split())
    return " ".join([words, spelled, item.name_en.lower(), item.code, *named])
