"""Cash books: what cash a person holds, and every movement of it. Read from the ledger alone."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import BigInteger, cast, literal
from sqlmodel import and_, case, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Entry, Posting, Reason
from market.ground.db import run
from market.ground.errors import OverLimit
from market.people.accounts import Account
from market.reports.scopes import Rows, columns
from market.trade.orders import Order
from payments.cash_records import BankSlip, HandIn, HandInState


@dataclass(frozen=True)
class InHand:
    """The cash a person holds now."""

    fen: int
    promised_fen: int
    """Of it, what was declared as handed in and waits to be counted."""

    @property
    def spare_fen(self) -> int:
        """What may still be handed in, handed back or paid in at the bank."""
        return self.fen - self.promised_fen


class Movement(NamedTuple):
    """One line of a cash book: what came into the hand (positive) or left it, and what was in it afterwards."""

    at: datetime
    reason: Reason
    amount_fen: int
    order_no: str | None
    other: str | None
    """Who handed it over, or to whom it went."""
    serial: str | None
    """The bank's number."""
    balance_fen: int


@dataclass(frozen=True)
class Pages:
    """A cash book between two days."""

    from_on: date
    to_on: date
    opening_fen: int
    movements: list[Movement]

    @property
    def before_on(self) -> date:
        """The day before it begins."""
        return self.from_on - timedelta(days=1)

    @property
    def after_on(self) -> date:
        """The day after it ends."""
        return self.to_on + timedelta(days=1)

    @property
    def in_fen(self) -> int:
        """What came in."""
        return sum(move.amount_fen for move in self.movements if move.amount_fen > 0)

    @property
    def out_fen(self) -> int:
        """What went out."""
        return -sum(move.amount_fen for move in self.movements if move.amount_fen < 0)

    @property
    def closing_fen(self) -> int:
        """What was in the hand at the end."""
        return self.opening_fen + self.in_fen - self.out_fen


async def in_hand(session: AsyncSession, account_id: int) -> InHand:
    """What a person holds, by the ledger, and what of it is promised to others."""
    held = select(func.coalesce(-func.sum(col(Posting.amount_fen)), 0)).where(Posting.holder_id == account_id)
    promised = select(func.coalesce(func.sum(col(HandIn.declared_fen)), 0)).where(
        HandIn.giver_id == account_id, HandIn.state == HandInState.WAITING
    )
    return InHand(int((await session.exec(held)).one()), int((await session.exec(promised)).one()))


async def must_hold(session: AsyncSession, account_id: int, amount_fen: int) -> None:
    """Make sure that a person holds this much that is promised to nobody; stays so until the transaction ends.

    Cash that comes in waits for nobody: only what leaves a hand takes this lock. Raises OverLimit above what is there.
    """
    await lock(session, account_id)
    spare_fen = (await in_hand(session, account_id)).spare_fen
    if amount_fen > spare_fen:
        raise OverLimit("cash_in_hand_fen", max(0, spare_fen), amount_fen)


async def lock(session: AsyncSession, account_id: int) -> None:
    """Let cash leave this person's hand one act at a time. Comes after an order's payments, before the roll-up."""
    await session.exec(select(Account.id).where(Account.id == account_id).with_for_update(key_share=True))


async def pages(session: AsyncSession, account_id: int, from_on: date, to_on: date) -> Pages:
    """A person's cash book from one day to another, in the order things happened."""
    before = select(func.coalesce(-func.sum(col(Posting.amount_fen)), 0)).where(
        Posting.holder_id == account_id, Posting.day_on < from_on
    )
    opening_fen = int((await session.exec(before)).one())
    query = _movements(account_id, opening_fen).where(col(Posting.day_on).between(from_on, to_on))
    found = [Movement._make(row) for row in (await run(session, query)).all()]
    return Pages(from_on, to_on, opening_fen, found)


def _movements(account_id: int, opening_fen: int) -> Rows:
    balance = literal(opening_fen) - func.sum(col(Posting.amount_fen)).over(order_by=col(Posting.id))
    other = case((col(HandIn.giver_id) == account_id, col(HandIn.receiver_id)), else_=col(HandIn.giver_id))
    return (
        columns(
            Entry.at, Entry.reason, -col(Posting.amount_fen), Order.no, Account.name, BankSlip.serial,
            cast(balance, BigInteger),
        )
        .select_from(Posting)
        .join(Entry, col(Entry.id) == col(Posting.entry_id))
        .outerjoin(Order, col(Order.id) == col(Entry.order_id))
        .outerjoin(HandIn, and_(col(HandIn.entry_id) == col(Entry.id), Entry.reason == Reason.HANDED_IN))
        .outerjoin(Account, col(Account.id) == other)
        .outerjoin(BankSlip, and_(col(BankSlip.entry_id) == col(Entry.id), Entry.reason == Reason.BANKED))
        .where(col(Posting.holder_id) == account_id)
        .order_by(col(Posting.id))
    )  # fmt: skip
