"""Sales income by household, place, month, produce and work unit, summed from the ledger's daily roll-up.

One query serves screen, file and API, so that they can never differ. Net is gross minus refunds; it is not income in
the official sense, which also takes off the costs of growing (domain §3.2).
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ARRAY, ColumnElement, Date, FromClause, Row, String, cast, func, literal, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import IncomeDay
from market.goods.produce import Produce
from market.ground import places
from market.ground.db import run
from market.ground.errors import Malformed
from market.ground.places import Division, Level
from market.people import households
from market.people.households import Household, HouseholdStanding
from market.people.units import WorkUnit
from market.reports import scopes
from market.reports.overview import Sums, per_household, sums_of_days
from market.reports.scopes import Rows, Scope, columns, days, scope_for

PAGE = 50
_STREAMED_AT_ONCE = 2_000


class By(StrEnum):
    """What a row of the report is."""

    HOUSEHOLD = "household"
    VILLAGE = "village"
    TOWNSHIP = "township"
    COUNTY = "county"
    MONTH = "month"
    PRODUCE = "produce"
    WORK_UNIT = "unit"


class Sold(StrEnum):
    """Which households are listed."""

    ANY = ""
    SOME = "some"
    NONE = "none"


@dataclass(frozen=True)
class Wanted:
    """Which rows of the report, and in what order."""

    q: str = ""
    sold: Sold = Sold.ANY
    """Only asked of households."""
    sort: str = ""
    """A field of Figure, `-` before it for the largest first; empty: as is usual for the grouping."""

    @property
    def is_all(self) -> bool:
        """Whether no row is left out."""
        return not self.q and not self.sold


class Figure(NamedTuple):
    """One row of the report. `place`, `number` and `standing` (a code) are said of households only."""

    key: str
    name: str
    place: str
    gross_fen: int
    refunded_fen: int
    net_fen: int
    paid_out_fen: int
    line_count: int
    number: str = ""
    standing: str = ""


@dataclass(frozen=True)
class Whole:
    """All rows together, on whatever page they stand."""

    count: int
    sums: Sums


_SORTS = ("name", "place", *Sums._fields)


def check_sort(text: str) -> str:
    """The text, if rows can be ordered by it; Malformed otherwise."""
    if text and text.removeprefix("-") not in _SORTS:
        raise Malformed("sort", "choose_one", text[:20])
    return text


async def figures(
    session: AsyncSession,
    scope: Scope,
    by: By,
    *,
    wanted: Wanted | None = None,
    offset: int = 0,
    limit: int | None = None,
) -> list[Figure]:
    """The report's rows. Households, places and months also stand with nothing but zeros."""
    await scopes.make_room(session)
    query = _rows(scope, by, wanted or Wanted(), offset=offset, limit=limit)
    return [_figure(row) for row in (await run(session, query)).all()]


async def streamed(session: AsyncSession, scope: Scope, by: By, *, wanted: Wanted) -> AsyncIterator[Figure]:
    """The same rows, all of them, a few at a time: for files larger than memory should hold."""
    await scopes.make_room(session)
    connection = await session.connection()
    found = await connection.stream(_rows(scope, by, wanted), execution_options={"yield_per": _STREAMED_AT_ONCE})
    async for row in found:
        yield _figure(row)


async def whole(session: AsyncSession, scope: Scope, by: By, *, wanted: Wanted) -> Whole:
    """How many rows there are, and their sums."""
    await scopes.make_room(session)
    named = _named(scope, by, wanted).subquery()
    sums = (func.coalesce(func.sum(named.c[name]), 0) for name in Sums._fields)
    found = (await run(session, columns(func.count(), *sums).select_from(named))).one()
    row_count, *values = (int(value) for value in found)
    return Whole(row_count, Sums._make(values))


def _figure(row: Row[Any]) -> Figure:
    gross_fen, refunded_fen, net_fen, paid_out_fen, line_count = (int(getattr(row, name)) for name in Sums._fields)
    return Figure(
        key=str(row.key),
        name=row.name,
        place=row.place,
        gross_fen=gross_fen,
        refunded_fen=refunded_fen,
        net_fen=net_fen,
        paid_out_fen=paid_out_fen,
        line_count=line_count,
        number=row.number,
        standing=row.standing or "",
    )


def _rows(scope: Scope, by: By, wanted: Wanted, *, offset: int = 0, limit: int | None = None) -> Rows:
    named = _named(scope, by, wanted).subquery()
    page = columns(named).order_by(*_order(named, by, wanted.sort)).offset(offset or None).limit(limit)
    if by is not By.HOUSEHOLD:
        return page
    # Names of the page's households only: joining them to all before cutting the page would cost a county's whole list.
    cut = page.subquery()
    standing = (
        households.standing_on(scope.to_on)
        .where(col(HouseholdStanding.household_id) == cut.c.key)
        .with_only_columns(col(HouseholdStanding.standing_code))
        .limit(1)
        .scalar_subquery()
    )
    return (
        columns(
            cut.c.key,
            col(Household.head_name).label("name"),
            col(Division.name).label("place"),
            *(cut.c[name] for name in Sums._fields),
            col(Household.number).label("number"),
            standing.label("standing"),
        )
        .select_from(cut)
        .join(Household, col(Household.id) == cut.c.key)
        .join(Division, col(Division.code) == col(Household.division_code))
        .order_by(*_order(cut, by, wanted.sort))
    )


