"""CAMT.053, read by the pycamt library."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from pycamt.parser import Camt053Parser  # type: ignore[import-untyped]

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

_PENDING = {"PDNG", "INFO", "FUTR"}
"""Announced, not booked: it comes again once it is."""


def is_one(content: bytes) -> bool:
    """Whether this begins like XML and speaks of a bank's statement."""
    top = content[:2048].lstrip(b"\xef\xbb\xbf \t\r\n")
    return top.startswith(b"<") and b"camt.05" in top


def read(content: bytes, name: str) -> BankFile:
    """The booked movements. Malformed("file", …): `not_a_statement`, `no_lines`, `too_large`."""
    # The library resolves no entities and asks no network; a statement that declares a document type is none at all.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise no("not_a_statement", name)
    try:
        parser = Camt053Parser(content.lstrip())
        lines = [line for line in _lines(parser.get_transactions()) if line.amount_fen]
        account = _account(parser)
    except Exception:  # noqa: BLE001  what is missing or wrong in the markup shows in many ways
        raise no("not_a_statement", name) from None
    if not lines:
        raise no("no_lines", name)
    if len(lines) > MOST_LINES:
        raise no("too_large", name)
    return BankFile("camt053", account, lines)


def _lines(movements: list[dict[str, Any]]) -> Iterator[Line]:
    for number, found in enumerate(movements, start=1):
        if found.get("Status") not in _PENDING:
            yield _line(number, found)


def _line(number: int, found: dict[str, Any]) -> Line:
    amount = Decimal(found["Amount"]) * 100
    if amount != amount.to_integral_value() or amount < 0:
        raise ValueError(amount)
    came = {"CRDT": True, "DBIT": False}[found["CreditDebitIndicator"]]
    side = "Debtor" if came else "Creditor"
    booked = found.get("BookingDate") or found["ValueDate"]
    return Line(
        number=number,
        booked_on=date.fromisoformat(booked.strip()[:10]),
        amount_fen=int(amount) if came else -int(amount),
        currency=currency_of(found.get("Currency") or ""),
        name=name_of(found.get(f"{side}Name") or ""),
        account=masked(found.get(f"{side}IBAN") or ""),
        memo=memo_of(
            found.get("RemittanceInformationFull"), found.get("RemittanceInformation"), found.get("EndToEndId"),
            found.get("AdditionalRemittanceInformation"), found.get("AdditionalEntryInformation"),
        ),
        serial=serial_of(found.get("TransactionID") or ""),
    )  # fmt: skip


def _account(parser: Any) -> str:
    """The account the statement is about; Chinese ones have no IBAN and stand under `Othr`."""
    for path in (".//Acct/Id/IBAN", ".//Acct/Id/Othr/Id"):
        found = parser.tree.find(path, parser.namespaces)
        if found is not None and found.text:
            return digits(found.text)
    return ""
