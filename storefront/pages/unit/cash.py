"""Cash at the stop: taking it when goods are handed over, and handing it back."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from market.ground.errors import OverLimit
from market.ground.money import format_yuan
from market.people.accounts import Role, Viewer
from market.trade.orders import OrderState
from payments import cash
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain, require
from storefront.texts import gettext as _

router = APIRouter()
CashierDep = Annotated[Viewer, Depends(require(Role.CLERK, Role.ORGANISER, Role.AGENT))]
_MOST_NO = 20


def too_little(error: OverLimit) -> str:
    """The hand is emptier than what is to go out of it."""
    return _(
        "您的现金账上能用的只有 %(money)s，不够退，没有记。收了还没记的先记上；还不够，请会计交给您，或者由会计退。",
        money=format_yuan(error.limit),
    )


@router.get("/unit")
async def show_unit(page: PageDep, _cashier: CashierDep) -> Response:
    """The unit's first page."""
    return page.redirect("/unit/cash")


@router.get("/unit/cash")
async def list_cash(
    page: PageDep, session: SessionDep, cashier: CashierDep, q: Annotated[str, Query(max_length=_MOST_NO)] = ""
) -> Response:
    """Orders to be paid in cash, and cash to hand back, at this person's stops."""
    due = await cash.due_at(session, cashier, no=q)
    back = await cash.due_back_at(session, cashier, no=q)
    return page("unit/cash.html", due=due, back=back, q=q, total_fen=sum(each.payment.amount_fen for each in due))


@router.post("/unit/cash/{payment_id}/receipt")
async def create_receipt(
    page: PageDep, session: SessionDep, cashier: CashierDep, now: NowDep, payment_id: UUID
) -> Response:
    """The cash is in hand."""
    order = await cash.may_take(session, cashier, payment_id)
    was_paid = order.state is OrderState.PAID
    payment = await cash.take(session, cashier, payment_id, now=now)
    if was_paid:
        return page.redirect("/unit/cash", ("info", _("订单 %(no)s 的现金已经记过了，没有重复记。", no=order.no)))
    said = _(
        "已记下：订单 %(no)s 收到现金 %(money)s。记下后不能撤销；记错了，请让局里工作人员办退款。",
        no=order.no, money=format_yuan(payment.amount_fen),
    )  # fmt: skip
    return page.redirect("/unit/cash", ("success", said))


@router.post("/unit/cash/refunds/{refund_id}/receipt")
async def create_refund_receipt(
    page: PageDep, session: SessionDep, cashier: CashierDep, now: NowDep, refund_id: UUID
) -> Response:
    """The cash is back in the buyer's hand."""
    try:
        refund = await cash.hand_back(session, cashier, refund_id, now=now)
    except OverLimit as error:
        raise StartAgain("/unit/cash", "warning", too_little(error)) from error
    said = _("已记下：退还现金 %(money)s。记下后不能撤销。", money=format_yuan(refund.amount_fen))
    return page.redirect("/unit/cash", ("success", said))
