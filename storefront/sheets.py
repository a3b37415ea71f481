"""A table with its heading on the first line, as registers are kept."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from market.ground import sheets
from market.ground.errors import Malformed


@dataclass(frozen=True)
class Row:
    """One line of a table, by column. Empty cells are empty texts."""

    line: int
    """As the person's own program numbers it: the heading is line 1."""
    cells: dict[str, str]


@dataclass(frozen=True)
class Sheet:
    """A table with its heading."""

    columns: list[str]
    rows: list[Row]


def read(path: Path) -> Sheet:
    """The table in a file. Malformed("file", …) when it is none: `missing`, `not_a_table`, `no_heading`."""
    try:
        content = path.read_bytes()
    except OSError:
        raise Malformed("file", "missing", path.name) from None
    return _sheet(sheets.lines_of(content, path.name), path.name)


def _sheet(lines: Iterable[list[str]], name: str) -> Sheet:
    numbered = ((number, cells) for number, cells in enumerate(lines, start=1) if any(cells))
    heading = next(numbered, None)
    if heading is None or heading[0] != 1:
        raise Malformed("file", "no_heading", name)
    columns = heading[1]
    rows = [Row(number, dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))) for number, cells in numbered]
    return Sheet([column for column in columns if column], rows)
