"""Sales income: gross, refunded, net and paid out, summed from the ledger's daily roll-up.

One query serves screen, file and API, so that they can never differ. Net is gross minus refunds; it is not income in
the official sense, which also takes off the costs of growing (domain §3.2).
"""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Row, Select, String, and_, cast, func, literal, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import IncomeDay
from market.goods.produce import Produce
from market.ground import places
from market.ground.clock import month_end
from market.ground.errors import NotFound, OverLimit
from market.ground.places import Division, Level
from market.people import households
from market.people.accounts import Role, Viewer
from market.people.households import Household, HouseholdStanding, StandingKind
from market.people.units import WorkUnit

MOST_MONTHS = 120
Rows = Select[*tuple[Any, ...]]
PAGE = 50


class By(StrEnum):
    """What a row of the report is."""

    HOUSEHOLD = "household"
    VILLAGE = "village"
    TOWNSHIP = "township"
    COUNTY = "county"
    MONTH = "month"
    PRODUCE = "produce"
    WORK_UNIT = "unit"


class Sort(StrEnum):
    """How household rows are ordered."""

    NAME = "name"
    NET = "net"
    LEAST = "-net"


@dataclass(frozen=True)
class Scope:
    """Whose figures, over which months (both included). Always inside one officer's division."""

    division: str
    from_on: date
    to_on: date
    q: str = ""
    standing: str = ""
    """Only households of this standing on the period's last day; empty: all."""


class Sums(NamedTuple):
    """Four figures that are never mixed up, in fen, and how many order lines they come from."""

    gross_fen: int
    refunded_fen: int
    net_fen: int
    paid_out_fen: int
    line_count: int


class Figure(NamedTuple):
    """One row of the report."""

    key: str
    name: str
    place: str
    gross_fen: int
    refunded_fen: int
    net_fen: int
    paid_out_fen: int
    line_count: int


@dataclass(frozen=True)
class Overview:
    """The whole scope at a glance. Median and bands count every household, also those that sold nothing."""

    sums: Sums
    household_count: int
    silent_count: int
    median_net_fen: int
    bands: list[tuple[int, int | None, int]]
    """(from fen, below fen or None, households); the first band is those with no sales at all."""


_BAND_EDGES = (1, 50_000, 100_000, 300_000, 500_000, 1_000_000)
"""Fen: up to 500, 1,000, 3,000 (the aid programme's yearly target line, facts.md), 5,000, 10,000 yuan and above."""


def scope_for(viewer: Viewer, *, division: str | None, from_on: date, to_on: date, **more: str) -> Scope:
    """A scope inside what this officer may see. NotFound for anything outside it, OverLimit for more than ten years."""
    granted = viewer.division_codes(Role.OFFICER)
    code = places.parse_code(division) if division else (granted or [""])[0]
    if not any(code and places.is_within(code, own) for own in granted):
        raise NotFound("division", code)
    months = (to_on.year - from_on.year) * 12 + to_on.month - from_on.month + 1
    if not 1 <= months <= MOST_MONTHS:
        raise OverLimit("months", MOST_MONTHS, months)
    return Scope(division=code, from_on=from_on.replace(day=1), to_on=month_end(to_on), **more)


async def overview(session: AsyncSession, scope: Scope) -> Overview:
    """Totals, median, how many sold nothing, and how many households lie in each band."""
    per_household = _per_household(scope).subquery()
    net = per_household.c.net_fen
    edges = (*_BAND_EDGES, None)
    counts = [
        func.count().filter(and_(net >= low, net < high) if high else net >= low)
        for low, high in zip(_BAND_EDGES, edges[1:], strict=True)
    ]
    row = (
        await run(session, 
            _select(
                *(func.coalesce(func.sum(per_household.c[name]), 0) for name in Sums._fields),
                func.count(),
                func.count().filter(per_household.c.line_count == 0),
                func.coalesce(func.percentile_disc(0.5).within_group(net), 0),
                func.count().filter(net < _BAND_EDGES[0]),
                *counts,
            )
        )
    ).one()
    values = tuple(row)
    totals, (total, silent, median, none), banded = values[:5], values[5:9], values[9:]
    bands: list[tuple[int, int | None, int]] = [(0, _BAND_EDGES[0], none)]
    bands += [(low, high, n) for low, high, n in zip(_BAND_EDGES, edges[1:], banded, strict=True)]
    return Overview(Sums._make(int(value) for value in totals), total, silent, int(median), bands)


async def figures(
    session: AsyncSession, scope: Scope, by: By, *, sort: Sort = Sort.NET, offset: int = 0, limit: int | None = None
) -> list[Figure]:
    """The report's rows. Households appear with all their zeros; the other groupings list what sold."""
    query = _by_household(scope, sort) if by is By.HOUSEHOLD else _GROUPINGS[by](scope)
    rows = (await run(session, query.offset(offset).limit(limit))).all()
    return [_figure(row) for row in rows]


def _figure(row: Row[Any]) -> Figure:
    key, name, place, *sums = row
    return Figure(str(key), name or "", place or "", *(int(value or 0) for value in sums))


def _select(*columns: Any) -> Rows:
    """A SELECT of columns that are only put together at run time."""
    return select(*columns)


