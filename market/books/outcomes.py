"""What became of approved payouts: paid, not sent, or sent and come back. Only what arrived is in the books."""

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import ledger, payouts
from market.books.ledger import Book, Leg, Occasion, Rail, Reason
from market.books.payouts import BatchState, Payout, PayoutBatch, PayoutState
from market.ground import audit, queue
from market.ground.errors import Malformed, NotFound, NotMovable
from market.ground.places import Level
from market.people.accounts import Viewer


async def pay(session: AsyncSession, by: Viewer, batch_id: int, *, payout_id: int | None = None, now: datetime) -> int:
    """The money arrived: of one row, or of every row not yet ended. Returns how many; a second tap pays none.

    Raises NotFound outside the grant, NotMovable for a list that is not approved or a row that ended otherwise.
    """
    batch, rows = await _approved(session, by, batch_id, payout_id, PayoutState.PAID)
    if rows:
        await payouts.move(session, _ids(rows), PayoutState.PAID, by=by.id, now=now)
        await ledger.post_all(session, [_entry(row, row.amount_fen, by) for row in rows], at=now)
        _note(session, by, "pay_payouts", batch, f"{len(rows)} {sum(row.amount_fen for row in rows)}", now=now)
        await _tell(session, rows, PayoutState.PAID)
        await _close_if_done(session, by, batch, now=now)
    return len(rows)


async def fail(
    session: AsyncSession, by: Viewer, batch_id: int, *, payout_id: int | None = None, why: str, now: datetime
) -> int:
    """The money could not be sent: of one row, or of every row not yet ended. It is free for the next list.

    Returns how many. Raises as `pay`, and Malformed without a reason.
    """
    if not why.strip():
        raise Malformed("why", "missing")
    batch, rows = await _approved(session, by, batch_id, payout_id, PayoutState.FAILED)
    if rows:
        await payouts.move(session, _ids(rows), PayoutState.FAILED, by=by.id, why=why, now=now)
        _note(session, by, "fail_payouts", batch, f"{len(rows)} {why}", now=now)
        await _tell(session, rows, PayoutState.FAILED)
        await _close_if_done(session, by, batch, now=now)
    return len(rows)


async def take_back(
    session: AsyncSession, by: Viewer, batch_id: int, payout_id: int, *, why: str, now: datetime
) -> bool:
    """The bank sent the money of a paid row back: a counter-entry, and it waits for the next list. False if known.

    Raises NotFound outside the grant, NotMovable for a row that was never paid, Malformed without a reason.
    """
    if not why.strip():
        raise Malformed("why", "missing")
    batch = await payouts.lock(session, by, batch_id)
    (row,) = await _rows(session, batch_id, payout_id)
    if row.state is PayoutState.RETURNED:
        return False
    await payouts.move(session, [payout_id], PayoutState.RETURNED, by=by.id, why=why, now=now)
    await ledger.post_all(session, [_entry(row, -row.amount_fen, by)], at=now)
    await _tell(session, [row], PayoutState.RETURNED)
    _note(session, by, "take_back_payout", batch, why, now=now)
    return True


async def _approved(
    session: AsyncSession, by: Viewer, batch_id: int, payout_id: int | None, to: PayoutState
) -> tuple[PayoutBatch, list[Payout]]:
    """The list, locked, with the rows this is about: none where it is known already."""
    batch = await payouts.lock(session, by, batch_id)
    if batch.state not in (BatchState.APPROVED, BatchState.CLOSED):
        raise NotMovable("payout_batch", batch.state, to)
    rows = await _rows(session, batch_id, payout_id)
    if payout_id is not None and rows[0].state not in (PayoutState.APPROVED, to):
        raise NotMovable("payout", rows[0].state, to)
    return batch, [row for row in rows if row.state is PayoutState.APPROVED]


async def _rows(session: AsyncSession, batch_id: int, payout_id: int | None) -> list[Payout]:
    wanted = select(Payout).where(Payout.batch_id == batch_id).order_by(col(Payout.household_id))
    if payout_id is not None:
        wanted = wanted.where(Payout.id == payout_id)
    found = list(await session.exec(wanted.execution_options(populate_existing=True)))
    if not found:
        raise NotFound("payout", str(payout_id))
    return found


async def _close_if_done(session: AsyncSession, by: Viewer, batch: PayoutBatch, *, now: datetime) -> None:
    waiting = select(Payout.id).where(Payout.batch_id == batch.id, Payout.state == PayoutState.APPROVED).limit(1)
    if (await session.exec(waiting)).first() is None:
        batch.state, batch.ended_at, batch.ended_by = BatchState.CLOSED, now, by.id


def _entry(row: Payout, amount_fen: int, by: Viewer) -> tuple[Occasion, list[Leg]]:
    """Out of the book, by this way; cash out of the hand of whoever says so (or back into it)."""
    occasion = Occasion(Reason.PAYOUT, row.division_code[: Level.COUNTY], payout_id=row.id)
    return occasion, [
        Leg(Book.PAYABLE, -amount_fen, household_id=row.household_id, division_code=row.division_code),
        Leg(Book.PAID_OUT, amount_fen, rail=row.rail, holder_id=by.id if row.rail is Rail.CASH else None),
    ]


def _ids(rows: list[Payout]) -> list[int]:
    return [row.id or 0 for row in rows]


async def _tell(session: AsyncSession, rows: list[Payout], news: PayoutState) -> None:
    """Each household hears of it once this is committed."""
    await queue.enqueue_all(session, "announce_payout", [{"payout_id": row.id, "news": news} for row in rows])


def _note(session: AsyncSession, by: Viewer, act: str, batch: PayoutBatch, said: str, *, now: datetime) -> None:
    audit.note(session, by.account_id, act, subject=f"payout_batch:{batch.id}", note=said, now=now)
