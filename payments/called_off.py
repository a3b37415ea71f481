"""Orders of a round that was called off: each is ended and its money sent home in a transaction of its own.

What a crash leaves waiting is taken up by the next run; two workers at once share the orders between them.
"""

import logging
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Rail
from market.delivery import round_cancellations
from market.delivery.round_cancellations import Outcome, RoundCancellation
from market.ground import clock, queue
from market.ground.db import Database
from market.trade import cancellations, orders
from market.trade.orders import Order, OrderState
from payments import desk, records
from payments.desk import Word
from payments.records import Payment, PaymentState

log = logging.getLogger("yigou.jobs")
WHY = "round_cancelled"
"""The reason of every order's end, every closed attempt and every refund a cancelled round leads to."""


async def work_off(database: Database, cancellation_id: int) -> int:
    """End every order that waits; how many this run ended. One that fails holds up no other, and is raised at last."""
    async with database.transaction() as session:
        waiting = await round_cancellations.waiting(session, cancellation_id)
    ended, failed = 0, None
    for order_id in waiting:
        try:
            async with database.transaction() as session:
                ended += await end(session, order_id, now=clock.now()) is not None
        except Exception as error:
            log.warning("order %s of cancelled round %s is tried again", order_id, cancellation_id, exc_info=error)
            failed = error
    if failed is not None:
        raise failed
    async with database.transaction() as session:
        await round_cancellations.finish(session, cancellation_id, now=clock.now())
    return ended


async def end(session: AsyncSession, order_id: int, *, now: datetime) -> Outcome | None:
    """End one order whose turn it is. None, and nothing done: it is ended already, or another worker is at it."""
    called_off = await round_cancellations.take(session, order_id)
    if called_off is None:
        return None
    order = await orders.lock(session, order_id)
    payments = await records.lock_all(session, order)
    cancellation = await session.get_one(RoundCancellation, called_off.cancellation_id)
    called_off.outcome, called_off.back_fen = await _end(session, order, payments, cancellation, now)
    called_off.ended_at = now
    return called_off.outcome


async def _end(
    session: AsyncSession, order: Order, payments: list[Payment], cancellation: RoundCancellation, now: datetime
) -> tuple[Outcome, int]:
    if order.state in (OrderState.CANCELLED, OrderState.EXPIRED):
        return Outcome.OVER, 0
    word, before = Word(cancellation.account_id, WHY), await _back_fen(session, payments)
    was_paid = await cancellations.cancel(session, order, by=word.by, why=WHY, now=now, by_market=True)
    await desk.send_back(session, payments, order, word, was_paid=was_paid, now=now)
    await queue.enqueue(session, "tell_order_off", order_id=order.id)
    back = await _back_fen(session, payments) - before
    if not back:
        return Outcome.NOTHING_DUE, 0
    by_hand = any(each.rail is Rail.CASH for each in payments if each.state is PaymentState.SUCCEEDED)
    return (Outcome.CASH_DUE if by_hand else Outcome.RETURNED), back


async def _back_fen(session: AsyncSession, payments: list[Payment]) -> int:
    return sum([await records.refunded_fen(session, payment.id) for payment in payments])
