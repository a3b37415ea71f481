"""What neighbours usually ask, said beside a price: too cheap is as worth a word as too dear."""

from market.goods.produce import Band
from storefront import words
from storefront.texts import gettext as _

_QUIET_PERCENT = 15
"""Domain §4.2: within 15 % of the band nothing is said."""


def said(band: Band) -> dict[str, str]:
    """The band as the keypad shows it, in yuan."""
    usual = _("附近一般卖 %(low)s–%(high)s 元", low=short_yuan(band.low_fen), high=short_yuan(band.high_fen))
    return {
        "low": f"{band.low_fen * (100 - _QUIET_PERCENT) / 10_000:.2f}",
        "high": f"{band.high_fen * (100 + _QUIET_PERCENT) / 10_000:.2f}",
        "text": usual,
        "below": _("比附近便宜不少，您可能吃亏。%(usual)s", usual=usual),
        "above": _("比附近贵不少，可能难卖。%(usual)s", usual=usual),
        "source": source(band),
    }


def hint(band: Band, price_fen: int) -> str:
    """A word about a price far from the band; nothing for a usual one."""
    place = band.place(price_fen)
    if place == "usual":
        return ""
    return said(band)["below" if place == "low" else "above"]


def source(band: Band) -> str:
    """Where the band comes from, and of which month."""
    if band.source and band.as_of_on:
        return _("%(source)s，%(month)s", source=band.source, month=words.month(f"{band.as_of_on:%Y-%m}"))
    return band.source


def short_yuan(fen: int) -> str:
    """`18`, `4.5`, `0.35`: as prices are spoken."""
    return f"{fen / 100:.2f}".rstrip("0").rstrip(".")
