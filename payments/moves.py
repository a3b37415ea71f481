"""Moves of payments and refunds: which are legal, and a row for each that says who, when and why."""

from datetime import datetime
from uuid import UUID

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import choice, key_of, new_id
from market.ground.errors import NotMovable
from payments.records import Payment, PaymentState, Refund, RefundState


class PaymentMove(SQLModel, table=True):
    """A change of a payment's state: when, from what to what, by whom (nobody: the clock or the provider), why."""

    __tablename__ = "payment_moves"

    id: int | None = new_id()
    payment_id: UUID = Field(foreign_key="payments.id", index=True)
    at: datetime
    from_state: PaymentState = choice(PaymentState, name="from_state")
    to_state: PaymentState = choice(PaymentState, name="to_state")
    account_id: int | None = key_of("accounts.id", default=None)
    why: str = Field(default="", max_length=200)


class RefundMove(SQLModel, table=True):
    """The same for a refund."""

    __tablename__ = "refund_moves"

    id: int | None = new_id()
    refund_id: UUID = Field(foreign_key="refunds.id", index=True)
    at: datetime
    from_state: RefundState = choice(RefundState, name="from_state")
    to_state: RefundState = choice(RefundState, name="to_state")
    account_id: int | None = key_of("accounts.id", default=None)
    why: str = Field(default="", max_length=200)


_OF_PAYMENTS = {
    PaymentState.STARTED: {PaymentState.SUCCEEDED, PaymentState.FAILED, PaymentState.CANCELLED},
    # A provider may call an attempt dead and still be paid: its last word counts, money that came stays.
    PaymentState.FAILED: {PaymentState.SUCCEEDED, PaymentState.CANCELLED},
    PaymentState.CANCELLED: {PaymentState.SUCCEEDED, PaymentState.FAILED},
    PaymentState.SUCCEEDED: set[PaymentState](),
}
_OF_REFUNDS = {
    RefundState.REQUESTED: {RefundState.PENDING, RefundState.SUCCEEDED, RefundState.FAILED},
    # The comparison may find that a provider has nothing of what we handed over: it is handed over again.
    RefundState.PENDING: {RefundState.SUCCEEDED, RefundState.FAILED, RefundState.REQUESTED},
    RefundState.FAILED: {RefundState.REQUESTED, RefundState.SUCCEEDED},
    # A bank may send the money back to the provider days later: it is owed once more.
    RefundState.SUCCEEDED: {RefundState.FAILED},
}


def move_payment(
    session: AsyncSession, payment: Payment, to: PaymentState, *, by: int | None, why: str, now: datetime
) -> None:
    """Change a locked payment's state and leave a row. NotMovable for an illegal move."""
    if to not in _OF_PAYMENTS[payment.state]:
        raise NotMovable("payment", payment.state, to)
    session.add(
        PaymentMove(payment_id=payment.id, at=now, from_state=payment.state, to_state=to, account_id=by, why=why[:200])
    )
    payment.state, payment.ended_at = to, now


def note_arrival(session: AsyncSession, payment: Payment, *, by: int | None, why: str, now: datetime) -> None:
    """A payment that was written down only when its money was there already: the row every payment has all the same."""
    arrived = PaymentMove(
        payment_id=payment.id, at=now, from_state=PaymentState.STARTED, to_state=payment.state, account_id=by,
        why=why[:200],
    )  # fmt: skip
    session.add(arrived)


def move_refund(
    session: AsyncSession, refund: Refund, to: RefundState, *, by: int | None, why: str, now: datetime
) -> None:
    """Change a refund's state, its payment locked, and leave a row. NotMovable for an illegal move."""
    if to not in _OF_REFUNDS[refund.state]:
        raise NotMovable("refund", refund.state, to)
    session.add(
        RefundMove(refund_id=refund.id, at=now, from_state=refund.state, to_state=to, account_id=by, why=why[:200])
    )
    refund.state = to
    refund.ended_at = now if to in (RefundState.SUCCEEDED, RefundState.FAILED) else None


def of_payment(payment_id: UUID) -> SelectOfScalar[PaymentMove]:
    """What happened to a payment after it was started, in order."""
    return select(PaymentMove).where(PaymentMove.payment_id == payment_id).order_by(col(PaymentMove.id))


def of_refund(refund_id: UUID) -> SelectOfScalar[RefundMove]:
    """What happened to a refund after it was decided, in order."""
    return select(RefundMove).where(RefundMove.refund_id == refund_id).order_by(col(RefundMove.id))
