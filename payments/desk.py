"""The desk: where every payment starts, where every notice ends, and where an order's money is set right."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Rail
from market.delivery import round_cancellations
from market.ground import queue
from market.ground.errors import AlreadyPaid, Malformed, NotMovable, Unavailable
from market.people.accounts import Viewer
from market.people.units import Wallet
from market.trade import cancellations, orders, revivals, sales
from market.trade.orders import Order, OrderState
from payments import bank_rows, payees, promises, records, refunds
from payments.moves import move_payment
from payments.records import Method, Notice, Payment, PaymentState, Refund
from payments.refunds import Claim
from payments.stripe import LEAST_FEN, Event, Fate, Gateway, Seen

_EARLY = timedelta(minutes=15)
"""How long a notice may be ahead of our own commit; far longer than a transaction, far shorter than it is repeated."""


async def methods_for(session: AsyncSession, order: Order, gateway: Gateway) -> list[Method]:
    """The ways this order can be paid, the usual one first.

    Online where set up and above the provider's minimum, cash at the stop, by transfer where the county has a payee.
    """
    online = [Method.ALIPAY, Method.WECHAT_PAY, Method.CARD]
    usual = [*(online if gateway.is_open and order.total_fen >= LEAST_FEN else []), Method.CASH]
    if await payees.open_in(session, order.county_code) is None:
        return usual
    return [*usual, Method.TRANSFER] if order.wallet is Wallet.PERSONAL else [Method.TRANSFER, *usual]


async def start(
    session: AsyncSession, gateway: Gateway, payer: Viewer, no: str, method: Method, *, return_url: str, now: datetime
) -> Payment:
    """Start paying an order, or find the attempt already open: two taps are one payment.

    One whose time ran out is taken up again if its goods are still there. Raises NotFound, AlreadyPaid, NotMovable (no
    longer to be had), RoundCancelled, OutOfStock, Malformed (method not offered), Unavailable.
    """
    order = await _payable(session, payer, no, now)
    if method not in await methods_for(session, order, gateway):
        raise Malformed("method", "not_offered", method)
    open_attempts = [p for p in await records.lock_all(session, order) if p.state is PaymentState.STARTED]
    for attempt in open_attempts:
        if attempt.method is method:
            await revivals.revive(session, order, by=payer.account_id, now=now)
            await promises.give(session, attempt, order, by=payer.account_id, now=now)
            return attempt
    payment = Payment(
        order_id=order.id or 0, method=method, rail=method.rail, amount_fen=order.total_fen, started_at=now,
        started_by=payer.id,
    )  # fmt: skip
    if method.rail is Rail.STRIPE:
        started = await gateway.start(
            method, payment_id=payment.id, order_no=order.no, amount_fen=order.total_fen, return_url=return_url
        )
        payment.provider_id, payment.next = started.provider_id, started.next
    # Only now: no provider is called while stock rows are locked.
    await revivals.revive(session, order, by=payer.account_id, now=now)
    await promises.give(session, payment, order, by=payer.account_id, now=now)
    if method.is_promise:
        await queue.enqueue(session, "announce_ordered", order_id=order.id)
    session.add(payment)
    for attempt in open_attempts:
        # A promise stays good until other money has really come.
        if not attempt.method.is_promise:
            await _withdraw(session, attempt, by=payer.account_id, why="another_way", now=now)
    return payment


async def take_notice(session: AsyncSession, gateway: Gateway, event: Event, *, now: datetime) -> str:
    """Act on a verified notice, once. It is only a hint: what counts is the provider's object fetched afresh.

    Raises Unavailable when the provider cannot be asked or our own row is not visible yet, so that it is sent again.
    """
    known = insert(Notice).values(
        id=event.id, kind=event.kind, object_id=event.object_id, received_at=now, body=event.body, outcome=""
    )
    added = await session.exec(known.on_conflict_do_nothing().returning(col(Notice.id)))
    if added.scalar_one_or_none() is None:
        return "duplicate"
    outcome = await act_on(session, gateway, event, now=now)
    notice = await session.get_one(Notice, event.id)
    notice.outcome, notice.payment_id = (
        outcome,
        await records.payment_behind(session, event.payment_id, event.refund_id),
    )
    return outcome


async def settle(session: AsyncSession, payment_id: UUID, seen: Seen, *, now: datetime) -> str:
    """Bring a payment to where the provider has it, and the order with it. Repeating it changes nothing."""
    payment, order = await records.lock(session, payment_id)
    if payment.state is PaymentState.SUCCEEDED:
        return "known"
    match seen.fate:
        case Fate.SUCCEEDED:
            payment.charge_key = seen.charge_key
            return await _succeed(session, payment, order, now=now)
        case Fate.FAILED | Fate.CANCELLED:
            to = PaymentState.FAILED if seen.fate is Fate.FAILED else PaymentState.CANCELLED
            if payment.state is to:
                return "known"
            move_payment(session, payment, to, by=None, why=seen.failure or "provider", now=now)
            return payment.state.value
        case Fate.WAITING:
            return "waiting"


async def catch_up(session: AsyncSession, gateway: Gateway, payment: Payment, *, now: datetime) -> str:
    """Ask the provider how a payment stands, and bring it and its order there. NotFound where it knows of none."""
    seen = await gateway.look(payment.provider_id or "")
    if seen.fate is Fate.SUCCEEDED and seen.amount_fen != payment.amount_fen:
        return "amount_differs"  # the daily comparison names it too, and a person decides
    return await settle(session, payment.id, seen, now=now)


async def take_cash(session: AsyncSession, by: Viewer, payment_id: UUID, *, now: datetime) -> Payment:
    """The cash is in hand. The caller has checked that this person may take cash at the order's stop."""
    payment, order = await records.lock(session, payment_id)
    if payment.state is PaymentState.SUCCEEDED:
        return payment
    if payment.method is not Method.CASH or payment.state is not PaymentState.STARTED or not order.holds_stock:
        raise NotMovable("payment", payment.state, "take_cash")
    await round_cancellations.check_on(session, order.stop_id, order.handover_on)
    payment.taken_by = by.account_id
    await _succeed(session, payment, order, now=now)
    return payment


