"""Reads the tables people keep, line by line: CSV in UTF-8, UTF-16 or GB18030, cut by commas, semicolons or tabs; XLSX.

Whatever a broken or hostile file makes the readers trip over is one kind error, and no file costs more than its bounds.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openpyxl import load_workbook

from market.ground.errors import Malformed

_DELIMITERS = ",;\t"
MOST_UNPACKED_BYTES = 150 * 1024 * 1024
"""A county's spreadsheet unpacks to some 20 MB: more is a bomb."""
_UNRECKONED = re.compile(rb"(?:</f>|<f[^<>]*/>)\s*(?:<v\s*/>|<v>\s*</v>|</c>)")
"""A cell with a formula and without a value."""
_BOMS_16 = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class Bounds:
    """How much of a table is read. More is refused, not cut off: what was left out would seem not to be there."""

    lines: int = 1_000_000
    columns: int = 256
    heading_lines: int = 1
    """Where in a CSV file its delimiter shows: titles above the heading have none."""


def lines_of(content: bytes, name: str, bounds: Bounds | None = None) -> Iterator[list[str]]:
    """A table's lines as texts without blanks around them. Malformed("file", …): `not_a_table`, `too_large`."""
    bounds = bounds or Bounds()
    found = _xlsx_lines(content, name, bounds) if content.startswith(b"PK") else _csv_lines(content, name, bounds)
    for number, line in enumerate(found, start=1):
        if number > bounds.lines or len(line) > bounds.columns:
            raise Malformed("file", "too_large", name)
        yield line


def unpacked_bytes(content: bytes) -> int:
    """How much a spreadsheet says it unpacks to; no reader takes more of a part than is said here."""
    try:
        return sum(part.file_size for part in zipfile.ZipFile(io.BytesIO(content)).infolist())
    except zipfile.BadZipFile:
        return 0


def has_unreckoned(content: bytes) -> bool:
    """Whether a spreadsheet holds formulas no program has reckoned yet: their cells would seem to be empty."""
    if not content.startswith(b"PK") or unpacked_bytes(content) > MOST_UNPACKED_BYTES:
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = [name for name in archive.namelist() if name.startswith("xl/worksheets/")]
            return any(_UNRECKONED.search(archive.read(part)) for part in parts)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, OSError, EOFError):
        return False


def decoded(content: bytes, name: str) -> str:
    """A file's text. Malformed("file", "not_a_table") when it is none."""
    encodings = ("utf-16",) if content.startswith(_BOMS_16) else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Malformed("file", "not_a_table", name)


def _csv_lines(content: bytes, name: str, bounds: Bounds) -> Iterator[list[str]]:
    text = decoded(content, name)
    top = "\n".join(text.split("\n", bounds.heading_lines)[: bounds.heading_lines])
    delimiter = max(_DELIMITERS, key=top.count)
    try:
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            yield [cell.strip() for cell in line]
    except csv.Error:
        raise Malformed("file", "not_a_table", name) from None


def _xlsx_lines(content: bytes, name: str, bounds: Bounds) -> Iterator[list[str]]:
    if unpacked_bytes(content) > MOST_UNPACKED_BYTES:
        raise Malformed("file", "too_large", name)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # What a sheet says of its own size may be wrong either way: cells are looked for in any column within bounds.
        sheet.reset_dimensions()
        for line in sheet.iter_rows(values_only=True, max_row=bounds.lines + 1, max_col=None):
            yield [_cell(value) for value in line]
        book.close()
    except Malformed:
        raise
    except Exception:  # noqa: BLE001  archive, markup and styles can each be broken in ways of their own
        raise Malformed("file", "not_a_table", name) from None


def _cell(value: Any) -> str:
    """A cell as its reader sees it: spreadsheets keep codes as numbers, `141102006201.0` is `141102006201`."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
