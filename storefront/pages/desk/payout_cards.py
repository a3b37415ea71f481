"""Cards money goes to, as accountants see them: masked, to be confirmed by a second person, or stopped."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground import places
from market.ground.errors import Malformed, NotMovable, SamePerson
from market.people import accounts, card_changes, card_lists, cards
from market.people.card_lists import PAGE
from market.people.cards import PayoutCard
from market.people.households import Household
from storefront.deps import NowDep, PageDep, SealDep, SessionDep, StartAgain
from storefront.forms import Form, read_form
from storefront.pages.desk.paying import AccountantDep
from storefront.payout_words import STAGES, masked_name
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/desk/cards"


@router.get("/desk/cards")
async def list_cards(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep,
    q: Annotated[str, Query(max_length=40)] = "", page_no: Annotated[int, Query(ge=1, le=100_000, alias="page")] = 1,
) -> Response:  # fmt: skip
    """What waits for a second person, then every card in use."""
    wanted = card_lists.live(accountant, now, q=q.strip())
    found = (await session.exec(wanted.offset((page_no - 1) * PAGE).limit(PAGE + 1))).all()
    rows = [(card, home, card.stage(card.id, now)) for card, home in found[:PAGE]]
    return page(
        "desk/cards.html", rows=rows, more=len(found) > PAGE, page_no=page_no, q=q.strip(), stages=STAGES,
        villages=await places.names(session, {home.division_code for _card, home in found}),
    )  # fmt: skip


@router.get("/desk/cards/{card_id:int}")
async def show_card(
    page: PageDep, session: SessionDep, seal: SealDep, accountant: AccountantDep, now: NowDep, card_id: int
) -> Response:
    """One card, masked: who asked for it, who agreed, from when on it is used."""
    found = await card_lists.seen_by(session, accountant, card_id)
    shown = await _read(session, *found)
    stage = await card_lists.stage_of(session, found[0], now)
    holder = masked_name(cards.holder_of(seal, found[0]))
    return page("desk/card.html", form=Form({}, {}), stage=stage, stages=STAGES, holder=holder, **shown)


@router.post("/desk/cards/{card_id:int}/confirmation")
async def create_confirmation(  # noqa: PLR0917  what FastAPI hands in
    request: Request, page: PageDep, session: SessionDep, seal: SealDep, accountant: AccountantDep, now: NowDep,
    card_id: int,
) -> Response:  # fmt: skip
    """A second person, with the card before them, types its number anew."""
    form, here = await read_form(request), f"{_HERE}/{card_id}"
    number = form.text("number", most=40, required=True)
    try:
        if form.ok:
            await card_changes.confirm(session, seal, accountant, card_id, number=number, now=now)
    except Malformed as error:
        form.reject_for(error)
    except SamePerson as error:
        raise StartAgain(here, "warning", _("这张卡是您申请的，要请另一位会计来核对。")) from error
    except NotMovable as error:
        raise StartAgain(here, "warning", _("这张卡已经停用了，没有核对。")) from error
    if form.ok:
        return page.redirect(here, ("success", _("核对好了。满一天以后，钱就打到这张卡上。")))
    found = await card_lists.seen_by(session, accountant, card_id)
    stage = await card_lists.stage_of(session, found[0], now)
    holder = masked_name(cards.holder_of(seal, found[0]))
    shown = await _read(session, *found)
    # What was typed wrong is a card's number all the same: it does not come back on the page.
    kept = Form({}, {}, form.errors)
    return page("desk/card.html", status=422, form=kept, stage=stage, stages=STAGES, holder=holder, **shown)


@router.post("/desk/cards/{card_id:int}/stop")
async def create_stop(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, card_id: int
) -> Response:
    """No money goes to this card any more."""
    why = (await read_form(request)).text("why", most=80)
    if not why:
        raise StartAgain(f"{_HERE}/{card_id}", "warning", _("请写一下为什么停用。"))
    await card_lists.seen_by(session, accountant, card_id)
    await card_changes.stop(session, accountant, card_id, why=why, now=now)
    return page.redirect(f"{_HERE}/{card_id}", ("success", _("停用了，钱不会再打到这张卡上。")))


async def _read(session: AsyncSession, card: PayoutCard, home: Household) -> dict[str, Any]:
    who = {one for one in (card.asked_by, card.confirmed_by, card.ended_by) if one}
    village = await places.get(session, home.division_code)
    return {"card": card, "home": home, "village": village.name, "people": await accounts.names(session, who)}
