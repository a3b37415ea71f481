"""Payees of record as accountants see them: entered by an administrator, confirmed here against the bank's paper."""

from fastapi import APIRouter
from starlette.responses import Response

from market.ground import places
from market.ground.errors import NotAllowed, NotMovable
from market.people import accounts
from payments import payees
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain
from storefront.pages.desk.statements import AccountantDep
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/desk/payees"
_MOST = 100


@router.get("/desk/payees")
async def list_payees(page: PageDep, session: SessionDep, accountant: AccountantDep) -> Response:
    """Whom buyers transfer to, whom they are to, and whom they did."""
    found = list(await session.exec(payees.visible_to(accountant).limit(_MOST)))
    people = {who for each in found for who in (each.entered_by, each.confirmed_by, each.closed_by) if who}
    return page(
        "desk/payees.html", rows=found, people=await accounts.names(session, people),
        places=await places.names(session, {each.county_code for each in found}),
    )  # fmt: skip


@router.post("/desk/payees/{payee_id}/confirmation")
async def create_confirmation(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, payee_id: int
) -> Response:
    """It is what the bank's paper says: from now on buyers are shown it."""
    try:
        await payees.confirm(session, accountant, payee_id, now=now)
    except NotAllowed as error:
        raise StartAgain(_HERE, "warning", _("您自己登记的账户，要由另一位会计确认。")) from error
    except NotMovable as error:
        raise StartAgain(_HERE, "info", _("这个账户已经停用或者换掉了。")) from error
    return page.redirect(_HERE, ("success", _("确认了。从现在起，买的人转账就转到这个账户。")))


@router.post("/desk/payees/{payee_id}/refusal")
async def create_refusal(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, payee_id: int
) -> Response:
    """It is not what the bank's paper says: it never holds."""
    try:
        await payees.turn_down(session, accountant, payee_id, now=now)
    except NotMovable as error:
        raise StartAgain(_HERE, "warning", _("这个账户已经在用了，要停用请找管理员。")) from error
    return page.redirect(_HERE, ("success", _("没有确认。管理员可以重新登记。")))
