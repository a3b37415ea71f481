"""Payments: the list, one payment with all that happened to it, and money sent back by staff."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.books.ledger import Book, Reason
from market.ground import idempotency
from market.ground.errors import Malformed
from market.ground.idempotency import Claim
from market.ground.money import format_yuan, parse_yuan
from market.people.accounts import Account, Viewer
from market.people.units import WorkUnit
from market.trade import orders
from market.trade.orders import Order
from payments import oversight, refunds
from payments.oversight import Only
from payments.records import Payment, PaymentState, RefundState
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.desk.asked import OfficerDep
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

router = APIRouter()
ONLY = {
    Only.ALL: _l("全部"),
    Only.ARRIVED: _l("已到账"),
    Only.WAITING: _l("等待付款"),
    Only.RETURNED: _l("有退款"),
    Only.STUCK: _l("退款没退成"),
}
STATES = {
    PaymentState.STARTED: ("waiting", _l("等待付款")),
    PaymentState.SUCCEEDED: ("paid", _l("已到账")),
    PaymentState.FAILED: ("failed", _l("没有付成")),
    PaymentState.CANCELLED: ("cancelled", _l("已关闭")),
}
REFUND_STATES = {
    RefundState.REQUESTED: ("waiting", _l("已受理，等待退出")),
    RefundState.PENDING: ("waiting", _l("正在退")),
    RefundState.SUCCEEDED: ("refunded", _l("已退回")),
    RefundState.FAILED: ("failed", _l("没有退成")),
}
BOOKS = {
    Book.PAYABLE: _l("农户应得"),
    Book.CLEARING: _l("收到的钱"),
    Book.RETURNS: _l("待退给买家"),
    Book.FEES: _l("手续费"),
    Book.ROUNDING: _l("尾差"),
    Book.PAID_OUT: _l("已到户"),
}
REASONS = {
    Reason.SALE: _l("卖出"),
    Reason.REFUND: _l("退款"),
    Reason.UNDELIVERABLE: _l("钱到了货没了，全部退回"),
    Reason.RETURN: _l("退款到账"),
    Reason.PAYOUT: _l("到户"),
}
RAILS = {"stripe": _l("线上"), "cash": _l("现金"), "transfer": _l("转账")}


class Looked(BaseModel):
    """The address of the list."""

    model_config = ConfigDict(frozen=True)

    q: Annotated[str, Field(max_length=60)] = ""
    only: Only = Only.ALL
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def url(self, **changes: Any) -> str:
        """This address with some of it changed, on the first page if not said otherwise."""
        asked = {**self.model_dump(mode="json"), "page": 1, **changes}
        said = {key: value for key, value in asked.items() if value not in ("", 1)}
        return f"/desk/payments?{urlencode(said)}" if said else "/desk/payments"


@router.get("/desk/payments")
async def list_payments(
    page: PageDep, session: SessionDep, officer: OfficerDep, asked: Annotated[Looked, Query()]
) -> Response:
    """Payments of the division, the newest first."""
    offset = (asked.page - 1) * oversight.PAGE
    rows = await oversight.listed(session, officer, q=asked.q, only=asked.only, offset=offset)
    return page("desk/payments.html", asked=asked, rows=rows, most=oversight.PAGE, only=ONLY, states=STATES)


@router.get("/desk/payments/{payment_id}")
async def show_payment(page: PageDep, session: SessionDep, officer: OfficerDep, payment_id: UUID) -> Response:
    """One payment: amounts, the provider's word, refunds, and what it did to the books."""
    return page("desk/payment.html", form=Form({}, {}), **await _read(session, officer, payment_id))


@router.post("/desk/payments/{payment_id}/refunds")
async def create_refund(
    request: Request, page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, payment_id: UUID
) -> Response:
    """Send some of a payment back. Pressed twice it is sent once."""
    await oversight.check_refund(session, officer, payment_id)
    form = await read_form(request)
    context = await _read(session, officer, payment_id)
    amount_fen, reason, done = await _asked(session, officer, form, context["left_fen"], payment_id)
    if not form.ok:
        return page("desk/payment.html", status=422, form=form, **context)
    if isinstance(done, Claim):
        await refunds.request(session, officer, payment_id, amount_fen, reason=reason, now=now)
        idempotency.keep(session, done, answer={"amount_fen": amount_fen}, now=now)
    return page.redirect(
        f"/desk/payments/{payment_id}", ("success", _("退款已受理：%(sum)s", sum=format_yuan(amount_fen)))
    )


async def _asked(
    session: AsyncSession, officer: Viewer, form: Form, left_fen: int, payment_id: UUID
) -> tuple[int, str, Claim | dict[str, Any]]:
    """Amount and reason as typed, checked against what is left unless this very form was already carried out."""
    amount_fen, reason = 0, form.text("reason", most=200, required=True)
    try:
        amount_fen = parse_yuan(form.text("amount"), field="amount")
        body = f"refund {payment_id} {amount_fen} {reason}".encode()
        done = await idempotency.claim(session, officer.id, key=form.text("key"), body=body)
    except Malformed as error:
        form.errors.setdefault("amount" if error.field == "amount" else "reason", _("请返回上一页重新填写"))
        if error.field == "amount":
            form.errors.pop("amount")
            form.reject_for(error)
        return amount_fen, reason, {}
    if isinstance(done, Claim):
        if amount_fen <= 0:
            form.reject("amount", "not_positive")
        elif amount_fen > left_fen:
            form.errors["amount"] = _("最多还能退 %(sum)s", sum=format_yuan(left_fen))
    return amount_fen, reason, done


async def _read(session: AsyncSession, officer: Viewer, payment_id: UUID) -> dict[str, Any]:
    payment, order = await oversight.seen_by(session, officer, payment_id)
    back = await oversight.refunds_of(session, payment_id)
    return {
        "payment": payment, "order": order, "refunds": back, "key": uuid4().hex,
        "lines": await orders.lines_of(session, order.id or 0),
        "granted": tuple(grant.division_code for grant in officer.grants if grant.division_code),
        "left_fen": await oversight.left_fen(session, payment),
        "may_refund": await oversight.may_refund(session, officer, payment_id),
        "notices": await oversight.notices_about(session, payment, back),
        "booked": await oversight.booked(session, officer, payment_id),
        "unit": await _unit(session, order), "taker": await _taker(session, payment),
        "states": STATES, "refund_states": REFUND_STATES, "books": BOOKS, "reasons": REASONS, "rails": RAILS,
    }  # fmt: skip


async def _unit(session: AsyncSession, order: Order) -> str:
    found = await session.get(WorkUnit, order.work_unit_id) if order.work_unit_id else None
    return found.name if found else ""


async def _taker(session: AsyncSession, payment: Payment) -> str:
    found = await session.get(Account, payment.taken_by) if payment.taken_by else None
    return found.name if found else ""
