"""Goods on the desk: what waits for an officer's yes, what is halted, what will spoil; and deciding about one."""

from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import capacity, decisions, gates, listings, overseen
from market.goods.gates import ListingPapers
from market.goods.listings import ListingState
from market.goods.overseen import PAGE, Only, Row
from market.goods.slaughter_points import SlaughterPoint
from market.ground import audit
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound
from market.people import accounts
from market.people.accounts import Viewer
from storefront import goods_words, photos
from storefront.deps import NowDep, PageDep, SessionDep, StorageDep
from storefront.forms import Form, read_form
from storefront.pages.desk.asked import OfficerDep
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

router = APIRouter()
_HERE = "/desk/goods"
_ONLY = {
    Only.WAITING: _l("等着上架"),
    Only.HALTED: _l("叫停的"),
    Only.SPOILING: _l("快到日子的"),
    Only.ON_SALE: _l("正在卖"),
}
_ACTS = {"permits": decisions.permit, "refusals": decisions.refuse, "halts": decisions.halt}
_DONE = {
    "permits": _l("同意了，已经告诉农户"),
    "refusals": _l("没有同意，理由已经告诉农户"),
    "halts": _l("叫停了，买的人看不到它了；已经订的照常"),
}


class Looked(BaseModel):
    """The address of the list."""

    model_config = ConfigDict(frozen=True)

    q: Annotated[str, Field(max_length=60)] = ""
    only: Only = Only.WAITING
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def url(self, **changes: Any) -> str:
        """This address with some of it changed, on the first page if not said otherwise."""
        asked = {**self.model_dump(mode="json"), "page": 1, **changes}
        kept = {key: value for key, value in asked.items() if value not in ("", 1)}
        return f"{_HERE}?{urlencode(kept)}" if kept else _HERE


@router.get("/desk/goods")
async def list_goods(
    page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, asked: Annotated[Looked, Query()]
) -> Response:
    """Goods of the division, what waits first."""
    today, offset = day_of(now), (asked.page - 1) * PAGE
    rows = await overseen.listed(session, officer, on=today, only=asked.only, q=asked.q, offset=offset)
    states = {row.listing.id: await _state(session, row, on=today) for row in rows[:PAGE]}
    return page("desk/goods.html", asked=asked, rows=rows, most=PAGE, only=_ONLY, states=states)


@router.get("/desk/goods/{listing_id:int}")
async def show_goods(page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, listing_id: int) -> Response:
    """One listing: what it waits for, its papers, the household's ceiling, and what was decided about it."""
    row = await overseen.one(session, officer, listing_id)
    return page("desk/listing.html", form=Form({}, {}), **await _about(session, row, now=now))


@router.get("/desk/goods/{listing_id:int}/papers/photo")
async def show_paper_photo(
    session: SessionDep, officer: OfficerDep, storage: StorageDep, now: NowDep, listing_id: int
) -> Response:
    """The certificate's photo. The household sees who looked."""
    row = await overseen.one(session, officer, listing_id)
    shown = await gates.of_lot(session, listing_id, row.listing.ready_on)
    if shown is None or shown.certificate_photo is None:
        raise NotFound("photo", str(listing_id))
    data = await photos.paper(shown.certificate_photo, storage)
    audit.note(
        session, officer.account_id, "look_papers", household_id=row.household.id, subject=f"listing:{listing_id}",
        now=now,
    )  # fmt: skip
    return Response(data, media_type="image/webp", headers={"cache-control": "private, no-store"})


@router.post("/desk/goods/{listing_id:int}/permits")
async def create_permit(
    request: Request, page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, listing_id: int
) -> Response:
    """Yes to more than the household's ceiling."""
    return await _decide("permits", request, page, session, officer, listing_id, now)


@router.post("/desk/goods/{listing_id:int}/refusals")
async def create_refusal(
    request: Request, page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, listing_id: int
) -> Response:
    """No to it."""
    return await _decide("refusals", request, page, session, officer, listing_id, now)


@router.post("/desk/goods/{listing_id:int}/halts")
async def create_halt(
    request: Request, page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, listing_id: int
) -> Response:
    """Keep it from being sold until it is lifted."""
    return await _decide("halts", request, page, session, officer, listing_id, now)


@router.post("/desk/goods/{listing_id:int}/lifting")
async def create_lifting(
    page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, listing_id: int
) -> Response:
    """Let it be sold again, if nothing else is missing."""
    listing = await decisions.lift(session, officer, listing_id, now=now)
    seen = listing.state is ListingState.LIVE
    said = _("放行了，买的人又能看到了") if seen else _("放行了，还有别的没齐，买的人暂时看不到")
    return page.redirect(f"{_HERE}/{listing_id}", ("success", said))


async def _decide(  # noqa: PLR0917  what its three handlers were given
    act: str, request: Request, page: PageDep, session: AsyncSession, officer: Viewer, listing_id: int, now: datetime
) -> Response:
    form = await read_form(request)
    row = await overseen.one(session, officer, listing_id)
    why = form.text("why", most=200, required=True)
    try:
        if form.ok:
            await _ACTS[act](session, officer, listing_id, why=why, now=now)
            return page.redirect(f"{_HERE}/{listing_id}", ("success", str(_DONE[act])))
    except Malformed as error:
        form.reject_for(error)
    return page("desk/listing.html", status=422, form=form, **await _about(session, row, now=now))


async def _state(session: AsyncSession, row: Row, *, on: date) -> tuple[str, str]:
    """How a listing stands, as a badge."""
    match row.listing.state:
        case ListingState.WAITING:
            return "waiting", goods_words.badge(await listings.waits_of(session, row.listing, on=on))
        case ListingState.WITHDRAWN:
            return "cancelled", _("不卖了")
        case _:
            return ("done", _("正在卖")) if row.stock.left > 0 else ("expired", _("卖完了"))


async def _about(session: AsyncSession, row: Row, *, now: datetime) -> dict[str, Any]:
    """Everything the page of one listing shows."""
    listing_id, today = row.listing.id or 0, day_of(now)
    permits, halts = await decisions.permits_of(session, listing_id), await decisions.halts_of(session, listing_id)
    shown = await gates.of_lot(session, listing_id, row.listing.ready_on) if row.item.gate_code else None
    people = {each.account_id for each in permits} | {each.account_id for each in halts}
    people |= {each.lifted_by for each in halts if each.lifted_by}
    return {
        "row": row,
        "state": await _state(session, row, on=today),
        "waits": await listings.waits_of(session, row.listing, on=today),
        "ceiling": await capacity.ceiling(
            session, row.household.id or 0, row.item, besides=listing_id, on=today, hold=False
        ),
        "brought": await capacity.brought_in(session, listing_id, on=today),
        "papers": await _papers(session, shown),
        "shown": shown,
        "labels": goods_words.PAPERS,
        "permits": permits,
        "halts": halts,
        "people": await accounts.names(session, people),
    }


async def _papers(session: AsyncSession, shown: ListingPapers | None) -> list[tuple[str, str]]:
    if shown is None:
        return []
    point = await session.get(SlaughterPoint, shown.slaughter_point_code) if shown.slaughter_point_code else None
    given = [
        (_("屠宰点"), point.name if point else ""),
        (_("检疫证号"), shown.certificate_no),
        (_("小作坊登记证号"), shown.licence_no),
        (_("证上的日期"), shown.issued_on.isoformat() if shown.issued_on else ""),
    ]
    return [(label, value) for label, value in given if value]
