"""What the county brings in files: here its divisions, in registers.py its households.

A file is looked at whole before anything is written: with one bad line, nothing of it is taken, and every bad line is
named with its reason. Bringing the same file twice changes nothing the second time.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

from anyio import to_thread
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import clock, places
from market.ground.errors import Malformed
from market.ground.places import Division, DivisionName
from storefront import sheets
from storefront.findings import Problem, Summary
from storefront.sheets import Row, Sheet

_LONGEST_NAME = 60


async def import_divisions(
    session: AsyncSession, source: Path | Sequence[Mapping[str, str]], *, on: date | None = None, preview: bool = False
) -> Summary:
    """Bring divisions in: `code`, `name` and, if there are, `aliases` separated by spaces.

    A renamed place keeps its old name as an alias.
    """
    summary = Summary()
    sheet = await opened(source, summary)
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


async def opened(source: Path | Sequence[Mapping[str, str]], summary: Summary) -> Sheet | None:
    """The table to bring in; none, with the reason in the summary, when the file is no table."""
    if not isinstance(source, Path):
        rows = [Row(line, dict(cells)) for line, cells in enumerate(source, start=2)]
        return Sheet(list(dict.fromkeys(column for row in rows for column in row.cells)), rows)
    try:
        # A spreadsheet of a county takes seconds to unpack: nobody else waits for it.
        return await to_thread.run_sync(sheets.read, source)
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
        bad += [Problem(row.line, "name", "too_long", text) for text in (name, *aliases) if len(text) > _LONGEST_NAME]
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
