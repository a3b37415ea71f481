"""What the bureau may see of money on its way, and who of it may send some back."""

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, SQLColumnExpression, cast, func, or_
from sqlmodel import col, false, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.books.ledger import Book, Entry, Posting
from market.ground import places
from market.ground.db import run
from market.ground.errors import Malformed, NotAllowed, NotFound
from market.people.accounts import Role, Viewer
from market.people.households import Household
from market.reports.scopes import Rows, columns, escaped
from market.trade.orders import Order, OrderLine
from payments import records
from payments.records import Method, Notice, Payment, PaymentState, Refund, RefundState

PAGE = 50


class Only(StrEnum):
    """Which payments are listed."""

    ALL = ""
    WAITING = "waiting"
    ARRIVED = "arrived"
    RETURNED = "returned"
    """Some of it went back or is on its way."""
    STUCK = "stuck"
    """A refund of it failed: a person has to decide."""


class Listed(NamedTuple):
    """A payment in the list."""

    id: UUID
    started_at: datetime
    order_no: str
    method: Method
    state: PaymentState
    amount_fen: int
    refunded_fen: int


class Booked(NamedTuple):
    """One posting of a payment's entries. The household is named only to an officer of its place."""

    entry_id: int
    at: datetime
    reason: str
    book: str
    rail: str | None
    household_id: int | None
    household: str | None
    amount_fen: int


def visible_to(viewer: Viewer) -> SelectOfScalar[Payment]:
    """Payments an officer may open: of orders handed over in their division, or with a line from a household there."""
    granted = viewer.division_codes(Role.OFFICER)
    if not granted:
        return select(Payment).where(false())
    lines = select(OrderLine.order_id).where(_within(col(OrderLine.division_code), granted))
    return (
        select(Payment)
        .join(Order, col(Order.id) == col(Payment.order_id))
        .where(or_(_within(col(Order.county_code), granted), col(Order.id).in_(lines)))
    )


def refundable_by(viewer: Viewer) -> SelectOfScalar[Payment]:
    """Payments an officer may send back: only of a division that contains the order's county."""
    granted = viewer.division_codes(Role.OFFICER)
    inside = _within(col(Order.county_code), granted) if granted else false()
    return select(Payment).join(Order, col(Order.id) == col(Payment.order_id)).where(inside)


async def seen_by(session: AsyncSession, viewer: Viewer, payment_id: UUID) -> tuple[Payment, Order]:
    """A payment this officer may open, with its order; NotFound for any other."""
    payment = (await session.exec(visible_to(viewer).where(Payment.id == payment_id))).one_or_none()
    if payment is None:
        raise NotFound("payment", str(payment_id))
    return payment, await session.get_one(Order, payment.order_id)


async def may_refund(session: AsyncSession, viewer: Viewer, payment_id: UUID) -> bool:
    """Whether this officer may send money of this payment back."""
    return (await session.exec(refundable_by(viewer).where(Payment.id == payment_id))).one_or_none() is not None


async def check_refund(session: AsyncSession, viewer: Viewer, payment_id: UUID) -> None:
    """NotFound outside the grant, NotAllowed for an officer who may only look."""
    await seen_by(session, viewer, payment_id)
    if not await may_refund(session, viewer, payment_id):
        raise NotAllowed("refund")


async def refund_of(session: AsyncSession, viewer: Viewer, refund_id: UUID) -> Refund:
    """A refund this officer may bring to its end. NotFound outside the grant, NotAllowed where they may only look."""
    refund = await session.get(Refund, refund_id)
    if refund is None:
        raise NotFound("refund", str(refund_id))
    await check_refund(session, viewer, refund.payment_id)
    return refund


async def line_of(session: AsyncSession, payment_id: UUID, listing_id: int) -> int:
    """The line of a payment's order that bought this listing; Malformed when it bought none of it."""
    bought = (
        select(OrderLine.id)
        .join(Payment, col(Payment.order_id) == col(OrderLine.order_id))
        .where(Payment.id == payment_id, OrderLine.listing_id == listing_id)
    )
    line_id = (await session.exec(bought)).one_or_none()
    if line_id is None:
        raise Malformed("listing_id", "not_in_the_order", str(listing_id))
    return line_id


