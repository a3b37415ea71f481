"""What buyers see: live listings with something left, searched, filtered, sorted and paged."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import sqlmodel
from sqlalchemy import ColumnElement, Row, Select, and_, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import search
from market.goods.listings import Listing, ListingState
from market.goods.produce import Produce, Ready
from market.goods.stock import Stock
from market.ground import places
from market.ground.db import run
from market.ground.errors import Malformed, NotFound
from market.ground.measure import GRAMS_PER_JIN, GRAMS_PER_KG, Measure
from market.ground.money import per_weight_fen
from market.ground.places import Division
from market.people.households import Household

Rows = Select[*tuple[Any, ...]]
_SOON = (col(Listing.sell_by_on).asc().nulls_last(), col(Listing.id))
PAGE = 24
MOST = 100
_CURSOR = re.compile(r"^(\d{1,18})\.(\d{1,7})\.(\d{1,18})$", re.ASCII)


class Sort(StrEnum):
    """How offers are ordered."""

    NEW = "new"
    CHEAP = "price"
    DEAR = "-price"
    SOON = "sell_by"
    """What spoils first."""


@dataclass(frozen=True)
class Wanted:
    """What a buyer is looking for. Empty means everything, newest first."""

    q: str = ""
    produce: str = ""
    division: str = ""
    min_fen: int | None = None
    max_fen: int | None = None
    sort: Sort = Sort.NEW
    cursor: str = ""
    limit: int = PAGE


class Card(NamedTuple):
    """One offer, as every buyer may see it: no household beyond the name it agreed to."""

    id: int
    title: str
    produce_code: str
    produce_name: str
    produce_name_en: str
    measure: Measure
    grams_each: int | None
    price_fen: int
    left: int
    photo: str | None
    note: str
    grower: str
    village: str
    division_code: str
    listed_at: datetime
    cold: bool
    storage_days: int | None
    state: ListingState
    ready: Ready
    ready_on: date | None
    sell_by_on: date | None

    @property
    def jin_fen(self) -> int | None:
        """Price per 斤 where the weight of one is known."""
        return per_weight_fen(self.price_fen, self.grams_each, GRAMS_PER_JIN) if self.grams_each else None

    @property
    def kg_fen(self) -> int | None:
        """Price per 公斤 where the weight of one is known."""
        return per_weight_fen(self.price_fen, self.grams_each, GRAMS_PER_KG) if self.grams_each else None

    @property
    def is_sold_out(self) -> bool:
        """Nothing left for the next buyer."""
        return self.left <= 0

    @property
    def is_on_sale(self) -> bool:
        """Whether a buyer can buy some of it now."""
        return self.state is ListingState.LIVE and not self.is_sold_out


class Page(NamedTuple):
    """A run of offers and where the next one starts (None at the end)."""

    items: list[Card]
    next: str | None


def cards() -> Rows:
    """Every listing as a card, on sale or not."""
    return (
        select(
            col(Listing.id), col(Listing.title), col(Listing.produce_code), col(Produce.name), col(Produce.name_en),
            col(Listing.measure), col(Listing.grams_each), col(Listing.price_fen),
            (col(Stock.on_hand) - col(Stock.reserved)).label("left"),
            col(Listing.photo), col(Listing.note), col(Household.display_name), col(Division.name),
            col(Listing.division_code), col(Listing.listed_at), col(Produce.cold), col(Produce.storage_days),
            col(Listing.state), col(Produce.ready), col(Listing.ready_on), col(Listing.sell_by_on),
        )
        .join(Stock, col(Stock.listing_id) == col(Listing.id))
        .join(Household, col(Household.id) == col(Listing.household_id))
        .join(Division, col(Division.code) == col(Listing.division_code))
        .join(Produce, col(Produce.code) == col(Listing.produce_code))
    )  # fmt: skip


def on_sale() -> Rows:
    """Cards a buyer can buy from now."""
    return cards().where(col(Listing.state) == ListingState.LIVE, col(Stock.on_hand) > col(Stock.reserved))


async def find(session: AsyncSession, wanted: Wanted) -> Page:
    """One page of what is wanted. Malformed for a division, bound or cursor that cannot mean anything."""
    limit = max(1, min(wanted.limit, MOST))
    query = _sorted(_filtered(on_sale(), wanted), wanted).limit(limit + 1)
    rows = (await run(session, query)).all()
    found = [_card(row) for row in rows[:limit]]
    return Page(found, _After.of(found[-1]).text if len(rows) > limit else None)


async def card(session: AsyncSession, listing_id: int) -> Card:
    """One offer, also when it is sold out or withdrawn (the page says so). NotFound while it waits to be shown."""
    found = cards().where(col(Listing.id) == listing_id, col(Listing.state) != ListingState.WAITING)
    row = (await run(session, found)).one_or_none()
    if row is None:
        raise NotFound("listing", str(listing_id))
    return _card(row)


async def cards_of(session: AsyncSession, listing_ids: list[int]) -> dict[int, Card]:
    """Several offers by id."""
    rows = (await run(session, cards().where(col(Listing.id).in_(listing_ids)))).all()
    return {row[0]: _card(row) for row in rows}


async def produce_on_sale(session: AsyncSession, *, on: date | None = None) -> list[Produce]:
    """The produce something is on sale of, in catalogue order; with a day, only what is in season then."""
    live = on_sale().with_only_columns(col(Listing.produce_code))
    wanted = sqlmodel.select(Produce).where(col(Produce.code).in_(live)).order_by(col(Produce.rank))
    found = (await session.exec(wanted)).all()
    return [item for item in found if on is None or item.in_season(on)]


async def places_on_sale(session: AsyncSession) -> list[Division]:
    """Townships and villages something is on sale from, in the order of their codes."""
    live = on_sale().with_only_columns(col(Listing.division_code)).distinct()
    codes = (await run(session, live)).scalars().all()
    wanted = {*codes, *(code[: places.Level.TOWNSHIP] for code in codes)}
    found = sqlmodel.select(Division).where(col(Division.code).in_(wanted)).order_by(col(Division.code))
    return list(await session.exec(found))


def _filtered(query: Rows, wanted: Wanted) -> Rows:
    if wanted.q.strip():
        if not search.is_searchable(wanted.q):
            raise Malformed("q", "nothing_to_search", wanted.q[:20])
        query = query.where(search.matches(col(Listing.words), col(Listing.search_text), wanted.q))
    if wanted.produce:
        query = query.where(col(Listing.produce_code) == wanted.produce)
    if wanted.division:
        query = query.where(places.within(col(Listing.division_code), places.parse_code(wanted.division)))
    if wanted.min_fen is not None:
        query = query.where(col(Listing.price_fen) >= wanted.min_fen)
    if wanted.max_fen is not None:
        query = query.where(col(Listing.price_fen) <= wanted.max_fen)
    return query


def _sorted(query: Rows, wanted: Wanted) -> Rows:
    """In the order that was asked for, after the cursor. What costs the same is ordered by what spoils first."""
    price, number = col(Listing.price_fen), col(Listing.id)
    after = _After.read(wanted.cursor) if wanted.cursor else None
    match wanted.sort:
        case Sort.NEW:
            query = query.order_by(number.desc())
            return query.where(number < after.number) if after else query
        case Sort.SOON:
            query = query.order_by(*_SOON)
            return query.where(_spoils_after(after)) if after else query
        case Sort.CHEAP:
            query = query.order_by(price, *_SOON)
            return query.where(price >= after.price_fen, _not_before(after)) if after else query
        case Sort.DEAR:
            query = query.order_by(price.desc(), *_SOON)
            return query.where(price <= after.price_fen, _not_before(after)) if after else query


def _not_before(after: "_After") -> ColumnElement[bool]:
    return or_(col(Listing.price_fen) != after.price_fen, _spoils_after(after))


def _spoils_after(after: "_After") -> ColumnElement[bool]:
    """SQL: later in the order of what spoils first than the offer the last page ended with."""
    day, later = col(Listing.sell_by_on), col(Listing.id) > after.number
    if after.sell_by_on is None:
        return and_(day.is_(None), later)
    return or_(day > after.sell_by_on, day.is_(None), and_(day == after.sell_by_on, later))


class _After(NamedTuple):
    """Where the next page starts: behind the offer with this price, last good day and number."""

    price_fen: int
    sell_by_on: date | None
    number: int

    @classmethod
    def of(cls, last: Card) -> "_After":
        return cls(last.price_fen, last.sell_by_on, last.id)

    @property
    def text(self) -> str:
        return f"{self.price_fen}.{self.sell_by_on.toordinal() if self.sell_by_on else 0}.{self.number}"

    @classmethod
    def read(cls, cursor: str) -> "_After":
        """The cursor of a page before. Malformed for what never was one."""
        found = _CURSOR.match(cursor)
        if found is None:
            raise Malformed("cursor", "not_a_cursor", cursor[:30])
        price_fen, day, number = (int(part) for part in found.groups())
        if day > date.max.toordinal():
            raise Malformed("cursor", "not_a_cursor", cursor[:30])
        return cls(price_fen, date.fromordinal(day) if day else None, number)


def _card(row: Row[Any]) -> Card:
    return Card._make(row)
