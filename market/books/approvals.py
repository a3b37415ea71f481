"""Approving a list of payouts, by another person than proposed it; or dropping it."""

import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, cast, func, text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import payouts
from market.books.ledger import Rail
from market.books.payouts import BatchState, Payout, PayoutBatch, PayoutState
from market.ground import audit
from market.ground.db import run
from market.ground.errors import NotMovable, SamePerson, TotalMoved
from market.people import cards, households
from market.people.accounts import Viewer
from market.people.cards import PayoutCard

NOTHING_LEFT = "nothing_left"
"""Why a list dropped itself: no row of it could be approved."""


class Change(StrEnum):
    """What came between the proposal of a row and its approval."""

    LOWERED = "lowered"
    """A refund: less stands in the book than was proposed."""
    REFUNDED = "refunded"
    """Refunds: nothing is left to send."""
    CARD_CHANGED = "card_changed"
    """The card it was proposed for is not the one in use any more."""


@dataclass(frozen=True)
class Finding:
    """What a proposed row comes to if it is approved now."""

    payout_id: int
    household_id: int
    amount_fen: int
    """Nothing: it is taken out."""
    payable_fen: int
    book_entry_id: int
    change: Change | None


_APPROVE = text("""
    UPDATE payouts p SET amount_fen = f.amount_fen, payable_fen = f.payable_fen, book_entry_id = f.book_entry_id,
                         state = 'approved'
    FROM jsonb_to_recordset(CAST(:found AS jsonb)) AS f(
        payout_id bigint, amount_fen bigint, payable_fen bigint, book_entry_id bigint)
    WHERE p.id = f.payout_id
""")


async def findings(session: AsyncSession, batch: PayoutBatch, *, now: datetime) -> list[Finding]:
    """What each proposed row comes to now: what the approver sees, and under the lock what is approved."""
    stood, taken = payouts.stood(), payouts.spoken_for(besides=batch.id or 0)
    left_fen = cast(func.coalesce(stood.c.fen, 0) - func.coalesce(taken.c.fen, 0), BigInteger)
    usable = cards.in_use(now).with_only_columns(col(PayoutCard.id))
    rows = (
        select(Payout, left_fen, func.coalesce(stood.c.entry_id, 0), col(Payout.card_id).in_(usable))
        .outerjoin(stood, stood.c.household_id == col(Payout.household_id))
        .outerjoin(taken, taken.c.household_id == col(Payout.household_id))
        .where(Payout.batch_id == batch.id, Payout.state == PayoutState.PROPOSED)
        .order_by(col(Payout.id))
        .execution_options(populate_existing=True)
    )
    return [_found(*row) for row in await session.exec(rows)]


async def approve(session: AsyncSession, by: Viewer, batch_id: int, *, seen_fen: int, now: datetime) -> PayoutBatch:
    """Agree that the money goes out: `seen_fen` in all, as this person saw it. A second tap changes nothing.

    Rows whose household was refunded meanwhile are lowered or taken out, and those whose card is not in use any more.
    Raises NotFound outside the grant, SamePerson for whoever proposed, NotMovable for a dropped list, TotalMoved when
    it would come to another sum than this person saw.
    """
    batch = await payouts.lock(session, by, batch_id)
    if batch.state in (BatchState.APPROVED, BatchState.CLOSED):
        return batch
    if batch.state is BatchState.DROPPED:
        raise NotMovable("payout_batch", batch.state, "approve")
    if batch.proposed_by == by.id:
        raise SamePerson("approve_payouts")
    homes = select(Payout.household_id).where(Payout.batch_id == batch_id, Payout.state == PayoutState.PROPOSED)
    await households.lock(session, (await session.exec(homes)).all())
    found = await findings(session, batch, now=now)
    total_fen = sum(row.amount_fen for row in found)
    if total_fen != seen_fen:
        raise TotalMoved(seen_fen, total_fen)
    await _take_out(session, found, by=by.id, now=now)
    kept = [row for row in found if row.amount_fen]
    if kept:
        await _approve_rows(session, kept, by=by.id, now=now)
        batch.state, batch.approved_at, batch.approved_by = BatchState.APPROVED, now, by.id
    else:
        _end(batch, by, NOTHING_LEFT, now)
    audit.note(
        session, by.account_id, "approve_payouts", subject=f"payout_batch:{batch_id}", note=f"{total_fen}", now=now
    )
    await session.flush()  # the CHECKs speak now, not at commit
    return batch


async def drop(session: AsyncSession, by: Viewer, batch_id: int, *, why: str, now: datetime) -> PayoutBatch:
    """Take a proposed list back: its households' money is free for another. A second tap changes nothing.

    Raises NotFound outside the grant, NotMovable once it is approved.
    """
    batch = await payouts.lock(session, by, batch_id)
    if batch.state is BatchState.DROPPED:
        return batch
    if batch.state is not BatchState.PROPOSED:
        raise NotMovable("payout_batch", batch.state, "drop")
    rows = await session.exec(
        select(Payout.id).where(Payout.batch_id == batch_id, Payout.state == PayoutState.PROPOSED)
    )
    ids = [row_id for row_id in rows if row_id is not None]
    await payouts.move(session, ids, PayoutState.DROPPED, by=by.id, why=why, now=now)
    _end(batch, by, why, now)
    audit.note(session, by.account_id, "drop_payouts", subject=f"payout_batch:{batch_id}", note=why, now=now)
    await session.flush()  # the CHECKs speak now, not at commit
    return batch


def _found(payout: Payout, left_fen: int, entry_id: int, card_is_in_use: bool | None) -> Finding:
    amount_fen, change = min(payout.amount_fen, max(0, left_fen)), None
    if payout.rail is Rail.TRANSFER and not card_is_in_use:
        amount_fen, change = 0, Change.CARD_CHANGED
    elif amount_fen < payout.amount_fen:
        change = Change.LOWERED if amount_fen else Change.REFUNDED
    return Finding(payout.id or 0, payout.household_id, amount_fen, left_fen, entry_id, change)


async def _take_out(session: AsyncSession, found: list[Finding], *, by: int, now: datetime) -> None:
    for change in (Change.REFUNDED, Change.CARD_CHANGED):
        ids = [row.payout_id for row in found if row.change is change]
        if ids:
            await payouts.move(session, ids, PayoutState.DROPPED, by=by, why=change.value, now=now)


async def _approve_rows(session: AsyncSession, kept: list[Finding], *, by: int, now: datetime) -> None:
    for why in ("", Change.LOWERED.value):
        ids = [row.payout_id for row in kept if (row.change or "") == why]
        await payouts.note_moves(session, ids, PayoutState.APPROVED, by=by, why=why, now=now)
    figures = [
        {
            "payout_id": row.payout_id,
            "amount_fen": row.amount_fen,
            "payable_fen": row.payable_fen,
            "book_entry_id": row.book_entry_id,
        }
        for row in kept
    ]
    await run(session, _APPROVE, {"found": json.dumps(figures)})


def _end(batch: PayoutBatch, by: Viewer, why: str, now: datetime) -> None:
    batch.state, batch.ended_at, batch.ended_by, batch.end_why = BatchState.DROPPED, now, by.id, why.strip()[:200]
