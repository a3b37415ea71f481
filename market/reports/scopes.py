"""Whose figures, and over which months: every report of the bureau begins with a scope inside the officer's grant."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import ColumnElement, Select, and_, func, or_, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.books.ledger import IncomeDay
from market.ground import places
from market.ground.clock import month_end, start_of
from market.ground.db import run
from market.ground.errors import Malformed, NotFound, OverLimit
from market.ground.places import Division, DivisionName
from market.people import households
from market.people.accounts import Role, Viewer
from market.people.households import Household, StandingKind

Rows = Select[*tuple[Any, ...]]
MOST_MONTHS = 120
COUNTED = "counted"
"""Instead of one standing: every standing the bureau's own figure counts (domain §3.3)."""
_FIRST_YEAR, _LAST_YEAR = 2000, 2200


@dataclass(frozen=True)
class Scope:
    """A place and months (both included), perhaps only households of one standing on the period's last day."""

    division: str
    from_on: date
    to_on: date
    standing: str = ""
    """Code of a standing, COUNTED, or empty: all."""


def scope_for(viewer: Viewer, *, division: str | None, from_on: date, to_on: date, standing: str = "") -> Scope:
    """A scope inside what this officer may see, months rounded to whole ones.

    Raises NotFound outside the grant, Malformed for months in the wrong order, OverLimit for more than ten years.
    """
    granted = viewer.division_codes(Role.OFFICER)
    code = places.parse_code(division) if division else (granted or [""])[0]
    if not any(code and places.is_within(code, own) for own in granted):
        raise NotFound("division", code)
    months = (to_on.year - from_on.year) * 12 + to_on.month - from_on.month + 1
    if months < 1 or from_on.year < _FIRST_YEAR or to_on.year > _LAST_YEAR:
        raise Malformed("to", "not_a_month", f"{to_on:%Y-%m}")
    if months > MOST_MONTHS:
        raise OverLimit("months", MOST_MONTHS, months)
    return Scope(code, from_on.replace(day=1), month_end(to_on), standing)


async def standings(session: AsyncSession) -> list[StandingKind]:
    """The classes of households the bureau knows, in its order."""
    return list(await session.exec(select(StandingKind).order_by(col(StandingKind.rank), col(StandingKind.code))))


async def reachable(session: AsyncSession, viewer: Viewer, code: str) -> list[Division]:
    """Places to choose from: each grant's own, those just inside, and the way down to `code` with what is in that."""
    granted = viewer.division_codes(Role.OFFICER)
    opened = {*granted, *(part for part in (*places.parents(code), code) if _inside(part, granted))}
    inside = [
        and_(places.within(col(Division.code), part), func.length(col(Division.code)) == _next_level(part))
        for part in opened
        if len(part) < places.Level.VILLAGE
    ]
    found = select(Division).where(or_(col(Division.code).in_(opened), *inside)).order_by(col(Division.code))
    return list(await session.exec(found))


def present(scope: Scope) -> Rows:
    """Ids of households that live in the place in that period, whether or not they sold."""
    found = columns(col(Household.id).label("id")).where(
        places.within(col(Household.division_code), scope.division),
        col(Household.joined_at) < start_of(scope.to_on + timedelta(days=1)),
        or_(col(Household.left_on).is_(None), col(Household.left_on) > scope.from_on),
    )
    return found.where(col(Household.id).in_(_of_standing(scope))) if scope.standing else found


def days(scope: Scope) -> ColumnElement[bool]:
    """SQL: roll-up rows of the scope's place, period and standing."""
    wanted = and_(
        places.within(col(IncomeDay.division_code), scope.division),
        col(IncomeDay.day_on).between(scope.from_on, scope.to_on),
    )
    return and_(wanted, col(IncomeDay.household_id).in_(_of_standing(scope))) if scope.standing else wanted


def months(scope: Scope) -> list[date]:
    """First days of the scope's months."""
    first, count = scope.from_on, (scope.to_on.year - scope.from_on.year) * 12 + scope.to_on.month - scope.from_on.month
    return [date(first.year + (first.month - 1 + n) // 12, (first.month - 1 + n) % 12 + 1, 1) for n in range(count + 1)]


def called(name: str) -> SelectOfScalar[str]:
    """Codes of places whose name, alias or pinyin has the text in it, or whose initials are the text."""
    like, exact = f"%{escaped(name.lower())}%", name.lower()
    by_alias = select(col(DivisionName.division_code)).where(
        or_(col(DivisionName.name).like(like), col(DivisionName.pinyin).like(like), col(DivisionName.initials) == exact)
    )
    return select(col(Division.code)).where(
        or_(
            col(Division.name).like(like),
            col(Division.pinyin).like(like),
            col(Division.initials) == exact,
            col(Division.code).in_(by_alias),
        )
    )


def escaped(literal: str) -> str:
    """The text as LIKE takes it literally."""
    return literal.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def make_room(session: AsyncSession) -> None:
    """Let this transaction sum a county in memory: the server's usual 4 MB would go to disk."""
    await run(session, text("SET LOCAL work_mem = '32MB'"))


def columns(*wanted: Any) -> Rows:
    """A SELECT of columns that are only put together at run time."""
    return sqlalchemy.select(*wanted)


def _of_standing(scope: Scope) -> Select[int]:
    held = households.standing_on(scope.to_on).subquery()
    kinds = select(col(StandingKind.code)).where(col(StandingKind.counts))
    codes = held.c.standing_code.in_(kinds) if scope.standing == COUNTED else held.c.standing_code == scope.standing
    return select(held.c.household_id).where(codes)


def _inside(code: str, granted: list[str]) -> bool:
    return any(places.is_within(code, own) for own in granted)


def _next_level(code: str) -> int:
    return next(int(level) for level in places.Level if level > len(code))
