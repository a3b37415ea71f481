"""Payees of record: entered here from the bank's paper, shown to buyers once an accountant has confirmed them."""

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground import places
from market.ground.errors import Malformed
from market.ground.places import Level
from market.people import accounts, precincts
from market.people.accounts import Viewer
from payments import payees
from payments.payees import Details, Payee
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.operator.asked import PAGE, AdministratorDep, AskedDep
from storefront.pages.operator.wording import reject
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/operator/payees"


@router.get("/operator/payees")
async def list_payees(page: PageDep, session: SessionDep, viewer: AdministratorDep, asked: AskedDep) -> Response:
    """Whom buyers transfer to, whom they are to, and whom they did."""
    found = (await session.exec(payees.governed_by(viewer).offset(asked.offset).limit(PAGE + 1))).all()
    shown = found[:PAGE]
    return page(
        "operator/payees.html",
        payees=shown,
        place_names=await places.names(session, {payee.county_code for payee in shown}),
        people=await _people(session, list(shown)),
        asked=asked,
        turns=asked.turns(_HERE, len(found)),
    )


@router.get("/operator/payees/new")
async def show_new_payee(page: PageDep, session: SessionDep, viewer: AdministratorDep) -> Response:
    """Ask for a county's payee."""
    return page("operator/new_payee.html", form=Form({}, {}), counties=await _counties(session, viewer))


@router.post("/operator/payees")
async def create_payee(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep
) -> Response:
    """Enter a payee. Buyers are shown it only after an accountant has confirmed it."""
    form, counties = await read_form(request), await _counties(session, viewer)
    county = form.one_of("county", [code for code, _name in counties])
    details = Details(
        form.text("name", most=80, required=True), form.text("bank", most=80, required=True),
        form.text("account_no", most=50, required=True),
    )  # fmt: skip
    try:
        if form.ok:
            await payees.enter(session, viewer, county, details, now=now)
            return page.redirect(_HERE, ("success", _("已登记。会计对着开户证明确认以后，买的人才看得到。")))
    except Malformed as error:
        reject(form, error)
    return page("operator/new_payee.html", status=422, form=form, counties=counties)


@router.post("/operator/payees/{payee_id}/closure")
async def create_closure(
    page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, payee_id: int
) -> Response:
    """Show a payee to nobody any more; money on its way to it still counts."""
    await payees.close(session, viewer, payee_id, now=now)
    return page.redirect(_HERE, ("success", _("已停用，马上生效。已经在路上的转账照样会对上。")))


async def _counties(session: AsyncSession, viewer: Viewer) -> list[tuple[str, str]]:
    found = await precincts.divisions(session, viewer, deepest=Level.COUNTY)
    return [(place.code, place.name) for place in found if len(place.code) == Level.COUNTY]


async def _people(session: AsyncSession, shown: list[Payee]) -> dict[int, str]:
    """Who entered and confirmed, by account."""
    ids = {who for payee in shown for who in (payee.entered_by, payee.confirmed_by, payee.closed_by) if who}
    return await accounts.names(session, ids)
