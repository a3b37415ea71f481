"""收钱的卡: where the household's money goes. Asked for here, agreed to by a second person, and used a day later."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound, NotMovable, SamePerson
from market.people import accounts, card_changes, card_lists, cards
from market.people.card_changes import NewCard
from market.people.cards import PayoutCard, Stage
from storefront.deps import NowDep, PageDep, SealDep, SessionDep, StartAgain
from storefront.forms import Form, read_form
from storefront.pages.village.houses import House, HouseDep
from storefront.payout_words import BANKS, STAGES, STOPS
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/{household_id:int}/card")
_OWN, _RELATIVE, _OTHER = "own", "relative", "other"


@router.get("")
async def show_cards(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep) -> Response:
    """The card in use, one that is on its way, and the earlier ones."""
    return await _show(page, session, house, Form({}, {}), now=now)


@router.get("/new")
async def show_question(
    page: PageDep, house: HouseDep, now: NowDep, bank: Annotated[str, Query(max_length=20)] = "",
    whose: Annotated[str, Query(max_length=20)] = "",
) -> Response:  # fmt: skip
    """Which bank? Whose card? Then: its number. The number never stands in an address."""
    accounts.must_be_proven(page.viewer, "ask_card")
    return _ask(page, house, Form({"bank": bank, "whose": whose}, {}), on=day_of(now))


@router.post("")
async def create_card(
    request: Request, page: PageDep, session: SessionDep, seal: SealDep, house: HouseDep, now: NowDep
) -> Response:
    """Ask that this card be used. The same again changes nothing."""
    accounts.must_be_proven(page.viewer, "ask_card")
    form = await read_form(request)
    wanted = _wanted(form)
    try:
        if form.ok:
            await card_changes.ask(session, seal, page.viewer, house.id, wanted, now=now)
    except Malformed as error:
        form.reject_for(error)
    if not form.ok:
        return _ask(page, house, form, on=day_of(now))
    said = _("记下了。要第二个人对着卡核对，再等满一天才用。")
    return page.redirect(f"/village/{house.id}/card", ("success", said))


@router.post("/{card_id:int}/confirmation")
async def create_confirmation(  # noqa: PLR0917  what FastAPI hands in
    request: Request, page: PageDep, session: SessionDep, seal: SealDep, house: HouseDep, now: NowDep, card_id: int
) -> Response:
    """The agent of the station, with the card before them, types its number anew."""
    await _of_house(session, house, card_id)
    form, here = await read_form(request), f"/village/{house.id}/card"
    number = form.text("number", most=40, required=True)
    try:
        if form.ok:
            await card_changes.confirm(session, seal, page.viewer, card_id, number=number, now=now)
    except Malformed as error:
        form.reject_for(error)
    except SamePerson as error:
        raise StartAgain(here, "warning", _("这张卡是您申请的，要换一个人来核对。")) from error
    except NotMovable as error:
        raise StartAgain(here, "warning", _("这张卡已经停用了，没有核对。")) from error
    if not form.ok:
        return await _show(page, session, house, Form({}, {}, form.errors), now=now)
    return page.redirect(here, ("success", _("核对好了。满一天以后，钱就打到这张卡上。")))


@router.post("/{card_id:int}/stop")
async def create_stop(
    request: Request, page: PageDep, session: SessionDep, house: HouseDep, now: NowDep, card_id: int
) -> Response:
    """No money goes to this card any more; one person is enough to say so."""
    await _of_house(session, house, card_id)
    why = (await read_form(request)).one_of("why", list(STOPS), default="lost")
    await card_changes.stop(session, page.viewer, card_id, why=why if why in STOPS else "lost", now=now)
    return page.redirect(f"/village/{house.id}/card", ("success", _("停用了，钱不会再打到这张卡上。")))


def _wanted(form: Form) -> NewCard:
    bank = form.one_of("bank", [*BANKS, _OTHER])
    name = str(BANKS[bank]) if bank in BANKS else form.text("bank_name", most=40, required=True)
    number = form.text("number", most=40, required=True)
    if form.one_of("whose", [_OWN, _RELATIVE]) != _RELATIVE:
        return NewCard(name, number)
    holder = form.text("holder", most=40, required=True)
    relation = form.text("relation", most=20, required=True)
    mandate_on = None
    try:
        mandate_on = date.fromisoformat(form.text("mandate_on", required=True))
    except ValueError:
        form.reject("mandate_on", "not_a_day")
    return NewCard(name, number, holder, relation, mandate_on)


def _ask(page: Page, house: House, form: Form, *, on: date) -> Response:
    bank, whose = form.text("bank", most=20), form.text("whose", most=20)
    template = "village/new_card.html"
    if bank not in (*BANKS, _OTHER):
        template = "village/new_card_bank.html"
    elif whose not in (_OWN, _RELATIVE):
        template = "village/new_card_whose.html"
    answer = page(
        template, status=200 if form.ok else 422, house=house, form=form, banks=BANKS, bank=bank, whose=whose, today=on
    )
    answer.headers["Cache-Control"] = "no-store"  # what was typed is shown again beside what is wrong with it
    return answer


async def _show(page: Page, session: AsyncSession, house: House, form: Form, *, now: Any) -> Response:
    found = list(await session.exec(cards.of_household(house.id)))
    staged = [(card, await card_lists.stage_of(session, card, now)) for card in found]
    asked = next((card for card, stage in staged if stage is Stage.ASKED), None)
    may_confirm = (
        asked is not None
        and not house.is_own
        and asked.asked_by != page.viewer.account_id
        and await card_changes.may_confirm(session, page.viewer, asked)
    )
    who = {one for card in found for one in (card.asked_by, card.confirmed_by) if one}
    return page(
        "village/card.html", status=200 if form.ok else 422, house=house, form=form, may_confirm=may_confirm,
        live=[one for one in staged if one[1] in (Stage.ASKED, Stage.WAITING, Stage.IN_USE)],
        gone=[one for one in staged if one[1] in (Stage.REPLACED, Stage.ENDED)],
        stages=STAGES, stops=STOPS, people=await accounts.names(session, who),
    )  # fmt: skip


async def _of_house(session: AsyncSession, house: House, card_id: int) -> None:
    card = await session.get(PayoutCard, card_id)
    if card is None or card.household_id != house.id:
        raise NotFound("card", str(card_id))
