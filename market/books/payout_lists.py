"""Lists of payouts as people look them up, and the list a bank is handed: masked, and whole only for a reason."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, ColumnElement, cast
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.books import payouts
from market.books.ledger import Rail
from market.books.payouts import BatchState, Payout, PayoutBatch, PayoutMove, PayoutState, Row
from market.ground import audit
from market.ground.audit import Trace
from market.ground.errors import Malformed, NotFound, NotMovable
from market.ground.places import Division
from market.ground.seal import Seal
from market.people import cards
from market.people.accounts import Account, Viewer

PAGE = 30
ROWS = 200
"""Rows a screen shows at once; files and paper have them all."""
_OPEN_LIST = "open_payouts"
"""Act of whoever had the whole numbers of a list before them."""


class Listed(NamedTuple):
    """A list with its place and sums, in fen. Rows taken out before the approval count nowhere."""

    batch: PayoutBatch
    place: str
    row_count: int
    amount_fen: int
    waiting_count: int
    """Rows that are at the bank: nobody has said yet what became of them."""
    paid_fen: int
    failed_count: int


class Whole(NamedTuple):
    """A row with its card opened: for the bank alone."""

    row: Row
    holder: str
    number: str


class Opening(NamedTuple):
    """Somebody had the whole numbers of a list before them."""

    at: datetime
    who: str
    why: str


async def listed(
    session: AsyncSession, viewer: Viewer, *, state: BatchState | None = None, offset: int = 0, most: int = PAGE
) -> list[Listed]:
    """Lists this person may look at, the newest first; one above `most` when there are more."""
    mine = payouts.visible_to(viewer).order_by(None).with_only_columns(col(PayoutBatch.id))
    live = col(Payout.state) != PayoutState.DROPPED
    ended_badly = col(Payout.state).in_((PayoutState.FAILED, PayoutState.RETURNED))
    found = (
        _columns(
            PayoutBatch,
            Division.name,
            func.count(col(Payout.id)).filter(live),
            _fen(live),
            func.count(col(Payout.id)).filter(col(Payout.state) == PayoutState.APPROVED),
            _fen(col(Payout.state) == PayoutState.PAID),
            func.count(col(Payout.id)).filter(ended_badly),
        )
        .join(Division, col(Division.code) == col(PayoutBatch.division_code))
        .join(Payout, col(Payout.batch_id) == col(PayoutBatch.id))
        .where(col(PayoutBatch.id).in_(mine))
        .group_by(col(PayoutBatch.id), col(Division.name))
        .order_by(col(PayoutBatch.id).desc())
        .offset(offset)
        .limit(most + 1)
    )
    if state is not None:
        found = found.where(PayoutBatch.state == state)
    return [Listed._make(row) for row in await session.exec(found)]


async def rows(session: AsyncSession, batch_id: int) -> list[Row]:
    """The rows of a list, village by village; what was taken out last."""
    found = [Row._make(row) for row in await session.exec(payouts.rows_of(batch_id))]
    return sorted(found, key=lambda row: row.payout.state is PayoutState.DROPPED)


async def row(session: AsyncSession, batch_id: int, payout_id: int) -> Row:
    """One row of a list; NotFound for another list's."""
    found = (await session.exec(payouts.rows_of(batch_id).where(Payout.id == payout_id))).one_or_none()
    if found is None:
        raise NotFound("payout", str(payout_id))
    return Row._make(found)


def moves_of(payout_id: int) -> Select[PayoutMove, str]:
    """What became of a row, with who said so, the oldest first."""
    return (
        select(PayoutMove, Account.name)
        .join(Account, col(Account.id) == col(PayoutMove.account_id))
        .where(PayoutMove.payout_id == payout_id)
        .order_by(col(PayoutMove.id))
    )


def whys(batch_id: int, *states: PayoutState) -> Select[int, str]:
    """Why rows of a list came to one of these states, by row."""
    return (
        select(PayoutMove.payout_id, PayoutMove.why)
        .join(Payout, col(Payout.id) == col(PayoutMove.payout_id))
        .where(Payout.batch_id == batch_id, col(PayoutMove.to_state).in_(states), PayoutMove.why != "")
        .order_by(col(PayoutMove.id))
    )


async def open_list(
    session: AsyncSession, seal: Seal, by: Viewer, batch_id: int, *, why: str, now: datetime
) -> list[Whole]:
    """The whole numbers of what the bank has still to send, with a trace at the list and one at each household.

    Raises NotFound for whoever keeps no papers there, Malformed without a reason, NotMovable for a list that is not
    approved, is paid in cash, or has nothing left to send.
    """
    batch = await payouts.lock(session, by, batch_id)
    if not why.strip():
        raise Malformed("why", "missing")
    if batch.state is not BatchState.APPROVED or batch.rail is not Rail.TRANSFER:
        raise NotMovable("payout_batch", batch.state, "open")
    due = [row for row in await rows(session, batch_id) if row.payout.state is PayoutState.APPROVED]
    subject = f"payout_batch:{batch_id}"
    held = [row.card for row in due if row.card is not None]
    opened = await cards.open_all(session, seal, by, held, subject=subject, now=now)
    audit.note(session, by.account_id, _OPEN_LIST, subject=subject, note=why.strip(), now=now)
    await session.flush()  # no number leaves before its trace is written
    return [Whole(row, one.holder, one.number) for row, one in zip(due, opened, strict=True)]


async def openings(session: AsyncSession, batch_id: int) -> list[Opening]:
    """Who had the whole numbers of a list before them, when and why, the newest first."""
    found: Sequence[tuple[datetime, str, str]] = (await session.exec(_openings(batch_id))).all()
    return [Opening._make(row) for row in found]


def waiting_cards(viewer: Viewer) -> SelectOfScalar[int]:
    """How many cards wait for a second person in an accountant's divisions."""
    return select(func.count()).select_from(cards.to_confirm(viewer).order_by(None).subquery())


def _openings(batch_id: int) -> Select[datetime, str, str]:
    return (
        select(Trace.at, Account.name, Trace.note)
        .join(Account, col(Account.id) == col(Trace.account_id))
        .where(Trace.subject == f"payout_batch:{batch_id}", Trace.act == _OPEN_LIST)
        .order_by(col(Trace.id).desc())
    )


def _fen(which: ColumnElement[bool]) -> Any:
    return cast(func.coalesce(func.sum(col(Payout.amount_fen)).filter(which), 0), BigInteger)


def _columns(*wanted: Any) -> Select[*tuple[Any, ...]]:
    """A SELECT of more columns than its stubs know."""
    chosen: Any = select
    made: Select[*tuple[Any, ...]] = chosen(*wanted)
    return made
