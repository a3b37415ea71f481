"""Stops: where and when buyers fetch what they ordered, in the words they will read."""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.delivery import stops
from market.delivery.stops import Handover, Plan, Stop
from market.ground import places
from market.ground.errors import Malformed
from market.people import units
from market.people.accounts import Viewer
from storefront import words
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.operator.asked import PAGE, AdministratorDep, AskedDep, place_options
from storefront.pages.operator.wording import reject, time_in, weekday_in
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/operator/stops"
_USUAL = {
    "cutoff_weekday": "2", "cutoff_time": "12:00", "handover_weekday": "4", "handover_from": "10:00",
    "handover_to": "11:30",
}  # fmt: skip


@router.get("/operator/stops")
async def list_stops(
    page: PageDep, session: SessionDep, viewer: AdministratorDep, asked: AskedDep, now: NowDep
) -> Response:
    """Every stop of the administrator's divisions with its next round."""
    found = (await session.exec(stops.governed_by(viewer).offset(asked.offset).limit(PAGE + 1))).all()
    shown = found[:PAGE]
    return page(
        "operator/stops.html",
        stops=shown,
        rounds={each.stop.id: words.next_round(each) for each in await stops.next_handovers(session, shown, now=now)},
        place_names=await places.names(session, {stop.division_code for stop in shown}),
        unit_names=await units.names(session, {stop.work_unit_id for stop in shown if stop.work_unit_id}),
        asked=asked,
        turns=asked.turns(_HERE, len(found)),
    )


@router.get("/operator/stops/new")
async def show_new_stop(page: PageDep, session: SessionDep, viewer: AdministratorDep) -> Response:
    """Ask for a new stop."""
    options, whose = await place_options(session, viewer), await _whose(session, viewer)
    return page("operator/stop.html", stop=None, form=Form(_USUAL, {}), places=options, whose=whose)


@router.post("/operator/stops")
async def create_stop(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep
) -> Response:
    """Open a stop."""
    form, options = await read_form(request), await place_options(session, viewer)
    whose = await _whose(session, viewer)
    place, plan = form.one_of("place", [code for code, _label in options]), _plan(form, whose)
    try:
        if form.ok:
            stop = await stops.add(session, viewer, place, plan, now=now)
            return page.redirect(f"{_HERE}/{stop.id}", ("success", _("取货点“%(name)s”已添加", name=stop.name)))
    except Malformed as error:
        reject(form, error)
    return page("operator/stop.html", status=422, stop=None, form=form, places=options, whose=whose)


@router.get("/operator/stops/{stop_id}")
async def show_stop(
    page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, stop_id: int
) -> Response:
    """One stop as buyers will read it, and all that can be changed."""
    stop = await stops.governed(session, viewer, stop_id)
    shown = {
        "name": stop.name, "address": stop.address, "work_unit_id": str(stop.work_unit_id or ""),
        "cutoff_weekday": str(stop.cutoff_weekday), "cutoff_time": f"{stop.cutoff_time:%H:%M}",
        "handover_weekday": str(stop.handover_weekday), "handover_from": f"{stop.handover_from:%H:%M}",
        "handover_to": f"{stop.handover_to:%H:%M}",
    }  # fmt: skip
    next_round = words.next_round(await _next(session, stop, now))
    return page(
        "operator/stop.html", form=Form(shown, {}), next_round=next_round, **await _about(session, viewer, stop)
    )


@router.post("/operator/stops/{stop_id}")
async def change_stop(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, stop_id: int
) -> Response:
    """Change a stop. Orders placed already keep their day."""
    form, stop = await read_form(request), await stops.governed(session, viewer, stop_id)
    known = await _about(session, viewer, stop)
    plan, before = _plan(form, known["whose"]), words.next_round(await _next(session, stop, now))
    try:
        if form.ok:
            await stops.change(session, viewer, stop_id, plan, now=now)
            return page.redirect(f"{_HERE}/{stop_id}", ("success", _("改好了")))
    except Malformed as error:
        reject(form, error)
    return page("operator/stop.html", status=422, form=form, next_round=before, **known)


@router.post("/operator/stops/{stop_id}/closure")
async def create_closure(
    page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, stop_id: int
) -> Response:
    """Take a stop out of use."""
    await stops.close(session, viewer, stop_id, now=now)
    return page.redirect(f"{_HERE}/{stop_id}", ("success", _("已停用，买的人选不到它了；已经下的单照常在这里取")))


@router.post("/operator/stops/{stop_id}/reopening")
async def create_reopening(
    page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, stop_id: int
) -> Response:
    """Take a closed stop into use again."""
    await stops.reopen(session, viewer, stop_id, now=now)
    return page.redirect(f"{_HERE}/{stop_id}", ("success", _("又可以选这个取货点了")))


async def _next(session: AsyncSession, stop: Stop, now: datetime) -> Handover:
    return (await stops.next_handovers(session, [stop], now=now))[0]


def _plan(form: Form, whose: list[tuple[str, str]]) -> Plan:
    """What the form says of a stop; what is wrong with it is noted in the form."""
    allowed = [value for value, _label in whose]
    unit_id = form.one_of("work_unit_id", allowed)
    return Plan(
        name=form.text("name", most=60, required=True),
        address=form.text("address", most=120, required=True),
        work_unit_id=int(unit_id) if unit_id and unit_id in allowed else None,
        cutoff_weekday=weekday_in(form, "cutoff_weekday"),
        cutoff_time=time_in(form, "cutoff_time"),
        handover_weekday=weekday_in(form, "handover_weekday"),
        handover_from=time_in(form, "handover_from"),
        handover_to=time_in(form, "handover_to"),
    )


async def _about(session: AsyncSession, viewer: Viewer, stop: Stop) -> dict[str, Any]:
    """What the page of a stop shows besides its form."""
    place = await places.get(session, stop.division_code)
    return {"stop": stop, "place": place, "whose": await _whose(session, viewer, stop.work_unit_id)}


async def _whose(session: AsyncSession, viewer: Viewer, now_of: int | None = None) -> list[tuple[str, str]]:
    """Who may fetch at a stop: everybody, or one of the administrator's work units, or the one it is for now."""
    own = {unit.id or 0: unit.name for unit in await session.exec(units.governed_by(viewer))}
    own |= await units.names(session, {now_of} if now_of else set())
    return [("", _("谁都可以来取")), *((str(key), _("只给%(unit)s的人", unit=name)) for key, name in own.items())]
