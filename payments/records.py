"""What is written down about money on its way: payments, refunds and providers' notices."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.books.ledger import Book, Leg, Rail
from market.ground.db import choice, fen, key_of
from market.ground.errors import NotFound
from market.trade import orders
from market.trade.orders import Order


class Method(StrEnum):
    """What the buyer taps."""

    ALIPAY = "alipay"
    WECHAT_PAY = "wechat_pay"
    CARD = "card"
    CASH = "cash"
    TRANSFER = "transfer"

    @property
    def rail(self) -> Rail:
        """The rail its money travels by."""
        return {Method.CASH: Rail.CASH, Method.TRANSFER: Rail.TRANSFER}.get(self, Rail.STRIPE)

    @property
    def is_promise(self) -> bool:
        """Whether the buyer gives a word now and the money later, past any provider."""
        return self.rail is not Rail.STRIPE


class PaymentState(StrEnum):
    """Where a payment is."""

    STARTED = "started"
    """Waiting for the payer, or for the cash at the stop."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class RefundState(StrEnum):
    """Where a refund is."""

    REQUESTED = "requested"
    """Decided and posted; not yet handed to the provider or to the buyer."""
    PENDING = "pending"
    """The provider is at it."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    """The provider could not: still owed. A person has it tried again or hands the money back."""


class Payment(SQLModel, table=True):
    """付款: one attempt to pay one order."""

    __tablename__ = "payments"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        Index("uq_payments_open", "order_id", "method", unique=True, postgresql_where=text("state = 'started'")),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    order_id: int = key_of("orders.id", index=True)
    method: Method = choice(Method, name="method")
    rail: Rail = choice(Rail, name="rail")
    amount_fen: int = fen()
    state: PaymentState = choice(PaymentState, name="state", default=PaymentState.STARTED)
    provider_id: str | None = Field(default=None, max_length=120, unique=True)
    """The provider's object the payer sees: a payment intent or a hosted checkout."""
    charge_key: str | None = Field(default=None, max_length=120, unique=True)
    """The provider's payment intent once money moved: refunds name it."""
    reference: str | None = Field(default=None, max_length=12, unique=True)
    """What the payer of a transfer writes into its remark."""
    next: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)
    """What the payer does next: `redirect_url`, `qr_data`, or `reference` and, for a transfer, `payee`."""
    started_at: datetime
    started_by: int = key_of("accounts.id")
    taken_by: int | None = key_of("accounts.id", default=None)
    """Who took the cash."""
    ended_at: datetime | None = None

    @property
    def came(self) -> Leg:
        """Its money in the books: cash in its holder's hand; a transfer was booked when the statement told of it."""
        book = Book.UNASSIGNED if self.rail is Rail.TRANSFER else Book.CLEARING
        holder_id = self.taken_by if self.rail is Rail.CASH else None
        return Leg(book, -self.amount_fen, rail=self.rail, holder_id=holder_id)


class Refund(SQLModel, table=True):
    """退款: money going back by the rail it came."""

    __tablename__ = "refunds"
    __table_args__ = (CheckConstraint("amount_fen > 0", name="amount_fen"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    payment_id: UUID = Field(foreign_key="payments.id", index=True)
    amount_fen: int = fen()
    reason: str = Field(max_length=200)
    state: RefundState = choice(RefundState, name="state", default=RefundState.REQUESTED)
    provider_id: str | None = Field(default=None, max_length=120, unique=True)
    requested_at: datetime
    requested_by: int | None = key_of("accounts.id", default=None)
    ended_at: datetime | None = None
    failure: str = Field(default="", max_length=80)
    attempt: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """How often the provider was asked anew after it could not."""


class Notice(SQLModel, table=True):
    """通知: a provider's message, recorded once under the provider's own id."""

    __tablename__ = "notices"

    id: str = Field(primary_key=True, max_length=120)
    kind: str = Field(max_length=80)
    object_id: str = Field(max_length=120, index=True)
    payment_id: UUID | None = Field(default=None, index=True)
    """The payment it is about, itself or by its refund; none where it is not about ours."""
    received_at: datetime
    outcome: str = Field(default="", max_length=40)
    body: dict[str, Any] = Field(default_factory=dict, sa_type=JSONB)


def of_order(order_id: int) -> SelectOfScalar[Payment]:
    """Every attempt to pay an order, in order."""
    return select(Payment).where(Payment.order_id == order_id).order_by(col(Payment.started_at))


async def promised(session: AsyncSession, order_ids: list[int]) -> dict[int, list[Payment]]:
    """Of several orders, the promises to pay that are still waited for, in order."""
    given = (
        select(Payment)
        .where(
            col(Payment.order_id).in_(order_ids),
            Payment.state == PaymentState.STARTED,
            col(Payment.rail) != Rail.STRIPE,
        )
        .order_by(col(Payment.started_at))
    )
    found: dict[int, list[Payment]] = {}
    for payment in await session.exec(given):
        found.setdefault(payment.order_id, []).append(payment)
    return found


def refunds_of_order(order_id: int) -> SelectOfScalar[Refund]:
    """Every refund of an order, in order."""
    return (
        select(Refund)
        .join(Payment, col(Payment.id) == col(Refund.payment_id))
        .where(Payment.order_id == order_id)
        .order_by(col(Refund.requested_at))
    )


async def payment_of(session: AsyncSession, order_id: int, payment_id: UUID) -> Payment:
    """A payment of this order; NotFound for any other."""
    found = await session.get(Payment, payment_id)
    if found is None or found.order_id != order_id:
        raise NotFound("payment", str(payment_id))
    return found


async def payment_behind(session: AsyncSession, payment_id: UUID | None, refund_id: UUID | None) -> UUID | None:
    """The payment of ours that the provider's notes name, themselves or by its refund."""
    refund = await session.get(Refund, refund_id) if refund_id else None
    named = refund.payment_id if refund else payment_id
    payment = await session.get(Payment, named) if named else None
    return payment.id if payment else None


async def lock(session: AsyncSession, payment_id: UUID) -> tuple[Payment, Order]:
    """A payment and its order, held until the transaction ends: order, then payments, then stock, always."""
    order_id = (await session.exec(select(Payment.order_id).where(Payment.id == payment_id))).one_or_none()
    if order_id is None:
        raise NotFound("payment", str(payment_id))
    order = await orders.lock(session, order_id)
    return next(found for found in await lock_all(session, order) if found.id == payment_id), order


async def lock_all(session: AsyncSession, order: Order) -> list[Payment]:
    """Every attempt to pay a locked order, held with it."""
    found = of_order(order.id or 0).with_for_update(key_share=True).execution_options(populate_existing=True)
    return list(await session.exec(found))


async def refunded_fen(session: AsyncSession, payment_id: UUID) -> int:
    """What has gone back of a payment or is owed back, a failed attempt included. Read under the payment's lock."""
    total = select(func.coalesce(func.sum(col(Refund.amount_fen)), 0)).where(Refund.payment_id == payment_id)
    return int((await session.exec(total)).one())
