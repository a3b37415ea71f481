"""到户: money on its way to households, as lists one accountant proposes and another approves.

Proposing stands in `proposals.py`, approving and dropping in `approvals.py`, what became of each row in `outcomes.py`.
"""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import BigInteger, CheckConstraint, Index, Subquery, text
from sqlmodel import Field, SQLModel, col, false, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.books.ledger import Book, Posting, Rail
from market.ground import places
from market.ground.db import choice, fen, key_of, new_id, place_code, run
from market.ground.errors import NotFound, NotMovable
from market.ground.places import Division
from market.people.accounts import Role, Viewer
from market.people.cards import PayoutCard
from market.people.households import Household

RAILS = (Rail.TRANSFER, Rail.CASH)
"""How money reaches a household: to its card, or counted into its hand."""


class BatchState(StrEnum):
    """Where a list is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    """A second person agreed: the money may go out."""
    CLOSED = "closed"
    """It is known of every row whether the money arrived."""
    DROPPED = "dropped"


class PayoutState(StrEnum):
    """Where one household's row is."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    PAID = "paid"
    """The money arrived; the book says so."""
    FAILED = "failed"
    """It could not be sent; it waits for the next list."""
    RETURNED = "returned"
    """It was sent and came back; it waits for the next list."""
    DROPPED = "dropped"
    """Taken out before it was approved."""


OPEN = (PayoutState.PROPOSED, PayoutState.APPROVED)
"""Rows whose money is spoken for and still in the household's book."""


class PayoutBatch(SQLModel, table=True):
    """到户批次: one list of payouts of a place, sent by one way."""

    __tablename__ = "payout_batches"
    __table_args__ = (
        CheckConstraint("rail IN ('transfer', 'cash')", name="way"),
        CheckConstraint("approved_by <> proposed_by", name="second_person"),
        CheckConstraint(
            "(approved_at IS NOT NULL) = (state IN ('approved', 'closed')) "
            "AND (approved_at IS NULL) = (approved_by IS NULL)",
            name="approved",
        ),
        CheckConstraint(
            "(ended_at IS NOT NULL) = (state IN ('closed', 'dropped')) AND (ended_at IS NULL) = (ended_by IS NULL)",
            name="ended",
        ),
        Index("ix_payout_batches_division_code_id", "division_code", "id"),
    )

    id: int | None = new_id()
    division_code: str = place_code(references=True)
    rail: Rail = choice(Rail, name="rail")
    state: BatchState = choice(BatchState, name="state", default=BatchState.PROPOSED)
    proposed_at: datetime
    proposed_by: int = key_of("accounts.id")
    approved_at: datetime | None = None
    approved_by: int | None = key_of("accounts.id", default=None)
    ended_at: datetime | None = None
    ended_by: int | None = key_of("accounts.id", default=None)
    end_why: str = Field(default="", max_length=200)


class Payout(SQLModel, table=True):
    """到户: one household's row of a list."""

    __tablename__ = "payouts"
    __table_args__ = (
        CheckConstraint("amount_fen > 0 AND amount_fen <= proposed_fen", name="amount_fen"),
        CheckConstraint("amount_fen <= payable_fen", name="payable_fen"),
        CheckConstraint("(rail = 'transfer') = (card_id IS NOT NULL)", name="card_id"),
        CheckConstraint(
            "(payable_fen IS NULL) = (state IN ('proposed', 'dropped')) "
            "AND (payable_fen IS NULL) = (book_entry_id IS NULL)",
            name="approved",
        ),
        Index("uq_payouts_batch_id_household_id", "batch_id", "household_id", unique=True),
        Index("ix_payouts_household_id", "household_id"),
        Index("ix_payouts_open", "household_id", postgresql_where=text("state IN ('proposed', 'approved')")),
    )

    id: int | None = new_id()
    batch_id: int = key_of("payout_batches.id")
    household_id: int = key_of("households.id")
    division_code: str = place_code()
    rail: Rail = choice(Rail, name="rail")
    card_id: int | None = key_of("payout_cards.id", default=None, index=True)
    amount_fen: int = fen()
    proposed_fen: int = fen()
    """What was proposed; less is left where a refund came before the approval."""
    payable_fen: int | None = fen(default=None)
    """What stood in the book for this row when it was approved: the balance less what other rows had of it."""
    book_entry_id: int | None = Field(default=None, sa_type=BigInteger)
    """The last entry of the household's book at that moment: what came later came after the approval."""
    state: PayoutState = choice(PayoutState, name="state", default=PayoutState.PROPOSED)


class PayoutMove(SQLModel, table=True):
    """A change of a row's state: when, from what to what, by whom, why."""

    __tablename__ = "payout_moves"

    id: int | None = new_id()
    payout_id: int = key_of("payouts.id", index=True)
    at: datetime
    from_state: PayoutState = choice(PayoutState, name="from_state")
    to_state: PayoutState = choice(PayoutState, name="to_state")
    account_id: int = key_of("accounts.id")
    why: str = Field(default="", max_length=200)


