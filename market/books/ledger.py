"""The double-entry ledger. Append-only, and balanced at commit by the database itself (migration 0001).

Sign: a posting adds its amount to its book. What households are owed stands positive in `payable`; the money that
covers it stands negative in `clearing` of the rail it came by; every entry sums to zero.
"""

import json
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.ground.clock import day_of
from market.ground.db import choice, fen, key_of, new_id, place_code, run
from market.people.units import Wallet


class Book(StrEnum):
    """Whose money."""

    PAYABLE = "payable"
    """What a household sold and has not been paid out."""
    CLEARING = "clearing"
    """Money that came in by a rail."""
    UNASSIGNED = "unassigned"
    """Money a bank's statement told of that stands for no paid order yet."""
    RETURNS = "returns"
    """Money that is on its way back to a buyer."""
    FEES = "fees"
    ROUNDING = "rounding"
    PAID_OUT = "paid_out"
    """Money that reached a household's card, by rail."""


class Rail(StrEnum):
    """A way money arrives, goes back and is paid out."""

    STRIPE = "stripe"
    CASH = "cash"
    TRANSFER = "transfer"


class Reason(StrEnum):
    """Why an entry was made."""

    SALE = "sale"
    """An order was paid."""
    REFUND = "refund"
    """A part of a sale is owed back to the buyer."""
    UNDELIVERABLE = "undeliverable"
    """Money came for an order whose goods are gone: it is owed back."""
    RETURN = "return"
    """Money went back to the buyer."""
    PAYOUT = "payout"
    """Money reached the household."""
    HANDED_IN = "handed_in"
    """Cash went from one person's hand into another's, counted by both."""
    ARRIVAL = "arrival"
    """A bank's statement told of money that came."""
    ASIDE = "aside"
    """Money of a statement turned out not to be the market's, or went back to where it came from."""
    BANKED = "banked"
    """Cash was paid in at the bank, or taken out there."""


class Entry(SQLModel, table=True):
    """分录: one thing that happened to money."""

    __tablename__ = "entries"

    id: int | None = new_id()
    at: datetime
    day_on: date
    reason: Reason = choice(Reason, name="reason")
    county_code: str = place_code()
    order_id: int | None = key_of("orders.id", default=None, index=True)
    payment_id: UUID | None = Field(default=None, index=True)
    refund_id: UUID | None = Field(default=None, index=True)
    bank_row_id: int | None = Field(default=None, sa_type=BigInteger, index=True)
    """The line of a bank's statement that told of it."""
    payout_id: int | None = key_of("payouts.id", default=None, index=True)


class Posting(SQLModel, table=True):
    """明细: what an entry did to one book, with everything a report asks for."""

    __tablename__ = "postings"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount_fen"),
        CheckConstraint("(book = 'payable') = (household_id IS NOT NULL)", name="household_id"),
        CheckConstraint(
            "(book IN ('clearing', 'paid_out') AND rail IS NOT DISTINCT FROM 'cash') = (holder_id IS NOT NULL)",
            name="holder_id",
        ),
        Index("ix_postings_household_id_day_on", "household_id", "day_on"),
        Index(
            "ix_postings_holder_id_id",
            "holder_id",
            "id",
            postgresql_include=["amount_fen"],
            postgresql_where=text("holder_id IS NOT NULL"),
        ),
    )

    id: int | None = new_id()
    entry_id: int = key_of("entries.id", index=True)
    book: Book = choice(Book, name="book")
    amount_fen: int = fen()
    reason: Reason = choice(Reason, name="reason")
    day_on: date
    rail: Rail | None = choice(Rail, name="rail", default=None)
    holder_id: int | None = key_of("accounts.id", default=None)
    """In whose hand the cash is, or out of whose hand it was paid: cash always says it, nothing else does."""
    household_id: int | None = key_of("households.id", default=None)
    division_code: str | None = place_code(default=None)
    produce_code: str | None = Field(default=None, max_length=24)
    order_line_id: int | None = key_of("order_lines.id", default=None, index=True)
    work_unit_id: int | None = key_of("work_units.id", default=None)
    wallet: Wallet | None = choice(Wallet, name="wallet", default=None)


class IncomeDay(SQLModel, table=True):
    """The postings of a household's day, summed up in the transaction that posted them (see `verify`)."""

    __tablename__ = "income_days"
    __table_args__ = (Index("ix_income_days_division_code_day_on", "division_code", "day_on"),)

    household_id: int = key_of("households.id", primary_key=True)
    day_on: date = Field(primary_key=True)
    produce_code: str = Field(primary_key=True, max_length=24)
    work_unit_id: int = Field(primary_key=True, sa_type=BigInteger, description="0: no work unit")
    wallet: str = Field(primary_key=True, max_length=24)
    division_code: str = place_code()
    gross_fen: int = fen(default=0)
    refunded_fen: int = fen(default=0)
    paid_out_fen: int = fen(default=0)
    line_count: int = 0


@dataclass(frozen=True)
class Leg:
    """One posting to be: amounts in fen, added to the book."""

    book: Book
    amount_fen: int
    rail: Rail | None = None
    holder_id: int | None = None
    household_id: int | None = None
    division_code: str | None = None
    produce_code: str | None = None
    order_line_id: int | None = None


