"""Statements as tables: the CSV and XLSX files of Chinese banks, whose columns are known by their names."""

from collections.abc import Iterable
from dataclasses import dataclass

from market.ground import sheets
from market.ground.sheets import Bounds
from payments.bank_files import headings, notations
from payments.bank_files.headings import Field, Heading
from payments.bank_files.lines import (
    MOST_LINES,
    BankFile,
    Line,
    currency_of,
    digits,
    masked,
    memo_of,
    name_of,
    no,
    serial_of,
)

_MOST_TITLES = 40
_BOUNDS = Bounds(lines=MOST_LINES + 2 * _MOST_TITLES, columns=80, heading_lines=_MOST_TITLES)


@dataclass
class _Table:
    """What stands above the lines, and what holds of all of them."""

    account: str = ""
    currency: str = ""
    has_flags: bool = False
    """Whether a column says of any line which way its money went."""
    has_plain_debits: bool = False
    """Whether what went stands without a minus: then one with a minus was taken back, and came."""


@dataclass(frozen=True)
class _Found:
    """A line below the heading that holds for it."""

    number: int
    heading: Heading
    cells: list[str]

    def says(self, field: Field) -> str:
        """The text of a field; nothing where the file has no such column."""
        return self.heading.cell(self.cells, field)

    def fen(self, field: Field) -> int:
        """The amount of a field."""
        found = notations.fen_in(self.says(field))
        if found is None:
            raise no("bad_amount", f"{self.number}: {self.says(field)}")
        return found


def read(content: bytes, name: str) -> BankFile:
    """A bank's table. Malformed("file", …): `not_a_statement`, `no_lines`, `bad_day`, `bad_amount`, `bad_side`, …"""
    if sheets.has_unreckoned(content):
        raise no("formulas", name)
    table = _Table()
    found = _below_headings(table, sheets.lines_of(content, name, _BOUNDS))
    if found is None:
        raise no("not_a_statement", name)
    moved = [each for each in found if not _is_remark(each)]
    table.has_flags = any(headings.side_in(each.says(Field.SIDE)) for each in moved)
    table.has_plain_debits = any(each.fen(Field.DEBIT) > 0 for each in moved)
    lines = [line for each in moved if (line := _line(table, each)) is not None]
    if not lines:
        raise no("no_lines", name)
    return BankFile("table", digits(table.account), lines)


def _below_headings(table: _Table, lines: Iterable[list[str]]) -> list[_Found] | None:
    """Every line below a heading; None when there is no heading near the top."""
    heading: Heading | None = None
    found = []
    above: list[str] = []
    for number, cells in enumerate(lines, start=1):
        # Every printed page may begin with a heading, and one may be of two lines with cells merged.
        again, above = headings.heading_in(cells) or headings.heading_over(above, cells), cells
        if again is not None:
            heading = again
        elif heading is not None:
            found.append(_Found(number, heading, cells))
        elif number > _MOST_TITLES:
            return None
        else:
            table.account = table.account or headings.own_account_in(cells)
            table.currency = table.currency or headings.currency_told_in(cells)
    return found if heading is not None else None


def _is_remark(each: _Found) -> bool:
    """Whether a line is empty, sums up or signs off: nothing moved by it."""
    if not any(each.cells):
        return True
    return notations.day_in(each.says(Field.DAY)) is None and headings.is_ending(each.cells)


def _line(table: _Table, each: _Found) -> Line | None:
    """What moved by a line; None when nothing did."""
    amount_fen = _amount(table, each)
    if amount_fen == 0:
        return None
    booked_on = notations.day_in(each.says(Field.DAY))
    if booked_on is None:
        raise no("bad_day", f"{each.number}: {each.says(Field.DAY)}")
    came = amount_fen > 0
    name, account = (
        (Field.PAYER_NAME, Field.PAYER_ACCOUNT) if came else (Field.PAYEE_NAME, Field.PAYEE_ACCOUNT)
    )  # fmt: skip
    table.account = table.account or each.says(Field.OWN_ACCOUNT)
    return Line(
        number=each.number,
        booked_on=booked_on,
        amount_fen=amount_fen,
        currency=currency_of(each.says(Field.CURRENCY) or table.currency),
        name=name_of(each.says(Field.NAME) or each.says(name)),
        account=masked(each.says(Field.ACCOUNT) or each.says(account)),
        memo=memo_of(*(each.cells[at] for at in each.heading.memos if at < len(each.cells))),
        serial=serial_of(each.says(Field.SERIAL)),
    )


def _amount(table: _Table, each: _Found) -> int:
    """What came, or with a minus what went. Where a file leaves it open, the money went: none is invented."""
    if Field.CREDIT in each.heading.columns:
        debit = each.fen(Field.DEBIT)
        return each.fen(Field.CREDIT) - (debit if table.has_plain_debits else abs(debit))
    amount_fen = each.fen(Field.AMOUNT)
    side = headings.side_in(each.says(Field.SIDE))
    if table.has_flags and amount_fen and not side:
        raise no("bad_side", f"{each.number}: {each.says(Field.SIDE)}")
    return -abs(amount_fen) if side < 0 else amount_fen
