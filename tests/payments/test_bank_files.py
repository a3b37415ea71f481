"""Banks' files in every layout come down to the same lines; anything else is refused in a kind way, and harmlessly."""

import csv
import io
import zipfile
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from market.ground.errors import Malformed
from payments import bank_files
from payments.bank_files import BankFile, notations

FOLDER = Path(__file__).parent / "statements"
TABLES = ["icbc.csv", "abc.csv", "boc.csv", "ccb.csv", "psbc.csv", "rural.csv", "cmb.csv"]
OTHERS = ["statement.mt940", "statement.camt053.xml"]
EXPECTED = [
    (date(2026, 11, 3), 700000, "CNY", "离石区样例食堂"),
    (date(2026, 11, 3), 4500, "CNY", "刘样例"),
    (date(2026, 11, 4), -1200, "CNY", ""),
]


def text_of(name: str) -> str:
    return (FOLDER / name).read_text("utf-8").replace("{reference}", "K7M3QX8")


def problem_of(content: bytes) -> str:
    with pytest.raises(Malformed) as caught:
        bank_files.read(content, "x")
    assert caught.value.field == "file"
    return caught.value.problem


def check(found: BankFile) -> None:
    assert [(line.booked_on, line.amount_fen, line.currency, line.name) for line in found.lines] == EXPECTED
    assert "K7M3QX8" in found.lines[0].memo
    assert "对公收费" in found.lines[2].memo


@pytest.mark.parametrize("name", [*TABLES, *OTHERS])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_every_layout_in_every_encoding(name: str, encoding: str) -> None:
    if name.endswith(".xml") and not encoding.startswith("utf-8"):
        return  # it says of itself that it is UTF-8
    check(bank_files.read(text_of(name).encode(encoding), name))


@pytest.mark.parametrize("name", TABLES)
def test_the_same_tables_as_workbooks(name: str) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    for line in text_of(name).splitlines():
        cut = ";" if line.count(";") > line.count(",") else ","
        sheet.append([cell.strip() for cell in next(csv.reader([line], delimiter=cut))])
    stream = io.BytesIO()
    book.save(stream)
    check(bank_files.read(stream.getvalue(), name))


def test_cells_a_spreadsheet_understood_itself() -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["交易日期", "贷方发生额", "借方发生额", "对方户名", "流水号"])
    sheet.append([datetime(2026, 11, 3, 10, 22), 0.1 + 0.2, None, "刘样例", 8800112233])  # noqa: DTZ001  as in the file
    sheet.append([46329, None, 12, "", None])
    stream = io.BytesIO()
    book.save(stream)
    first, second = bank_files.read(stream.getvalue(), "x.xlsx").lines
    assert (first.booked_on, first.amount_fen, first.serial) == (date(2026, 11, 3), 30, "8800112233")
    assert (second.booked_on, second.amount_fen, second.serial) == (date(2026, 11, 3), -1200, "")


def workbook(*rows: list[object], merged: tuple[str, ...] = ()) -> bytes:
    book = Workbook()
    sheet = book.worksheets[0]
    for row in rows:
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def test_a_heading_of_two_lines_with_merged_cells() -> None:
    """Read by its first line alone, what went would seem to have come."""
    content = workbook(
        ["样例村股份经济合作社账户明细"],
        ["交易日期", "发生额", None, "对方", None, "摘要"],
        [None, "借方", "贷方", "对方户名", "对方账号", None],
        ["2026-11-03", None, "7,000.00", "离石区样例食堂", "6222000011112222", "K7M3QX8"],
        ["2026-11-04", "-12.00", None, "", "", "对公收费"],
        ["合计", "-12.00", "7,000.00"],
        merged=("A1:F1", "A2:A3", "B2:C2", "D2:E2", "F2:F3"),
    )
    first, second = bank_files.read(content, "x.xlsx").lines
    assert (first.amount_fen, first.name, first.account, first.memo) == (
        700000, "离石区样例食堂", "**** 2222", "K7M3QX8",
    )  # fmt: skip
    assert (second.amount_fen, second.number) == (-1200, 5)


