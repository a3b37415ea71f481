"""Reads the tables people keep: CSV in UTF-8 or GB18030, cut by commas, semicolons or tabs, and XLSX (first sheet)."""

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from market.ground.errors import Malformed

_DELIMITERS = ",;\t"


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
    lines = _xlsx_lines(content, path) if content.startswith(b"PK") else _csv_lines(content, path)
    return _sheet(lines, path.name)


def _sheet(lines: Iterable[list[str]], name: str) -> Sheet:
    numbered = ((number, cells) for number, cells in enumerate(lines, start=1) if any(cells))
    heading = next(numbered, None)
    if heading is None or heading[0] != 1:
        raise Malformed("file", "no_heading", name)
    columns = heading[1]
    rows = [Row(number, dict(zip(columns, [*cells, *[""] * len(columns)], strict=False))) for number, cells in numbered]
    return Sheet([column for column in columns if column], rows)


def _csv_lines(content: bytes, path: Path) -> Iterator[list[str]]:
    text = _decoded(content, path)
    heading = text.partition("\n")[0]
    delimiter = max(_DELIMITERS, key=heading.count)
    for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
        yield [cell.strip() for cell in line]


def _decoded(content: bytes, path: Path) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Malformed("file", "not_a_table", path.name)


def _xlsx_lines(content: bytes, path: Path) -> Iterator[list[str]]:
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile):
        raise Malformed("file", "not_a_table", path.name) from None
    for line in book.worksheets[0].iter_rows(values_only=True):
        yield [_cell(value) for value in line]
    book.close()


def _cell(value: Any) -> str:
    """A cell as its reader sees it: spreadsheets keep codes as numbers, `141102006201.0` is `141102006201`."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
