"""Refunds: decided and posted in one transaction, handed to the provider only after it is committed."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import ledger
from market.books.ledger import Book, Leg, Rail, Reason
from market.ground import audit, queue
from market.ground.errors import Malformed, NotFound, NotMovable, OverLimit
from market.people.accounts import Viewer
from market.trade import sales
from market.trade.orders import Order
from market.trade.sales import Return
from payments import cash_books, records
from payments.moves import move_refund
from payments.records import Payment, PaymentState, Refund, RefundState
from payments.stripe import Fate, Gateway, Seen


@dataclass(frozen=True)
class Claim:
    """Money a buyer is to have back: how much, why, on whose word, and for which line where one is the reason."""

    amount_fen: int
    reason: str
    by: int | None = None
    line_id: int | None = None


async def request(session: AsyncSession, payment_id: UUID, claim: Claim, *, now: datetime) -> Refund:
    """Decide a refund. However many people click at once, no more goes back than was paid.

    Raises Malformed (nothing or no reason), NotMovable (not paid), OverLimit (above what is left).
    """
    if claim.amount_fen <= 0:
        raise Malformed("amount_fen", "not_positive", str(claim.amount_fen))
    if not claim.reason.strip():
        raise Malformed("reason", "missing")
    payment, order = await records.lock(session, payment_id)
    refund = await decide(session, payment, order, claim, now=now)
    said = f"{claim.amount_fen} {claim.reason}"
    audit.note(session, claim.by, "refund", subject=f"order:{order.no}", note=said, now=now)
    return refund


async def decide(session: AsyncSession, payment: Payment, order: Order, claim: Claim, *, now: datetime) -> Refund:
    """Write a refund of a sale and take it out of the households' books. Expects payment and order locked."""
    await _check_bound(session, payment, claim.amount_fen)
    refund = _written(session, payment, claim, now=now)
    back = Return(payment.id, refund.id, claim.amount_fen, claim.line_id)
    await sales.take_back(session, order, back, now=now)
    await _send_later(session, refund, payment)
    return refund


async def undeliverable(session: AsyncSession, payment: Payment, order: Order, *, reason: str, now: datetime) -> Refund:
    """Money came for goods that are gone: record it, owe it back, send it back. Expects payment and order locked."""
    occasion = sales.occasion(order, Reason.UNDELIVERABLE, payment.id)
    await ledger.post(session, occasion, [payment.came, Leg(Book.RETURNS, payment.amount_fen)], at=now)
    refund = _written(session, payment, Claim(payment.amount_fen, reason), now=now)
    await _send_later(session, refund, payment)
    return refund


async def send(session: AsyncSession, gateway: Gateway, refund_id: UUID, *, now: datetime) -> None:
    """Hand a committed refund to the provider. Safe to repeat: the provider knows it by its id."""
    refund = await _get(session, refund_id)
    payment = await session.get_one(Payment, refund.payment_id)
    if refund.state is not RefundState.REQUESTED or payment.charge_key is None:
        return
    key = f"refund-{refund.id}-{refund.attempt}"
    seen = await gateway.refund(payment.charge_key, refund_id=refund.id, key=key, amount_fen=refund.amount_fen)
    await record(session, refund.id, seen, now=now)


async def try_again(session: AsyncSession, by: Viewer, refund_id: UUID, *, now: datetime) -> Refund:
    """Ask the provider once more for a refund it could not make. NotMovable for any other."""
    refund, payment, _order = await _locked(session, refund_id)
    if refund.state is not RefundState.FAILED or payment.rail is not Rail.STRIPE:
        raise NotMovable("refund", refund.state, "try_again")
    move_refund(session, refund, RefundState.REQUESTED, by=by.account_id, why="try_again", now=now)
    refund.failure, refund.provider_id = "", None
    refund.attempt += 1
    audit.note(session, by.account_id, "retry_refund", subject=f"refund:{refund.id}", now=now)
    await _send_later(session, refund, payment)
    return refund


async def send_anew(session: AsyncSession, refund_id: UUID, *, now: datetime) -> None:
    """The provider knows nothing of a refund we believed on its way: hand it over again, under the same key."""
    refund, payment, _order = await _locked(session, refund_id)
    move_refund(session, refund, RefundState.REQUESTED, by=None, why="not_there", now=now)
    refund.provider_id = None
    await _send_later(session, refund, payment)


async def hand_back_cash(session: AsyncSession, by: Viewer, refund_id: UUID, *, now: datetime) -> Refund:
    """The buyer has the money back in hand: of a cash payment, or of any whose provider could not send it back.

    It comes out of the giver's cash book: OverLimit when that does not hold so much.
    """
    refund, payment, order = await _locked(session, refund_id)
    if refund.state is RefundState.SUCCEEDED:
        return refund
    if payment.rail is not Rail.CASH and refund.state is not RefundState.FAILED:
        raise NotMovable("refund", refund.state, "hand_back")
    await cash_books.must_hold(session, by.id, refund.amount_fen)
    move_refund(session, refund, RefundState.SUCCEEDED, by=by.account_id, why="handed_back", now=now)
    refund.provider_id = f"cash-{refund.id}"
    await _post_return(session, refund, order, _gone(refund, Rail.CASH, holder_id=by.id), now=now)
    audit.note(session, by.account_id, "hand_back_cash", subject=f"refund:{refund.id}", now=now)
    return refund


