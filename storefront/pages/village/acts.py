"""The trail of what agents did for a household: the household says yes or no, the agent writes down what it heard."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.clock import day_of
from market.ground.errors import Malformed, NotAllowed, NotFound
from market.people import acts_for
from market.people.acts_for import OWN, HouseholdWord, Said
from market.people.heard import Heard, Word
from market.reports import trail
from storefront import act_words, photos
from storefront.deps import NowDep, PageDep, SessionDep, StorageDep
from storefront.forms import Form, read_form, ticked
from storefront.pages.village import uploads
from storefront.pages.village.houses import House, HouseDep
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/{household_id:int}/acts")
_MOST_START = 100_000
_BY_EAR = (Heard.CALL, Heard.PRESENT, Heard.SHEET)


@router.get("")
async def list_acts(
    page: PageDep, session: SessionDep, house: HouseDep, start: Annotated[int, Query(ge=0, le=_MOST_START)] = 0
) -> Response:
    """Everything agents did for this household, and what it says to it."""
    found = await trail.of_household(session, house.id, offset=start)
    more = start + trail.PAGE if len(found) > trail.PAGE else None
    shown = found[: trail.PAGE]
    return page(
        "village/acts.html", house=house, found=shown, start=start, more=more, page_size=trail.PAGE,
        waiting=[done.act.id for done in shown if done.word is None], act_words=act_words,
    )  # fmt: skip


@router.post("/agreement")
async def create_agreement(
    request: Request, page: PageDep, session: SessionDep, house: HouseDep, now: NowDep
) -> Response:
    """The household itself: all of these are right."""
    chosen = await ticked(request, "act")
    word = await acts_for.answer(session, page.viewer, house.id, chosen, Said(OWN), now=now)
    flashes = [("success", _("记下了：这些都是您同意的"))] if word else []
    return page.redirect(f"/village/{house.id}/acts", *flashes)


@router.get("/{act_id:int}/objection")
async def show_objection(page: PageDep, session: SessionDep, house: HouseDep, act_id: int) -> Response:
    """This was not agreed: what is wrong with it?"""
    return await _ask_why(page, session, house, act_id, Form({}, {}))


@router.post("/{act_id:int}/objection")
async def create_objection(
    request: Request, page: PageDep, session: SessionDep, house: HouseDep, now: NowDep, act_id: int
) -> Response:
    """The household itself: no. An officer reads it."""
    form = await read_form(request)
    note = form.text("note", most=200)
    await acts_for.answer(session, page.viewer, house.id, [act_id], Said(OWN, agreed=False, note=note), now=now)
    return page.redirect(f"/village/{house.id}/acts", ("success", _("记下了，局里的工作人员会看到。")))


@router.get("/word")
async def show_word(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep) -> Response:
    """The agent asked the household: what did it say, to whom, how?"""
    return await _ask_word(page, session, house, Form({"said_on": day_of(now).isoformat()}, {}), None)


@router.post("/word")
async def create_word(
    request: Request, page: PageDep, session: SessionDep, house: HouseDep, storage: StorageDep, now: NowDep
) -> Response:
    """Written down as it was heard. What was typed stays when something is wrong with it."""
    form, chosen = await read_form(request), await ticked(request, "act")
    heard = form.one_of("heard", list(_BY_EAR))
    agreed = form.one_of("agreed", ["yes", "no"]) == "yes"
    if not chosen:
        form.errors["act"] = _("请在问过的事前面打勾")
    on = _day(form)
    photo = await uploads.sheet_in(form, storage) if heard == Heard.SHEET and form.ok else None
    if form.ok:
        word = Word(Heard(heard), form.text("number_end", most=8), form.text("sheet", most=20))
        said = Said(word, agreed, on, form.text("spoken_to", most=40), photo, form.text("note", most=200))
        try:
            await acts_for.answer(session, page.viewer, house.id, chosen, said, now=now)
            return page.redirect(f"/village/{house.id}/acts", ("success", _("这家的话记下了")))
        except Malformed as error:
            form.reject_for(error)
    return await _ask_word(page, session, house, form, chosen)


@router.get("/sheets/{word_id:int}")
async def show_sheet(session: SessionDep, house: HouseDep, storage: StorageDep, word_id: int) -> Response:
    """The photo of the sheet with the household's thumb, for itself and its station."""
    word = await session.get(HouseholdWord, word_id)
    if word is None or word.household_id != house.id or word.photo is None:
        raise NotFound("photo", str(word_id))
    data = await photos.paper(word.photo, storage)
    return Response(data, media_type="image/webp", headers={"cache-control": "private, no-store"})


def _day(form: Form) -> date | None:
    try:
        return date.fromisoformat(form.text("said_on", required=True))
    except ValueError:
        form.reject("said_on", "not_a_day")
        return None


async def _ask_why(page: Page, session: AsyncSession, house: House, act_id: int, form: Form) -> Response:
    if not house.is_own:
        raise NotAllowed("speak_for_household")
    done = await trail.one(session, house.id, act_id)
    return page("village/objection.html", house=house, done=done, form=form, act_words=act_words)


async def _ask_word(
    page: Page, session: AsyncSession, house: House, form: Form, chosen: list[int] | None
) -> Response:  # fmt: skip
    """`chosen`: what was ticked; None: everything that waits."""
    if house.is_own:
        raise NotAllowed("speak_for_household")
    found = (await trail.of_household(session, house.id, only_open=True))[: trail.PAGE]
    return page(
        "village/act_word.html", status=200 if form.ok else 422, house=house, found=found, form=form,
        ticked=[done.act.id for done in found] if chosen is None else chosen, act_words=act_words,
    )  # fmt: skip
