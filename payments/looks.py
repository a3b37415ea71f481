"""The second look at what did not match: heard in the meantime, to be repaired by the normal path, or a person's.

Each runs inside the transaction that also writes the difference down, and asks the provider before it locks anything.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import run
from market.ground.errors import NotFound
from payments import desk, refunds
from payments.comparison import Suspicion
from payments.reconciliations import Condition, Kind
from payments.records import Payment, PaymentState, Refund, RefundState
from payments.stripe import Fate, Gateway


class Outcome(NamedTuple):
    """What a second look made of a suspicion."""

    suspicion: Suspicion
    condition: Condition


Look = Callable[[AsyncSession, Gateway, Suspicion, datetime], Awaitable[Outcome | None]]


async def look_again(session: AsyncSession, gateway: Gateway, suspicion: Suspicion, *, now: datetime) -> Outcome | None:
    """What is to be written down about a suspicion; nothing where both sides agree by now."""
    return await _LOOKS.get(suspicion.kind, _believe)(session, gateway, suspicion, now)


async def _believe(_session: AsyncSession, _gateway: Gateway, suspicion: Suspicion, _now: datetime) -> Outcome:
    """What a second look cannot change."""
    return Outcome(suspicion, Condition.OPEN)


async def _look_at_payment(
    session: AsyncSession, gateway: Gateway, suspicion: Suspicion, now: datetime
) -> Outcome | None:
    """The provider has money we have not heard of: settle it as its notice would have."""
    payment = await session.get_one(Payment, suspicion.payment_id)
    if payment.state is PaymentState.SUCCEEDED:
        return None  # heard in the meantime
    seen = await gateway.look(payment.provider_id or "")
    if seen.fate is not Fate.SUCCEEDED or seen.charge_key != suspicion.subject:
        return Outcome(
            replace(suspicion, kind=Kind.UNKNOWN_CHARGE, found=suspicion.expected, expected=""), Condition.OPEN
        )
    if seen.amount_fen != payment.amount_fen:
        differs = replace(
            suspicion, kind=Kind.AMOUNT_DIFFERS, expected=str(payment.amount_fen), found=str(seen.amount_fen)
        )
        return Outcome(differs, Condition.OPEN)
    outcome = await desk.settle(session, payment.id, seen, now=now)
    return None if outcome == "known" else Outcome(suspicion, Condition.REPAIRED)


async def _look_for_ours(
    session: AsyncSession, _gateway: Gateway, suspicion: Suspicion, _now: datetime
) -> Outcome | None:
    """A charge that was nobody's when we read our books: it may have become somebody's since."""
    known = text("SELECT EXISTS (SELECT FROM payments WHERE charge_key = :key)")
    is_ours = (await run(session, known, {"key": suspicion.subject})).scalar_one()
    return None if is_ours else Outcome(suspicion, Condition.OPEN)


async def _look_for_charge(
    session: AsyncSession, gateway: Gateway, suspicion: Suspicion, _now: datetime
) -> Outcome | None:
    """The list lacks a payment we believe in: it lies in another window, or the provider does not have it."""
    payment = await session.get_one(Payment, suspicion.payment_id)
    try:
        seen = await gateway.look(payment.charge_key or payment.provider_id or "")
    except NotFound:
        return Outcome(replace(suspicion, found="nothing"), Condition.OPEN)
    if seen.fate is not Fate.SUCCEEDED:
        return Outcome(replace(suspicion, found=seen.fate), Condition.OPEN)
    if seen.amount_fen != payment.amount_fen:
        return Outcome(replace(suspicion, kind=Kind.AMOUNT_DIFFERS, found=str(seen.amount_fen)), Condition.OPEN)
    return None


async def _look_at_refund(
    session: AsyncSession, gateway: Gateway, suspicion: Suspicion, now: datetime
) -> Outcome | None:
    """What became of a refund there: record it as its notice would have."""
    seen = await gateway.look_refund(suspicion.subject)
    outcome = await refunds.record(session, suspicion.refund_id or UUID(int=0), seen, now=now)
    return None if outcome in {"known", "superseded"} else Outcome(suspicion, Condition.REPAIRED)


async def _send(session: AsyncSession, gateway: Gateway, suspicion: Suspicion, now: datetime) -> Outcome | None:
    """Decided and never handed over: hand it over now. Its key keeps it from being paid twice."""
    refund = await session.get_one(Refund, suspicion.refund_id)
    if refund.state is not RefundState.REQUESTED:
        return None
    await refunds.send(session, gateway, refund.id, now=now)
    return Outcome(suspicion, Condition.REPAIRED)


async def _look_for_refund(
    session: AsyncSession, gateway: Gateway, suspicion: Suspicion, now: datetime
) -> Outcome | None:
    """The list lacks a refund we believe sent. One the provider has nowhere is handed over again, if it may be."""
    refund = await session.get_one(Refund, suspicion.refund_id)
    try:
        seen = await gateway.look_refund(refund.provider_id or "")
    except NotFound:
        return await _hand_over_again(session, gateway, suspicion, now)
    outcome = await refunds.record(session, refund.id, seen, now=now)
    if outcome in {"known", "superseded"}:
        return None
    heard = replace(suspicion, kind=Kind.MISSING_REFUND_NOTICE, expected=seen.fate, found=suspicion.found)
    return Outcome(heard, Condition.REPAIRED)


async def _hand_over_again(session: AsyncSession, gateway: Gateway, suspicion: Suspicion, now: datetime) -> Outcome:
    refund = await session.get_one(Refund, suspicion.refund_id)
    payment = await session.get_one(Payment, refund.payment_id)
    there = await gateway.refunds_of(payment.charge_key or "")
    if refund.state is not RefundState.PENDING or any(back.refund_id == refund.id for back in there):
        # Our ledger says the money arrived: only a person may say otherwise.
        return Outcome(suspicion, Condition.OPEN)
    await refunds.send_anew(session, refund.id, now=now)
    return Outcome(suspicion, Condition.REPAIRED)


_LOOKS: dict[Kind, Look] = {
    Kind.MISSING_NOTICE: _look_at_payment,
    Kind.UNKNOWN_CHARGE: _look_for_ours,
    Kind.CHARGE_MISSING: _look_for_charge,
    Kind.MISSING_REFUND_NOTICE: _look_at_refund,
    Kind.REFUND_NOT_SENT: _send,
    Kind.REFUND_MISSING: _look_for_refund,
}
