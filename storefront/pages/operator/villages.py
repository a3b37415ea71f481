"""Villages and the stations that serve them: all households of a village are given to a station at once."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.ground.places import Level
from market.people import precincts, registers, stations
from market.people.registers import Settlement
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.operator.asked import AdministratorDep
from storefront.texts import gettext as _

router = APIRouter()
_NOBODY = "none"
_TICK = "village-"


@router.get("/operator/villages")
async def list_villages(page: PageDep, session: SessionDep, viewer: AdministratorDep, township: str = "") -> Response:
    """The villages of one township: how many households, and which stations serve them."""
    return await _show(page, session, viewer, township, Form({}, {}))


@router.post("/operator/villages/assignments")
async def create_assignment(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep
) -> Response:
    """Every household of the ticked villages belongs to the chosen station from now on."""
    form = await read_form(request)
    township = form.text("township")
    own = {str(station.id): station for station in await session.exec(stations.governed_by(viewer))}
    chosen = form.one_of("station_id", [*own, _NOBODY])
    known = await registers.settlements(session, viewer, township)
    villages = [place.code for place in known if f"{_TICK}{place.code}" in form.values]
    if not villages:
        form.errors["village"] = _("请至少选一个村")
    if not form.ok:
        return await _show(page, session, viewer, township, form)
    station_id = own[chosen].id if chosen in own else None
    moved = await stations.assign_villages(session, viewer, villages, station_id, now=now)
    said = _("%(villages)s 个村分好了，%(households)s 户换了服务站", villages=len(villages), households=moved)
    return page.redirect(f"/operator/villages?township={township}", ("success", said))


async def _show(page: PageDep, session: SessionDep, viewer: AdministratorDep, township: str, form: Form) -> Response:
    townships = [
        place for place in await precincts.divisions(session, viewer) if len(place.code) == Level.TOWNSHIP
    ]  # fmt: skip
    known: list[Settlement] = []
    if townships:
        township = township or townships[0].code
        known = await registers.settlements(session, viewer, township)
    own = (await session.exec(stations.governed_by(viewer))).all()
    return page(
        "operator/villages.html",
        status=200 if form.ok else 422,
        form=form,
        township=township,
        townships=[(place.code, place.name) for place in townships],
        villages=known,
        stations=[*((station.id, station.name) for station in own), (_NOBODY, _("不归服务站管"))],
        has_stations=bool(own),
    )