async def left_fen(session: AsyncSession, payment: Payment) -> int:
    """What may still go back of a payment: what its sale still stands for with the households."""
    if payment.state is not PaymentState.SUCCEEDED:
        return 0
    stands = (
        select(func.coalesce(func.sum(col(Posting.amount_fen)), 0))
        .join(Entry, col(Entry.id) == col(Posting.entry_id))
        .where(Entry.payment_id == payment.id, Posting.book == Book.PAYABLE)
    )
    unspent = payment.amount_fen - await records.refunded_fen(session, payment.id)
    return max(0, min(unspent, int((await session.exec(stands)).one())))


async def listed(
    session: AsyncSession, viewer: Viewer, *, q: str = "", only: Only = Only.ALL, offset: int = 0
) -> list[Listed]:
    """Payments of the officer's division, the newest first; one above a page if there are. `q`: part of a number."""
    back = (
        select(cast(func.coalesce(func.sum(col(Refund.amount_fen)), 0), BigInteger))
        .where(col(Refund.payment_id) == col(Payment.id))
        .correlate(Payment)
        .scalar_subquery()
    )
    query: Rows = visible_to(viewer).with_only_columns(
        col(Payment.id), col(Payment.started_at), col(Order.no), col(Payment.method), col(Payment.state),
        col(Payment.amount_fen), back,
    )  # fmt: skip
    if q.strip():
        like = f"%{escaped(q.strip().upper())}%"
        exact = (col(Payment.provider_id) == q.strip(), col(Payment.charge_key) == q.strip())
        query = query.where(or_(col(Order.no).like(like), *exact))
    if only:
        query = query.where(_only(only))
    query = query.order_by(col(Payment.started_at).desc(), col(Payment.id)).offset(offset).limit(PAGE + 1)
    return [Listed._make(row) for row in (await run(session, query)).all()]


async def refunds_of(session: AsyncSession, payment_id: UUID) -> list[Refund]:
    """Every refund of a payment, in order."""
    found = await session.exec(
        select(Refund).where(Refund.payment_id == payment_id).order_by(col(Refund.requested_at), col(Refund.id))
    )
    return list(found)


async def notices_about(session: AsyncSession, payment: Payment, refunds: list[Refund]) -> list[Notice]:
    """The provider's messages about a payment or one of its refunds, in the order they came."""
    objects = {payment.provider_id, payment.charge_key, *(refund.provider_id for refund in refunds)} - {None}
    found = await session.exec(
        select(Notice).where(col(Notice.object_id).in_(objects)).order_by(col(Notice.received_at), col(Notice.id))
    )
    return list(found)


async def booked(session: AsyncSession, viewer: Viewer, payment_id: UUID) -> list[Booked]:
    """What a payment and its refunds did to the books, in order. Households outside the grant stay nameless."""
    granted = viewer.division_codes(Role.OFFICER)
    theirs = _within(col(Household.division_code), granted) if granted else false()
    query = (
        columns(
            Entry.id, Entry.at, Entry.reason, Posting.book, Posting.rail, Household.id, Household.head_name,
            Posting.amount_fen,
        )
        .select_from(Entry)
        .join(Posting, col(Posting.entry_id) == col(Entry.id))
        .outerjoin(Household, (col(Household.id) == col(Posting.household_id)) & theirs)
        .where(col(Entry.payment_id) == payment_id)
        .order_by(col(Entry.id), col(Posting.id))
    )  # fmt: skip
    return [Booked._make(row) for row in (await run(session, query)).all()]


def _within(column: SQLColumnExpression[str], granted: list[str]) -> ColumnElement[bool]:
    return or_(*(places.within(column, code) for code in granted))


def _only(only: Only) -> ColumnElement[bool]:
    refunds = select(Refund.payment_id)
    return {
        Only.ALL: col(Payment.id).is_not(None),
        Only.WAITING: col(Payment.state) == PaymentState.STARTED,
        Only.ARRIVED: col(Payment.state) == PaymentState.SUCCEEDED,
        Only.RETURNED: col(Payment.id).in_(refunds),
        Only.STUCK: col(Payment.id).in_(refunds.where(Refund.state == RefundState.FAILED)),
    }[only]
