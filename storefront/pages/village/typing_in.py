"""An agent types in a household's sheet on one screen: what is left of each listing, its price, and what is new."""

from datetime import date

from fastapi import APIRouter, Request
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import goods_sheets, listings, produce
from market.goods.goods_sheets import Line
from market.goods.listings import Listing, ListingState, Offer
from market.goods.produce import ProduceMeasure
from market.goods.stock import Stock
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotAllowed
from market.ground.money import parse_yuan
from market.people import acts_for
from market.people.acts_for import Said
from market.people.heard import Heard, Word
from storefront import words
from storefront.deps import NowDep, PageDep, SessionDep, StorageDep
from storefront.forms import Form, read_form
from storefront.pages.village import counts, drafts, papers_to_print, uploads
from storefront.pages.village.drafts import Ask, Way
from storefront.pages.village.houses import House, HouseDep
from storefront.render import Page
from storefront.storage import Storage
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/{household_id:int}/goods/typing")
_NEW_ROWS = range(1, 5)
_MOST = 1_000_000_000


@router.get("")
async def show_typing(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep) -> Response:
    """The sheet as it was printed, with fields for what was written on it."""
    on = day_of(now)
    form = Form({"sheet": papers_to_print.number_of(house.household, on), "said_on": on.isoformat()}, {})
    return await _ask(page, session, house, form)


@router.post("")
async def create_typing(
    request: Request, page: PageDep, session: SessionDep, house: HouseDep, storage: StorageDep, now: NowDep
) -> Response:
    """All of it or nothing; with the photo of a signed sheet the household's yes to it stands at once."""
    _must_be_agent(house)
    form = await read_form(request)
    goods = await _goods(session, house)
    lines = [line for line in (_line(form, listing) for listing, _stock in goods) if line.says_something]
    offers = [offer for row in _NEW_ROWS if (offer := await _offer(session, form, row))]
    said = await _said(form, storage, on=day_of(now))
    try:
        if form.ok:
            await goods_sheets.check(session, house.id, lines, now=now)
    except Malformed as error:
        form.reject_for(error)
    if form.ok and not lines and not offers:
        form.errors["lines"] = _("还没有填。单子上变了的、新添的，填在这里。")
    if not form.ok:
        return await _ask(page, session, house, form)
    await goods_sheets.type_in(session, page.viewer, house.household, lines, offers, now=now)
    if said is not None:
        done = await acts_for.just_done(session, page.viewer, house.id, now=now)
        await acts_for.answer(session, page.viewer, house.id, done, said, now=now)
    return page.redirect(f"/village/{house.id}/goods", ("success", _("单子录好了")))


def _must_be_agent(house: House) -> None:
    if house.is_own:
        raise NotAllowed("type_in_own_sheet")


def _line(form: Form, listing: Listing) -> Line:
    here = listing.id or 0
    left, price = f"left-{here}", f"price-{here}"
    return Line(
        here,
        left=form.whole(left, most=_MOST) if form.text(left) else None,
        price_fen=_fen(form, price) if form.text(price) else None,
        stops=form.text(f"stop-{here}") == "1",
    )


def _fen(form: Form, name: str) -> int | None:
    try:
        return parse_yuan(form.text(name, most=20), field=name)
    except Malformed as error:
        form.reject_for(error)
        return None


async def _offer(session: AsyncSession, form: Form, row: int) -> Offer | None:
    """One new kind of goods; what is wrong with it goes to its own fields."""
    chosen = form.text(f"new-{row}", most=60)
    if not chosen:
        return None
    code, _sign, way = chosen.partition(":")
    many, price = form.text(f"many-{row}"), form.text(f"cost-{row}")
    answers = {"produce": code, "counted": way, "quantity": many, "price": price, "price_for": way}
    draft = await drafts.read(session, Form(answers, {}))
    fields = {"quantity": f"many-{row}", "price": f"cost-{row}"}
    for field, message in draft.form.errors.items():
        form.errors.setdefault(fields.get(field, f"new-{row}"), message)
    return draft.offer(None) if draft.ask is Ask.PHOTO and draft.form.ok else None


async def _said(form: Form, storage: Storage, *, on: date) -> Said | None:
    """The household's yes, when the signed sheet was photographed; without a photo it is asked for later."""
    if "sheet_photo" not in form.files:
        return None
    day, who = _day(form), form.text("spoken_to", most=40, required=True)
    sheet = form.text("sheet", most=20, required=True)
    photo = await uploads.sheet_in(form, storage) if form.ok else None
    said = Said(Word(Heard.SHEET, sheet=sheet), True, day, who, photo)
    try:
        if form.ok:
            said.check(on=on)
    except Malformed as error:
        form.reject_for(error)
    return said


def _day(form: Form) -> date | None:
    try:
        return date.fromisoformat(form.text("said_on", required=True))
    except ValueError:
        form.reject("said_on", "not_a_day")
        return None


async def _goods(session: AsyncSession, house: House) -> list[tuple[Listing, Stock]]:
    rows = await session.exec(listings.of_household(house.id).where(Listing.state != ListingState.WITHDRAWN))
    return [(listing, stock) for listing, stock, _item in rows]


async def _ask(page: Page, session: AsyncSession, house: House, form: Form) -> Response:
    _must_be_agent(house)
    return page(
        "village/typing_in.html", status=200 if form.ok else 422, house=house, form=form,
        goods=await _goods(session, house), ways=await _ways(session), new_rows=_NEW_ROWS,
    )  # fmt: skip


async def _ways(session: AsyncSession) -> list[tuple[str, str]]:
    """Every kind of goods with every way to count it, as one list to choose from."""
    items = (await session.exec(produce.on_offer())).all()
    rows = await session.exec(select(ProduceMeasure))
    by_code: dict[str, list[ProduceMeasure]] = {}
    for row in rows:
        by_code.setdefault(row.produce_code, []).append(row)
    return [
        (f"{item.code}:{way.key}", _said_way(words.produce_name(item), way))
        for item in items
        for way in drafts.ways_of(by_code.get(item.code, []))
    ]


def _said_way(name: str, way: Way) -> str:
    return _("%(name)s，按%(unit)s", name=name, unit=counts.short(way.measure, way.grams_each))
