"""Slaughter points: where households may have animals killed and inspected. Without one no mutton can be sold."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.goods import slaughter_points
from market.ground import places
from market.ground.errors import Malformed
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.operator.asked import PAGE, AdministratorDep, AskedDep, place_options
from storefront.pages.operator.wording import reject
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/operator/slaughter-points"


@router.get("/operator/slaughter-points")
async def list_points(page: PageDep, session: SessionDep, viewer: AdministratorDep, asked: AskedDep) -> Response:
    """Every point of the administrator's divisions."""
    query = slaughter_points.governed_by(viewer).offset(asked.offset).limit(PAGE + 1)
    found = (await session.exec(query)).all()
    names = await places.names(session, {point.division_code for point in found})
    return page(
        "operator/slaughter_points.html", points=found[:PAGE], place_names=names, asked=asked,
        turns=asked.turns(_HERE, len(found)),
    )  # fmt: skip


@router.get("/operator/slaughter-points/new")
async def show_new_point(page: PageDep, session: SessionDep, viewer: AdministratorDep) -> Response:
    """Ask for a new point."""
    options = await place_options(session, viewer)
    return page("operator/slaughter_point.html", point=None, form=Form({}, {}), places=options)


@router.post("/operator/slaughter-points")
async def create_point(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep
) -> Response:
    """Add a point."""
    form, options = await read_form(request), await place_options(session, viewer)
    place, said = form.one_of("place", [code for code, _label in options]), _said(form)
    try:
        if form.ok:
            point = await slaughter_points.add(session, viewer, place, **said, now=now)
            return page.redirect(_HERE, ("success", _("屠宰点“%(name)s”已添加", name=point.name)))
    except Malformed as error:
        reject(form, error)
    return page("operator/slaughter_point.html", status=422, point=None, form=form, places=options)


@router.get("/operator/slaughter-points/{code}")
async def show_point(page: PageDep, session: SessionDep, viewer: AdministratorDep, code: str) -> Response:
    """One point and what can be changed about it."""
    point = await slaughter_points.governed(session, viewer, code)
    form = Form({"name": point.name, "address": point.address}, {})
    return page("operator/slaughter_point.html", point=point, form=form)


@router.post("/operator/slaughter-points/{code}")
async def change_point(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, code: str
) -> Response:
    """Another name or address."""
    form, point = await read_form(request), await slaughter_points.governed(session, viewer, code)
    said = _said(form)
    try:
        if form.ok:
            await slaughter_points.change(session, viewer, code, **said, now=now)
            return page.redirect(f"{_HERE}/{code}", ("success", _("改好了")))
    except Malformed as error:
        reject(form, error)
    return page("operator/slaughter_point.html", status=422, point=point, form=form)


@router.post("/operator/slaughter-points/{code}/closure")
async def create_closure(
    page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, code: str
) -> Response:
    """Nobody can choose it from now on."""
    await slaughter_points.close(session, viewer, code, now=now)
    return page.redirect(f"{_HERE}/{code}", ("success", _("已停用，农户选不到它了")))


@router.post("/operator/slaughter-points/{code}/reopening")
async def create_reopening(
    page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep, code: str
) -> Response:
    """It can be chosen again."""
    await slaughter_points.reopen(session, viewer, code, now=now)
    return page.redirect(f"{_HERE}/{code}", ("success", _("又可以选这个屠宰点了")))


def _said(form: Form) -> dict[str, Any]:
    return {"name": form.text("name", most=40, required=True), "address": form.text("address", most=120)}
