"""What a person decides about a line that is not clear, on whose word and why. The money itself moves in `settling`.

Every act holds the line and expects it to wait for somebody: of two accountants at one line the second is told so.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Rail
from market.ground import queue
from market.ground.errors import Malformed, NotFound, NotMovable
from market.people.accounts import Viewer
from market.trade import orders
from market.trade.orders import Order, OrderState
from payments import bank_rows, expectations, promises, records, refunds, statements
from payments.bank_rows import BankRow, Part
from payments.matching import Proposal
from payments.moves import note_arrival
from payments.outcomes import Outcome, PartState, RowState, Use
from payments.payees import Payee
from payments.records import Method, Payment, PaymentState, Refund
from payments.remittances import OWED

_WHY_BACK = {
    Outcome.ALREADY_PAID: "already_paid",
    Outcome.CANCELLED: "order_cancelled",
    Outcome.FREED: "order_cancelled",
    Outcome.GOODS_GONE: "goods_gone",
    Outcome.LATE: "goods_gone",
}


@dataclass(frozen=True)
class Word:
    """Who decides, and why."""

    by: Viewer
    why: str = ""


async def confirm(session: AsyncSession, word: Word, row_id: int, *, rest_back: bool = False, now: datetime) -> BankRow:
    """What was proposed for the line is right; with `rest_back` the payer is owed what is left of it.

    Malformed when nothing was proposed.
    """
    proposed = [each for each in await session.exec(bank_rows.parts_of(row_id)) if each.state is PartState.PROPOSED]
    first = next((each.payment_id for each in proposed if each.payment_id), None)
    order = (await records.lock(session, first))[1] if rest_back and first else None
    row = await open_row(session, word, row_id)
    if not proposed:
        raise Malformed("parts", "nothing_proposed")
    for each in proposed:
        each.state, each.at, each.account_id, each.why = PartState.AGREED, now, word.by.account_id, word.why[:200]
    await session.flush()  # what is left counts them
    rest = await bank_rows.rest_fen(session, row)
    if order is not None and rest:
        await _owe(session, word, row, order, rest, now)
    return await _agreed(session, row)


async def give(session: AsyncSession, word: Word, row_id: int, order_nos: list[str], *, now: datetime) -> BankRow:
    """The line's money is for these orders of the county, in this order, each as far as it is still due.

    One nobody promised a transfer for gets the promise now. Raises NotFound, Malformed (none, or money that went),
    NotMovable (an order that no longer waits).
    """
    wanted = await _orders(session, word, row_id, order_nos)
    payments = [await _awaited(session, word, order, now) for order in wanted]
    row = await open_row(session, word, row_id)
    if not payments or not row.is_booked:
        raise Malformed("orders", "missing")
    given = await expectations.given_to(session, [payment.id for payment in payments])
    rest = await bank_rows.rest_fen(session, row)
    for payment in payments:
        amount = min(rest, payment.amount_fen - given.get(payment.id, 0))
        if amount > 0:
            session.add(part(row, Proposal(Use.PAYMENT, amount, payment_id=payment.id), word, now))
            rest -= amount
    await drop_proposals(session, row, now)
    return await _agreed(session, row)


async def give_refunds(
    session: AsyncSession, word: Word, row_id: int, refund_ids: list[UUID], *, now: datetime
) -> BankRow:
    """The money that went is these refunds we owed. Malformed unless they are whole and no more than went."""
    row = await open_row(session, word, row_id)
    owed = await _owed(session, row, refund_ids)
    if row.came or not owed or sum(refund.amount_fen for refund in owed) > await bank_rows.rest_fen(session, row):
        raise Malformed("refunds", "sum_differs")
    for refund in owed:
        wish = Proposal(Use.REFUND, refund.amount_fen, refund_id=refund.id)
        session.add(part(row, wish, word, now))
    await drop_proposals(session, row, now)
    return await _agreed(session, row)


async def send_back(session: AsyncSession, word: Word, row_id: int, order_no: str, *, now: datetime) -> BankRow:
    """What is left of the line goes back to the payer of this order: it is owed from now on, and somebody sends it."""
    order = (await _orders(session, word, row_id, [order_no]))[0]
    await records.lock_all(session, order)
    row = await open_row(session, word, row_id)
    rest = await bank_rows.rest_fen(session, row)
    if not row.is_booked or not rest:
        raise Malformed("orders", "missing")
    await _owe(session, word, row, order, rest, now)
    await drop_proposals(session, row, now)
    await bank_rows.set_state(session, row)
    return row


async def _owe(session: AsyncSession, word: Word, row: BankRow, order: Order, amount_fen: int, now: datetime) -> None:
    """Money the order did not need is a payment of its own that goes back whole. Expects order and line held."""
    reason = _WHY_BACK.get(row.outcome, "overpaid")
    payment = Payment(
        order_id=order.id or 0, method=Method.TRANSFER, rail=Rail.TRANSFER, amount_fen=amount_fen, started_at=now,
        started_by=word.by.id, state=PaymentState.SUCCEEDED, ended_at=now,
    )  # fmt: skip
    session.add(payment)
    await session.flush()  # its move and the part refer to it
    note_arrival(session, payment, by=word.by.account_id, why=reason, now=now)
    session.add(part(row, Proposal(Use.PAYMENT, amount_fen, payment_id=payment.id), word, now, done=True))
    await refunds.undeliverable(session, payment, order, reason=reason, now=now)
    await queue.enqueue(session, "announce_returned", payment_id=str(payment.id))


async def open_row(session: AsyncSession, word: Word, row_id: int) -> BankRow:
    """A line that waits for somebody, held until the transaction ends. Orders and payments are locked before it."""
    await bank_rows.seen_by(session, word.by, row_id)
    row = await bank_rows.lock(session, row_id)
    if row.state is not RowState.OPEN:
        raise NotMovable("bank_row", row.state, "decide")
    return row


async def _agreed(session: AsyncSession, row: BankRow) -> BankRow:
    await bank_rows.set_state(session, row)
    await statements.settle_later(session, row.statement_id)
    return row


async def _orders(session: AsyncSession, word: Word, row_id: int, order_nos: list[str]) -> list[Order]:
    """Orders of the line's county, locked in ascending id and given back as they were named. NotFound for any other."""
    row = await bank_rows.seen_by(session, word.by, row_id)
    payee = await session.get_one(Payee, row.payee_id)
    wanted = list(dict.fromkeys(order_nos))
    found = select(Order.id, Order.no).where(col(Order.no).in_(wanted), Order.county_code == payee.county_code)
    ids = {no: order_id or 0 for order_id, no in await session.exec(found)}
    missing = [no for no in wanted if no not in ids]
    if missing:
        raise NotFound("order", missing[0])
    held = {no: await orders.lock(session, ids[no]) for no in sorted(wanted, key=ids.__getitem__)}
    return [held[no] for no in wanted]


