"""Scanning a household's card: it shows a door, a tap knocks, and once somebody vouched for the phone it opens."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from market.ground import places
from market.ground.clock import day_of
from market.ground.errors import NotAllowed, NotFound, TooManyTries
from market.people import door_cards, door_devices
from market.people.accounts import Role
from market.people.door_cards import DoorCard
from market.people.door_devices import Known
from market.people.households import Household
from market.people.stations import Station
from storefront.cache import within_limit
from storefront.deps import NowDep, PageDep, SessionDep, StateDep, address_of
from storefront.render import Page
from storefront.sessions import Phone
from storefront.state import State
from storefront.texts import gettext as _

router = APIRouter(prefix="/card/{secret}")
_HOUR = 3600
_MOST_MISSES, _MOST_KNOCKS = 30, 20
_STAFF = (Role.AGENT, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Door:
    """The door of a card, and this phone before it."""

    secret: str
    card: DoorCard
    household: Household
    village: str
    station: Station | None
    phone: Phone
    known: Known | None
    """How this phone is known there; None before its first knock."""

    @property
    def here(self) -> str:
        """Its address."""
        return f"/card/{self.secret}"


async def _door(request: Request, state: StateDep, session: SessionDep, now: NowDep, secret: str) -> Door | None:
    """The door behind a secret; None for one that opens nothing, of which a stranger learns no more."""
    try:
        card = await door_cards.found(session, secret, on=day_of(now))
    except NotFound:
        if not await within_limit(
            state.redis, f"card:miss:{address_of(request)}", most=_MOST_MISSES, seconds=_HOUR
        ):  # fmt: skip
            raise TooManyTries from None
        return None
    home = await session.get_one(Household, card.household_id)
    village = await places.get(session, home.division_code)
    station = await session.get(Station, home.station_id) if home.station_id else None
    phone = state.sessions.phone(request)
    devices = await door_devices.of_card(session, card.id or 0)
    known = next((one for one in devices if one.device.device_hash == phone.hash), None)
    return Door(secret, card, home, village.name, station, phone, known)


DoorDep = Annotated[Door | None, Depends(_door)]


@router.get("")
async def show_door(page: PageDep, door: DoorDep) -> Response:
    """Whose card this is, and one button. Opening the address signs nobody in: previews of links open addresses too."""
    if door is None:
        return _unseen(page("doors/closed.html", status=404))
    return _unseen(page("doors/door.html", door=door, is_staff=bool(page.viewer.over(*_STAFF))))


@router.get("/state")
async def show_state(page: PageDep, door: DoorDep) -> Response:
    """What a waiting phone asks every few seconds."""
    if door is None:
        return Response(headers={"HX-Refresh": "true"})
    return _unseen(page("doors/_state.html", door=door, is_staff=False))


@router.post("")
async def create_knock(page: PageDep, state: StateDep, session: SessionDep, now: NowDep, door: DoorDep) -> Response:
    """Knock; or come in, on a phone that was let in."""
    if door is None:
        return _unseen(page("doors/closed.html", status=404))
    if page.viewer.over(*_STAFF):
        # An agent acts in their own name; with the household's card it would be the household that acted.
        raise NotAllowed("knock_as_staff")
    if not await within_limit(state.redis, f"card:knock:{door.card.id}", most=_MOST_KNOCKS, seconds=_HOUR):
        raise TooManyTries
    kind = kind_of(page.request.headers.get("user-agent", ""))
    known = await door_devices.knock(session, door.card, door.phone.hash, kind=kind, now=now)
    if known.is_open:
        await door_devices.come_in(session, door.card, known, now=now)
        answer = await _let_in(page, state, door, known)
    else:
        answer = page.redirect(door.here)
    state.sessions.write_phone(answer, door.phone)
    return answer


def kind_of(agent: str) -> str:
    """What a browser says it is, as short as it can be said: `android wechat`."""
    kinds = {"iPhone": "iphone", "iPad": "ipad", "Android": "android", "Windows": "windows", "Macintosh": "mac"}
    system = next((kind for sign, kind in kinds.items() if sign in agent), "other")
    return f"{system} wechat" if "MicroMessenger" in agent else system


async def _let_in(page: Page, state: State, door: Door, known: Known) -> Response:
    fresh = await state.sessions.sign_in(page.session, door.card.account_id, device_id=known.device.id)
    inside = Page(page.pages, page.sessions, page.request, fresh, page.viewer, 0)
    return inside.redirect("/village", ("success", _("%(name)s家，您好", name=door.household.display_name)))


def _unseen(answer: Response) -> Response:
    """The address is a key: neither kept by a cache nor found by a search engine."""
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex, nofollow"
    return answer