async def complete(session: AsyncSession, payment: Payment, order: Order, *, by: int | None, now: datetime) -> bool:
    """All of a payment's money is there: the order is paid with it. Expects both locked.

    False, and nothing done, where the order no longer stands, its round was called off, or some of its goods fell away
    since the attempt began.
    """
    fits, was_promised = payment.amount_fen == order.total_fen, order.state is OrderState.CONFIRMED
    why = payment.method.value
    if await round_cancellations.of_round(session, order.stop_id, order.handover_on) is not None:
        return False
    if not fits or order.is_paid or not await orders.mark_paid(session, order, by=by, why=why, now=now):
        return False
    move_payment(session, payment, PaymentState.SUCCEEDED, by=by, why="arrived", now=now)
    await sales.post(session, order, payment.came, payment_id=payment.id, now=now)
    await _withdraw_others(session, payment, order, now=now)
    if not was_promised:  # then its households know already
        await queue.enqueue(session, "announce_ordered", order_id=order.id)
    return True


async def cancel_order(session: AsyncSession, by: Viewer, no: str, *, why: str, now: datetime) -> Order:
    """The buyer takes an order back; what was paid goes back by the way it came."""
    seen = await orders.seen_by(session, by, no)
    order = await orders.lock(session, seen.id or 0)
    payments = await records.lock_all(session, order)
    if order.state is OrderState.CANCELLED:
        return order
    was_paid = await cancellations.cancel(session, order, by=by.account_id, why=why, now=now)
    await send_back(session, payments, order, Word(by.account_id, why or "cancelled"), was_paid=was_paid, now=now)
    return order


@dataclass(frozen=True)
class Word:
    """On whose word something ends, and why."""

    by: int | None
    why: str


async def send_back(
    session: AsyncSession, payments: list[Payment], order: Order, word: Word, *, was_paid: bool, now: datetime
) -> None:
    """Set the money of an order right that was just cancelled: open attempts are closed, what was paid goes back."""
    for payment in payments:
        if payment.state is PaymentState.STARTED:
            await _withdraw(session, payment, by=word.by, why="order_cancelled", now=now)
        elif was_paid and payment.state is PaymentState.SUCCEEDED:
            left = payment.amount_fen - await records.refunded_fen(session, payment.id)
            if left:
                await refunds.decide(session, payment, order, Claim(left, word.why, word.by), now=now)


async def close_attempts(
    session: AsyncSession, payments: list[Payment], rail: Rail, word: Word, *, now: datetime
) -> None:
    """Close the open attempts of one rail, their order locked."""
    for payment in payments:
        if payment.state is PaymentState.STARTED and payment.rail is rail:
            await _withdraw(session, payment, by=word.by, why=word.why, now=now)


