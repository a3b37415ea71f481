"""Keeping the doors: who has a card, which phones wait to be let in, taking phones off, voiding cards."""

from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground import places
from market.ground.clock import day_of
from market.ground.errors import Malformed, MarketError, NotAllowed, NotMovable, OverLimit
from market.people import door_cards, door_devices, door_lists
from market.people.accounts import Viewer
from market.people.door_cards import DoorCard, Why
from market.people.door_devices import DoorDevice, Vouch
from market.people.heard import Heard, Word
from market.people.households import Household
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain, StateDep
from storefront.errors import say
from storefront.forms import Form, read_form
from storefront.pages.doors import wording
from storefront.pages.doors.asked import KeeperDep, SearchDep
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter(prefix="/cards")


@router.get("")
async def list_cards(page: PageDep, session: SessionDep, viewer: KeeperDep, now: NowDep, search: SearchDep) -> Response:
    """Phones that wait to be let in, then every household with its card, to be ticked for printing."""
    found = await door_lists.listed(session, viewer, now=now, q=search.q, only=search.only, offset=search.start)
    return page(
        "doors/list.html",
        knocks=await door_devices.waiting(session, viewer, now=now),
        doorways=found[: door_lists.PAGE],
        more=len(found) > door_lists.PAGE,
        page_size=door_lists.PAGE,
        search=search,
        key=uuid4().hex,
    )


@router.get("/{card_id:int}")
async def show_card(page: PageDep, session: SessionDep, viewer: KeeperDep, now: NowDep, card_id: int) -> Response:
    """One card: the phones that may come in by it, and voiding it."""
    return page("doors/card.html", form=Form({}, {}), **await _about(session, viewer, card_id), today=day_of(now))


@router.post("/{card_id:int}/revocation")
async def create_revocation(
    request: Request, page: PageDep, session: SessionDep, viewer: KeeperDep, now: NowDep, card_id: int
) -> Response:
    """Void the card: whoever is in by it is out at once."""
    form = await read_form(request)
    why = form.one_of("why", [Why.LOST, Why.RETURNED])
    if not form.ok:
        about = await _about(session, viewer, card_id)
        return page("doors/card.html", status=422, form=form, today=day_of(now), **about)
    await door_cards.revoke(session, viewer, card_id, Why(why), now=now)
    return page.redirect("/cards", ("success", _("这张卡作废了，用它进来的手机马上退出。")))


@router.get("/devices/{device_id:int}")
async def show_device(page: PageDep, session: SessionDep, viewer: KeeperDep, device_id: int) -> Response:
    """A phone that waits: call the household first, then say how it was asked."""
    device, card = await door_devices.kept(session, viewer, device_id)
    return await _ask(page, session, device, card, Form({}, {}))


@router.post("/devices/{device_id:int}/confirmation")
async def create_confirmation(  # noqa: PLR0917  what FastAPI hands in
    request: Request, page: PageDep, session: SessionDep, state: StateDep, viewer: KeeperDep, now: NowDep,
    device_id: int,
) -> Response:  # fmt: skip
    """Let the phone in. What was typed stays when something is wrong with it."""
    form = await read_form(request)
    device, card = await door_devices.kept(session, viewer, device_id)
    heard = form.one_of("heard", [Heard.CALL, Heard.PRESENT, Heard.SHEET])
    try:
        if form.ok:
            word = Word(Heard(heard), form.text("number_end", most=8), form.text("sheet", most=20))
            vouch = Vouch(form.text("number", most=8), word, state.sessions.phone(request).hash)
            await door_devices.confirm(session, viewer, device_id, vouch, now=now)
            return page.redirect("/cards", ("success", _("确认好了，那台手机现在能进去了。")))
    except Malformed as error:
        form.reject_for(error)
    except (NotMovable, OverLimit, NotAllowed) as error:
        raise StartAgain(f"/cards/{card.id}", "info", _said(error)) from error
    return await _ask(page, session, device, card, form)


@router.post("/devices/{device_id:int}/ending")
async def create_ending(page: PageDep, session: SessionDep, viewer: KeeperDep, now: NowDep, device_id: int) -> Response:
    """Take a phone off: whoever is in by it is out."""
    device = await door_devices.take_off(session, viewer, device_id, now=now)
    return page.redirect(f"/cards/{device.card_id}", ("success", _("拿掉了，那台手机马上退出。")))


async def _about(session: AsyncSession, viewer: Viewer, card_id: int) -> dict[str, Any]:
    card = await door_cards.kept(session, viewer, card_id)
    home = await session.get_one(Household, card.household_id)
    return {
        "card": card,
        "home": home,
        "village": (await places.get(session, home.division_code)).name,
        "phones": await door_devices.of_card(session, card_id),
        "most": door_devices.MOST_DEVICES,
        "wording": wording,
    }


async def _ask(page: Page, session: AsyncSession, device: DoorDevice, card: DoorCard, form: Form) -> Response:
    home = await session.get_one(Household, card.household_id)
    village = (await places.get(session, home.division_code)).name
    status = 200 if form.ok else 422
    return page(
        "doors/device.html", status=status, device=device, home=home, village=village, form=form, wording=wording
    )


def _said(error: MarketError) -> str:
    match error:
        case OverLimit():
            return _("这张卡已经在 %(n)s 台手机上能用了，先拿掉一台再确认。", n=error.limit)
        case NotMovable(state="confirmed"):
            return _("别的人刚刚确认过了。")
        case NotMovable():
            return _("这台手机已经拿掉，或者卡已作废。")
        case _:
            return say(error)
