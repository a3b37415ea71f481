"""Households: found by number, name or village; each may be given a login of its own."""

from typing import Any

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground import places
from market.ground.errors import Malformed
from market.people import grants, registers
from market.people.accounts import Viewer, parse_phone
from market.people.stations import Station
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.operator.asked import PAGE, AdministratorDep, AskedDep
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/operator/households"


@router.get("/operator/households")
async def list_households(page: PageDep, session: SessionDep, viewer: AdministratorDep, asked: AskedDep) -> Response:
    """The register: who lives where, by which station they are served, and whether they sign in themselves."""
    found = await registers.listed(session, viewer, q=asked.text, offset=asked.offset, limit=PAGE + 1)
    return page(
        "operator/households.html",
        homes=found[:PAGE],
        total=await registers.count(session, viewer),
        asked=asked,
        turns=asked.turns(_HERE, len(found)),
    )


@router.get("/operator/households/{household_id}")
async def show_household(page: PageDep, session: SessionDep, viewer: AdministratorDep, household_id: int) -> Response:
    """One household and its logins."""
    return page("operator/household.html", form=Form({}, {}), **await _about(session, viewer, household_id))


@router.post("/operator/households/{household_id}/logins")
async def create_login(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, household_id: int
) -> Response:
    """Let a phone sell for this household. Sent twice, it is one login."""
    form, about = await read_form(request), await _about(session, viewer, household_id)
    name, phone = form.text("name", most=40, required=True), ""
    try:
        phone = parse_phone(form.text("phone"))
    except Malformed as error:
        form.reject_for(error)
    if not form.ok:
        return page("operator/household.html", status=422, form=form, **about)
    await grants.give_login(session, viewer, household_id, phone=phone, name=name, now=now)
    return page.redirect(
        f"{_HERE}/{household_id}", ("success", _("%(name)s 现在可以用这个手机号登录卖货了", name=name))
    )


@router.post("/operator/households/{household_id}/logins/{grant_id}/ending")
async def create_ending(
    page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, household_id: int, grant_id: int
) -> Response:
    """Take a household's login back at once; its goods and orders stay."""
    await grants.end_login(session, viewer, household_id, grant_id, now=now)
    return page.redirect(f"{_HERE}/{household_id}", ("success", _("已收回，马上生效")))


async def _about(session: AsyncSession, viewer: Viewer, household_id: int) -> dict[str, Any]:
    home = await registers.entered(session, viewer, household_id)
    return {
        "home": home,
        "path": [place.name for place in await places.path(session, home.division_code)][-2:],
        "station": await session.get(Station, home.station_id) if home.station_id else None,
        "logins": await grants.logins(session, viewer, household_id),
    }
