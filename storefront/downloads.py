"""Files of figures: CSV (UTF-8 with BOM, RFC 4180) and XLSX, streamed from a transaction of their own.

The handler has checked the grant and noted the download before the first byte leaves; the rows are read afterwards.
"""

import csv
import io
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from anyio import to_thread
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from starlette.responses import Response, StreamingResponse

from market.ground.money import decimal_yuan

CSV, XLSX = "csv", "xlsx"
MOST_ROWS_A_SHEET = 1_000_000
"""A sheet of a spreadsheet ends at 1,048,576 rows: what is more goes on the next one."""
_ROWS_AT_ONCE = 500
_BYTES_AT_ONCE = 64 * 1024
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_MONEY_FORMAT, _COUNT_FORMAT = "#,##0.00", "#,##0"
_TYPES = {
    CSV: "text/csv; charset=utf-8",
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
Records = Callable[[], AbstractAsyncContextManager[AsyncIterator[Sequence[Any]]]]
"""Opens the transaction the rows are read in; ends with the file."""


@dataclass(frozen=True)
class Fen:
    """Money in a row: shown as yuan with two decimals."""

    amount: int


@dataclass(frozen=True)
class Sheet:
    """What a file says: who made it of what, the names of its columns, and where its rows come from."""

    name: str
    """File name without ending, ASCII."""
    title: str
    preface: list[tuple[str, str]]
    """Lines above the table: place, period, filter, when it was made and by whom."""
    heads: list[str]
    records: Records
    widths: Sequence[int] = ()


def respond(sheet: Sheet, kind: str) -> Response:
    """The sheet as a download of that kind (CSV or XLSX)."""
    lines = csv_lines(sheet) if kind == CSV else xlsx_bytes(sheet)
    shown = quote(f"{sheet.title}.{kind}")
    return StreamingResponse(
        lines,
        media_type=_TYPES[kind],
        headers={
            "content-disposition": f"attachment; filename=\"{sheet.name}.{kind}\"; filename*=UTF-8''{shown}",
            "cache-control": "private, no-store",
        },
    )


async def csv_lines(sheet: Sheet) -> AsyncIterator[bytes]:
    """The sheet as CSV, a few hundred rows at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")

    def taken() -> bytes:
        text = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return text.encode()

    buffer.write("\ufeff")
    if sheet.preface:
        writer.writerows([[harmless(sheet.title)], *([harmless(part) for part in line] for line in sheet.preface), []])
    writer.writerow([harmless(head) for head in sheet.heads])
    async with sheet.records() as records:
        waiting = 0
        async for record in records:
            writer.writerow([_as_text(value) for value in record])
            waiting += 1
            if waiting >= _ROWS_AT_ONCE:
                yield taken()
                waiting = 0
    yield taken()


async def xlsx_bytes(sheet: Sheet) -> AsyncIterator[bytes]:
    """The sheet as XLSX. Rows go to a temporary file as they come; building runs in a thread, so others are served."""
    book = _Book(sheet)
    async with sheet.records() as records:
        batch: list[Sequence[Any]] = []
        async for record in records:
            batch.append(record)
            if len(batch) >= _ROWS_AT_ONCE:
                await to_thread.run_sync(book.add, batch)
                batch = []
        await to_thread.run_sync(book.add, batch)
    with tempfile.TemporaryDirectory(prefix="yigou-") as folder:
        path = Path(folder) / "sheet.xlsx"
        await to_thread.run_sync(book.save, path)
        with path.open("rb") as file:
            while part := await to_thread.run_sync(file.read, _BYTES_AT_ONCE):
                yield part


def harmless(text: str) -> str:
    """The text so that a spreadsheet reads it as text: what looks like a formula gets an apostrophe before it."""
    clean = ILLEGAL_CHARACTERS_RE.sub("", text)
    return f"'{clean}" if clean.lstrip(" ").startswith(_FORMULA_STARTS) else clean


def _as_text(value: Any) -> str:
    if isinstance(value, Fen):
        return decimal_yuan(value.amount)
    return str(value) if isinstance(value, int) else harmless(str(value))


class _Book:
    """A workbook being written, one sheet after another."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._book = Workbook(write_only=True)
        self._current: Any = None
        self._money: list[Any] = []
        self._counts: list[Any] = []
        self._rows = 0

    def add(self, records: list[Sequence[Any]]) -> None:
        if self._current is None:
            self._open()
        for record in records:
            if self._rows >= MOST_ROWS_A_SHEET:
                self._open()
            self._current.append([self._cell(at, value) for at, value in enumerate(record)])
            self._rows += 1

    def save(self, path: Path) -> None:
        self._book.save(path)

    def _open(self) -> None:
        self._current = self._book.create_sheet(str(len(self._book.worksheets) + 1))
        self._rows = 0
        # A row is written out as it is appended, so one cell a column serves all rows: ten times faster than new ones.
        self._money = [self._styled(number_format=_MONEY_FORMAT) for _head in self._sheet.heads]
        self._counts = [self._styled(number_format=_COUNT_FORMAT) for _head in self._sheet.heads]
        for at, width in enumerate(self._sheet.widths, start=1):
            self._current.column_dimensions[get_column_letter(at)].width = width
        preface = self._sheet.preface
        self._current.freeze_panes = f"A{len(preface) + 4}" if preface else "A2"
        if preface:
            self._current.append([self._styled(self._sheet.title, bold=True)])
            for line in preface:
                self._current.append([self._styled(part) for part in line])
            self._current.append([])
        self._current.append([self._styled(head, bold=True) for head in self._sheet.heads])

    def _cell(self, at: int, value: Any) -> Any:
        if isinstance(value, Fen):
            self._money[at].value = value.amount / 100
            return self._money[at]
        if isinstance(value, int):
            self._counts[at].value = value
            return self._counts[at]
        clean = ILLEGAL_CHARACTERS_RE.sub("", str(value))
        return self._styled(clean) if clean.startswith("=") else clean

    def _styled(self, text: str = "", *, bold: bool = False, number_format: str = "") -> Any:
        cell = WriteOnlyCell(self._current, value=ILLEGAL_CHARACTERS_RE.sub("", text) or None)
        if text:
            cell.data_type = "s"  # never a formula, whatever it begins with
        if bold:
            cell.font = Font(bold=True)
        if number_format:
            cell.number_format = number_format
        return cell