async def close_left_over(session: AsyncSession, *, now: datetime, most: int = 200) -> int:
    """Withdraw attempts to pay orders that no longer wait for money; returns how many. Busy ones are left for later."""
    ended = (
        select(Payment)
        .join(Order, col(Order.id) == col(Payment.order_id))
        .where(Payment.state == PaymentState.STARTED, col(Order.state).in_([OrderState.EXPIRED, OrderState.CANCELLED]))
        .limit(most)
        .with_for_update(of=[Order.__table__, Payment.__table__], skip_locked=True, key_share=True)  # type: ignore[attr-defined]
        .execution_options(populate_existing=True)
    )
    found = (await session.exec(ended)).all()
    for payment in found:
        await _withdraw(session, payment, by=None, why="order_ended", now=now)
    return len(found)


async def _payable(session: AsyncSession, payer: Viewer, no: str, now: datetime) -> Order:
    seen = await orders.seen_by(session, payer, no)
    order = await orders.lock(session, seen.id or 0)
    if order.is_paid:
        raise AlreadyPaid(no)
    if order.has_run_out(now) and not revivals.is_revivable(order, now):
        raise NotMovable("order", "expired", "pay")
    if not order.has_run_out(now) and not order.holds_stock:
        raise NotMovable("order", order.state, "pay")
    await round_cancellations.check_on(session, order.stop_id, order.handover_on)
    return order


async def _succeed(session: AsyncSession, payment: Payment, order: Order, *, now: datetime) -> str:
    """The money is there: pay the order, or, where it no longer stands, send the money back."""
    if await complete(session, payment, order, by=payment.taken_by, now=now):
        return "paid"
    move_payment(session, payment, PaymentState.SUCCEEDED, by=payment.taken_by, why="arrived", now=now)
    reason = "already_paid" if order.is_paid else "goods_gone"
    await refunds.undeliverable(session, payment, order, reason=reason, now=now)
    await queue.enqueue(session, "announce_returned", payment_id=str(payment.id))
    return reason


async def _withdraw_others(session: AsyncSession, payment: Payment, order: Order, *, now: datetime) -> None:
    for other in await records.lock_all(session, order):
        if other.id != payment.id and other.state is PaymentState.STARTED:
            await _withdraw(session, other, by=None, why="order_paid", now=now)


async def _withdraw(session: AsyncSession, payment: Payment, *, by: int | None, why: str, now: datetime) -> None:
    """Close an attempt nobody follows any more. Should its payer still pay, the money is recorded and goes back."""
    move_payment(session, payment, PaymentState.CANCELLED, by=by, why=why, now=now)
    if payment.rail is Rail.TRANSFER:
        await bank_rows.release(session, payment.id, now=now)
    if payment.provider_id is not None:
        await queue.enqueue(session, "close_payment", provider_id=payment.provider_id)


async def act_on(session: AsyncSession, gateway: Gateway, event: Event, *, now: datetime) -> str:
    """Do what a notice hints at. Doing it again changes nothing: the object is fetched afresh each time."""
    match event.kind.split("."):
        case [
            "payment_intent" | "checkout",
            *_,
            ("succeeded" | "payment_failed" | "canceled" | "completed" | "expired"),
        ]:
            return await _payment_news(session, gateway, event, now)
        case ["refund", _]:
            return await _refund_news(session, gateway, event, now)
        case _:
            return "ignored"


async def _payment_news(session: AsyncSession, gateway: Gateway, event: Event, now: datetime) -> str:
    if event.payment_id is None:
        return "foreign"
    payment = await session.get(Payment, event.payment_id)
    if payment is None or payment.provider_id is None:
        if _may_be_early(event, now):
            raise Unavailable("payment_not_visible_yet")
        return "unknown"
    return await catch_up(session, gateway, payment, now=now)


async def _refund_news(session: AsyncSession, gateway: Gateway, event: Event, now: datetime) -> str:
    if event.refund_id is None:
        return "foreign"
    if await session.get(Refund, event.refund_id) is None:
        return "unknown"  # ours are committed before they are sent, so it is another market's in the same account
    return await refunds.record(session, event.refund_id, await gateway.look_refund(event.object_id), now=now)


def _may_be_early(event: Event, now: datetime) -> bool:
    """Whether our own row may only not be committed yet. Later, money nobody here asked for is a person's to decide."""
    happened = event.kind.endswith(("succeeded", "completed"))
    return happened and (event.at is None or now - event.at < _EARLY)
