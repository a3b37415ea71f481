"""Payments and refunds nobody told us the end of: after a few minutes they are looked at, so a lost notice heals."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Rail
from market.ground.errors import NotFound
from payments import desk, refunds
from payments.records import Payment, PaymentState, Refund, RefundState
from payments.stripe import Fate, Gateway

_PATIENCE = timedelta(minutes=3)
_REFUND_PATIENCE = timedelta(minutes=10)
_OLDEST = timedelta(days=1)
"""What is older is left to the daily comparison."""
_MOST = 200
"""The provider is asked once for each, so a pile is worked off in several rounds."""


async def started(session: AsyncSession, *, now: datetime) -> list[UUID]:
    """Online payments that should have ended by now, the oldest first."""
    found = select(Payment.id).where(
        Payment.state == PaymentState.STARTED,
        Payment.rail == Rail.STRIPE,
        col(Payment.started_at).between(now - _OLDEST, now - _PATIENCE),
    )
    return list(await session.exec(found.order_by(col(Payment.started_at)).limit(_MOST)))


async def on_their_way(session: AsyncSession, *, now: datetime) -> list[UUID]:
    """Refunds the provider has been at for a while, the oldest first."""
    found = select(Refund.id).where(
        Refund.state == RefundState.PENDING,
        col(Refund.requested_at).between(now - _OLDEST, now - _REFUND_PATIENCE),
    )
    return list(await session.exec(found.order_by(col(Refund.requested_at)).limit(_MOST)))


async def look_after_payment(session: AsyncSession, gateway: Gateway, payment_id: UUID, *, now: datetime) -> str:
    """Bring a payment to where the provider has it. Its notice may come later still: then it is known."""
    payment = await session.get_one(Payment, payment_id)
    if payment.state is PaymentState.SUCCEEDED or payment.provider_id is None:
        return "known"
    try:
        return await desk.catch_up(session, gateway, payment, now=now)
    except NotFound:
        return "unknown"


async def look_after_refund(session: AsyncSession, gateway: Gateway, refund_id: UUID, *, now: datetime) -> str:
    """Bring a refund to where the provider has it."""
    refund = await session.get_one(Refund, refund_id)
    if refund.state is not RefundState.PENDING or refund.provider_id is None:
        return "known"
    try:
        seen = await gateway.look_refund(refund.provider_id)
    except NotFound:
        return "unknown"
    return await refunds.record(session, refund_id, seen, now=now)


async def close(session: AsyncSession, gateway: Gateway, provider_id: str, *, now: datetime) -> str:
    """Make an attempt nobody follows any more impossible to pay. Was it paid at the last moment, its money is taken."""
    await gateway.close(provider_id)
    payment = (await session.exec(select(Payment).where(Payment.provider_id == provider_id))).one_or_none()
    if payment is None or payment.state is PaymentState.SUCCEEDED:
        return "known"
    seen = await gateway.look(provider_id)
    return await desk.catch_up(session, gateway, payment, now=now) if seen.fate is Fate.SUCCEEDED else "closed"
