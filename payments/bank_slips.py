"""存取款单: what an accountant paid in at the bank, or took out there for refunds in cash."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import ledger
from market.books.ledger import Book, Leg, Occasion, Rail, Reason
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotAllowed
from market.ground.places import Division
from market.people.accounts import Account, Role, Viewer
from payments import cash_books, cash_keepers
from payments.cash_records import BankSlip, SlipKind

OLDEST = timedelta(days=92)
"""A slip is entered within the quarter; an older one is a matter for the auditor."""
PAGE = 50


@dataclass(frozen=True)
class Slip:
    """What the bank's paper says."""

    kind: SlipKind
    amount_fen: int
    serial: str
    slip_on: date


class Entered(NamedTuple):
    """A slip with the name of who entered it."""

    slip: BankSlip
    name: str


async def overseen_by(session: AsyncSession, viewer: Viewer, *, offset: int = 0, most: int = PAGE) -> list[Entered]:
    """Slips of the books an accountant answers for, the newest first."""
    theirs = cash_keepers.keepers_seen_by(viewer).with_only_columns(col(Account.id))
    found = (
        select(BankSlip, Account.name)
        .join(Account, col(Account.id) == col(BankSlip.account_id))
        .where(col(BankSlip.account_id).in_(theirs))
        .order_by(col(BankSlip.id).desc())
        .offset(offset)
        .limit(most)
    )
    return [Entered._make(row) for row in await session.exec(found)]


async def enter(session: AsyncSession, by: Viewer, slip: Slip, *, now: datetime) -> BankSlip:
    """Write down a slip and move the cash between the accountant's hand and the bank. The same slip twice is one.

    Raises NotAllowed (not an accountant), Malformed (nothing, no number, a day that cannot be, a number of another
    slip), OverLimit (paying in more than is in hand).
    """
    if not by.over(Role.ACCOUNTANT):
        raise NotAllowed("enter_bank_slip")
    _check(slip, day_of(now))
    county_code = cash_keepers.county_of(by.division_codes(Role.ACCOUNTANT))
    # Slips of one county are entered one at a time: the same form sent twice, or by two people, finds the first slip.
    await session.exec(select(Division.code).where(Division.code == county_code).with_for_update(key_share=True))
    serial = slip.serial.strip()
    same = select(BankSlip).where(
        BankSlip.county_code == county_code, BankSlip.slip_on == slip.slip_on, BankSlip.serial == serial
    )
    known = (await session.exec(same)).one_or_none()
    if known is not None:
        if (known.account_id, known.kind, known.amount_fen) == (by.id, slip.kind, slip.amount_fen):
            return known
        raise Malformed("serial", "slip_taken", serial)
    if slip.kind is SlipKind.PAID_IN:
        await cash_books.must_hold(session, by.id, slip.amount_fen)
    out_fen = slip.amount_fen if slip.kind is SlipKind.PAID_IN else -slip.amount_fen
    legs = [
        Leg(Book.CLEARING, out_fen, rail=Rail.CASH, holder_id=by.id),
        Leg(Book.CLEARING, -out_fen, rail=Rail.TRANSFER),
    ]
    entered = BankSlip(
        county_code=county_code, account_id=by.id, kind=slip.kind, amount_fen=slip.amount_fen, serial=serial,
        slip_on=slip.slip_on, entered_at=now,
        entry_id=await ledger.post(session, Occasion(Reason.BANKED, county_code), legs, at=now),
    )  # fmt: skip
    session.add(entered)
    return entered


def _check(slip: Slip, today: date) -> None:
    if slip.amount_fen <= 0:
        raise Malformed("amount", "not_positive", str(slip.amount_fen))
    if not slip.serial.strip():
        raise Malformed("serial", "missing")
    if not today - OLDEST <= slip.slip_on <= today:
        raise Malformed("slip_on", "not_that_day", slip.slip_on.isoformat())
