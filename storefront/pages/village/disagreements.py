"""Two phones said different things about one number: both are shown, a person says which is right."""

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.goods import disagreements
from market.goods.disagreements import About, Disagreement
from market.goods.listings import Listing
from market.ground.clock import day_of
from storefront import words
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import read_form
from storefront.pages.village import bands, shelves
from storefront.pages.village.houses import ListingHouseDep
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/goods/{listing_id:int}/disagreements/{number:int}")


@router.get("")
async def show_disagreement(
    page: PageDep, session: SessionDep, house: ListingHouseDep, now: NowDep, listing_id: int, number: int
) -> Response:
    """What stands, and what was said by somebody who had seen another number."""
    asked, standing = await disagreements.of_seller(session, page.viewer, listing_id, number)
    goods = await shelves.one_of(session, house, listing_id, on=day_of(now))
    said = _said(asked, goods["listing"])
    if asked.settled_at is not None:
        return page.redirect(f"/village/goods/{listing_id}", ("info", _("这件事已经定了")))
    return page(
        "village/disagreement.html", house=house, goods=goods, asked=asked,
        seen=said(asked.seen), standing=said(standing), wanted=said(asked.wanted),
    )  # fmt: skip


@router.post("")
async def settle_disagreement(
    page: PageDep, session: SessionDep, _house: ListingHouseDep, now: NowDep, request: Request, listing_id: int,
    number: int,
) -> Response:  # fmt: skip
    """This one is right."""
    form = await read_form(request)
    is_new = await disagreements.settle(
        session, page.viewer, listing_id, number, take=form.text("keep") == "wanted", now=now
    )
    said = ("success", _("记下了")) if is_new else ("info", _("这件事已经定了"))
    return page.redirect(f"/village/goods/{listing_id}", said)


def _said(asked: Disagreement, listing: Listing) -> Any:
    """The number in words."""
    if asked.about is About.PRICE:
        return lambda fen: _("%(yuan)s元", yuan=bands.short_yuan(fen))
    return lambda count: words.quantity(count, listing.measure, listing.grams_each)
