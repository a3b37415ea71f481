"""Refunds that go back by bank transfer: not sent by a provider but by a person, and told of by a statement's line."""

from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Index, text
from sqlmodel import Field, SQLModel, col, false, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.books.ledger import Rail
from market.ground import audit, places
from market.ground.clock import day_of
from market.ground.db import key_of, new_id
from market.ground.errors import Malformed, NotFound
from market.people.accounts import Account, Role, Viewer
from market.people.units import WorkUnit
from market.trade.orders import Order
from payments import refunds
from payments.records import Payment, Refund, RefundState

OWED = (RefundState.REQUESTED, RefundState.FAILED)
"""Decided and not gone yet, or come back from the bank."""
MOST = 200


class Remittance(SQLModel, table=True):
    """汇款: a refund a person sent by bank transfer: who recorded it, or which line told of it."""

    __tablename__ = "remittances"
    __table_args__ = (
        Index("uq_remittances_refund_id", "refund_id", unique=True, postgresql_where=text("came_back_at IS NULL")),
    )

    id: int | None = new_id()
    refund_id: UUID = Field(foreign_key="refunds.id")
    serial: str = Field(default="", max_length=64)
    """The bank's number of the transfer."""
    sent_on: date
    row_id: int | None = key_of("bank_rows.id", default=None)
    """The line of the statement, once there is one."""
    at: datetime
    account_id: int | None = key_of("accounts.id", default=None)
    came_back_at: datetime | None = None
    """When the bank had sent it back."""


class ToSend(NamedTuple):
    """A refund somebody has to send."""

    refund: Refund
    payment: Payment
    order: Order
    payer: str


def to_send(viewer: Viewer) -> Select[Refund, Payment, Order, str]:
    """Refunds of transfers in an accountant's counties that nobody has sent yet, the oldest first."""
    return (
        select(Refund, Payment, Order, WorkUnit.name)
        .join(Payment, col(Payment.id) == col(Refund.payment_id))
        .join(Order, col(Order.id) == col(Payment.order_id))
        .outerjoin(WorkUnit, col(WorkUnit.id) == col(Order.work_unit_id))
        .where(Payment.rail == Rail.TRANSFER, col(Refund.state).in_(OWED), _within(viewer))
        .order_by(col(Refund.requested_at), col(Refund.id))
    )


async def waiting(session: AsyncSession, viewer: Viewer, *, refund_id: UUID | None = None) -> list[ToSend]:
    """The same, or one of them, with the payer's name: the work unit's for its own money, else the buyer's."""
    query = to_send(viewer).limit(MOST)
    rows = (await session.exec(query.where(Refund.id == refund_id) if refund_id is not None else query)).all()
    own = {order.account_id for _refund, _payment, order, unit in rows if order.work_unit_id is None or not unit}
    people = await session.exec(select(Account.id, Account.name).where(col(Account.id).in_(own)))
    names = dict(people.all())
    return [
        ToSend(refund, payment, order, unit or names.get(order.account_id, "")) for refund, payment, order, unit in rows
    ]


async def record(
    session: AsyncSession, by: Viewer, refund_id: UUID, *, serial: str, sent_on: date, now: datetime
) -> Refund:
    """A person has sent it and copied the bank's number. Twice is once.

    Raises NotFound outside the counties, Malformed (`missing` number, a day that has not come), NotMovable.
    """
    if not serial.strip():
        raise Malformed("serial", "missing")
    if sent_on > day_of(now):
        raise Malformed("sent_on", "not_yet", sent_on.isoformat())
    known = select(Refund.id).join(Payment, col(Payment.id) == col(Refund.payment_id))
    known = known.join(Order, col(Order.id) == col(Payment.order_id)).where(Refund.id == refund_id, _within(by))
    if (await session.exec(known)).one_or_none() is None:
        raise NotFound("refund", str(refund_id))
    sent = Remittance(
        refund_id=refund_id, serial=serial.strip()[:64], sent_on=sent_on, at=now, account_id=by.account_id
    )
    refund = await send(session, sent, now=now)
    said = f"{serial.strip()} {sent_on.isoformat()}"
    audit.note(session, by.account_id, "send_refund", subject=f"refund:{refund_id}", note=said, now=now)
    return refund


async def send(session: AsyncSession, sent: Remittance, *, now: datetime) -> Refund:
    """It went: by hand, or as a line tells. A line about one recorded by hand is only noted beside it."""
    refund = await refunds.lock(session, sent.refund_id)
    known = await of_refund(session, sent.refund_id)
    if known is not None:
        if known.row_id is None:
            known.row_id, known.serial = sent.row_id, known.serial or sent.serial
        return refund
    await refunds.send_by_transfer(session, refund.id, by=sent.account_id, bank_row_id=sent.row_id, now=now)
    session.add(sent)
    return refund


async def take_back(session: AsyncSession, went: Remittance, *, row_id: int, by: int | None, now: datetime) -> None:
    """The bank sent it back, as a line tells: it is owed again. Expects the refund locked."""
    await refunds.come_back(session, went.refund_id, by=by, bank_row_id=row_id, now=now)
    went.came_back_at = now


async def of_refund(session: AsyncSession, refund_id: UUID) -> Remittance | None:
    """The transfer by which a refund went, unless it came back."""
    went = select(Remittance).where(Remittance.refund_id == refund_id, col(Remittance.came_back_at).is_(None))
    return (await session.exec(went)).one_or_none()


def _within(viewer: Viewer) -> ColumnElement[bool]:
    own = [places.within(col(Order.county_code), code) for code in viewer.division_codes(Role.ACCOUNTANT)]
    return or_(*own) if own else false()
