"""An agent puts up the same goods for several households on one screen: same price, different amounts."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import gates, produce, together
from market.goods.listings import ListingState
from market.goods.together import Outcome
from market.ground.clock import day_of
from market.ground.errors import Malformed
from market.people import households
from market.people.accounts import Role, Viewer
from market.people.households import Household
from storefront import errors, goods_words, words
from storefront.deps import NowDep, PageDep, SessionDep, require
from storefront.forms import Form, read_form
from storefront.pages.village import bands, counts, days, drafts, waits
from storefront.pages.village.drafts import Ask, Draft
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/together")
AgentDep = Annotated[Viewer, Depends(require(Role.AGENT))]
_MOST = 1_000_000_000
_REFUSED = re.compile(r"([0-9]{1,18}):([a-z_]{1,40})")


@dataclass(frozen=True)
class Search:
    """Which households are on the screen."""

    q: Annotated[str, Query(max_length=40)] = ""
    start: Annotated[int, Query(ge=0, le=100_000)] = 0


SearchDep = Annotated[Search, Depends(Search)]


@router.get("")
async def show_sheet(
    request: Request, page: PageDep, session: SessionDep, _viewer: AgentDep, now: NowDep, search: SearchDep
) -> Response:
    """Which goods? Then everything else on one screen."""
    draft = await drafts.read(session, Form(dict(request.query_params), {}))
    return await _ask(page, session, draft, search, on=day_of(now))


@router.post("")
async def create_listings(
    request: Request, page: PageDep, session: SessionDep, viewer: AgentDep, now: NowDep, search: SearchDep
) -> Response:
    """Put up what has an amount. A typing slip is asked again before anything is written; twice is once."""
    form = await read_form(request)
    # The amounts stand in the table: the draft's own question is answered for it.
    asked = {**form.values, "quantity": "1", "price_for": form.values.get("counted", "")}
    draft = await drafts.read(session, Form(asked, {}, form.errors))
    amounts = _amounts(form)
    if draft.item is not None and not amounts and form.ok:
        form.errors["amounts"] = _("还没有填数量。哪家有货，就在哪家后面填。")
    try:
        if draft.ask is Ask.PHOTO and form.ok:
            done = await together.put_up(session, viewer, draft.offer(None), amounts, now=now)
            return page.redirect(f"/village/together/done?{_address(done)}")
    except Malformed as error:
        form.reject_for(error)
    return await _ask(page, session, draft, search, on=day_of(now))


@router.get("/done")
async def show_done(
    page: PageDep, session: SessionDep, viewer: AgentDep, up: Annotated[str, Query(max_length=1500)] = "",
    refused: Annotated[str, Query(max_length=1500)] = "",
) -> Response:  # fmt: skip
    """What went up, what still waits for papers or an officer, and whose amount could not be taken."""
    ids = [int(each) for each in up.split(",") if each.isascii() and each.isdigit()]
    made = [
        {
            "id": listing.id, "home": home, "title": listing.title, "is_held": listing.state is ListingState.WAITING,
            "quantity": words.quantity(stock.on_hand, listing.measure, listing.grams_each),
        }
        for listing, stock, home in await session.exec(together.seen_by(viewer, ids))
    ]  # fmt: skip
    problems = {int(home): problem for home, problem in _REFUSED.findall(refused)}
    homes = await session.exec(households.sold_for_by(viewer).where(col(Household.id).in_(problems)))
    said = [(home, errors.say_problem(Malformed("quantity", problems[home.id or 0]))) for home in homes]
    return page("village/together_done.html", up=made, refused=said)


def _amounts(form: Form) -> dict[int, int]:
    """The amounts by household; empty fields and zeros are none, what is no number goes into the form's errors."""
    names = [name for name in form.values if name.startswith("amount-") and form.text(name)]
    given = {name.removeprefix("amount-"): form.whole(name, most=_MOST) for name in names}
    return {int(home): amount for home, amount in given.items() if amount and home.isascii() and home.isdigit()}


def _address(done: Outcome) -> str:
    refused = ",".join(f"{home}:{problem}" for home, problem in done.refused.items())
    return urlencode({"up": ",".join(str(each.id) for each in done.up), "refused": refused}, safe=",:")


async def _ask(page: Page, session: AsyncSession, draft: Draft, search: Search, *, on: date) -> Response:
    status = 200 if draft.form.ok and page.request.method == "GET" else 422
    if draft.item is None or draft.way is None:
        offered = (await session.exec(produce.on_offer())).all()
        return page("village/together_what.html", status=status, form=draft.form, produce=offered)
    found = await together.homes(session, page.viewer, draft.item.code, q=search.q, offset=search.start)
    gate = await gates.of_produce(session, draft.item.gate_code)
    return page(
        "village/together.html", status=status, draft=draft, form=draft.form, search=search,
        homes=found[: together.PAGE], more=len(found) > together.PAGE, page_size=together.PAGE,
        ways=[(way.key, counts.one(way.measure, way.grams_each)) for way in draft.ways],
        band=bands.said(draft.way.band), days=days.choices(draft.item, on),
        day=draft.form.text("ready") or days.usual(draft.item, on), day_label=waits.DAY[draft.item.ready],
        gate=goods_words.why(gate) if gate else "",
    )  # fmt: skip
