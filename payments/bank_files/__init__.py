"""Banks' statement files: CSV and XLSX tables of the common Chinese banks, MT940 and CAMT.053, read into one shape."""

from market.ground import sheets
from payments.bank_files import camt, swift, tables
from payments.bank_files.lines import MOST_BYTES, BankFile, Line, digits, no

__all__ = ["MOST_BYTES", "BankFile", "Line", "digits", "read"]

_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_PAGES = (b"<!DOCTYPE html", b"<!doctype html", b"<html", b"<HTML", b"<table", b"%PDF")


def read(content: bytes, name: str) -> BankFile:
    """What a bank's file says. Malformed("file", …), kindly worded by the door, for whatever is none.

    `no_file`, `too_large`, `old_excel`, `not_a_table`, `not_a_statement`, `formulas`, `no_lines`, and with the line:
    `bad_day`, `bad_amount`, `bad_side`.
    """
    if not content.strip():
        raise no("no_file", name)
    if len(content) > MOST_BYTES:
        raise no("too_large", name)
    if content.startswith(_OLD_EXCEL):
        raise no("old_excel", name)
    if content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_PAGES):
        raise no("not_a_table", name)
    if camt.is_one(content):
        return camt.read(content, name)
    if not content.startswith(b"PK"):
        text = sheets.decoded(content, name)
        if swift.is_one(text):
            return swift.read(text.replace("\r\n", "\n"), name)
    return tables.read(content, name)