async def send_by_transfer(
    session: AsyncSession, refund_id: UUID, *, by: int | None, bank_row_id: int | None, now: datetime
) -> Refund:
    """A person has sent it by bank transfer, or a statement's line tells so. Only what came that way goes that way."""
    refund, payment, order = await _locked(session, refund_id)
    if payment.rail is not Rail.TRANSFER or refund.state is RefundState.SUCCEEDED:
        raise NotMovable("refund", refund.state, "send_by_transfer")
    move_refund(session, refund, RefundState.SUCCEEDED, by=by, why="transferred", now=now)
    refund.provider_id, refund.failure = f"transfer-{refund.id}", ""
    await _post_return(session, refund, order, _gone(refund, Rail.TRANSFER), bank_row_id=bank_row_id, now=now)
    return refund


async def come_back(
    session: AsyncSession, refund_id: UUID, *, by: int | None, bank_row_id: int, now: datetime
) -> Refund:
    """The bank sent a transferred refund back, as a statement's line tells: it is owed once more."""
    refund, payment, order = await _locked(session, refund_id)
    if payment.rail is not Rail.TRANSFER or refund.state is not RefundState.SUCCEEDED:
        raise NotMovable("refund", refund.state, "come_back")
    move_refund(session, refund, RefundState.FAILED, by=by, why="came_back", now=now)
    refund.provider_id, refund.failure = None, "came_back"
    back = Leg(Book.UNASSIGNED, -refund.amount_fen, rail=Rail.TRANSFER)
    await _post_return(session, refund, order, back, bank_row_id=bank_row_id, now=now)
    return refund


async def lock(session: AsyncSession, refund_id: UUID) -> Refund:
    """A refund with its order and payments, held until the transaction ends."""
    refund, _payment, _order = await _locked(session, refund_id)
    return refund


async def record(session: AsyncSession, refund_id: UUID, seen: Seen, *, now: datetime) -> str:
    """Bring a refund to where the provider has it. Late, repeated and reordered news change nothing twice."""
    refund, payment, order = await _locked(session, refund_id)
    if refund.provider_id not in (None, seen.provider_id):
        return "superseded"
    refund.provider_id = seen.provider_id or None
    match refund.state, seen.fate:
        case ((RefundState.REQUESTED | RefundState.PENDING | RefundState.FAILED), Fate.SUCCEEDED):
            refund.failure = ""
            move_refund(session, refund, RefundState.SUCCEEDED, by=None, why="provider", now=now)
            await _post_return(session, refund, order, _gone(refund, payment.rail), now=now)
        case ((RefundState.REQUESTED | RefundState.PENDING), (Fate.FAILED | Fate.CANCELLED)):
            refund.failure = seen.failure[:80]
            move_refund(session, refund, RefundState.FAILED, by=None, why=refund.failure or "provider", now=now)
        case RefundState.SUCCEEDED, (Fate.FAILED | Fate.CANCELLED):
            # The provider took the money back to itself days later (a closed account): it is owed once more.
            refund.failure = seen.failure[:80]
            move_refund(session, refund, RefundState.FAILED, by=None, why="came_back", now=now)
            await _post_return(session, refund, order, _gone(refund, payment.rail, back=True), now=now)
        case RefundState.REQUESTED, Fate.WAITING:
            move_refund(session, refund, RefundState.PENDING, by=None, why="provider", now=now)
        case _:
            return "known"
    return refund.state.value


def _gone(refund: Refund, rail: Rail, *, holder_id: int | None = None, back: bool = False) -> Leg:
    """The money that went to the buyer, cash out of its holder's hand; `back`: it came back from there after all."""
    return Leg(Book.CLEARING, -refund.amount_fen if back else refund.amount_fen, rail=rail, holder_id=holder_id)


async def _post_return(
    session: AsyncSession, refund: Refund, order: Order, gone: Leg, *, now: datetime, bank_row_id: int | None = None
) -> None:
    occasion = replace(
        sales.occasion(order, Reason.RETURN, refund.payment_id, refund.id), bank_row_id=bank_row_id
    )  # fmt: skip
    await ledger.post(session, occasion, [Leg(Book.RETURNS, -gone.amount_fen), gone], at=now)


async def _locked(session: AsyncSession, refund_id: UUID) -> tuple[Refund, Payment, Order]:
    """A refund with its payment and order, held until the transaction ends."""
    refund = await _get(session, refund_id)
    payment, order = await records.lock(session, refund.payment_id)
    await session.refresh(refund)
    return refund, payment, order


async def _check_bound(session: AsyncSession, payment: Payment, amount_fen: int) -> None:
    if payment.state is not PaymentState.SUCCEEDED:
        raise NotMovable("payment", payment.state, "refund")
    left = payment.amount_fen - await records.refunded_fen(session, payment.id)
    if amount_fen > left:
        raise OverLimit("amount_fen", left, amount_fen)


def _written(session: AsyncSession, payment: Payment, claim: Claim, *, now: datetime) -> Refund:
    refund = Refund(
        payment_id=payment.id, amount_fen=claim.amount_fen, reason=claim.reason.strip()[:200], requested_at=now,
        requested_by=claim.by,
    )  # fmt: skip
    session.add(refund)
    return refund


async def _send_later(session: AsyncSession, refund: Refund, payment: Payment) -> None:
    if payment.rail is Rail.STRIPE:
        await queue.enqueue(session, "send_refund", refund_id=str(refund.id), lock=f"refund-{refund.id}")


async def _get(session: AsyncSession, refund_id: UUID) -> Refund:
    found = (await session.exec(select(Refund).where(col(Refund.id) == refund_id))).one_or_none()
    if found is None:
        raise NotFound("refund", str(refund_id))
    return found