_MOVES = {
    PayoutState.PROPOSED: {PayoutState.APPROVED, PayoutState.DROPPED},
    PayoutState.APPROVED: {PayoutState.PAID, PayoutState.FAILED},
    PayoutState.PAID: {PayoutState.RETURNED},
    PayoutState.FAILED: set[PayoutState](),
    PayoutState.RETURNED: set[PayoutState](),
    PayoutState.DROPPED: set[PayoutState](),
}


class Row(NamedTuple):
    """A row as a list shows it."""

    payout: Payout
    household: Household
    village: str
    card: PayoutCard | None


_NOTE_MOVES = text("""
    INSERT INTO payout_moves (payout_id, at, from_state, to_state, account_id, why)
    SELECT id, :at, state, :to_state, :by, :why FROM payouts WHERE id = ANY(:ids) ORDER BY id
""")
_MOVE = text("UPDATE payouts SET state = :to_state WHERE id = ANY(:ids) AND state = ANY(:from_states)")


def visible_to(viewer: Viewer) -> SelectOfScalar[PayoutBatch]:
    """Lists of the divisions a person keeps the papers of or reads the figures of, the newest first."""
    return _within(viewer, Role.ACCOUNTANT, Role.OFFICER).order_by(col(PayoutBatch.id).desc())


async def seen_by(session: AsyncSession, viewer: Viewer, batch_id: int) -> PayoutBatch:
    """A list this person may look at; NotFound for any other."""
    found = (await session.exec(visible_to(viewer).where(PayoutBatch.id == batch_id))).one_or_none()
    if found is None:
        raise NotFound("payout_batch", str(batch_id))
    return found


async def lock(session: AsyncSession, by: Viewer, batch_id: int) -> PayoutBatch:
    """A list of an accountant's divisions, held until the transaction ends; NotFound for anyone else.

    The list's lock comes before its households', and those before the rows of their books.
    """
    held = _within(by, Role.ACCOUNTANT).where(PayoutBatch.id == batch_id).with_for_update(key_share=True)
    found = (await session.exec(held.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("payout_batch", str(batch_id))
    return found


def rows_of(batch_id: int) -> Select[Payout, Household, str, PayoutCard | None]:
    """The rows of a list with whose they are and where the money goes, village by village."""
    return (
        select(Payout, Household, Division.name, PayoutCard)
        .join(Household, col(Household.id) == col(Payout.household_id))
        .join(Division, col(Division.code) == col(Household.division_code))
        .outerjoin(PayoutCard, col(PayoutCard.id) == col(Payout.card_id))
        .where(Payout.batch_id == batch_id)
        .order_by(col(Household.division_code), col(Household.number), col(Payout.id))
        .execution_options(populate_existing=True)
    )


def stood() -> Subquery:
    """What stands in each household's book now, and the last entry of it, from postings."""
    return (
        select(
            col(Posting.household_id).label("household_id"),
            func.sum(col(Posting.amount_fen)).label("fen"),
            func.max(col(Posting.entry_id)).label("entry_id"),
        )
        .where(Posting.book == Book.PAYABLE)
        .group_by(col(Posting.household_id))
        .subquery("stood")
    )


def spoken_for(*, besides: int = 0) -> Subquery:
    """What open rows already have of each household's book, those of one list left out."""
    return (
        select(col(Payout.household_id).label("household_id"), func.sum(col(Payout.amount_fen)).label("fen"))
        .where(col(Payout.state).in_(OPEN), Payout.batch_id != besides)
        .group_by(col(Payout.household_id))
        .subquery("spoken_for")
    )


async def move(
    session: AsyncSession, ids: list[int], to: PayoutState, *, by: int, why: str = "", now: datetime
) -> None:
    """Change the state of rows whose list is locked, and leave a row for each. NotMovable if one cannot go there."""
    await note_moves(session, ids, to, by=by, why=why, now=now)
    from_states = [state.value for state, targets in _MOVES.items() if to in targets]
    done = await run(session, _MOVE, {"ids": ids, "to_state": to.value, "from_states": from_states})
    if done.rowcount != len(ids):
        raise NotMovable("payout", "ended", to.value)


async def note_moves(
    session: AsyncSession, ids: list[int], to: PayoutState, *, by: int, why: str = "", now: datetime
) -> None:
    """Leave a row for each that says who moves it, when and why, before it is moved."""
    values = {"ids": ids, "to_state": to.value, "at": now, "by": by, "why": why.strip()[:200]}
    await run(session, _NOTE_MOVES, values)


def _within(viewer: Viewer, *roles: Role) -> SelectOfScalar[PayoutBatch]:
    own = [
        places.within(col(PayoutBatch.division_code), code) for role in roles for code in viewer.division_codes(role)
    ]
    return select(PayoutBatch).where(or_(*own) if own else false())
