"""Cash at the stop: what is still to be paid there, who may take it, and cash that goes back."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement
from sqlmodel import and_, col, false, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.books.ledger import Rail
from market.delivery.stops import Stop
from market.ground import places
from market.ground.errors import NotFound
from market.people import stations
from market.people.accounts import Account, Role, Viewer
from market.trade.orders import Order, OrderState
from payments import desk, refunds
from payments.records import Method, Payment, PaymentState, Refund, RefundState

MOST = 200
"""Rows of one list: a stop hands over fewer on one day."""


class Due(NamedTuple):
    """An order whose buyer brings the cash to the stop."""

    payment: Payment
    order: Order
    stop: Stop
    buyer: str


class DueBack(NamedTuple):
    """Cash that goes back into a buyer's hand."""

    refund: Refund
    order: Order
    stop: Stop
    buyer: str


async def due_at(session: AsyncSession, viewer: Viewer, *, no: str = "") -> list[Due]:
    """Orders to be paid in cash at this person's stops, the soonest first; `no` finds a part of a number."""
    query = (
        select(Payment, Order, Stop, Account.name)
        .join(Order, col(Order.id) == col(Payment.order_id))
        .join(Stop, col(Stop.id) == col(Order.stop_id))
        .join(Account, col(Account.id) == col(Order.account_id))
        .where(
            Payment.method == Method.CASH,
            Payment.state == PaymentState.STARTED,
            Order.state == OrderState.CONFIRMED,
            await _within_grant(session, viewer, Role.ORGANISER),
        )
        .order_by(col(Order.handover_on), col(Stop.name), col(Order.id))
        .limit(MOST)
    )
    return [Due._make(row) for row in await session.exec(query.where(_numbered(no)) if no else query)]


async def due_back_at(session: AsyncSession, viewer: Viewer, *, no: str = "") -> list[DueBack]:
    """Refunds to hand back at those stops: of cash, and what a provider could not send back; the oldest first.

    An accountant sees those of the whole division: the cash may have been handed in since.
    """
    query: Select[Refund, Order, Stop, str] = (
        select(Refund, Order, Stop, Account.name)
        .join(Payment, col(Payment.id) == col(Refund.payment_id))
        .join(Order, col(Order.id) == col(Payment.order_id))
        .join(Stop, col(Stop.id) == col(Order.stop_id))
        .join(Account, col(Account.id) == col(Order.account_id))
        .where(
            or_(
                and_(col(Payment.rail) == Rail.CASH, col(Refund.state) == RefundState.REQUESTED),
                col(Refund.state) == RefundState.FAILED,
            ),
            await _within_grant(session, viewer, Role.ORGANISER, Role.ACCOUNTANT),
        )
        .order_by(col(Refund.requested_at))
        .limit(MOST)
    )
    return [DueBack._make(row) for row in await session.exec(query.where(_numbered(no)) if no else query)]


async def take(session: AsyncSession, by: Viewer, payment_id: UUID, *, now: datetime) -> Payment:
    """The buyer's cash is in hand. A second tap changes nothing.

    Raises NotFound outside the grant, NotMovable when the order no longer stands.
    """
    await may_take(session, by, payment_id)
    return await desk.take_cash(session, by, payment_id, now=now)


async def hand_back(session: AsyncSession, by: Viewer, refund_id: UUID, *, now: datetime) -> Refund:
    """The money is back in the buyer's hand. A second tap changes nothing.

    Raises NotFound outside the grant, NotMovable while a provider is sending it back, OverLimit when this person's
    cash book does not hold so much.
    """
    payment_id = (await session.exec(select(Refund.payment_id).where(Refund.id == refund_id))).one_or_none()
    if payment_id is None:
        raise NotFound("refund", str(refund_id))
    await _order_within_grant(session, by, payment_id, Role.ORGANISER, Role.ACCOUNTANT)
    return await refunds.hand_back_cash(session, by, refund_id, now=now)


async def may_take(session: AsyncSession, viewer: Viewer, payment_id: UUID) -> Order:
    """The order of a cash payment at one of this person's stops; NotFound for any other."""
    payment = await session.get(Payment, payment_id)
    if payment is None or payment.rail is not Rail.CASH:
        raise NotFound("payment", str(payment_id))
    return await _order_within_grant(session, viewer, payment_id, Role.ORGANISER)


async def _order_within_grant(session: AsyncSession, viewer: Viewer, payment_id: UUID, *over: Role) -> Order:
    query = (
        select(Order)
        .join(Payment, col(Payment.order_id) == col(Order.id))
        .join(Stop, col(Stop.id) == col(Order.stop_id))
        .where(Payment.id == payment_id, await _within_grant(session, viewer, *over))
    )
    found = (await session.exec(query)).one_or_none()
    if found is None:
        raise NotFound("payment", str(payment_id))
    return found


async def _within_grant(session: AsyncSession, viewer: Viewer, *over: Role) -> ColumnElement[bool]:
    """SQL: a clerk's own stops and unit's orders, an agent's station's division, and those of roles over a division."""
    work_units = viewer.work_unit_ids(Role.CLERK)
    codes = [code for role in over for code in viewer.division_codes(role)]
    if viewer.station_ids:
        codes += [station.division_code for station in await session.exec(stations.visible_to(viewer))]
    grants: list[ColumnElement[bool]] = [places.within(col(Stop.division_code), code) for code in codes]
    if work_units:
        grants += [col(Stop.work_unit_id).in_(work_units), col(Order.work_unit_id).in_(work_units)]
    return or_(*grants) if grants else false()


def _numbered(no: str) -> ColumnElement[bool]:
    return col(Order.no).contains(no.strip().upper(), autoescape=True)
