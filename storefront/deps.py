"""What handlers ask for by type. Every dependency that yields ends before the response leaves (scope="function")."""

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Request
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import clock
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotAllowed, NotFound
from market.ground.seal import Seal
from market.ground.settings import Settings
from market.people import accounts, door_devices
from market.people.accounts import VISITOR, Role, Viewer
from market.trade import carts
from payments.stripe import Gateway
from storefront.render import Page
from storefront.sessions import BrowserSession
from storefront.state import State
from storefront.storage import Storage

_MOST_FORM_BYTES = 15 * 1024 * 1024


class SignInFirst(NotAllowed):
    """The page is for people we know: the person is asked to sign in and comes back."""


class StartAgain(Exception):
    """Roll back what was begun and send the person to a page where they can mend it, with a message."""

    def __init__(self, url: str, kind: str, text: str) -> None:
        """Go to `url`; show `text` there as a flash of that kind."""
        super().__init__(url)
        self.url, self.kind, self.text = url, kind, text


# Plain functions would be sent to a thread each time, which costs more than most of them do: all are coroutines.


async def _state(request: Request) -> State:
    state: State = request.app.state.yigou
    return state


StateDep = Annotated[State, Depends(_state)]


async def _session(state: StateDep) -> AsyncIterator[AsyncSession]:
    async with state.database.transaction() as session:
        yield session


SessionDep = Annotated[AsyncSession, Depends(_session, scope="function")]
"""The request's one transaction: committed after the handler returned and before the response leaves."""


async def _reports(state: StateDep, session: SessionDep) -> AsyncIterator[AsyncSession]:
    if state.reports is None:
        yield session
        return
    async with state.reports.transaction() as replica:
        yield replica


ReportsDep = Annotated[AsyncSession, Depends(_reports, scope="function")]
"""Where reports are read: the replica where there is one, else the request's own transaction. Never written to."""


async def _settings(state: StateDep) -> Settings:
    return state.settings


async def _gateway(state: StateDep) -> Gateway:
    return state.gateway


async def _now() -> datetime:
    return clock.now()


async def _seal(state: StateDep) -> Seal:
    return state.seal


async def _storage(state: StateDep) -> Storage:
    return state.storage


SettingsDep = Annotated[Settings, Depends(_settings)]
GatewayDep = Annotated[Gateway, Depends(_gateway)]
NowDep = Annotated[datetime, Depends(_now)]
SealDep = Annotated[Seal, Depends(_seal)]
StorageDep = Annotated[Storage, Depends(_storage)]
"""Where pictures are kept."""


async def _browser(request: Request, state: StateDep) -> BrowserSession:
    return await state.sessions.open(request)


BrowserDep = Annotated[BrowserSession, Depends(_browser)]


async def _viewer(request: Request, session: SessionDep, browser: BrowserDep) -> Viewer:
    viewer = await _behind(session, browser)
    request.state.viewer = viewer
    return viewer


async def _behind(session: AsyncSession, browser: BrowserSession) -> Viewer:
    """Who is signed in here, read at each request: what was taken back since is gone."""
    if browser.device_id is not None:
        return await door_devices.viewer_of(session, browser.device_id, on=day_of(clock.now()))
    return VISITOR if browser.account_id is None else await accounts.viewer_of(session, browser.account_id)


ViewerDep = Annotated[Viewer, Depends(_viewer)]
"""Whoever is looking, perhaps a visitor."""


async def _signed_in(viewer: ViewerDep) -> Viewer:
    if not viewer.signed_in:
        raise SignInFirst("open")
    return viewer


BuyerDep = Annotated[Viewer, Depends(_signed_in)]
"""Someone who has signed in."""


async def _proven(viewer: BuyerDep) -> Viewer:
    accounts.must_be_proven(viewer, "open")
    return viewer


ProvenDep = Annotated[Viewer, Depends(_proven)]
"""Someone who has signed in by phone. A household's door card is not enough: money, names and logins ask for this."""


def require(*roles: Role) -> Callable[[Viewer], Coroutine[Any, Any, Viewer]]:
    """A dependency for doors of certain roles. Others are told the page does not exist."""

    async def holder(viewer: ViewerDep) -> Viewer:
        if not viewer.signed_in:
            raise SignInFirst("open")
        if not viewer.over(*roles):
            raise NotFound("page")
        return viewer

    return holder


async def cart_owner(viewer: ViewerDep, browser: BrowserDep) -> str:
    """Whose cart this is: the account's, or the visitor's browser's."""
    return browser.visitor if viewer.account_id is None else carts.owner_of(viewer.account_id)


CartOwnerDep = Annotated[str, Depends(cart_owner)]


async def _page(
    request: Request, state: StateDep, session: SessionDep, browser: BrowserDep, viewer: ViewerDep, owner: CartOwnerDep
) -> Page:
    known = viewer.signed_in or not browser.is_new
    cart_count = await carts.count(session, owner) if known else 0
    page = Page(state.pages, state.sessions, request, browser, viewer, cart_count)
    request.state.page = page
    return page


PageDep = Annotated[Page, Depends(_page)]


async def check_csrf(request: Request, state: StateDep, browser: BrowserDep) -> AsyncIterator[None]:
    """Every form of every page: the token this browser was given, in the form or in a header."""
    if request.method in {"GET", "HEAD", "OPTIONS"}:
        yield
        return
    length = request.headers.get("content-length", "")
    if not length.isdigit() or int(length) > _MOST_FORM_BYTES:
        # Browsers always say how much they send; what does not is nobody filling in a form.
        raise Malformed("form", "too_large", length[:20])
    form = await request.form(max_files=4, max_fields=200)
    token = request.headers.get("x-csrf-token") or str(form.get("csrf_token", ""))
    try:
        state.sessions.check_csrf(browser, token)
        yield
    finally:
        await request.close()  # photos wait in temporary files


def address_of(request: Request) -> str:
    """The address a request came from, as the proxy in front reported it."""
    return request.client.host if request.client else "unknown"
