"""Imports every table of the payments, so that migrations and tests see them all."""

from payments import (
    bank_rows,
    cash_records,
    moves,
    notices,
    payees,
    reconciliations,
    records,
    remittances,
    row_remarks,
)

__all__ = [
    "bank_rows",
    "cash_records",
    "moves",
    "notices",
    "payees",
    "reconciliations",
    "records",
    "remittances",
    "row_remarks",
]
