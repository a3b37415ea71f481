"""Work units: whose people buy. Entered here, then given their clerks and members."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.ground import places
from market.ground.errors import Malformed
from market.people import units
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.operator.asked import PAGE, AdministratorDep, AskedDep, place_options
from storefront.pages.operator.wording import reject
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/operator/units"


@router.get("/operator/units")
async def list_work_units(page: PageDep, session: SessionDep, viewer: AdministratorDep, asked: AskedDep) -> Response:
    """Every work unit of the administrator's divisions."""
    found = (await session.exec(units.governed_by(viewer).offset(asked.offset).limit(PAGE + 1))).all()
    shown = found[:PAGE]
    return page(
        "operator/units.html",
        units=shown,
        place_names=await places.names(session, {unit.division_code for unit in shown}),
        counts=await units.people_counts(session, [unit.id or 0 for unit in shown]),
        asked=asked,
        turns=asked.turns(_HERE, len(found)),
    )


@router.get("/operator/units/new")
async def show_new_work_unit(page: PageDep, session: SessionDep, viewer: AdministratorDep) -> Response:
    """Ask for a new work unit."""
    return page("operator/unit.html", unit=None, form=Form({}, {}), places=await place_options(session, viewer))


@router.post("/operator/units")
async def create_work_unit(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep
) -> Response:
    """Enter a work unit."""
    form, options = await read_form(request), await place_options(session, viewer)
    name, short = _names(form)
    place = form.one_of("place", [code for code, _label in options])
    try:
        if form.ok:
            await units.add(session, viewer, name=name, short_name=short, division_code=place, now=now)
            return page.redirect(_HERE, ("success", _("单位“%(name)s”已添加", name=name)))
    except Malformed as error:
        reject(form, error)
    return page("operator/unit.html", status=422, unit=None, form=form, places=options)


@router.get("/operator/units/{work_unit_id}")
async def show_work_unit(page: PageDep, session: SessionDep, viewer: AdministratorDep, work_unit_id: int) -> Response:
    """One work unit, to be renamed."""
    unit = await units.governed(session, viewer, work_unit_id)
    form = Form({"name": unit.name, "short_name": unit.short_name}, {})
    return page("operator/unit.html", unit=unit, form=form, place=await places.get(session, unit.division_code))


@router.post("/operator/units/{work_unit_id}")
async def change_work_unit(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, work_unit_id: int
) -> Response:
    """Give a work unit other names."""
    form, unit = await read_form(request), await units.governed(session, viewer, work_unit_id)
    name, short = _names(form)
    try:
        if form.ok:
            await units.rename(session, viewer, work_unit_id, name=name, short_name=short, now=now)
            return page.redirect(_HERE, ("success", _("改好了")))
    except Malformed as error:
        reject(form, error)
    place = await places.get(session, unit.division_code)
    return page("operator/unit.html", status=422, unit=unit, form=form, place=place)


def _names(form: Form) -> tuple[str, str]:
    return form.text("name", most=80, required=True), form.text("short_name", most=20, required=True)
