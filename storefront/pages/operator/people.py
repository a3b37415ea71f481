"""People and their roles: an administrator gives and ends grants inside their own division."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.ground.errors import Malformed
from market.people import grants
from market.people.accounts import parse_phone
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.operator.asked import PAGE, AdministratorDep, AskedDep
from storefront.texts import gettext as _

router = APIRouter()


@router.get("/operator")
async def show_operator(page: PageDep, viewer: AdministratorDep) -> Response:  # noqa: ARG001  the door's guard
    """The door opens at the people."""
    return page.redirect("/operator/people")


@router.get("/operator/people")
async def list_people(page: PageDep, session: SessionDep, viewer: AdministratorDep, asked: AskedDep) -> Response:
    """Everyone who holds a role in the administrator's division."""
    found = await grants.held(session, viewer, q=asked.text, offset=asked.offset, limit=PAGE + 1)
    turns = asked.turns("/operator/people", len(found))
    return page("operator/people.html", held=found[:PAGE], asked=asked, turns=turns)


@router.get("/operator/people/new")
async def show_new_grant(page: PageDep, session: SessionDep, viewer: AdministratorDep) -> Response:
    """Ask whom to give which role over what."""
    return page("operator/new_grant.html", form=Form({}, {}), choices=await grants.choices(session, viewer))


@router.post("/operator/people")
async def create_grant(
    request: Request, page: PageDep, session: SessionDep, viewer: AdministratorDep, now: NowDep
) -> Response:
    """Give a role. The person signs in with that phone; nothing is sent to them."""
    form = await read_form(request)
    name = form.text("name", most=40, required=True)
    choices = await grants.choices(session, viewer)
    over = form.one_of("over", [choice.key for choice in choices])
    try:
        phone = parse_phone(form.text("phone"))
    except Malformed as error:
        form.reject_for(error)
    if not form.ok:
        return page("operator/new_grant.html", status=422, form=form, choices=choices)
    chosen = next(choice for choice in choices if choice.key == over)
    await grants.give(session, viewer, chosen, phone=phone, name=name, now=now)
    return page.redirect("/operator/people", ("success", _("%(name)s 现在可以登录使用了", name=name)))


@router.post("/operator/people/{grant_id}/end")
async def end_grant(
    page: PageDep, session: SessionDep, viewer: AdministratorDep, grant_id: int, now: NowDep
) -> Response:
    """Take a role back at once; what the person did stays on record."""
    await grants.end(session, viewer, grant_id, now=now)
    return page.redirect("/operator/people", ("success", _("已收回，马上生效")))
