"""Doing what was agreed about lines of bank statements: one part a transaction, in any order, as often as it takes.

A part is agreed by whoever took the statement or decided about the line. Where the world has changed since, nothing is
done with it, and the line waits for a person with what it has turned out to be.
"""

from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.trade.orders import Order, OrderState
from payments import bank_rows, desk, records, refunds, remittances
from payments.bank_rows import BankRow, Part
from payments.outcomes import Outcome, PartState, Use
from payments.records import Payment, PaymentState
from payments.remittances import OWED, Remittance


async def agreed(session: AsyncSession, statement_id: int) -> list[int]:
    """The parts of a statement that are still to be done, in order."""
    found = (
        select(Part.id)
        .join(BankRow, col(BankRow.id) == col(Part.row_id))
        .where(BankRow.statement_id == statement_id, Part.state == PartState.AGREED)
        .order_by(col(Part.id))
    )
    return [part_id or 0 for part_id in await session.exec(found)]


async def unsettled(session: AsyncSession) -> list[int]:
    """Statements of which something is still to be done."""
    found = select(BankRow.statement_id).join(Part, col(Part.row_id) == col(BankRow.id)).distinct()
    return list(await session.exec(found.where(Part.state == PartState.AGREED).order_by(col(BankRow.statement_id))))


async def settle(session: AsyncSession, part_id: int, *, now: datetime) -> PartState:
    """Do one part. Done already, or never agreed: nothing happens."""
    part = await session.get_one(Part, part_id)
    if part.payment_id is not None:
        payment, order = await records.lock(session, part.payment_id)
        row = await _held(session, part)
        if part.state is PartState.AGREED:
            await _pay(session, part, row, payment, order, now)
    elif part.refund_id is not None:
        await _refund(session, part, part.refund_id, now)
    return part.state


async def _pay(session: AsyncSession, part: Part, row: BankRow, payment: Payment, order: Order, now: datetime) -> None:
    """Give the money to a payment; the last of what is due completes it."""
    due = payment.amount_fen - await bank_rows.given_fen(session, payment.id)
    trouble = _trouble(part, payment, order, due)
    if trouble is None and part.amount_fen == due and not await _complete(session, part, payment, order, now):
        trouble = Outcome.GOODS_GONE
    part.state, part.ended_at = (PartState.VOID if trouble else PartState.DONE), now
    await bank_rows.set_state(session, row, trouble)


def _trouble(part: Part, payment: Payment, order: Order, due_fen: int) -> Outcome | None:
    """Why the money cannot go there any more."""
    if order.state is OrderState.CANCELLED:
        return Outcome.CANCELLED
    if payment.state is PaymentState.SUCCEEDED or order.is_paid:
        return Outcome.ALREADY_PAID
    if part.amount_fen > due_fen:
        return Outcome.OVER
    if part.amount_fen < due_fen and payment.state is not PaymentState.STARTED:
        return Outcome.FREED
    return None


async def _complete(session: AsyncSession, part: Part, payment: Payment, order: Order, now: datetime) -> bool:
    return await desk.complete(session, payment, order, by=part.account_id, now=now)


async def _refund(session: AsyncSession, part: Part, refund_id: UUID, now: datetime) -> None:
    """Money that went to a buyer, or a refund of ours that came back."""
    refund = await refunds.lock(session, refund_id)
    row = await _held(session, part)
    if part.state is not PartState.AGREED:
        return
    went = await remittances.of_refund(session, refund_id)
    trouble: Outcome | None = None
    if part.use is Use.BOUNCED:
        if went is not None and refund.amount_fen == part.amount_fen:
            await remittances.take_back(session, went, row_id=part.row_id, by=part.account_id, now=now)
        else:
            trouble = Outcome.BOUNCED
    elif refund.amount_fen == part.amount_fen and (refund.state in OWED or (went and went.row_id is None)):
        sent = Remittance(
            refund_id=refund_id, serial=row.serial, sent_on=row.booked_on, row_id=row.id, at=now,
            account_id=part.account_id,
        )  # fmt: skip
        await remittances.send(session, sent, now=now)
    else:
        trouble = Outcome.OUTGOING
    part.state, part.ended_at = (PartState.VOID if trouble else PartState.DONE), now
    await bank_rows.set_state(session, row, trouble)


async def _held(session: AsyncSession, part: Part) -> BankRow:
    """The part's line, held until the transaction ends, and the part as it is now. Payments are locked before it."""
    row = await bank_rows.lock(session, part.row_id)
    await session.refresh(part)
    return row
