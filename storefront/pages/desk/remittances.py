"""Refunds that go back by bank transfer: what is to be sent, to whom, and the bank's number once it went."""

from datetime import date
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound, NotMovable
from market.ground.money import format_yuan
from market.people.accounts import Viewer
from payments import remittances, uses
from storefront import words
from storefront.capitals import capitals
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain
from storefront.forms import Form, read_form
from storefront.pages.desk.statements import AccountantDep
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/desk/remittances"


@router.get("/desk/remittances")
async def list_remittances(page: PageDep, session: SessionDep, accountant: AccountantDep) -> Response:
    """What is owed to buyers who paid by transfer and nobody has sent yet, the oldest first."""
    rows = await remittances.waiting(session, accountant)
    return page(
        "desk/remittances.html", rows=rows, all_fen=sum(row.refund.amount_fen for row in rows),
        most=remittances.MOST, reason=words.refund_reason,
    )  # fmt: skip


@router.get("/desk/remittances/{refund_id}")
async def show_remittance(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, refund_id: UUID
) -> Response:
    """One of them, with all that the bank's form asks for."""
    form = Form({"sent_on": day_of(now).isoformat()}, {})
    return page("desk/remittance.html", form=form, **await _read(session, accountant, refund_id))


@router.post("/desk/remittances/{refund_id}")
async def create_remittance(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, refund_id: UUID
) -> Response:
    """It was sent: here is the bank's number. The same twice is once."""
    form = await read_form(request)
    serial, sent_on = form.text("serial", most=64, required=True), _day(form)
    try:
        if form.ok:
            refund = await remittances.record(session, accountant, refund_id, serial=serial, sent_on=sent_on, now=now)
            said = _("记下了：退款 %(money)s 已经转出。", money=format_yuan(refund.amount_fen))
            return page.redirect(_HERE, ("success", said))
    except Malformed as error:
        form.reject_for(error)
    except NotMovable as error:
        raise StartAgain(_HERE, "info", _("这笔退款已经办过了。")) from error
    return page("desk/remittance.html", status=422, form=form, **await _read(session, accountant, refund_id))


def _day(form: Form) -> date:
    try:
        return date.fromisoformat(form.text("sent_on"))
    except ValueError:
        form.reject("sent_on", "not_a_day")
        return date.min


async def _read(session: AsyncSession, accountant: Viewer, refund_id: UUID) -> dict[str, Any]:
    found = await remittances.waiting(session, accountant, refund_id=refund_id)
    if not found:
        raise NotFound("refund", str(refund_id))
    (row,) = found
    came = [arrival.row for arrival in await uses.arrivals(session, [row.payment.id]) if arrival.row.came]
    return {
        "row": row, "came": came, "capitals": capitals(row.refund.amount_fen),
        "reason": words.refund_reason(row.refund.reason),
    }  # fmt: skip
