"""Paying an order, sending money back, and taking cash at the stop."""

from datetime import datetime
from typing import Annotated, Literal, Self, cast
from uuid import UUID

from pydantic import BaseModel, Field
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession
from typing_extensions import TypedDict

from market.people.accounts import Viewer
from market.trade import orders
from market.trade.orders import Order
from payments import cash, desk, oversight, records, refunds
from payments.records import Method, Payment, PaymentState, Refund, RefundState
from payments.refunds import Claim
from storefront.api.faults import faults, faults_of_a_change
from storefront.api.fields import Fen, Id, PathNo, PathUuid, Remark
from storefront.api.keys import CallDep, CallerDep
from storefront.api.routes import noun
from storefront.deps import GatewayDep, SessionDep, SettingsDep

router = noun("payments")


class NewPayment(BaseModel):
    """How the buyer wants to pay."""

    method: Annotated[
        Literal["alipay", "wechat_pay", "card", "cash", "transfer"],
        Field(description="One this market does not offer for the order is refused: 422 `not_offered`."),
    ]


class PayeeShown(TypedDict):
    """A bank account: name, bank and number."""

    name: str
    bank: str
    account_no: str


class NextStep(TypedDict, total=False):
    """What the payer does next: one or more of these, by method. Nothing once it is done."""

    redirect_url: Annotated[str, Field(description="Open this address (alipay, card, wechat_pay).")]
    qr_data: Annotated[str, Field(description="Show this as a QR code (wechat_pay).")]
    qr_image: Annotated[str, Field(description="The same QR code as a picture, a data: address.")]
    reference: Annotated[
        str, Field(description="Say this at the stop (cash), or write it into the transfer's remark (transfer).")
    ]
    payee: Annotated[PayeeShown, Field(description="Whose bank account to transfer to (transfer).")]


class PaymentShown(BaseModel):
    """One attempt to pay one order."""

    id: UUID
    order_no: str
    method: Method
    state: PaymentState
    amount_fen: int
    refunded_fen: Annotated[int, Field(description="What has gone back or is on its way.")]
    next: NextStep
    started_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, payment: Payment, order_no: str, refunded_fen: int) -> Self:
        """The payment for a machine."""
        step = cast("NextStep", payment.next if payment.state is PaymentState.STARTED else {})
        return cls(
            id=payment.id, order_no=order_no, method=payment.method, state=payment.state,
            amount_fen=payment.amount_fen, refunded_fen=refunded_fen, next=step, started_at=payment.started_at,
            ended_at=payment.ended_at,
        )  # fmt: skip


class NewRefund(BaseModel):
    """How much goes back, and why."""

    amount_fen: Fen
    reason: Remark
    listing_id: Annotated[
        Id | None, Field(description="The goods that are the reason: only their household gives the money back.")
    ] = None


class RefundShown(BaseModel):
    """Money going back."""

    id: UUID
    payment_id: UUID
    amount_fen: int
    reason: str
    state: RefundState
    requested_at: datetime

    @classmethod
    def of(cls, refund: Refund) -> Self:
        """The refund for a machine."""
        return cls(
            id=refund.id, payment_id=refund.payment_id, amount_fen=refund.amount_fen, reason=refund.reason,
            state=refund.state, requested_at=refund.requested_at,
        )  # fmt: skip


_PAYING = "`AlreadyPaid`: nothing more to pay. `NotMovable`: the order is expired or cancelled."
_REFUNDING = "`OverLimit`: `detail.limit` is what may still go back. `NotMovable`: it was never paid."
_TAKING = "`NotMovable`: the order no longer stands."


@router.post("/orders/{no}/payments", status_code=201, responses=faults_of_a_change(503, refused=_PAYING))
async def create_payment(
    asked: NewPayment, no: PathNo, call: CallDep, gateway: GatewayDep, settings: SettingsDep
) -> PaymentShown:
    """Start paying, or find the attempt already open. The provider's signed notice, not this call, completes it."""
    payment = await desk.start(
        call.session, gateway, call.caller, no, Method(asked.method),
        return_url=f"{settings.public_url}/orders/{no}/return", now=call.now,
    )  # fmt: skip
    return call.keep(PaymentShown.of(payment, no, 0))


@router.get("/payments/{payment_id}", responses=faults(401, 404, 422))
async def show_payment(session: SessionDep, caller: CallerDep, payment_id: PathUuid) -> PaymentShown:
    """One payment of the caller's own orders, or, for an officer, of their division."""
    payment, order = await _seen(session, caller, payment_id)
    return PaymentShown.of(payment, order.no, await records.refunded_fen(session, payment_id))


@router.post("/payments/{payment_id}/refunds", status_code=201, responses=faults_of_a_change(403, refused=_REFUNDING))
async def create_refund(asked: NewRefund, payment_id: PathUuid, call: CallDep) -> RefundShown:
    """Send money back by the way it came: for officers whose division holds the order's county."""
    await oversight.check_refund(call.session, call.caller, payment_id)
    line_id = await oversight.line_of(call.session, payment_id, asked.listing_id) if asked.listing_id else None
    claim = Claim(asked.amount_fen, asked.reason, call.caller.account_id, line_id)
    refund = await refunds.request(call.session, payment_id, claim, now=call.now)
    return call.keep(RefundShown.of(refund))


@router.post("/payments/{payment_id}/receipt", responses=faults_of_a_change(refused=_TAKING))
async def create_receipt(payment_id: PathUuid, call: CallDep) -> PaymentShown:
    """The buyer's cash is in hand: for clerks, organisers and agents at their stops. Saying it twice is harmless."""
    payment = await cash.take(call.session, call.caller, payment_id, now=call.now)
    order = await cash.may_take(call.session, call.caller, payment_id)
    return call.keep(PaymentShown.of(payment, order.no, await records.refunded_fen(call.session, payment_id)))


async def _seen(session: AsyncSession, caller: Viewer, payment_id: UUID) -> tuple[Payment, Order]:
    own = orders.visible_to(caller).join(Payment, col(Payment.order_id) == col(Order.id))
    order = (await session.exec(own.where(Payment.id == payment_id))).one_or_none()
    if order is None:
        return await oversight.seen_by(session, caller, payment_id)
    return await session.get_one(Payment, payment_id), order
