"""Files: what a spreadsheet program reads is what was meant, and never a formula."""

import csv
import io
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook

from storefront import downloads
from storefront.downloads import Fen, Sheet, csv_lines, harmless, respond, xlsx_bytes

NASTY = ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", " =1", '引号"和，逗号,', "两\r\n行", "坏\x07字", "王样例"]


def sheet(rows: Sequence[Sequence[Any]], preface: list[tuple[str, str]] | None = None) -> Sheet:
    async def each() -> AsyncIterator[Sequence[Any]]:
        for row in rows:
            yield row

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[Sequence[Any]]]:
        yield each()

    return Sheet("income-141102", "销售收入", preface or [], ["户主", "金额", "笔数"], opened, widths=[18, 14, 8])


async def text_of(made: Sheet) -> str:
    return b"".join([part async for part in csv_lines(made)]).decode("utf-8")


async def book_of(made: Sheet) -> Any:
    return load_workbook(io.BytesIO(b"".join([part async for part in xlsx_bytes(made)])))


async def test_csv_is_what_spreadsheets_and_the_rfc_expect() -> None:
    text = await text_of(sheet([["王样例", Fen(-1234567), 3]], [("地方", "离石区")]))
    assert text == "\ufeff销售收入\r\n地方,离石区\r\n\r\n户主,金额,笔数\r\n王样例,-12345.67,3\r\n"


async def test_csv_keeps_every_row_of_a_long_file() -> None:
    rows = [[f"户{n}", Fen(n), n] for n in range(1_234)]
    read = list(csv.reader(io.StringIO((await text_of(sheet(rows))).removeprefix("\ufeff"))))
    assert len(read) == 1_235
    assert read[-1] == ["户1233", "12.33", "1233"]


async def test_nothing_typed_by_people_becomes_a_formula_in_csv() -> None:
    read = list(csv.reader(io.StringIO((await text_of(sheet([[word, Fen(0), 0] for word in NASTY]))), newline="")))
    assert [row[0] for row in read[1:]] == [
        "'=1+1", "'+cmd", "'-2", "'@SUM(A1)", "'\t=1", "' =1", '引号"和，逗号,', "两\r\n行", "坏字", "王样例",
    ]  # fmt: skip


async def test_xlsx_holds_numbers_as_numbers_and_text_as_text() -> None:
    book = await book_of(sheet([[word, Fen(1_234_567_89), 3] for word in NASTY], [("地方", "=离石区")]))
    found = book.worksheets[0]
    assert found["A1"].value == "销售收入"
    assert (found["A2"].value, found["B2"].value, found["B2"].data_type) == ("地方", "=离石区", "s")
    assert [cell.value for cell in found[4]] == ["户主", "金额", "笔数"]
    assert {found.cell(row=row, column=1).data_type for row in range(5, 5 + len(NASTY))} == {"s"}
    assert (found["B5"].value, found["B5"].number_format, found["C5"].value) == (1234567.89, "#,##0.00", 3)
    assert found["B5"].data_type == "n"


async def test_xlsx_of_nothing_still_says_what_it_is() -> None:
    book = await book_of(sheet([], [("时间", "2026年11月")]))
    assert [cell.value for cell in book.worksheets[0][4]] == ["户主", "金额", "笔数"]


async def test_xlsx_goes_on_with_another_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "MOST_ROWS_A_SHEET", 700)
    book = await book_of(sheet([[f"户{n}", Fen(n), n] for n in range(1_500)]))
    assert [found.max_row for found in book.worksheets] == [701, 701, 101]
    assert book.worksheets[2]["A1"].value == "户主"


def test_the_file_has_a_name_every_browser_reads() -> None:
    answer = respond(sheet([]), "csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    named = answer.headers["content-disposition"]
    assert named.startswith("attachment; filename=\"income-141102.csv\"; filename*=UTF-8''%E9")
    assert answer.headers["cache-control"] == "private, no-store"


@given(st.text(max_size=30))
def test_no_text_reaches_a_spreadsheet_as_a_formula(text: str) -> None:
    said = harmless(text)
    assert not said.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r"))
    assert said.isprintable() or text


def test_days_in_a_file_are_plain_text() -> None:
    assert downloads._as_text(date(2026, 11, 2)) == "2026-11-02"
