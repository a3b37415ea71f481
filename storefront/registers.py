"""The register of households, brought in as a file: looked at whole, then taken whole or not at all.

A county's administrator brings households of their own divisions only; the command brings any.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import String, any_, cast, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import audit, clock
from market.ground.db import run
from market.ground.places import Division, Level
from market.people import households, precincts, registers
from market.people.accounts import Viewer
from market.people.households import Household, HouseholdStanding, StandingKind, default_display_name
from storefront.findings import Change, Problem, Summary
from storefront.imports import opened
from storefront.sheets import Row, Sheet

_NUMBER, _VILLAGE, _HEAD, _PEOPLE, _STANDING = "户编号", "村代码", "户主姓名", "人口", "类型"
HOUSEHOLD_COLUMNS = (_NUMBER, _VILLAGE, _HEAD, _PEOPLE, _STANDING)
_LONGEST = {_NUMBER: 32, _HEAD: 40}
_MOST_PEOPLE = 30
_COUNT = re.compile(r"^[0-9]{1,2}$")
_LOCK = 0x59_69_67_6F_75_72
"""Advisory lock: one file is taken at a time."""


@dataclass(frozen=True)
class _Registered:
    """A household as the register has it."""

    number: str
    division_code: str
    head_name: str
    people_count: int
    standing_code: str


@dataclass(frozen=True)
class _Known:
    """What the database knows of the file's households and villages."""

    homes: dict[str, Household]
    """By number."""
    standings: dict[int, str]
    """Code of the open standing by household."""
    stations: dict[str, int]
    """The station of a village, where all its households belong to one."""

    def of(self, home: Household) -> _Registered:
        """A household as the register would have it."""
        standing = self.standings.get(home.id or 0, "")
        return _Registered(home.number, home.division_code, home.head_name, home.people_count, standing)


