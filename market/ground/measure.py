"""How goods are counted. A quantity is always a whole number of one measure; weight behind it is integer grams."""

from enum import StrEnum

from market.ground.errors import Malformed

GRAMS_PER_JIN = 500
GRAMS_PER_KG = 1000


class Measure(StrEnum):
    """The words villagers count in."""

    JIN = "jin"
    """斤: 500 g, what farmers quote in."""
    KG = "kg"
    """公斤: 1,000 g, what invoices carry."""
    HEAD = "head"
    """只: a whole animal."""
    HALF_HEAD = "half_head"
    """半只: half an animal."""
    PIECE = "piece"
    """个: one pumpkin."""
    BAG = "bag"
    """袋: a bag of a stated weight."""
    BOX = "box"
    """箱: a box of a stated weight."""

    @property
    def fixed_grams(self) -> int | None:
        """Grams of one, where the word itself says so; None where each pack states its own."""
        return _FIXED_GRAMS.get(self)

    @property
    def is_pack(self) -> bool:
        """Whether an offer must say how heavy one is (a bag or box of nothing in particular cannot be priced)."""
        return self in (Measure.BAG, Measure.BOX)


_FIXED_GRAMS = {Measure.JIN: GRAMS_PER_JIN, Measure.KG: GRAMS_PER_KG}


def parse_measure(text: str) -> Measure:
    """The measure of that code. Malformed if there is none."""
    try:
        return Measure(text)
    except ValueError:
        raise Malformed("measure", "unknown_measure", text[:20]) from None
