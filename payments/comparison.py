"""The provider's list laid beside ours: what does not match is suspected. `reconcile.py` then looks again, and acts."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import run
from payments.reconciliations import Kind
from payments.records import PaymentState, RefundState
from payments.stripe import CURRENCY, Charged, Fate, SentBack, Statement

PATIENCE = timedelta(hours=1)
"""How long a refund may wait here before it counts as not sent: its own job tries several times meanwhile."""
_AGREE = {
    (RefundState.PENDING, Fate.WAITING),
    (RefundState.SUCCEEDED, Fate.SUCCEEDED),
    (RefundState.FAILED, Fate.FAILED),
    (RefundState.FAILED, Fate.WAITING),
}


class OurPayment(NamedTuple):
    """A payment as our books have it."""

    id: UUID
    provider_id: str | None
    charge_key: str | None
    amount_fen: int
    state: PaymentState
    ended_at: datetime | None


class OurRefund(NamedTuple):
    """A refund as our books have it."""

    id: UUID
    payment_id: UUID
    provider_id: str | None
    amount_fen: int
    state: RefundState
    requested_at: datetime

    @property
    def is_by_hand(self) -> bool:
        """Whether it was handed back in cash in the end."""
        return (self.provider_id or "").startswith("cash-")


@dataclass(frozen=True)
class Ours:
    """Everything in our books that a window touches."""

    payments: dict[UUID, OurPayment]
    refunds: dict[UUID, OurRefund]

    @cached_property
    def by_key(self) -> dict[str, OurPayment]:
        """Payments by the provider's charge."""
        keyed = {found.provider_id: found for found in self.payments.values() if found.provider_id}
        return keyed | {found.charge_key: found for found in self.payments.values() if found.charge_key}

    @cached_property
    def by_provider_id(self) -> dict[str, OurRefund]:
        """Refunds by the provider's refund."""
        return {found.provider_id: found for found in self.refunds.values() if found.provider_id}


@dataclass(frozen=True)
class Suspicion:
    """Something that does not match at first sight."""

    kind: Kind
    subject: str
    expected: str
    found: str
    at: datetime
    payment_id: UUID | None = None
    refund_id: UUID | None = None


_PAYMENTS = text("""
    SELECT p.id, p.provider_id, p.charge_key, p.amount_fen, p.state, p.ended_at FROM payments p
    WHERE p.charge_key = ANY(:keys) OR p.provider_id = ANY(:keys) OR p.id = ANY(CAST(:ids AS uuid[]))
       OR (p.rail = 'stripe' AND p.state = 'succeeded' AND p.ended_at >= :from_at AND p.ended_at < :to_at)
""")
_REFUNDS = text("""
    SELECT r.id, r.payment_id, r.provider_id, r.amount_fen, r.state, r.requested_at
    FROM refunds r JOIN payments p ON p.id = r.payment_id
    WHERE r.provider_id = ANY(:keys) OR r.id = ANY(CAST(:ids AS uuid[]))
       OR (p.rail = 'stripe' AND p.charge_key IS NOT NULL AND r.requested_at >= :from_at AND r.requested_at < :to_at)
""")
_LEDGER = text("""
    SELECT p.id, p.ended_at, came.fen - coalesce(back.fen, 0) AS due, coalesce(booked.fen, 0) AS booked,
           coalesce(booked.is_placed, false) AS is_placed
    FROM jsonb_to_recordset(CAST(:came AS jsonb)) AS came(id uuid, fen bigint)
    JOIN payments p ON p.id = came.id AND p.state = 'succeeded' AND p.rail = 'stripe'
    LEFT JOIN LATERAL (
        SELECT sum(r.amount_fen) AS fen FROM refunds r
        WHERE r.payment_id = p.id AND r.state = 'succeeded' AND coalesce(r.provider_id, '') NOT LIKE 'cash-%'
    ) back ON true
    LEFT JOIN LATERAL (
        SELECT -sum(l.amount_fen) FILTER (WHERE l.book = 'clearing' AND l.rail = 'stripe') AS fen,
               bool_or(e.reason IN ('sale', 'undeliverable')) AS is_placed
        FROM entries e JOIN postings l ON l.entry_id = e.id WHERE e.payment_id = p.id
    ) booked ON true
    WHERE came.fen - coalesce(back.fen, 0) <> coalesce(booked.fen, 0) OR NOT coalesce(booked.is_placed, false)
""")


