"""Payments: the list, one payment with all that happened to it, and money sent back by staff."""

from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground import idempotency
from market.ground.errors import Malformed
from market.ground.idempotency import Claim
from market.ground.money import format_yuan, parse_yuan
from market.ground.places import is_within
from market.people.accounts import Account, Role, Viewer
from market.people.units import WorkUnit
from market.trade import orders, sales
from market.trade.orders import Order
from payments import oversight, records, refunds, uses
from payments.oversight import Only
from payments.records import Payment
from storefront import bank_words
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.desk.asked import OfficerDep
from storefront.pages.desk.wording import OF_A_PAYMENT, ONLY, STATES
from storefront.texts import gettext as _

router = APIRouter()


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
    wanted, done = await _asked(session, officer, form, context, payment_id)
    if not form.ok:
        return page("desk/payment.html", status=422, form=form, **context)
    if isinstance(done, Claim):
        await refunds.request(session, payment_id, wanted, now=now)
        idempotency.keep(session, done, answer={"amount_fen": wanted.amount_fen}, now=now)
    return page.redirect(
        f"/desk/payments/{payment_id}", ("success", _("退款已受理：%(sum)s", sum=format_yuan(wanted.amount_fen)))
    )


@router.post("/desk/refunds/{refund_id}/attempts")
async def create_attempt(
    page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, refund_id: UUID
) -> Response:
    """Ask the provider once more for a refund it could not make."""
    refund = await oversight.refund_of(session, officer, refund_id)
    await refunds.try_again(session, officer, refund_id, now=now)
    return page.redirect(f"/desk/payments/{refund.payment_id}", ("success", _("已再次请收款方退款")))


async def _asked(
    session: AsyncSession, officer: Viewer, form: Form, context: dict[str, Any], payment_id: UUID
) -> tuple[refunds.Claim, Claim | dict[str, Any]]:
    """What is to go back, checked against what is left unless this very form was already carried out."""
    reason = form.text("reason", most=200, required=True)
    line = form.one_of("line", ["", *(str(part.line.id) for part in context["parts"])])
    try:
        amount_fen = parse_yuan(form.text("amount"), field="amount")
    except Malformed as error:
        form.reject_for(error)
        return refunds.Claim(0, reason), {}
    body = f"refund {payment_id} {amount_fen} {line} {reason}".encode()
    done = await idempotency.claim(session, officer.id, key=form.text("key"), body=body)
    of_line = next((part.standing_fen for part in context["parts"] if str(part.line.id) == line), context["left_fen"])
    most_fen = min(context["left_fen"], of_line)
    if isinstance(done, Claim) and amount_fen <= 0:
        form.reject("amount", "not_positive")
    elif isinstance(done, Claim) and amount_fen > most_fen:
        form.errors["amount"] = _("最多还能退 %(sum)s", sum=format_yuan(most_fen))
    return refunds.Claim(amount_fen, reason, officer.account_id, int(line) if line else None), done


async def _read(session: AsyncSession, officer: Viewer, payment_id: UUID) -> dict[str, Any]:
    payment, order = await oversight.seen_by(session, officer, payment_id)
    back = await oversight.refunds_of(session, payment_id)
    granted, lines = officer.division_codes(Role.OFFICER), await orders.lines_of(session, order.id or 0)
    theirs = [line for line in lines if any(is_within(line.division_code, code) for code in granted)]
    parts = [part for part in await sales.standing(session, order.id or 0) if part.line in theirs and part.standing_fen]
    return {
        "parts": parts if len(lines) > 1 else [],
        "line_choices": [(str(part.line.id), f"{part.line.title} {format_yuan(part.standing_fen)}") for part in parts],
        "payment": payment, "order": order, "refunds": back, "key": uuid4().hex,
        "lines": theirs, "other_count": len(lines) - len(theirs),
        "other_fen": sum(line.amount_fen for line in lines) - sum(line.amount_fen for line in theirs),
        "returned_fen": await records.refunded_fen(session, payment_id),
        "left_fen": await oversight.left_fen(session, payment),
        "may_refund": await oversight.may_refund(session, officer, payment_id),
        "notices": await oversight.notices_about(session, payment, back),
        "booked": await oversight.booked(session, officer, payment_id),
        "arrivals": await uses.arrivals(session, [payment_id]), "words_of": bank_words,
        "unit": await _unit(session, order), "taker": await _taker(session, payment),
        **OF_A_PAYMENT,
    }  # fmt: skip


async def _unit(session: AsyncSession, order: Order) -> str:
    found = await session.get(WorkUnit, order.work_unit_id) if order.work_unit_id else None
    return found.name if found else ""


async def _taker(session: AsyncSession, payment: Payment) -> str:
    found = await session.get(Account, payment.taken_by) if payment.taken_by else None
    return found.name if found else ""
