"""Stations: where agents help households. Set up here, then given their villages and their agents."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.ground import places
from market.ground.errors import Malformed
from market.ground.places import Level
from market.people import stations
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.operator.asked import PAGE, AdministratorDep, AskedDep, place_options
from storefront.pages.operator.wording import phone_in, reject
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/operator/stations"


@router.get("/operator/stations")
async def list_stations(page: PageDep, session: SessionDep, viewer: AdministratorDep, asked: AskedDep) -> Response:
    """Every station of the administrator's divisions with how many households it serves."""
    found = (await session.exec(stations.governed_by(viewer).offset(asked.offset).limit(PAGE + 1))).all()
    shown = found[:PAGE]
    return page(
        "operator/stations.html",
        stations=shown,
        place_names=await places.names(session, {station.division_code for station in shown}),
        counts=await stations.household_counts(session, [station.id or 0 for station in shown]),
        asked=asked,
        turns=asked.turns(_HERE, len(found)),
    )


@router.get("/operator/stations/new")
async def show_new_station(page: PageDep, session: SessionDep, viewer: AdministratorDep) -> Response:
    """Ask for a new station."""
    options = await place_options(session, viewer, deepest=Level.VILLAGE)
    return page("operator/station.html", station=None, form=Form({}, {}), places=options)


@router.post("/operator/stations")
async def create_station(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep
) -> Response:
    """Set up a station."""
    form = await read_form(request)
    options = await place_options(session, viewer, deepest=Level.VILLAGE)
    name, phone = form.text("name", most=60, required=True), phone_in(form)
    place = form.one_of("place", [code for code, _label in options])
    try:
        if form.ok:
            await stations.add(session, viewer, name=name, division_code=place, phone=phone, now=now)
            return page.redirect(_HERE, ("success", _("服务站“%(name)s”已添加", name=name)))
    except Malformed as error:
        reject(form, error)
    return page("operator/station.html", status=422, station=None, form=form, places=options)


@router.get("/operator/stations/{station_id}")
async def show_station(page: PageDep, session: SessionDep, viewer: AdministratorDep, station_id: int) -> Response:
    """One station, to be renamed or given another phone."""
    station = await stations.governed(session, viewer, station_id)
    form = Form({"name": station.name, "phone": station.phone}, {})
    return page(
        "operator/station.html", station=station, form=form, place=await places.get(session, station.division_code)
    )


@router.post("/operator/stations/{station_id}")
async def change_station(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, station_id: int
) -> Response:
    """Rename a station, or give it another phone."""
    form, station = await read_form(request), await stations.governed(session, viewer, station_id)
    name, phone = form.text("name", most=60, required=True), phone_in(form)
    try:
        if form.ok:
            await stations.change(session, viewer, station_id, name=name, phone=phone, now=now)
            return page.redirect(_HERE, ("success", _("改好了")))
    except Malformed as error:
        reject(form, error)
    place = await places.get(session, station.division_code)
    return page("operator/station.html", status=422, station=station, form=form, place=place)