async def read_ours(session: AsyncSession, theirs: Statement, from_at: datetime, to_at: datetime) -> Ours:
    """What our books have of everything the provider names, and of everything we did in the same window."""
    window = {"from_at": from_at, "to_at": to_at}
    refunded = {
        "keys": [back.provider_id for back in theirs.refunds],
        "ids": [back.refund_id for back in theirs.refunds if back.refund_id],
    }
    refunds = [
        OurRefund(row.id, row.payment_id, row.provider_id, row.amount_fen, RefundState(row.state), row.requested_at)
        for row in await run(session, _REFUNDS, {**refunded, **window})
    ]
    charged = {
        "keys": [
            *(came.key for came in theirs.charges),
            *(back.charge_key for back in theirs.refunds),
            *(moved.charge_key for moved in theirs.others),
        ],
        "ids": [*(came.payment_id for came in theirs.charges if came.payment_id), *(r.payment_id for r in refunds)],
    }
    payments = [
        OurPayment(row.id, row.provider_id, row.charge_key, row.amount_fen, PaymentState(row.state), row.ended_at)
        for row in await run(session, _PAYMENTS, {**charged, **window})
    ]
    return Ours({found.id: found for found in payments}, {found.id: found for found in refunds})


def compare(theirs: Statement, ours: Ours, *, from_at: datetime, to_at: datetime) -> list[Suspicion]:
    """Everything that does not match at first sight, money in first."""
    return [
        *(found for came in theirs.charges if (found := _charge(came, ours))),
        *_not_charged(theirs, ours, from_at, to_at),
        *(found for back in theirs.refunds if (found := _refund(back, theirs, ours))),
        *_not_refunded(theirs, ours, from_at, to_at),
        *_moved(theirs, ours),
    ]


async def read_ledger(session: AsyncSession, theirs: Statement, ours: Ours) -> list[Suspicion]:
    """Payments of which the ledger says another sum than what came there less what went back, in one snapshot."""
    by_key = ours.by_key
    came = {found.id: found.amount_fen for found in ours.payments.values()}
    for charge in theirs.charges:
        payment = by_key.get(charge.key)
        if payment is not None and charge.amount_fen == payment.amount_fen:
            came[payment.id] = charge.amount_fen
    asked = json.dumps([{"id": str(payment_id), "fen": fen} for payment_id, fen in came.items()])
    return [
        Suspicion(
            Kind.LEDGER_DIFFERS if row.is_placed else Kind.CHARGE_WITHOUT_ORDER,
            f"payment:{row.id}", str(row.due), str(row.booked), row.ended_at, payment_id=row.id,
        )
        for row in await run(session, _LEDGER, {"came": asked})
    ]  # fmt: skip


def _charge(came: Charged, ours: Ours) -> Suspicion | None:
    keyed = ours.by_key.get(came.key)
    payment = keyed or (ours.payments.get(came.payment_id) if came.payment_id else None)
    if payment is None:
        return Suspicion(Kind.UNKNOWN_CHARGE, came.key, "", str(came.amount_fen), came.at)
    said = (came.key, came.at, payment.id)
    if came.currency != CURRENCY:
        return _suspect(Kind.CURRENCY_DIFFERS, said, CURRENCY, came.currency)
    if payment.state is not PaymentState.SUCCEEDED:
        # A checkout's charge is only known by its notes until it is settled: whether it is ours is looked up then.
        return _suspect(Kind.MISSING_NOTICE, said, str(came.amount_fen), payment.state)
    if payment.charge_key != came.key:
        return _suspect(Kind.UNKNOWN_CHARGE, said, "", str(came.amount_fen))
    if payment.amount_fen != came.amount_fen:
        return _suspect(Kind.AMOUNT_DIFFERS, said, str(payment.amount_fen), str(came.amount_fen))
    return None


