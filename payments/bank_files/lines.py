"""What every bank's file comes down to: lines of money that came or went, and why a file can be none."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date

from market.ground.errors import Malformed

MOST_BYTES = 5 * 1024 * 1024
MOST_LINES = 10_000
"""A busy account has some hundreds a month."""
_LONGEST_NAME, _LONGEST_MEMO, _LONGEST_SERIAL = 80, 300, 64
_SHOWN_DIGITS = 4
_LONG_NUMBER = re.compile(r"[0-9]{12,}")
_CURRENCIES = {
    "RMB": "CNY", "元": "CNY", "156": "CNY", "01": "CNY", "CNH": "CNY", "": "CNY",
    "美元": "USD", "840": "USD", "14": "USD", "欧元": "EUR", "978": "EUR", "38": "EUR", "港币": "HKD", "港元": "HKD",
    "344": "HKD", "13": "HKD", "日元": "JPY", "392": "JPY", "27": "JPY", "英镑": "GBP", "826": "GBP", "12": "GBP",
}  # fmt: skip
"""Names and both kinds of numbers Chinese banks use; everything else keeps its own name."""


@dataclass(frozen=True)
class Line:
    """One movement on an account: what came is positive, what went negative, in hundredths of the currency."""

    number: int
    """The line in the file, as the person's own program numbers it."""
    booked_on: date
    amount_fen: int
    currency: str
    name: str = ""
    """Whom it came from or went to."""
    account: str = ""
    """The other side's account number, masked before anything else sees it."""
    memo: str = ""
    serial: str = ""
    """The bank's own number of the movement, where the file has one."""


@dataclass(frozen=True)
class BankFile:
    """A bank's file, read."""

    layout: str
    """`table`, `mt940` or `camt053`."""
    account: str
    """Digits of the account the file is about; empty where it does not say."""
    lines: list[Line]


def no(problem: str, given: object = "") -> Malformed:
    """Why a file cannot be taken, as an error to raise."""
    return Malformed("file", problem, str(given)[:60])


def plain(text: str, most: int) -> str:
    """A text without control characters, with single blanks."""
    kept = "".join(" " if unicodedata.category(sign)[0] in "CZ" else sign for sign in text)
    return " ".join(kept.split())[:most]


def name_of(text: str) -> str:
    """A name as a line keeps it."""
    return plain(text, _LONGEST_NAME)


def memo_of(*texts: str | None) -> str:
    """Several remarks as one, each once. Numbers as long as an account's or a person's are masked in them too."""
    said = dict.fromkeys(found for text in texts if (found := plain(text or "", _LONGEST_MEMO)) and found != "-")
    return _LONG_NUMBER.sub(lambda number: masked(number[0]), " ".join(said))[:_LONGEST_MEMO]


def serial_of(text: str) -> str:
    """A bank's number of a movement; a row of zeros is none."""
    found = plain(text, _LONGEST_SERIAL).lstrip("'").strip()
    return found if found.strip("0-") else ""


def masked(account: str) -> str:
    """`6222000011112222` as `**** 2222`: enough to recognise, not enough to misuse."""
    found = digits(account)
    return f"**** {found[-_SHOWN_DIGITS:]}" if len(found) > _SHOWN_DIGITS else ""


def digits(account: str) -> str:
    """An account number without blanks, dashes and letters."""
    return re.sub(r"[^0-9*]", "", unicodedata.normalize("NFKC", account))


def currency_of(text: str) -> str:
    """A currency's three letters from what a bank writes."""
    said = plain(unicodedata.normalize("NFKC", text), 20).upper()
    if "CNY" in said or "人民币" in said:
        return "CNY"
    return _CURRENCIES.get(said, said[:8])
