"""Signing in with a phone number and a six-digit code; no password to forget."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.ground.errors import Malformed, TooManyTries
from market.people import accounts
from market.people.accounts import VISITOR, Viewer, parse_phone
from market.trade import carts
from storefront import codes
from storefront.deps import BrowserDep, NowDep, PageDep, SessionDep, StateDep, address_of
from storefront.errors import say
from storefront.forms import Form, read_form
from storefront.local.world.logins import DEMO_LOGINS
from storefront.render import Page, local_path
from storefront.sms import send_sms
from storefront.state import State
from storefront.texts import gettext as _

router = APIRouter()


@router.get("/sign-in")
async def show_sign_in(page: PageDep, next: str = "/") -> Response:  # noqa: A002  the address bar's own word
    """Ask for the phone number."""
    if page.viewer.signed_in:
        return page.redirect(local_path(next))
    return page("account/sign_in.html", form=Form({}, {}), next=local_path(next), people=DEMO_LOGINS)


@router.post("/sign-in/codes")
async def create_code(request: Request, page: PageDep, state: StateDep) -> Response:
    """Send a code to the phone and ask for it."""
    form = await read_form(request)
    next_url = local_path(form.text("next"))
    try:
        phone = parse_phone(form.text("phone"))
        code = await codes.issue(state.redis, _secret(state), phone=phone, address=address_of(request))
    except Malformed as error:
        form.reject_for(error)
    except TooManyTries as error:
        form.errors["phone"] = say(error)
    if not form.ok:
        return page("account/sign_in.html", status=422, form=form, next=next_url, people=DEMO_LOGINS)
    await send_sms(state.settings, phone, _("【以购】验证码 %(code)s，5 分钟内有效。请不要告诉别人。", code=code))
    return _ask_code(page, state, form, phone=phone, next_url=next_url, code=code)


@router.post("/sign-in")
async def create_session(
    request: Request, page: PageDep, session: SessionDep, state: StateDep, browser: BrowserDep, now: NowDep
) -> Response:
    """Check the code; the visitor's cart comes along."""
    form = await read_form(request)
    next_url = local_path(form.text("next"))
    try:
        phone = parse_phone(form.text("phone"))
        await codes.check(state.redis, _secret(state), phone=phone, code=form.text("code", most=12))
    except (Malformed, TooManyTries) as error:
        form.errors["code"] = say(error)
        return _ask_code(page, state, form, phone=form.text("phone"), next_url=next_url)
    account = await accounts.sign_up(session, phone=phone, now=now)
    await carts.hand_over(session, browser.visitor, account.id or 0)
    viewer = await accounts.viewer_of(session, account.id or 0)
    return await enter(page, state, viewer, next_url if next_url != "/" else home_of(viewer))


@router.post("/sign-out")
async def end_session(page: PageDep, state: StateDep) -> Response:
    """Nobody is signed in here any more."""
    fresh = await state.sessions.sign_out(page.session)
    left = Page(page.pages, page.sessions, page.request, fresh, VISITOR, 0)
    return left.redirect("/", ("success", _("已退出登录")))


async def enter(page: Page, state: State, viewer: Viewer, url: str) -> Response:
    """Sign this browser in as the viewer and go on."""
    fresh = await state.sessions.sign_in(page.session, viewer.id)
    inside = Page(page.pages, page.sessions, page.request, fresh, viewer, 0)
    return inside.redirect(url, ("success", _("您好，%(name)s", name=viewer.name)))


def home_of(viewer: Viewer) -> str:
    """The door a person most likely came for."""
    if viewer.household_ids or viewer.station_ids:
        return "/village"
    return "/desk" if viewer.division_codes(accounts.Role.OFFICER) else "/"


def _ask_code(page: Page, state: State, form: Form, *, phone: str, next_url: str, code: str = "") -> Response:
    shown = code if state.settings.demo and state.settings.sms_url is None else ""
    status = 200 if form.ok else 422
    return page("account/code.html", status=status, form=form, phone=phone, next=next_url, demo_code=shown)


def _secret(state: State) -> str:
    return state.settings.secret_key.get_secret_value()