def _not_charged(theirs: Statement, ours: Ours, from_at: datetime, to_at: datetime) -> list[Suspicion]:
    """Payments we believe arrived in the window and the list does not have."""
    listed = {came.key for came in theirs.charges}
    return [
        Suspicion(
            Kind.CHARGE_MISSING, payment.charge_key or f"payment:{payment.id}", str(payment.amount_fen), "",
            payment.ended_at, payment_id=payment.id,
        )
        for payment in ours.payments.values()
        if payment.state is PaymentState.SUCCEEDED
        and payment.ended_at is not None
        and from_at <= payment.ended_at < to_at
        and payment.charge_key not in listed
    ]  # fmt: skip


def _refund(back: SentBack, theirs: Statement, ours: Ours) -> Suspicion | None:
    known = ours.by_provider_id.get(back.provider_id)
    refund = known or (ours.refunds.get(back.refund_id) if back.refund_id else None)
    if refund is None:
        return _unknown_refund(back, theirs, ours)
    said = (back.provider_id, back.at, refund.payment_id, refund.id)
    if back.fate is not Fate.FAILED and back.currency != CURRENCY:
        return _suspect(Kind.CURRENCY_DIFFERS, said, CURRENCY, back.currency)
    if refund.provider_id not in (None, back.provider_id):
        # An earlier attempt: well if nothing of it went out in the end.
        failed = back.fate is Fate.FAILED
        return None if failed else _suspect(Kind.REFUND_TWICE, said, refund.provider_id or "", str(back.amount_fen))
    if refund.amount_fen != back.amount_fen:
        return _suspect(Kind.REFUND_AMOUNT_DIFFERS, said, str(refund.amount_fen), str(back.amount_fen))
    if (refund.state, back.fate) not in _AGREE:
        return _suspect(Kind.MISSING_REFUND_NOTICE, said, back.fate, refund.state)
    return None


def _unknown_refund(back: SentBack, theirs: Statement, ours: Ours) -> Suspicion | None:
    """A refund made without us. One of a stranger's charge is named with its charge."""
    payment = ours.by_key.get(back.charge_key)
    if back.fate is Fate.FAILED or (payment is None and back.charge_key in {came.key for came in theirs.charges}):
        return None
    payment_id = payment.id if payment else None
    return Suspicion(Kind.UNKNOWN_REFUND, back.provider_id, "", str(back.amount_fen), back.at, payment_id=payment_id)


def _not_refunded(theirs: Statement, ours: Ours, from_at: datetime, to_at: datetime) -> list[Suspicion]:
    """Refunds decided in the window that the list does not have."""
    listed = {back.provider_id for back in theirs.refunds} | {back.refund_id for back in theirs.refunds}
    found = []
    for refund in ours.refunds.values():
        if refund.id in listed or refund.provider_id in listed or not from_at <= refund.requested_at < to_at:
            continue
        subject = refund.provider_id or f"refund:{refund.id}"
        said = (subject, refund.requested_at, refund.payment_id, refund.id)
        if refund.state is RefundState.REQUESTED and refund.requested_at < to_at - PATIENCE:
            found.append(_suspect(Kind.REFUND_NOT_SENT, said, str(refund.amount_fen), refund.state))
        elif refund.state in (RefundState.PENDING, RefundState.SUCCEEDED) and not refund.is_by_hand:
            found.append(_suspect(Kind.REFUND_MISSING, said, str(refund.amount_fen), refund.state))
    return found


def _moved(theirs: Statement, ours: Ours) -> list[Suspicion]:
    by_key = ours.by_key
    return [
        Suspicion(
            Kind.OTHER_MOVEMENT, moved.provider_id, "", f"{moved.kind} {moved.amount_fen} {moved.currency}", moved.at,
            payment_id=by_key[moved.charge_key].id if moved.charge_key in by_key else None,
        )
        for moved in theirs.others
    ]  # fmt: skip


def _suspect(
    kind: Kind, said: tuple[str, datetime, UUID] | tuple[str, datetime, UUID, UUID], expected: str, found: str
) -> Suspicion:
    subject, at, payment_id, *refund_id = said
    return Suspicion(kind, subject, expected, found, at, payment_id, refund_id[0] if refund_id else None)
