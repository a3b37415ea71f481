"""Payouts counted into households' hands: the cash leaves the accountant's own, which must hold it."""

from datetime import datetime

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import outcomes, payouts
from market.books.ledger import Rail
from market.books.payouts import Payout, PayoutState
from market.people.accounts import Viewer
from payments import cash_books


async def pay(session: AsyncSession, by: Viewer, batch_id: int, *, payout_id: int | None = None, now: datetime) -> int:
    """Money of a list reached its households, by whichever way; see `outcomes.pay`.

    Raises OverLimit when it is cash and this person does not hold so much.
    """
    batch = await payouts.lock(session, by, batch_id)
    if batch.rail is Rail.CASH:
        due = select(func.coalesce(func.sum(col(Payout.amount_fen)), 0)).where(
            Payout.batch_id == batch_id, Payout.state == PayoutState.APPROVED
        )
        if payout_id is not None:
            due = due.where(Payout.id == payout_id)
        await cash_books.must_hold(session, by.id, int((await session.exec(due)).one()))
    return await outcomes.pay(session, by, batch_id, payout_id=payout_id, now=now)
