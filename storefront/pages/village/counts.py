"""How things are counted, as short as villagers say it."""

from market.ground.measure import GRAMS_PER_JIN, Measure
from storefront import words
from storefront.texts import gettext as _


def short(kind: Measure, grams_each: int | None) -> str:
    """`斤`, `10斤袋`: what fits on a small button."""
    if not kind.is_pack or not grams_each:
        return words.measure(kind)
    return _("%(jin)s斤%(word)s", jin=_jin(grams_each), word=words.measure(kind))


def one(kind: Measure, grams_each: int | None) -> str:
    """`一斤`, `10斤一袋`: what the price is for."""
    if not kind.is_pack or not grams_each:
        return _("一%(word)s", word=words.measure(kind))
    return _("%(jin)s斤一%(word)s", jin=_jin(grams_each), word=words.measure(kind))


def _jin(grams: int) -> str:
    return f"{grams / GRAMS_PER_JIN:.2f}".rstrip("0").rstrip(".")
