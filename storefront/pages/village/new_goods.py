"""Listing a product in four screens: what, how much, for how much, with which photo."""

from datetime import date
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import gates, listings, produce
from market.goods.listings import ListingState
from market.ground.clock import day_of
from market.ground.errors import Malformed
from storefront import goods_words
from storefront.deps import NowDep, PageDep, SessionDep, StorageDep
from storefront.forms import Form, read_form
from storefront.pages.village import bands, counts, days, drafts, kept_drafts, uploads, waits
from storefront.pages.village.drafts import Ask, Draft
from storefront.pages.village.houses import House, HouseDep
from storefront.render import Page
from storefront.storage import Storage
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/{household_id:int}")


@router.get("/goods/new")
async def show_question(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep, request: Request) -> Response:
    """The next question, with what was answered so far in the address."""
    draft = await drafts.read(session, Form(dict(request.query_params), {}))
    response = await _ask(page, session, house, draft, on=day_of(now))
    kept_drafts.keep(response, house, draft)
    return response


@router.post("/goods")
async def create_goods(
    page: PageDep, session: SessionDep, house: HouseDep, storage: StorageDep, now: NowDep, request: Request
) -> Response:
    """Put the offer up. The same form twice is one listing."""
    draft = await drafts.read(session, await read_form(request))
    photo = await _photo(page, session, draft, storage)
    _check_day(draft, on=day_of(now))
    if draft.ask is not Ask.PHOTO or not draft.form.ok:
        return await _ask(page, session, house, draft, on=day_of(now))
    listing = await listings.put_up(session, page.viewer, house.household, draft.offer(photo), now=now)
    url, said = f"/village/goods/{listing.id}?new=1", _("已上架，买的人能看到了")
    if listing.state is not ListingState.LIVE:
        waited_for = await listings.waits_of(session, listing, on=day_of(now))
        url = f"/village/goods/{listing.id}{'/papers' if waited_for.papers else ''}"
        said = _("存好了，还差一步") if waited_for.papers else _("存好了，工作人员看过就能卖")
    response = page.redirect(url, ("success", said))
    kept_drafts.forget(response, house)
    return response


async def _photo(page: Page, session: AsyncSession, draft: Draft, storage: Storage) -> str | None:
    """The photo that came with the form, kept; None when the person goes on without one."""
    form = draft.form
    if draft.ask is not Ask.PHOTO or form.values.get("photo_choice") != "with":
        return None
    return await uploads.photo_in(session, page.viewer, form, storage)


def _check_day(draft: Draft, *, on: date) -> None:
    """The day is looked at before anything is written."""
    try:
        if draft.item is not None:
            draft.item.checked_day(days.parse(draft.form.text("ready")), on=on)
    except Malformed as error:
        draft.form.reject_for(error)


async def _ask(page: Page, session: AsyncSession, house: House, draft: Draft, *, on: date) -> Response:
    more: dict[str, Any] = {}
    match draft.ask:
        case Ask.WHAT:
            more = {"produce": (await session.exec(produce.on_offer())).all()}
        case Ask.AMOUNT:
            more = {"choices": [(way.key, counts.short(way.measure, way.grams_each)) for way in draft.ways]}
        case Ask.PRICE if draft.way is not None:
            more = {"band": bands.said(draft.way.band)}
        case Ask.PHOTO if draft.way is not None:
            more = {"hint": bands.hint(draft.way.band, draft.price_fen)}
            more |= await _lot(session, draft, on=on)
        case _:
            pass
    if draft.way is not None:
        more["one"] = counts.one(draft.way.measure, draft.way.grams_each)
    # A form that was sent and is asked again was not taken.
    status = 200 if draft.form.ok and page.request.method == "GET" else 422
    return page(f"village/new/{draft.ask}.html", status=status, house=house, draft=draft, form=draft.form, **more)


async def _lot(session: AsyncSession, draft: Draft, *, on: date) -> dict[str, Any]:
    """The day, with the usual one chosen, and why such goods need papers if they do."""
    if draft.item is None:
        return {}
    gate = await gates.of_produce(session, draft.item.gate_code)
    return {
        "days": days.choices(draft.item, on),
        "day": draft.form.text("ready") or days.usual(draft.item, on),
        "day_label": waits.DAY[draft.item.ready],
        "gate": goods_words.why(gate) if gate else "",
    }