async def import_households(
    session: AsyncSession,
    source: Path | Sequence[Mapping[str, str]],
    *,
    now: datetime,
    preview: bool = False,
    by: Viewer | None = None,
) -> Summary:
    """Bring the register in: 户编号, 村代码, 户主姓名, 人口, 类型 (its name or code). What differs is changed.

    `by`: the administrator who brings it; only places inside their divisions. Other columns are not read. A household
    the file leaves out stays, and is counted in `absent`. Whoever is new in a village belongs to its station.
    """
    summary = Summary()
    sheet = await opened(source, summary)
    if sheet is None:
        return summary
    if not preview:
        await run(session, text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    wanted = await _wanted_households(session, sheet, summary)
    known = await _known(session, wanted)
    _refuse_outsiders(by, wanted, known, summary)
    if summary.problems:
        return summary
    fresh = [row for row, _line in wanted.values() if row.number not in known.homes]
    there = [(known.homes[row.number], row) for row, _line in wanted.values() if row.number in known.homes]
    changed = [(home, row) for home, row in there if known.of(home) != row]
    summary.added, summary.changed, summary.same = len(fresh), len(changed), len(there) - len(changed)
    summary.changes = [_change(known.of(home), row) for home, row in changed]
    villages = {row.division_code for row, _line in wanted.values()}
    summary.absent = await _absent(session, villages, set(wanted))
    if not preview:
        await _add_households(session, fresh, known, now)
        for home, row in changed:
            await _change_household(session, home, row, known, by=by, now=now)
        note = f"+{summary.added} ~{summary.changed} ={summary.same}"
        audit.note(session, by.account_id if by else None, "import", subject="register", note=note, now=now)
        summary.applied = True
    return summary


async def _known(session: AsyncSession, wanted: Mapping[str, tuple[_Registered, int]]) -> _Known:
    numbers = any_(cast(list(wanted), ARRAY(String)))
    homes = {
        home.number: home for home in await session.exec(select(Household).where(col(Household.number) == numbers))
    }
    standings = await session.exec(
        select(HouseholdStanding.household_id, HouseholdStanding.standing_code)
        .join(Household, col(Household.id) == col(HouseholdStanding.household_id))
        .where(col(Household.number) == numbers, col(HouseholdStanding.to_on).is_(None))
    )
    villages = {row.division_code for row, _line in wanted.values()}
    return _Known(homes, dict(standings.all()), await registers.usual_stations(session, villages))


def _refuse_outsiders(
    by: Viewer | None, wanted: Mapping[str, tuple[_Registered, int]], known: _Known, summary: Summary
) -> None:
    """Lines that name a place, or a household of a place, that is not this administrator's."""
    if by is None:
        return
    for row, line in wanted.values():
        home = known.homes.get(row.number)
        if not precincts.is_inside(by, row.division_code):
            summary.problems.append(Problem(line, _VILLAGE, "outside", row.division_code))
        elif home is not None and not precincts.is_inside(by, home.division_code):
            summary.problems.append(Problem(line, _NUMBER, "of_another_place", row.number))
    summary.problems.sort(key=lambda problem: problem.line)


async def _absent(session: AsyncSession, villages: set[str], numbers: set[str]) -> int:
    """Households of these villages that are not among the numbers and have not left."""
    there = await session.exec(
        select(Household.number).where(
            col(Household.division_code) == any_(cast(list(villages), ARRAY(String))), col(Household.left_on).is_(None)
        )
    )
    return len(set(there) - numbers)


def _change(was: _Registered, row: _Registered) -> Change:
    fields = {
        _HEAD: (was.head_name, row.head_name),
        _VILLAGE: (was.division_code, row.division_code),
        _PEOPLE: (str(was.people_count), str(row.people_count)),
        _STANDING: (was.standing_code, row.standing_code),
    }
    return Change(row.number, {name: pair for name, pair in fields.items() if pair[0] != pair[1]})


async def _wanted_households(
    session: AsyncSession, sheet: Sheet, summary: Summary
) -> dict[str, tuple[_Registered, int]]:
    """The file's good lines by number, each with its place in the file."""
    bad = summary.problems
    summary.ignored = [column for column in sheet.columns if column not in HOUSEHOLD_COLUMNS]
    bad += [Problem(1, column, "missing") for column in HOUSEHOLD_COLUMNS if column not in sheet.columns]
    if bad:
        return {}
    villages = set(await session.exec(select(Division.code).where(func.length(col(Division.code)) == Level.VILLAGE)))
    kinds = (await session.exec(select(StandingKind))).all()
    codes = {kind.name: kind.code for kind in kinds} | {kind.code: kind.code for kind in kinds}
    wanted: dict[str, tuple[_Registered, int]] = {}
    for row in sheet.rows:
        found = _looked_at(row, villages, codes)
        number = row.cells[_NUMBER]
        if number and number in wanted:
            found.append(Problem(row.line, _NUMBER, "twice", number))
        bad += found
        if not found:
            wanted[number] = (_registered(row, codes), row.line)
    return wanted


def _looked_at(row: Row, villages: set[str], codes: dict[str, str]) -> list[Problem]:
    cells = row.cells
    bad = [Problem(row.line, column, "missing") for column in HOUSEHOLD_COLUMNS if not cells[column]]
    if bad:
        return bad
    bad += [
        Problem(row.line, column, "too_long", cells[column])
        for column, longest in _LONGEST.items()
        if len(cells.get(column, "")) > longest
    ]
    if cells[_VILLAGE] not in villages:
        bad.append(Problem(row.line, _VILLAGE, "unknown_village", cells[_VILLAGE]))
    if not _COUNT.match(cells[_PEOPLE]) or not 1 <= int(cells[_PEOPLE]) <= _MOST_PEOPLE:
        bad.append(Problem(row.line, _PEOPLE, "not_a_head_count", cells[_PEOPLE]))
    if cells[_STANDING] not in codes:
        bad.append(Problem(row.line, _STANDING, "unknown_standing", cells[_STANDING]))
    return bad


def _registered(row: Row, codes: dict[str, str]) -> _Registered:
    cells = row.cells
    return _Registered(cells[_NUMBER], cells[_VILLAGE], cells[_HEAD], int(cells[_PEOPLE]), codes[cells[_STANDING]])


async def _add_households(session: AsyncSession, fresh: list[_Registered], known: _Known, now: datetime) -> None:
    homes = [
        Household(
            number=row.number, head_name=row.head_name, display_name=default_display_name(row.head_name),
            people_count=row.people_count, division_code=row.division_code, joined_at=now,
            station_id=known.stations.get(row.division_code),
        )
        for row in fresh
    ]  # fmt: skip
    session.add_all(homes)
    await session.flush()  # their standings need the ids
    session.add_all(
        HouseholdStanding(household_id=home.id or 0, standing_code=row.standing_code, from_on=clock.day_of(now))
        for home, row in zip(homes, fresh, strict=True)
    )
    await session.flush()  # a preview after this sees them


async def _change_household(
    session: AsyncSession, home: Household, row: _Registered, known: _Known, *, by: Viewer | None, now: datetime
) -> None:
    if home.display_name == default_display_name(home.head_name):
        home.display_name = default_display_name(row.head_name)
    if home.division_code != row.division_code:
        home.station_id = known.stations.get(row.division_code)
    if row.standing_code != known.of(home).standing_code:
        await households.set_standing(session, home, row.standing_code, from_on=clock.day_of(now))
    home.head_name, home.people_count, home.division_code = row.head_name, row.people_count, row.division_code
    changed = f"{row.head_name} {row.people_count} {row.division_code} {row.standing_code}"
    account_id, subject = by.account_id if by else None, f"household:{row.number}"
    audit.note(session, account_id, "import", household_id=home.id, subject=subject, note=changed, now=now)
    await session.flush()  # the next change of the same file starts from this one
