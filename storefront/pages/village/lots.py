"""What a listing's goods need besides a price: the day they came in, and papers, one question a screen."""

from datetime import date, datetime

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import gates, papers, slaughter_points
from market.goods.gates import Gate, ListingPapers, Paper, Papers
from market.goods.listings import Listing, ListingState
from market.goods.produce import Produce
from market.goods.slaughter_points import SlaughterPoint
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound
from storefront import goods_words, photos
from storefront.deps import NowDep, PageDep, SessionDep, StorageDep
from storefront.forms import Form, read_form
from storefront.pages.village import days, shelves, undos, uploads, waits
from storefront.pages.village.houses import House, ListingHouseDep
from storefront.render import Page
from storefront.storage import Storage
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/goods/{listing_id:int}")


@router.get("/day")
async def show_day(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, listing_id: int
) -> Response:
    """When did these goods come in?"""
    return await _ask_day(page, session, house, listing_id, Form({}, {}), on=day_of(now))


@router.post("/day")
async def change_day(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, request: Request, listing_id: int
) -> Response:
    """They came in on this day; the last good day moves with it."""
    form = await read_form(request)
    was = (await shelves.one_of(session, house, listing_id, on=day_of(now)))["ready"]
    try:
        day = days.parse(form.text("ready", required=True))
        if day is not None:
            await papers.change_day(session, page.viewer, listing_id, day, now=now)
    except Malformed as error:
        form.reject_for(error)
    if not form.ok:
        return await _ask_day(page, session, house, listing_id, form, on=day_of(now))
    return page.redirect(undos.address(listing_id, "day", was), ("success", _("日子改好了")))


@router.get("/papers")
async def show_papers(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, listing_id: int, ask: Paper | None = None
) -> Response:
    """The first paper that is missing, or the one that is asked for; all of them when none is missing."""
    return await _ask_paper(page, session, house, listing_id, Form({}, {}), ask, on=day_of(now))


@router.post("/papers")
async def create_paper(  # noqa: PLR0917  what FastAPI hands in
    page: PageDep, session: SessionDep, house: ListingHouseDep, storage: StorageDep, now: NowDep, request: Request,
    listing_id: int,
) -> Response:  # fmt: skip
    """One paper handed in; then the next question, or the listing once none is missing."""
    form = await read_form(request)
    ask = Paper(form.one_of("ask", list(Paper))) if form.values.get("ask") in list(Paper) else None
    listing = await _hand_in(page, session, form, storage, listing_id, now) if ask else None
    if listing is None or not form.ok:
        return await _ask_paper(page, session, house, listing_id, form, ask, on=day_of(now))
    shown = await shelves.one_of(session, house, listing_id, on=day_of(now))
    if shown["needs_papers"]:
        return page.redirect(f"/village/goods/{listing_id}/papers")
    said = _("证件齐了，买的人能看到了") if listing.state is ListingState.LIVE else _("证件存好了")
    return page.redirect(f"/village/goods/{listing_id}", ("success", said))


@router.get("/papers/photo")
async def show_paper_photo(
    session: SessionDep, _house: ListingHouseDep, storage: StorageDep, listing_id: int
) -> Response:
    """The certificate's photo, for those who sell these goods."""
    listing = await session.get_one(Listing, listing_id)
    shown = await gates.of_lot(session, listing_id, listing.ready_on)
    if shown is None or shown.certificate_photo is None:
        raise NotFound("photo", str(listing_id))
    data = await photos.paper(shown.certificate_photo, storage)
    return Response(data, media_type="image/webp", headers={"cache-control": "private, no-store"})


async def _hand_in(
    page: Page, session: AsyncSession, form: Form, storage: Storage, listing_id: int, now: datetime
) -> Listing | None:
    """What the form holds, handed in; what is wrong with it goes into the form."""
    asks_photo = form.text("ask") == Paper.CERTIFICATE_PHOTO
    photo = await uploads.certificate_in(session, page.viewer, form, storage) if asks_photo else None
    given = {name: form.text(name, most=80) for name in ("slaughter_point", "certificate_no", "licence_no")}
    if not photo and not any(given.values()):
        form.reject(form.text("ask"), "missing")
    if not form.ok:
        return None
    try:
        issued_on = days.parse(form.text("issued_on"))
        shown = Papers(**given, certificate_photo=photo, issued_on=issued_on)
        return await papers.hand_in(session, page.viewer, listing_id, shown, now=now)
    except Malformed as error:
        form.reject_for(error)
        return None


async def _ask_day(
    page: Page, session: AsyncSession, house: House, listing_id: int, form: Form, *, on: date
) -> Response:
    goods = await shelves.one_of(session, house, listing_id, on=on)
    item = await session.get_one(Produce, goods["produce_code"])
    offered = [(day, name, date.fromisoformat(day)) for day, name in days.choices(item, on)]
    return page(
        "village/day.html", status=200 if form.ok else 422, house=house, goods=goods, form=form, days=offered,
        question=waits.DAY[item.ready], is_gated=item.gate_code is not None,
    )  # fmt: skip


async def _ask_paper(
    page: Page, session: AsyncSession, house: House, listing_id: int, form: Form, ask: Paper | None, *, on: date
) -> Response:
    goods = await shelves.one_of(session, house, listing_id, on=on)
    gate = await _gate(session, goods["listing"])
    shown = await gates.of_lot(session, listing_id, goods["listing"].ready_on)
    missing = gates.missing(gate, shown)
    points = (await session.exec(slaughter_points.usable_in(goods["listing"].division_code))).all()
    return page(
        "village/papers.html", status=200 if form.ok else 422, house=house, goods=goods, form=form, shown=shown,
        needs=[Paper(paper) for paper in gate.needs], missing=missing, points=points, labels=goods_words.PAPERS,
        given=await _given(session, shown), asked=ask or next(iter(missing), None), why=goods_words.why(gate),
    )  # fmt: skip


async def _given(session: AsyncSession, shown: ListingPapers | None) -> dict[Paper, str]:
    """What is there already, as a list shows it."""
    if shown is None:
        return {}
    point = await session.get(SlaughterPoint, shown.slaughter_point_code) if shown.slaughter_point_code else None
    return {
        Paper.SLAUGHTER_POINT: point.name if point else "",
        Paper.CERTIFICATE_NO: shown.certificate_no,
        Paper.CERTIFICATE_PHOTO: _("拍好了") if shown.certificate_photo else "",
        Paper.LICENCE_NO: shown.licence_no,
    }


async def _gate(session: AsyncSession, listing: Listing) -> Gate:
    item = await session.get_one(Produce, listing.produce_code)
    gate = await gates.of_produce(session, item.gate_code)
    if gate is None:
        raise NotFound("papers", str(listing.id))
    return gate