def _sums() -> list[ColumnElement[int]]:
    gross, refunded = func.sum(col(IncomeDay.gross_fen)), func.sum(col(IncomeDay.refunded_fen))
    return [
        func.coalesce(gross, 0).label("gross_fen"),
        func.coalesce(refunded, 0).label("refunded_fen"),
        (func.coalesce(gross, 0) - func.coalesce(refunded, 0)).label("net_fen"),
        func.coalesce(func.sum(col(IncomeDay.paid_out_fen)), 0).label("paid_out_fen"),
        func.coalesce(func.sum(col(IncomeDay.line_count)), 0).label("line_count"),
    ]


def _days_of(scope: Scope) -> ColumnElement[bool]:
    """SQL: roll-up rows of the scope's place and period."""
    days = and_(
        places.within(col(IncomeDay.division_code), scope.division),
        col(IncomeDay.day_on).between(scope.from_on, scope.to_on),
    )
    if scope.q or scope.standing:
        days = and_(days, col(IncomeDay.household_id).in_(_households(scope).with_only_columns(col(Household.id))))
    return days


def _households(scope: Scope) -> Rows:
    """Households that belong to the scope, whether or not they sold."""
    found: Rows = _select(Household).where(places.within(col(Household.division_code), scope.division))
    if scope.q:
        like = f"%{scope.q.strip()}%"
        villages = select(Division.code).where(col(Division.name).like(like))
        found = found.where(
            or_(
                col(Household.head_name).like(like),
                col(Household.number) == scope.q.strip(),
                col(Household.division_code).in_(villages),
            )
        )
    if scope.standing:
        held = households.standing_on(scope.to_on).with_only_columns(col(HouseholdStanding.household_id))
        found = found.where(
            col(Household.id).in_(held.where(col(HouseholdStanding.standing_code) == scope.standing).order_by(None))
        )
    return found


def _per_household(scope: Scope) -> Rows:
    sold = (
        select(col(IncomeDay.household_id).label("household_id"), *_sums())
        .where(_days_of(scope))
        .group_by(col(IncomeDay.household_id))
        .subquery()
    )
    return (
        _households(scope)
        .with_only_columns(
            col(Household.id).label("id"),
            col(Household.head_name).label("name"),
            col(Household.division_code).label("code"),
            *(func.coalesce(sold.c[name], 0).label(name) for name in Sums._fields),
        )
        .outerjoin(sold, sold.c.household_id == col(Household.id))
    )


def _by_household(scope: Scope, sort: Sort) -> Rows:
    each = _per_household(scope).subquery()
    order = {
        Sort.NET: (each.c.net_fen.desc(), each.c.id),
        Sort.LEAST: (each.c.net_fen, each.c.id),
        Sort.NAME: (each.c.code, each.c.id),
    }
    return (
        _select(each.c.id, each.c.name, col(Division.name), *(each.c[name] for name in Sums._fields))
        .join(Division, col(Division.code) == each.c.code)
        .order_by(*order[sort])
    )


def _by_place(level: Level) -> Any:
    def grouped(scope: Scope) -> Rows:
        code = func.left(col(IncomeDay.division_code), int(level))
        sums = select(code.label("code"), *_sums()).where(_days_of(scope)).group_by(code).subquery()
        return (
            _select(sums.c.code, col(Division.name), literal(""), *(sums.c[name] for name in Sums._fields))
            .outerjoin(Division, col(Division.code) == sums.c.code)
            .select_from(sums)
            .order_by(sums.c.net_fen.desc(), sums.c.code)
        )

    return grouped


def _by_month(scope: Scope) -> Rows:
    month = func.to_char(col(IncomeDay.day_on), "YYYY-MM")
    return _select(month, month, literal(""), *_sums()).where(_days_of(scope)).group_by(month).order_by(month)


def _by_produce(scope: Scope) -> Rows:
    code = col(IncomeDay.produce_code)
    named = select(col(Produce.name)).where(col(Produce.code) == code).scalar_subquery()
    return (
        _select(code, func.coalesce(named, code), literal(""), *_sums())
        .where(_days_of(scope), code != "")
        .group_by(code)
        .order_by(func.sum(col(IncomeDay.gross_fen)).desc(), code)
    )


def _by_work_unit(scope: Scope) -> Rows:
    number = col(IncomeDay.work_unit_id)
    named = select(col(WorkUnit.name)).where(col(WorkUnit.id) == number).scalar_subquery()
    return (
        _select(cast(number, String), func.coalesce(named, ""), literal(""), *_sums())
        .where(_days_of(scope), col(IncomeDay.produce_code) != "")
        .group_by(number)
        .order_by(func.sum(col(IncomeDay.gross_fen)).desc(), number)
    )


_GROUPINGS = {
    By.VILLAGE: _by_place(Level.VILLAGE),
    By.TOWNSHIP: _by_place(Level.TOWNSHIP),
    By.COUNTY: _by_place(Level.COUNTY),
    By.MONTH: _by_month,
    By.PRODUCE: _by_produce,
    By.WORK_UNIT: _by_work_unit,
}


async def standings(session: AsyncSession) -> list[StandingKind]:
    """The classes of households the bureau knows, in its order."""
    return list(await session.scalars(select(StandingKind).order_by(col(StandingKind.rank))))