@dataclass(frozen=True)
class Occasion:
    """What happened: the part all legs of an entry share."""

    reason: Reason
    county_code: str
    order_id: int | None = None
    payment_id: UUID | None = None
    refund_id: UUID | None = None
    bank_row_id: int | None = None
    payout_id: int | None = None
    work_unit_id: int | None = None
    wallet: Wallet | None = None


_POST = text("""
    WITH happened AS (
        SELECT o.*, nextval(pg_get_serial_sequence('entries', 'id')) AS entry_id
        FROM jsonb_to_recordset(CAST(:occasions AS jsonb)) AS o(
            n int, reason text, county_code text, order_id bigint, payment_id uuid, refund_id uuid,
            bank_row_id bigint, payout_id bigint, work_unit_id bigint, wallet text)
    ), leg AS (
        SELECT l.*, h.entry_id, h.reason, h.work_unit_id, h.wallet
        FROM jsonb_to_recordset(CAST(:legs AS jsonb)) AS l(
            n int, book text, amount_fen bigint, rail text, holder_id bigint, household_id bigint,
            division_code text, produce_code text, order_line_id bigint)
        JOIN happened h USING (n) WHERE amount_fen <> 0
    ), entry AS (
        INSERT INTO entries (id, at, day_on, reason, county_code, order_id, payment_id, refund_id, bank_row_id,
                             payout_id)
        SELECT entry_id, :at, :day_on, reason, county_code, order_id, payment_id, refund_id, bank_row_id, payout_id
        FROM happened
    ), posted AS (
        INSERT INTO postings (entry_id, book, amount_fen, reason, day_on, rail, holder_id, household_id,
                              division_code, produce_code, order_line_id, work_unit_id, wallet)
        SELECT entry_id, book, amount_fen, reason, :day_on, rail, holder_id, household_id,
               division_code, produce_code, order_line_id, work_unit_id, wallet
        FROM leg
    ), rolled AS (
        INSERT INTO income_days AS d (household_id, day_on, produce_code, work_unit_id, wallet, division_code,
                                      gross_fen, refunded_fen, paid_out_fen, line_count)
        SELECT household_id, :day_on, COALESCE(produce_code, ''), COALESCE(work_unit_id, 0), COALESCE(wallet, ''),
               min(division_code), COALESCE(sum(amount_fen) FILTER (WHERE reason = 'sale'), 0),
               COALESCE(-sum(amount_fen) FILTER (WHERE reason = 'refund'), 0),
               COALESCE(-sum(amount_fen) FILTER (WHERE reason = 'payout'), 0), count(*) FILTER (WHERE reason = 'sale')
        FROM leg WHERE book = 'payable'
        GROUP BY household_id, COALESCE(produce_code, ''), COALESCE(work_unit_id, 0), COALESCE(wallet, '')
        ORDER BY household_id, COALESCE(produce_code, '')
        ON CONFLICT (household_id, day_on, produce_code, work_unit_id, wallet) DO UPDATE SET
            gross_fen = d.gross_fen + EXCLUDED.gross_fen,
            refunded_fen = d.refunded_fen + EXCLUDED.refunded_fen,
            paid_out_fen = d.paid_out_fen + EXCLUDED.paid_out_fen,
            line_count = d.line_count + EXCLUDED.line_count
    )
    SELECT entry_id FROM happened ORDER BY n
""")


async def post(session: AsyncSession, occasion: Occasion, legs: list[Leg], *, at: datetime) -> int:
    """Write one entry with its postings and their daily sums, in one statement. Returns the entry's id.

    The sum of the legs must be zero: the database refuses the transaction otherwise, here it is a bug.
    """
    return (await post_all(session, [(occasion, legs)], at=at))[0]


async def post_all(session: AsyncSession, entries: list[tuple[Occasion, list[Leg]]], *, at: datetime) -> list[int]:
    """The same for many entries of one moment; their ids in the same order."""
    for occasion, legs in entries:
        unbalanced = sum(leg.amount_fen for leg in legs)
        if unbalanced:
            msg = f"entry {occasion.reason} is off by {unbalanced} fen"
            raise ValueError(msg)
    values = {
        "at": at,
        "day_on": day_of(at),
        "occasions": json.dumps([{"n": n, **asdict(entry[0])} for n, entry in enumerate(entries)], default=str),
        "legs": json.dumps([{"n": n, **asdict(leg)} for n, entry in enumerate(entries) for leg in entry[1]]),
    }
    return [int(entry_id) for entry_id in (await run(session, _POST, values)).scalars()]


def balance(book: Book, *, household_id: int | None = None, rail: Rail | None = None) -> SelectOfScalar[int]:
    """What stands in a book, in fen, summed from postings."""
    total = select(func.coalesce(func.sum(col(Posting.amount_fen)), 0)).where(col(Posting.book) == book)
    if household_id is not None:
        total = total.where(col(Posting.household_id) == household_id)
    if rail is not None:
        total = total.where(col(Posting.rail) == rail)
    return total


def of_household(household_id: int) -> Select[Posting, Entry]:
    """Every posting of a household with its entry, newest first."""
    return (
        select(Posting, Entry)
        .join(Entry, col(Entry.id) == col(Posting.entry_id))
        .where(col(Posting.household_id) == household_id)
        .order_by(col(Posting.id).desc())
    )
