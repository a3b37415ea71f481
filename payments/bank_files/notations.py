"""How banks write days and amounts."""

import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

_DAY = re.compile(r"^(20[0-9]{2})[-/.年]([0-9]{1,2})[-/.月]([0-9]{1,2})日?(.*)$")
_TIME = re.compile(r"^[\sT:.\-0-9时分秒]*$")
_PACKED = re.compile(r"^(20[0-9]{2})([0-9]{2})([0-9]{2})(?:\s*[0-9:]{4,9}|[0-9]{6}(?:[0-9]{3})?)?$")
_SPREADSHEET_DAY = re.compile(r"^([34567][0-9]{4})(?:\.[0-9]+)?$")
_SPREADSHEET_BEGIN = date(1899, 12, 30)
_AMOUNT = re.compile(r"^[0-9]+(?:\.[0-9]*)?$|^\.[0-9]+$")
_NOTHING = {"", "-", "--", "—", "——", "/", "0", "0.0", "0.00"}
_WHOLE_DIGITS = 12
_SMALLEST = Decimal("0.000001")


def day_in(text: str) -> date | None:
    """A day from `2026-11-23 10:22:33`, `20261123`, `2026年11月23日`, `2026/11/23`, or a spreadsheet's own number."""
    said = unicodedata.normalize("NFKC", text).strip().strip("'\"=").strip()
    number = _SPREADSHEET_DAY.match(said)
    if number:
        return _SPREADSHEET_BEGIN + timedelta(days=int(number[1]))
    packed = _PACKED.match(said)
    if packed:
        return _day(*packed.groups())
    written = _DAY.match(said)
    return _day(*written.groups()[:3]) if written and _TIME.match(written[4]) else None


def fen_in(text: str) -> int | None:
    """Hundredths from `1,234.50`, `￥1234.5`, `'70.00`, `="70.00"`, `(12.00)`, `12.00-`; of nothing 0, else None."""
    said = unicodedata.normalize("NFKC", text).strip().strip("'\"=").strip()
    said = re.sub(r"[\s,，_]|CNY|RMB|[¥元]", "", said)
    if said in _NOTHING:
        return 0
    negative = said.startswith(("-", "(")) or said.endswith(("-", ")"))
    bare = said.strip("+-()")
    if not _AMOUNT.match(bare) or len(bare.partition(".")[0]) > _WHOLE_DIGITS:
        return None
    try:
        exact = Decimal(bare)
    except InvalidOperation:
        return None
    # A spreadsheet keeps 0.3 as 0.30000000000000004; more than two decimals that mean something are no money.
    hundredths = (exact * 100).to_integral_value()
    if abs(exact * 100 - hundredths) > _SMALLEST:
        return None
    return -int(hundredths) if negative else int(hundredths)


def _day(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