def _order(rows: FromClause, by: By, sort: str) -> list[ColumnElement[Any]]:
    usual = {By.MONTH: "key", By.HOUSEHOLD: "-net_fen"}.get(by, "-gross_fen")
    wish = sort or usual
    column = rows.c[wish.removeprefix("-")]
    return [column.desc() if wish.startswith("-") else column.asc(), rows.c.key.asc()]


def _named(scope: Scope, by: By, wanted: Wanted) -> Rows:
    """Rows as key, name, place and sums, before they are ordered and cut."""
    if by is By.HOUSEHOLD:
        return _by_household(scope, wanted)
    rows = _GROUPINGS[by](scope)
    return rows.where(_matching(rows, by, wanted.q.strip())) if wanted.q.strip() else rows


def _by_household(scope: Scope, wanted: Wanted) -> Rows:
    each = per_household(scope).subquery()
    needs_name = bool(wanted.q.strip()) or wanted.sort.removeprefix("-") in ("name", "place")
    name, place = (col(Household.head_name), col(Division.pinyin)) if needs_name else (literal(""), literal(""))
    rows = columns(
        each.c.id.label("key"), name.label("name"), place.label("place"), *(each.c[field] for field in Sums._fields)
    ).select_from(each)
    if needs_name:
        rows = rows.join(Household, col(Household.id) == each.c.id)
        rows = rows.join(Division, col(Division.code) == col(Household.division_code))
    if wanted.sold:
        rows = rows.where(each.c.line_count > 0 if wanted.sold is Sold.SOME else each.c.line_count == 0)
    if q := wanted.q.strip():
        like = f"%{scopes.escaped(q)}%"
        rows = rows.where(
            or_(
                col(Household.head_name).like(like),
                col(Household.number) == q,
                col(Household.division_code).in_(scopes.called(q)),
            )
        )
    return rows


def _shaped(key: Any, name: Any, sums: Any) -> Rows:
    figures = (func.coalesce(sums.c[field], 0).label(field) for field in Sums._fields)
    nothing = (literal("").label("number"), literal("").label("standing"))
    return columns(key.label("key"), name.label("name"), literal("").label("place"), *figures, *nothing)


def _by_place(level: Level) -> Callable[[Scope], Rows]:
    def grouped(scope: Scope) -> Rows:
        code = func.left(col(IncomeDay.division_code), int(level))
        sums = columns(code.label("code"), *sums_of_days()).where(days(scope)).group_by(code).subquery()
        inside = (
            select(col(Division.code).label("code"), col(Division.name).label("name"))
            .where(places.within(col(Division.code), scope.division[: int(level)]))
            .where(func.length(col(Division.code)) == int(level))
            .subquery()
        )
        key = func.coalesce(inside.c.code, sums.c.code)
        both = inside.outerjoin(sums, sums.c.code == inside.c.code, full=True)
        # Goods of a household that is registered with a township and no village stand under the township's own name.
        known = select(col(Division.name)).where(col(Division.code) == key).scalar_subquery()
        return _shaped(key, func.coalesce(inside.c.name, known, key), sums).select_from(both)

    return grouped


def _by_month(scope: Scope) -> Rows:
    first = cast(func.date_trunc("month", col(IncomeDay.day_on)), Date)
    sums = columns(first.label("first"), *sums_of_days()).where(days(scope)).group_by(first).subquery()
    months = select(func.unnest(literal(scopes.months(scope), ARRAY(Date))).label("first")).subquery()
    key = func.to_char(months.c.first, "YYYY-MM")
    return _shaped(key, key, sums).select_from(months.outerjoin(sums, sums.c.first == months.c.first))


def _by_produce(scope: Scope) -> Rows:
    code = col(IncomeDay.produce_code)
    sums = columns(code.label("code"), *sums_of_days()).where(days(scope)).group_by(code).subquery()
    rows = _shaped(sums.c.code, func.coalesce(col(Produce.name), sums.c.code), sums)
    return rows.select_from(sums).outerjoin(Produce, col(Produce.code) == sums.c.code)


def _by_work_unit(scope: Scope) -> Rows:
    number = col(IncomeDay.work_unit_id)
    sums = columns(number.label("number"), *sums_of_days()).where(days(scope)).group_by(number).subquery()
    rows = _shaped(cast(sums.c.number, String), func.coalesce(col(WorkUnit.name), ""), sums)
    return rows.select_from(sums).outerjoin(WorkUnit, col(WorkUnit.id) == sums.c.number)


_GROUPINGS: dict[By, Callable[[Scope], Rows]] = {
    By.VILLAGE: _by_place(Level.VILLAGE),
    By.TOWNSHIP: _by_place(Level.TOWNSHIP),
    By.COUNTY: _by_place(Level.COUNTY),
    By.MONTH: _by_month,
    By.PRODUCE: _by_produce,
    By.WORK_UNIT: _by_work_unit,
}


def _matching(rows: Rows, by: By, q: str) -> ColumnElement[bool]:
    named = rows.selected_columns
    if by in (By.VILLAGE, By.TOWNSHIP, By.COUNTY):
        return named.key.in_(scopes.called(q))
    return or_(named.name.ilike(f"%{scopes.escaped(q)}%"), named.key == q)


__all__ = ["By", "Figure", "Scope", "Sold", "Sums", "Wanted", "Whole", "figures", "scope_for", "streamed", "whole"]
