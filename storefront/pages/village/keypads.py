"""The keypad screens that change one number of a listing."""

from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import produce
from market.goods.listings import Listing
from storefront.forms import Form
from storefront.pages.village import bands, counts
from storefront.pages.village.houses import House
from storefront.render import Page


async def price(page: Page, session: AsyncSession, house: House, goods: dict[str, Any], form: Form) -> Response:
    """What does one cost from now on? With what neighbours ask beside it."""
    listing: Listing = goods["listing"]
    row = await produce.counted(session, listing.produce_code, listing.measure)
    band = bands.said(produce.band(row, listing.grams_each))
    value = form.values.get("price", bands.short_yuan(listing.price_fen))
    one = counts.one(listing.measure, listing.grams_each)
    return _ask(page, "village/price.html", house, goods, form, band=band, value=value, one=one)


def stock(page: Page, house: House, goods: dict[str, Any], form: Form) -> Response:
    """How many are left to sell?"""
    value = form.values.get("quantity", str(goods["left"]))
    return _ask(page, "village/stock.html", house, goods, form, value=value)


def restoration(page: Page, house: House, goods: dict[str, Any], form: Form) -> Response:
    """How many are there to sell again?"""
    value = form.values.get("quantity", "")
    return _ask(page, "village/restoration.html", house, goods, form, value=value)


def _ask(page: Page, template: str, house: House, goods: dict[str, Any], form: Form, **more: Any) -> Response:
    status = 200 if form.ok else 422
    return page(template, status=status, house=house, goods=goods, form=form, **more)
