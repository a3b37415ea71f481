"""A household cannot bring all that was ordered: the order is lowered, or the money for what is missing goes back."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Rail
from market.goods import stock
from market.ground import queue
from market.people import acts_for
from market.people.accounts import Viewer
from market.trade import answers, cancellations, orders, sales
from market.trade.answers import Gap, LineAnswer
from market.trade.orders import Order, OrderLine
from payments import bank_rows, desk, records, refunds
from payments.desk import Word
from payments.records import Payment, PaymentState
from payments.refunds import Claim

WHY = "short"
"""The reason of every refund, cancellation and closed attempt a shortage leads to."""


@dataclass(frozen=True)
class Case:
    """A line that falls short, its order and every attempt to pay it locked."""

    order: Order
    payments: list[Payment]
    line: OrderLine
    quantity: int
    word: Word

    @property
    def worth_fen(self) -> int:
        """What the buyer agreed to pay for what is missing."""
        return self.quantity * self.line.price_fen


async def say_short(session: AsyncSession, seller: Viewer, line_id: int, gap: Gap, *, now: datetime) -> LineAnswer:
    """Some of a line will not be there. The buyer is told, and pays or keeps paying no fen for it.

    Raises NotFound outside the grant, NotMovable once the goods were handed over, Malformed, OverLimit.
    """
    line = await answers.answerable(session, seller, line_id)
    order = await orders.lock(session, line.order_id)
    answers.check_open(order, now)
    payments = await records.lock_all(session, order)
    answer, line = await answers.fall_short(session, seller, line_id, gap, now=now)
    await session.flush()  # the message names the answer's id
    case = Case(order, payments, line, gap.quantity, Word(seller.account_id, WHY))
    if order.is_paid:
        await _give_back(session, case, now)
    elif order.total_fen > case.worth_fen:
        await _lower(session, case, now)
    else:
        await _call_off(session, case, now)
    subject, note = f"order_line:{line.id}", f"{gap.quantity} {gap.why}"
    acts_for.note(session, seller, line.household_id, "say_short", subject=subject, note=note, now=now)
    await queue.enqueue(session, "announce_short", answer_id=answer.id)
    return answer


async def _give_back(session: AsyncSession, case: Case, now: datetime) -> None:
    """The money of what was paid and is not there, as far as the line still stands for it."""
    answers.note_missing(session, case.line, case.quantity, now=now)
    standing = {part.line.id: part.standing_fen for part in await sales.standing(session, case.order.id or 0)}
    back = min(case.worth_fen, standing[case.line.id])
    for payment in case.payments:
        left = payment.amount_fen - await records.refunded_fen(session, payment.id)
        if back and payment.state is PaymentState.SUCCEEDED and left >= back:
            await refunds.decide(session, payment, case.order, Claim(back, WHY, case.word.by, case.line.id), now=now)
            return


async def _lower(session: AsyncSession, case: Case, now: datetime) -> None:
    """An order not paid yet costs less from now on. An online attempt carries the old sum and is closed."""
    await answers.lower(session, case.order, case.line, case.quantity, now=now)
    await desk.close_attempts(session, case.payments, Rail.STRIPE, case.word, now=now)
    for payment in case.payments:
        if payment.state is PaymentState.STARTED:
            payment.amount_fen = case.order.total_fen
            if await bank_rows.given_fen(session, payment.id) >= payment.amount_fen:
                # More came by transfer than the order costs now: a person gives it out anew.
                await bank_rows.release(session, payment.id, now=now)


async def _call_off(session: AsyncSession, case: Case, now: datetime) -> None:
    """Nothing is left of it: the order ends, and what is missing does not come back on sale."""
    by, why = case.word.by, case.word.why
    was_paid = await cancellations.cancel(session, case.order, by=by, why=why, now=now, by_market=True)
    await desk.send_back(session, case.payments, case.order, case.word, was_paid=was_paid, now=now)
    await stock.lose_left(session, case.line.listing_id, case.quantity, now=now)
