"""One-tap sign-in for the invented people of the demo world. Outside demo mode these pages do not exist."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.ground.errors import NotFound
from market.people import accounts
from storefront.deps import PageDep, SessionDep, StateDep
from storefront.forms import read_form
from storefront.local.world.logins import DEMO_LOGINS, DemoLogin
from storefront.pages.account.sign_in import enter, home_of
from storefront.render import local_path

router = APIRouter()


@router.get("/demo-logins/{key}")
async def show_demo_login(page: PageDep, state: StateDep, key: str) -> Response:
    """A link from the terminal: one button, since only a form may sign anyone in."""
    return page("account/demo.html", person=_person(key, demo=state.settings.demo))


@router.post("/demo-logins/{key}")
async def create_demo_session(
    request: Request, page: PageDep, session: SessionDep, state: StateDep, key: str
) -> Response:
    """Be this invented person."""
    person = _person(key, demo=state.settings.demo)
    account = (await session.exec(accounts.with_phone(person.phone))).one_or_none()
    if account is None:
        raise NotFound("account", key)
    viewer = await accounts.viewer_of(session, account.id or 0)
    return await enter(page, state, viewer, local_path((await read_form(request)).text("next") or home_of(viewer)))


def _person(key: str, *, demo: bool) -> DemoLogin:
    found = next((login for login in DEMO_LOGINS if login.key == key), None)
    if found is None or not demo:
        raise NotFound("page")
    return found
