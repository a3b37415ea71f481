"""One's own account: name, roles, and the doors they open."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground import places
from market.people.accounts import Account, Grant, Role
from market.people.households import Household
from market.people.stations import Station
from market.people.units import WorkUnit
from storefront.deps import BuyerDep, PageDep, ProvenDep, SessionDep
from storefront.forms import read_form
from storefront.texts import gettext as _

router = APIRouter()

_DOORS = {
    Role.HOUSEHOLD: "/village",
    Role.AGENT: "/village",
    Role.MEMBER: "/",
    Role.CLERK: "/unit/cash",
    Role.OFFICER: "/desk",
    Role.ORGANISER: "/unit/cash",
    Role.ACCOUNTANT: "/desk",
    Role.ADMINISTRATOR: "/operator/people",
}


@dataclass(frozen=True)
class Hat:
    """One role of the person, over what, and the door it opens."""

    role: Role
    over: str
    door: str


@router.get("/account")
async def show_account(page: PageDep, session: SessionDep, viewer: BuyerDep) -> Response:
    """Who one is here."""
    hats = [Hat(grant.role, await _name_of(session, grant), _DOORS[grant.role]) for grant in viewer.grants]
    return page("account/account.html", hats=hats)


@router.post("/account/name")
async def change_name(request: Request, page: PageDep, session: SessionDep, viewer: ProvenDep) -> Response:
    """Be called something else on slips and lists."""
    form = await read_form(request)
    name = form.text("name", most=40, required=True)
    if form.ok:
        account = await session.get_one(Account, viewer.id)
        account.name = name
        return page.redirect("/account", ("success", _("名字已改好")))
    return page.redirect("/account", ("error", form.errors["name"]))


async def _name_of(session: AsyncSession, grant: Grant) -> str:
    """The name of what a grant is over."""
    if grant.household_id:
        return str((await session.exec(select(Household.head_name).where(Household.id == grant.household_id))).one())
    if grant.station_id:
        return str((await session.exec(select(Station.name).where(Station.id == grant.station_id))).one())
    if grant.work_unit_id:
        return str((await session.exec(select(WorkUnit.name).where(WorkUnit.id == grant.work_unit_id))).one())
    return (await places.get(session, grant.division_code or "")).name
