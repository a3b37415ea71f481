"""What the county brings in files: its divisions and its register of households.

A file is looked at whole before anything is written: with one bad line, nothing of it is taken, and every bad line is
named with its reason. Bringing the same file twice changes nothing the second time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import audit, clock, places
from market.ground.errors import Malformed
from market.ground.places import Division, DivisionName, Level
from market.people import households
from market.people.households import Household, HouseholdStanding, StandingKind, default_display_name
from storefront import sheets
from storefront.findings import Problem, Summary
from storefront.sheets import Row, Sheet

_NUMBER, _VILLAGE, _HEAD, _PEOPLE, _STANDING = "户编号", "村代码", "户主姓名", "人口", "类型"
HOUSEHOLD_COLUMNS = (_NUMBER, _VILLAGE, _HEAD, _PEOPLE, _STANDING)
_LONGEST = {_NUMBER: 32, _HEAD: 40, "name": 60}
_MOST_PEOPLE = 30
_COUNT = re.compile(r"^[0-9]{1,2}$")


async def import_divisions(
    session: AsyncSession, source: Path | Sequence[Mapping[str, str]], *, on: date | None = None, preview: bool = False
) -> Summary:
    """Bring divisions in: `code`, `name` and, if there are, `aliases` separated by spaces.

    A renamed place keeps its old name as an alias.
    """
    summary = Summary()
    sheet = _opened(source, summary)
    if sheet is None:
        return summary
    known = {place.code: place for place in await session.exec(select(Division))}
    wanted = _wanted_divisions(sheet, set(known), summary)
    if summary.problems:
        return summary
    fresh, renamed = _compared(wanted, known, summary)
    aliases = await _new_aliases(session, wanted)
    summary.changed = len(renamed | {alias.division_code for alias in aliases} - fresh.keys())
    summary.same = len(wanted) - summary.added - summary.changed
    if not preview:
        await _write_divisions(
            session, fresh, [(known[code], wanted[code][0]) for code in sorted(renamed)], aliases, on
        )
        summary.applied = True
    return summary


def _opened(source: Path | Sequence[Mapping[str, str]], summary: Summary) -> Sheet | None:
    if not isinstance(source, Path):
        rows = [Row(line, dict(cells)) for line, cells in enumerate(source, start=2)]
        return Sheet(list(dict.fromkeys(column for row in rows for column in row.cells)), rows)
    try:
        return sheets.read(source)
    except Malformed as error:
        summary.problems.append(Problem(1, "", error.problem, error.given))
        return None


def _wanted_divisions(sheet: Sheet, known: set[str], summary: Summary) -> dict[str, tuple[str, list[str]]]:
    """Name and aliases by code."""
    bad = summary.problems
    bad += [
        Problem(1, name, "unknown_column", name) for name in sheet.columns if name not in ("code", "name", "aliases")
    ]
    bad += [Problem(1, name, "missing") for name in ("code", "name") if name not in sheet.columns]
    wanted: dict[str, tuple[str, list[str]]] = {}
    for row in [] if bad else sheet.rows:
        try:
            code = places.parse_code(row.cells["code"])
        except Malformed as error:
            bad.append(Problem(row.line, "code", error.problem, row.cells["code"]))
            continue
        name, aliases = row.cells["name"], row.cells.get("aliases", "").split()
        above = places.parents(code)
        if above and above[-1] not in known | wanted.keys():
            bad.append(Problem(row.line, "code", "unknown_parent", code))
        if code in wanted:
            bad.append(Problem(row.line, "code", "twice", code))
        bad += [
            Problem(row.line, "name", "too_long", text) for text in (name, *aliases) if len(text) > _LONGEST["name"]
        ]
        if not name:
            bad.append(Problem(row.line, "name", "missing"))
        wanted[code] = (name, [alias for alias in aliases if alias != name])
    return wanted


def _compared(
    wanted: dict[str, tuple[str, list[str]]], known: dict[str, Division], summary: Summary
) -> tuple[dict[str, str], set[str]]:
    fresh = {code: name for code, (name, _more) in wanted.items() if code not in known}
    summary.added = len(fresh)
    return fresh, {code for code, (name, _more) in wanted.items() if code in known and known[code].name != name}


async def _new_aliases(session: AsyncSession, wanted: dict[str, tuple[str, list[str]]]) -> list[DivisionName]:
    there = set((await session.exec(select(DivisionName.division_code, DivisionName.name))).all())
    return [
        places.alias(code, alias)
        for code, (_name, aliases) in wanted.items()
        for alias in dict.fromkeys(aliases)
        if (code, alias) not in there
    ]


async def _write_divisions(
    session: AsyncSession,
    fresh: dict[str, str],
    renamed: list[tuple[Division, str]],
    aliases: list[DivisionName],
    on: date | None,
) -> None:
    session.add_all(places.named(code, name) for code, name in fresh.items())
    day = on or clock.day_of(clock.now())
    for place, name in renamed:
        await session.merge(places.alias(place.code, place.name, to_on=day))
        place.name = name
        place.pinyin, place.initials = places.spell(name)
    await session.flush()  # aliases refer to places that are new
    session.add_all(alias for alias in aliases)
    await session.flush()  # what follows in this transaction may search by them


async def import_households(
    session: AsyncSession, source: Path | Sequence[Mapping[str, str]], *, now: datetime, preview: bool = False
) -> Summary:
    """Bring the register in: 户编号, 村代码, 户主姓名, 人口, 类型 (its name or code). What differs is changed.

    Other columns are not read. A household the file leaves out stays, and is counted in `absent`.
    """
    summary = Summary()
    sheet = _opened(source, summary)
    if sheet is None:
        return summary
    wanted = await _wanted_households(session, sheet, summary)
    if summary.problems:
        return summary
    known = {home.number: home for home in await session.exec(select(Household))}
    standings = await session.exec(
        select(HouseholdStanding.household_id, HouseholdStanding.standing_code).where(
            col(HouseholdStanding.to_on).is_(None)
        )
    )
    standing = dict(standings.all())
    fresh = [row for number, row in wanted.items() if number not in known]
    there = [(known[number], row) for number, row in wanted.items() if number in known]
    changed = [(home, row) for home, row in there if _as_it_stands(home, standing.get(home.id or 0, "")) != row]
    villages = {row.division_code for row in wanted.values()}
    summary.added, summary.changed, summary.same = len(fresh), len(changed), len(there) - len(changed)
    summary.absent = sum(home.division_code in villages and home.number not in wanted for home in known.values())
    if not preview:
        await _add_households(session, fresh, now)
        for home, row in changed:
            await _change_household(session, home, row, standing.get(home.id or 0, ""), now)
        summary.applied = True
    return summary


@dataclass(frozen=True)
class _Registered:
    """A household as the register has it."""

    number: str
    division_code: str
    head_name: str
    people_count: int
    standing_code: str


async def _wanted_households(session: AsyncSession, sheet: Sheet, summary: Summary) -> dict[str, _Registered]:
    bad = summary.problems
    summary.ignored = [column for column in sheet.columns if column not in HOUSEHOLD_COLUMNS]
    bad += [Problem(1, column, "missing") for column in HOUSEHOLD_COLUMNS if column not in sheet.columns]
    if bad:
        return {}
    villages = set(await session.exec(select(Division.code).where(func.length(col(Division.code)) == Level.VILLAGE)))
    kinds = (await session.exec(select(StandingKind))).all()
    codes = {kind.name: kind.code for kind in kinds} | {kind.code: kind.code for kind in kinds}
    wanted: dict[str, _Registered] = {}
    for row in sheet.rows:
        found = _looked_at(row, villages, codes)
        number = row.cells[_NUMBER]
        if number and number in wanted:
            found.append(Problem(row.line, _NUMBER, "twice", number))
        bad += found
        if not found:
            wanted[number] = _registered(row, codes)
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


def _as_it_stands(home: Household, standing_code: str) -> _Registered:
    return _Registered(home.number, home.division_code, home.head_name, home.people_count, standing_code)


async def _add_households(session: AsyncSession, fresh: list[_Registered], now: datetime) -> None:
    homes = [
        Household(
            number=row.number, head_name=row.head_name, display_name=default_display_name(row.head_name),
            people_count=row.people_count, division_code=row.division_code, joined_at=now,
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
    session: AsyncSession, home: Household, row: _Registered, standing_code: str, now: datetime
) -> None:
    if home.display_name == default_display_name(home.head_name):
        home.display_name = default_display_name(row.head_name)
    home.head_name, home.people_count, home.division_code = row.head_name, row.people_count, row.division_code
    if row.standing_code != standing_code:
        await households.set_standing(session, home, row.standing_code, from_on=clock.day_of(now))
    changed = f"{row.head_name} {row.people_count} {row.division_code} {row.standing_code}"
    audit.note(session, None, "import", household_id=home.id, subject=f"household:{row.number}", note=changed, now=now)
    await session.flush()  # the next change of the same file starts from this one
