"""A household's land and animals as a form: one number for each kind, and parts set aside for one produce."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import capacity
from market.goods.capacity import MOST_TENTHS, Means, Share
from market.goods.produce import Produce
from storefront import words
from storefront.forms import Form
from storefront.texts import gettext as _
from storefront.texts import language

_AMOUNT = re.compile(r"^(\d{1,6})(?:[.．](\d))?$")


@dataclass(frozen=True)
class Kind:
    """One kind of means, or the part of it that is set aside for one produce."""

    share: Share
    label: str
    unit: str
    value: str
    """As it is typed: `3.5`; empty where nothing is known."""

    @property
    def field(self) -> str:
        """What the form calls it: `land`, `land.millet`."""
        return ".".join(part for part in self.share if part)


async def kinds(session: AsyncSession, household_id: int) -> list[Kind]:
    """Every kind there is with what the household has of it, the parts set aside after the whole."""
    held = {
        Share(row.means_code, row.produce_code): row.tenths
        for _means, _item, row in await session.exec(capacity.of_household(household_id))
    }
    every = (await session.exec(select(Means).order_by(col(Means.rank)))).all()
    using = (await session.exec(select(Produce).order_by(col(Produce.rank)))).all()
    found = []
    for means in every:
        english = language() == "en"
        name, unit = (means.name_en, means.unit_en) if english else (means.name, means.unit)
        found.append(Kind(Share(means.code), name, unit, _said(held.get(Share(means.code)))))
        items = [item for item in using if item.means_code == means.code]
        # Where only one produce comes from it, nothing can be set aside.
        for item in items if len(items) > 1 else []:
            share = Share(means.code, item.code)
            label = _("其中留给%(produce)s的", produce=words.produce_name(item))
            found.append(Kind(share, label, unit, _said(held.get(share))))
    return found


def amounts(form: Form, offered: list[Kind]) -> Mapping[Share, int | None]:
    """What the form says of each kind, in tenths; what is no amount is noted in the form."""
    return {kind.share: _tenths(form, kind.field) for kind in offered if kind.field in form.values}


def _tenths(form: Form, name: str) -> int | None:
    text = form.text(name, most=12)
    if not text:
        return None
    typed = _AMOUNT.match(text)
    if typed is None:
        form.reject(name, "not_a_number", text)
        return None
    tenths = int(typed[1]) * 10 + int(typed[2] or 0)
    if tenths > MOST_TENTHS:
        form.reject(name, "far_too_many", text)
    return tenths


def _said(tenths: int | None) -> str:
    """`3.5`, `12`; nothing where it is not known."""
    return "" if tenths is None else f"{tenths / 10:.1f}".removesuffix(".0")