def test_a_formula_nobody_has_reckoned_is_not_read_as_nothing() -> None:
    content = workbook(["日期", "收入", "附言"], ["2026-11-03", "=5+2", "谢谢"], ["2026-11-03", 9, "=HYPERLINK(A1)"])
    assert problem_of(content) == "formulas"
    reckoned = workbook(["日期", "收入", "附言"], ["2026-11-03", 7, "'=1+1"])
    assert [(line.amount_fen, line.memo) for line in bank_files.read(reckoned, "x").lines] == [(700, "'=1+1")]


def test_twenty_thousand_lines_are_refused_and_not_cut_off() -> None:
    lines = "".join(f"2026-11-03,{at}.00,第{at}笔,\n" for at in range(1, 20_001))
    assert problem_of(("日期,收入,附言,对方户名\n" + lines).encode("gb18030")) == "too_large"


@pytest.mark.parametrize("name", [*TABLES[:4], *OTHERS])
def test_the_account_the_file_is_about(name: str) -> None:
    known = {"icbc.csv": "0509123409000011223", "abc.csv": "04123400040001122", "ccb.csv": "14050161234500001122"}
    found = bank_files.read(text_of(name).encode(), name)
    assert found.account == known.get(name, "100200300400")


def test_no_account_number_of_a_payer_leaves_the_reader() -> None:
    for name in [*TABLES, *OTHERS]:
        found = bank_files.read(text_of(name).encode(), name)
        assert {line.account for line in found.lines} <= {"**** 2222", "**** 4444", ""}
        assert not any("6222000011112222" in line.memo for line in found.lines)


HEAD = "交易日期,收入,支出,摘要,流水号\n"


def test_which_way_the_money_went() -> None:
    def amounts(*lines: str) -> list[int]:
        return [line.amount_fen for line in bank_files.read((HEAD + "\n".join(lines)).encode(), "x").lines]

    day = "2026-11-03"
    assert amounts(f"{day},,-7.00,", f"{day},5,,") == [-700, 500]  # a bank that writes what went with a minus
    assert amounts(f"{day},,7.00,", f"{day},,-7.00,") == [-700, 700]  # one taken back again
    assert amounts(f"{day},-5.00,,") == [-500]  # a payment the bank took back
    signed = "交易日期,交易金额,摘要\n2026-11-03,+5.00,\n2026-11-03,-7.00,\n"
    assert [line.amount_fen for line in bank_files.read(signed.encode(), "x").lines] == [500, -700]
    flagged = "日期,金额,收支标志\n2026-11-03,5,收入\n2026-11-03,7,支出\n2026-11-03,-5,收入\n"
    assert [line.amount_fen for line in bank_files.read(flagged.encode(), "x").lines] == [500, -700, -500]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "no_file"),
        (b"  \n", "no_file"),
        (b"x" * (bank_files.MOST_BYTES + 1), "too_large"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old_excel"),
        (b"%PDF-1.7", "not_a_table"),
        ("<html><table><tr><td>交易日期</td></tr></table>".encode(), "not_a_table"),
        (b"PK\x03\x04 not a workbook", "not_a_table"),
        (b"\xff\xff\xff\x00\x81", "not_a_table"),
        (b"a,b,c\n1,2,3\n", "not_a_statement"),
        ((HEAD + "合计,0,0\n").encode(), "no_lines"),
        ((HEAD + "2026-13-03,5,,\n").encode(), "bad_day"),
        ((HEAD + "03/11/2026,5,,\n").encode(), "bad_day"),
        ((HEAD + "2026-11-03,5.001,,\n").encode(), "bad_amount"),
        ((HEAD + "2026-11-03,五元,,\n").encode(), "bad_amount"),
        ("日期,金额,收支标志\n2026-11-03,5,收入\n2026-11-03,7,不明\n".encode(), "bad_side"),
        ((HEAD + "2026-11-03,5,,\n" * 10_200).encode(), "too_large"),
        (b":20:x\n:61:nonsense\n", "not_a_statement"),
        (b":20:x\n:60F:C261102CNY1,00\n:61:\n", "not_a_statement"),
        (b'<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"/>', "not_a_statement"),
    ],
)
def test_what_is_no_statement_is_refused_with_its_reason(content: bytes, problem: str) -> None:
    assert problem_of(content) == problem


