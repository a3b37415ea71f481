"""What buyers see: live listings with something left, searched, filtered, sorted and paged."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import sqlmodel
from sqlalchemy import Row, Select, and_, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import search
from market.goods.listings import Listing, ListingState
from market.goods.produce import Produce
from market.goods.stock import Stock
from market.ground import places
from market.ground.db import run
from market.ground.errors import Malformed, NotFound
from market.ground.measure import GRAMS_PER_JIN, GRAMS_PER_KG, Measure
from market.ground.money import per_weight_fen
from market.ground.places import Division
from market.people.households import Household

Rows = Select[*tuple[Any, ...]]
PAGE = 24
MOST = 100
_MOST_DIGITS = 18


class Sort(StrEnum):
    """How offers are ordered."""

    NEW = "new"
    CHEAP = "price"
    DEAR = "-price"


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
            col(Listing.state),
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
    return Page(found, _cursor(found[-1], wanted.sort) if len(rows) > limit else None)


async def card(session: AsyncSession, listing_id: int) -> Card:
    """One offer, also when it is sold out or withdrawn (the page says so). NotFound for an id nobody gave."""
    row = (await run(session, cards().where(col(Listing.id) == listing_id))).one_or_none()
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
    price, number = col(Listing.price_fen), col(Listing.id)
    match wanted.sort:
        case Sort.NEW:
            query = query.order_by(number.desc())
            return query.where(number < _parse(wanted.cursor, 1)[0]) if wanted.cursor else query
        case Sort.CHEAP:
            query = query.order_by(price, number)
            if not wanted.cursor:
                return query
            at, after = _parse(wanted.cursor, 2)
            return query.where(or_(price > at, and_(price == at, number > after)))
        case Sort.DEAR:
            query = query.order_by(price.desc(), number.desc())
            if not wanted.cursor:
                return query
            at, after = _parse(wanted.cursor, 2)
            return query.where(or_(price < at, and_(price == at, number < after)))


def _cursor(last: Card, sort: Sort) -> str:
    return str(last.id) if sort is Sort.NEW else f"{last.price_fen}.{last.id}"


def _parse(cursor: str, parts: int) -> list[int]:
    numbers = cursor.split(".")
    if len(numbers) != parts or not all(
        number.isascii() and number.isdigit() and len(number) <= _MOST_DIGITS for number in numbers
    ):
        raise Malformed("cursor", "not_a_cursor", cursor[:30])
    return [int(number) for number in numbers]


def _card(row: Row[Any]) -> Card:
    return Card._make(row)
