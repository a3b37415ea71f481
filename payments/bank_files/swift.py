"""MT940, read by the mt-940 library."""

import io
import logging
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import mt940

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

_BEGINS = re.compile(r"^:(?:20|25|28C?|60[FM]):", re.MULTILINE)
_NAME = re.compile(r"/(?:ORDP|BENM|NAME|CNTP)/+(?:NAME/)?([^/\n]+)")
_ACCOUNT = re.compile(r"/(?:ACC|ACCT|IBAN)/+([0-9A-Z][0-9A-Z \-]{5,40})")
_NO_SERIAL = {"NONREF", ""}
# On a broken line the library logs the line itself: payers' names have no place in a log.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)


def is_one(text: str) -> bool:
    """Whether the text has the tags of such a file."""
    return _BEGINS.search(text) is not None and ":61:" in text


def read(text: str, name: str) -> BankFile:
    """The movements of every statement in it. Malformed("file", …): `not_a_statement`, `no_lines`, `too_large`."""
    try:
        # A text is handed over as a stream: one that happened to be a path would be opened and read instead.
        statements = mt940.parse_statements(io.StringIO(text), options=mt940.Options.all())
        lines = list(_lines(statements))
        account = next((digits(str(found.data.get("account_identification", ""))) for found in statements), "")
    except Exception:  # noqa: BLE001  the library raises whatever a malformed field makes it trip over
        raise no("not_a_statement", name) from None
    if not lines:
        raise no("no_lines", name)
    if len(lines) > MOST_LINES:
        raise no("too_large", name)
    return BankFile("mt940", account, lines)


def _lines(statements: Any) -> Iterator[Line]:
    number = 0
    for statement in statements:
        for movement in statement:
            number += 1
            data = movement.data
            if "amount" not in data:
                continue
            line = _line(number, data)
            if line.amount_fen:
                yield line


def _line(number: int, data: dict[str, Any]) -> Line:
    details = str(data.get("transaction_details") or "")
    amount: Decimal = data["amount"].amount * 100
    if amount != amount.to_integral_value():
        raise ValueError(amount)
    named, account = _NAME.search(details), _ACCOUNT.search(details)
    references = (str(data.get(key) or "").strip() for key in ("bank_reference", "customer_reference"))
    return Line(
        number=number,
        booked_on=data.get("entry_date") or data["date"],
        amount_fen=int(amount),
        currency=currency_of(str(data["amount"].currency or "")),
        name=name_of(str(data.get("applicant_name") or (named[1] if named else ""))),
        account=masked(account[1]) if account else "",
        memo=memo_of(_known(data.get("customer_reference")), data.get("extra_details"), data.get("purpose"), details),
        serial=next((serial_of(found) for found in references if found not in _NO_SERIAL), ""),
    )


def _known(reference: Any) -> str:
    return "" if reference in _NO_SERIAL else str(reference or "")
