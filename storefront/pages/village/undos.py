"""The way back right after a number, day or photo of a listing was changed: one tap, with what was there before."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query

from market.ground.money import format_yuan
from storefront import words
from storefront.pages.village import bands
from storefront.texts import gettext as _

_WHOLE, _HASH = re.compile(r"^\d{1,9}$"), re.compile(r"^[0-9a-f]{32}$")


@dataclass(frozen=True)
class Changed:
    """What was changed a moment ago and what it was before, as the address says."""

    undo: Annotated[str, Query(max_length=10)] = ""
    was: Annotated[str, Query(max_length=40)] = ""


ChangedDep = Annotated[Changed, Depends(Changed)]


@dataclass(frozen=True)
class WayBack:
    """A form that puts it back."""

    act: str
    """Last part of the address it goes to."""
    label: str
    fields: dict[str, Any]


def address(listing_id: int, undo: str, was: object) -> str:
    """The listing's page, with the way back on it."""
    return f"/village/goods/{listing_id}?undo={undo}&was={was}"


def way_back(goods: dict[str, Any], changed: Changed) -> WayBack | None:
    """The form for what the address says; None where it says nothing that could be put back."""
    was, listing = changed.was, goods["listing"]
    if changed.undo == "photo" and (not was or _HASH.match(was)):
        return WayBack("photo", _("点错了，换回原来的照片"), {"was": was} if was else {"removed": "1"})
    if changed.undo == "day" and (day := _day(was)) is not None:
        return WayBack("day", _("点错了，改回%(day)s", day=words.day(day)), {"ready": was})
    if not _WHOLE.match(was):
        return None
    if changed.undo == "price":
        said = _("点错了，改回 %(money)s", money=format_yuan(int(was)))
        return WayBack("price", said, {"price": bands.short_yuan(int(was)), "seen": goods["price_fen"]})
    if changed.undo == "stock":
        quantity = words.quantity(int(was), listing.measure, listing.grams_each)
        said = _("点错了，改回 %(quantity)s", quantity=quantity)
        return WayBack("stock", said, {"quantity": was, "seen": goods["left"]})
    return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