async def _awaited(session: AsyncSession, word: Word, order: Order, now: datetime) -> Payment:
    """The transfer a locked order waits for. NotMovable for an order that does not wait any more.

    Of an order whose time ran out the last promise is meant: it is paid if its goods are still there.
    """
    promised = [found for found in await records.lock_all(session, order) if found.reference]
    waiting = [found for found in promised if found.state is PaymentState.STARTED]
    if waiting or (order.state is OrderState.EXPIRED and promised):
        return (waiting or promised)[-1]
    if not order.holds_stock:
        raise NotMovable("order", order.state, "pay")
    payment = Payment(
        order_id=order.id or 0, method=Method.TRANSFER, rail=Rail.TRANSFER, amount_fen=order.total_fen, started_at=now,
        started_by=word.by.id,
    )  # fmt: skip
    await promises.give(session, payment, order, by=word.by.account_id, now=now)
    session.add(payment)
    await session.flush()  # the part refers to it
    return payment


async def _owed(session: AsyncSession, row: BankRow, refund_ids: list[UUID]) -> list[Refund]:
    payee = await session.get_one(Payee, row.payee_id)
    found = (
        select(Refund)
        .join(Payment, col(Payment.id) == col(Refund.payment_id))
        .join(Order, col(Order.id) == col(Payment.order_id))
        .where(
            col(Refund.id).in_(refund_ids), col(Refund.state).in_(OWED), Payment.rail == Rail.TRANSFER,
            Order.county_code == payee.county_code,
        )
    )  # fmt: skip
    return list(await session.exec(found))


async def drop_proposals(session: AsyncSession, row: BankRow, now: datetime) -> None:
    """A person decided otherwise, or about all of it."""
    for part in await session.exec(bank_rows.parts_of(row.id or 0)):
        if part.state is PartState.PROPOSED:
            part.state, part.ended_at = PartState.VOID, now


def part(row: BankRow, wish: Proposal, word: Word, now: datetime, *, done: bool = False) -> Part:
    """A part of a line's money as a person decided it: still to be done, or done with this."""
    return Part(
        row_id=row.id or 0, use=wish.use, amount_fen=wish.amount_fen, payment_id=wish.payment_id,
        refund_id=wish.refund_id, other_row_id=wish.other_row_id, at=now, account_id=word.by.account_id,
        why=word.why.strip()[:200], state=PartState.DONE if done else PartState.AGREED,
        ended_at=now if done else None,
    )  # fmt: skip
