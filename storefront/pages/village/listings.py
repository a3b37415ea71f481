"""One listing of a household: its price, what is left, its photo; stopping and starting again."""

from datetime import datetime

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import disagreements, listing_photos, listings
from market.goods.disagreements import About, Wish
from market.ground.clock import day_of
from market.ground.errors import Malformed
from market.ground.money import parse_yuan
from storefront.deps import NowDep, PageDep, SessionDep, StorageDep
from storefront.forms import Form, read_form
from storefront.pages.village import keypads, shelves, undos, uploads
from storefront.pages.village.houses import ListingHouseDep
from storefront.pages.village.undos import ChangedDep
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/goods/{listing_id:int}")


@router.get("")
async def show_goods(  # noqa: PLR0917  what FastAPI hands in
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, changed: ChangedDep, listing_id: int,
    new: bool = False,
) -> Response:  # fmt: skip
    """The listing as buyers see it, with everything the household may do; after a change also the way back."""
    goods = await shelves.one_of(session, house, listing_id, on=day_of(now))
    undo = undos.way_back(goods, changed) if goods["is_live"] else None
    return page("village/listing.html", house=house, goods=goods, new=new, undo=undo)


@router.get("/price")
async def show_price(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, listing_id: int
) -> Response:
    """The keypad for a new price."""
    goods = await shelves.one_of(session, house, listing_id, on=day_of(now))
    return await keypads.price(page, session, house, goods, Form({}, {}))


@router.post("/price")
async def change_price(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, request: Request, listing_id: int
) -> Response:
    """A new price from now on."""
    form = await read_form(request)
    before = await shelves.one_of(session, house, listing_id, on=day_of(now))
    try:
        price_fen = parse_yuan(form.text("price", most=20))
        wish = Wish(listing_id, About.PRICE, price_fen, seen=form.seen("seen"))
        asked = await disagreements.make_if_any(session, page.viewer, wish, now=now)
        if asked is None:
            await listings.change_price(session, page.viewer, listing_id, price_fen, now=now)
    except Malformed as error:
        form.reject_for(error)
        return await keypads.price(page, session, house, before, form)
    if asked is not None:
        return page.redirect(f"/village/goods/{listing_id}/disagreements/{asked}")
    return page.redirect(undos.address(listing_id, "price", before["price_fen"]), ("success", _("价钱改好了")))


@router.get("/stock")
async def show_stock(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, listing_id: int
) -> Response:
    """The keypad for what is left."""
    goods = await shelves.one_of(session, house, listing_id, on=day_of(now))
    return keypads.stock(page, house, goods, Form({}, {}))


@router.post("/stock")
async def change_stock(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, request: Request, listing_id: int
) -> Response:
    """So many are left now; or, with `step`, one more or one fewer than there are at this moment."""
    form = await read_form(request)
    step = {"-1": -1, "1": 1}.get(form.text("step"), 0)
    before = await shelves.one_of(session, house, listing_id, on=day_of(now))
    asked = await _count(page, session, listing_id, step, form, now)
    if not form.ok:
        return keypads.stock(page, house, before, form)
    if asked is not None:
        return page.redirect(f"/village/goods/{listing_id}/disagreements/{asked}")
    if step and form.text("back") == "list":
        return page.redirect(f"/village/{house.id}/goods#g-{listing_id}")
    return page.redirect(undos.address(listing_id, "stock", before["left"]), ("success", _("数量改好了")))


@router.post("/withdrawal")
async def create_withdrawal(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, listing_id: int
) -> Response:
    """Stop selling; the next page offers the way back with as many as there were."""
    before = await shelves.one_of(session, house, listing_id, on=day_of(now))
    await listings.withdraw(session, page.viewer, listing_id, now=now)
    if not before["is_live"]:
        return page.redirect(f"/village/goods/{listing_id}", ("info", _("已经不卖了")))
    return page.redirect(f"/village/{house.id}/goods?stopped={listing_id}&left={before['left']}")


@router.get("/restoration")
async def show_restoration(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, listing_id: int
) -> Response:
    """The keypad: how many are there to sell again?"""
    goods = await shelves.one_of(session, house, listing_id, on=day_of(now))
    return keypads.restoration(page, house, goods, Form({}, {}))


@router.post("/restoration")
async def create_restoration(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, request: Request, listing_id: int
) -> Response:
    """Sell it again, with this many."""
    form = await read_form(request)
    goods = await shelves.one_of(session, house, listing_id, on=day_of(now))
    if goods["is_live"]:
        return page.redirect(f"/village/goods/{listing_id}", ("info", _("正在卖，不用再上架")))
    await _put_back(page, session, listing_id, form, now)
    if not form.ok:
        return keypads.restoration(page, house, goods, form)
    return page.redirect(f"/village/goods/{listing_id}", ("success", _("又上架了，买的人能看到了")))


@router.get("/photo")
async def show_photo(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, listing_id: int
) -> Response:
    """Another photo, or none."""
    goods = await shelves.one_of(session, house, listing_id, on=day_of(now))
    return page("village/photo.html", house=house, goods=goods, form=Form({}, {}))


@router.post("/photo")
async def change_photo(  # noqa: PLR0917  what FastAPI hands in
    page: PageDep, session: SessionDep, house: ListingHouseDep, storage: StorageDep, now: NowDep, request: Request,
    listing_id: int,
) -> Response:  # fmt: skip
    """Show this photo from now on; `removed` shows the drawing again."""
    form = await read_form(request)
    before = await shelves.one_of(session, house, listing_id, on=day_of(now))
    if form.values.get("was"):
        await listing_photos.show_again(session, page.viewer, listing_id, form.text("was"), now=now)
        return page.redirect(f"/village/goods/{listing_id}", ("success", _("照片换回来了")))
    photo = None if form.text("removed") == "1" else await uploads.photo_in(session, page.viewer, form, storage)
    if not form.ok:
        return page("village/photo.html", status=422, house=house, goods=before, form=form)
    was = before["photo"]
    await listing_photos.change(session, page.viewer, listing_id, photo, now=now)
    said = _("照片换好了") if photo else _("照片拿掉了")
    return page.redirect(undos.address(listing_id, "photo", was), ("success", said))


async def _count(
    page: Page, session: AsyncSession, listing_id: int, step: int, form: Form, now: datetime
) -> int | None:
    """Change what is left, or ask when it is no longer what the person saw: the question's number.

    What is wrong goes into the form, before anything is written.
    """
    quantity = 0 if step else form.whole("quantity")
    try:
        if step:
            await listings.add_left(session, page.viewer, listing_id, step, now=now)
        elif form.ok:
            wish = Wish(listing_id, About.LEFT, quantity, seen=form.seen("seen"))
            asked = await disagreements.make_if_any(session, page.viewer, wish, now=now)
            if asked is not None:
                return asked
            await listings.change_left(session, page.viewer, listing_id, quantity, now=now)
    except Malformed as error:
        form.reject_for(error)
    return None


async def _put_back(page: Page, session: AsyncSession, listing_id: int, form: Form, now: datetime) -> None:
    quantity = form.whole("quantity", least=1)
    try:
        if form.ok:
            await listings.put_back(session, page.viewer, listing_id, quantity, now=now)
    except Malformed as error:
        form.reject_for(error)