def test_the_line_that_cannot_be_read_is_named() -> None:
    with pytest.raises(Malformed) as caught:
        bank_files.read((HEAD + "2026-11-03,5,,\n2026-11-03,五元,,\n").encode(), "x")
    assert caught.value.given == "3: 五元"


def test_a_bomb_is_not_unpacked() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (200 * 1024 * 1024))
    assert len(stream.getvalue()) < bank_files.MOST_BYTES
    assert problem_of(stream.getvalue()) == "too_large"


@pytest.mark.parametrize(
    "trick",
    [
        '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>',
        '<!DOCTYPE d SYSTEM "http://localhost/x.dtd">',
    ],
)
def test_markup_that_declares_entities_is_refused(trick: str) -> None:
    head, body = text_of("statement.camt053.xml").split("\n", 1)
    assert problem_of(f"{head}\n{trick}\n{body.replace('买梨', '&x;')}".encode()) == "not_a_statement"


def test_a_file_that_reads_like_a_path_is_not_opened(tmp_path: Path) -> None:
    """The library would open a text that names a file; ours only ever hears what was sent."""
    secret = tmp_path / ":20:x\n:61:y"
    secret.write_text(text_of("statement.mt940"), "utf-8")
    assert problem_of(str(secret).encode()) in {"not_a_statement", "not_a_table"}


ANY_CELL = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["2026-11-03", "20261103", "1,234.50", "-5", "(7.00)", "贷", "合计", "交易日期", "=1+1", "'", "\x00"]
    ),
    st.integers().map(str),
    st.floats().map(str),
)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
@example(b"PK\x03\x04\x14\x00\x00\x00\x08\x00")
@example(b"\xff\xfe\x00")
def test_no_bytes_crash_the_reader(content: bytes) -> None:
    for start in (b"", b"PK\x03\x04", b":20:x\n:61:", b'<Document xmlns="camt.053">', HEAD.encode()):
        with suppress(Malformed):
            assert bank_files.read(start + content, "x").lines


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(ANY_CELL, max_size=6), max_size=6))
def test_no_cells_crash_the_reader(rows: list[list[str]]) -> None:
    text = HEAD + "\n".join(",".join(row) for row in rows)
    with suppress(Malformed):
        found = bank_files.read(text.encode("utf-8", "replace"), "x")
        assert all(line.amount_fen and len(line.memo) <= 300 for line in found.lines)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-03", date(2026, 11, 3)), ("2026/11/3", date(2026, 11, 3)), ("20261103", date(2026, 11, 3)),
        ("2026年11月3日", date(2026, 11, 3)), ("2026.11.03 10:22", date(2026, 11, 3)), ("'20261103", date(2026, 11, 3)),
        ("20261103 10:22:33", date(2026, 11, 3)), ("20261103102233", date(2026, 11, 3)), ("46329", date(2026, 11, 3)),
        ("2026-11-03-10.22.33.000000", date(2026, 11, 3)), ("２０２６－１１－０３", date(2026, 11, 3)),
        ("", None), ("合计", None), ("2026-02-30", None), ("11-03", None), ("1,103", None), ("2026-11-03 or so", None),
    ],
)  # fmt: skip
def test_how_banks_write_days(text: str, day: date | None) -> None:
    assert notations.day_in(text) == day


@pytest.mark.parametrize(
    ("text", "fen"),
    [
        ("1,234.50", 123450), ("￥1234.5", 123450), ("¥ 7", 700), ("'70.00", 7000), ('="70.00"', 7000), ("7.", 700),
        ("(12.00)", -1200), ("12.00-", -1200), ("-0.01", -1), ("＋5", 500), ("1，234", 123400), ("7元", 700),
        (".5", 50), ("70.0000", 7000), ("0.30000000000000004", 30), ("--", 0), ("", 0), ("0.00", 0),
        ("7.001", None), ("1.2.3", None), ("七", None), ("1e5", None), ("nan", None), ("9999999999999", None),
    ],
)  # fmt: skip
def test_how_banks_write_amounts(text: str, fen: int | None) -> None:
    assert notations.fen_in(text) == fen
