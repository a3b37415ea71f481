"""How a cart's lines are shown together and carried from the page that showed them to the order."""

from collections.abc import Iterable, Sequence

from market.ground.errors import Malformed
from market.trade.carts import Wish
from market.trade.placing import Item

_PARTS = 3


def by_village(wishes: Iterable[Wish]) -> list[tuple[str, list[Wish]]]:
    """Lines under their village, villages in the order their first line was added."""
    groups: dict[str, tuple[str, list[Wish]]] = {}
    for wish in wishes:
        groups.setdefault(wish.card.division_code, (wish.card.village, []))[1].append(wish)
    return list(groups.values())


def packed(wishes: Sequence[Wish]) -> str:
    """What a page shows, as one hidden field: the order takes exactly this and never computes anew."""
    return " ".join(f"{wish.card.id}.{wish.quantity}.{wish.card.price_fen}" for wish in wishes)


def unpacked(text: str) -> list[Item]:
    """The lines a page carried. Malformed when the field was changed on the way."""
    items = []
    for part in text.split():
        numbers = part.split(".")
        if len(numbers) != _PARTS or not all(n.isascii() and n.isdigit() and len(n) < 16 for n in numbers):  # noqa: PLR2004
            raise Malformed("lines", "impossible", text[:40])
        listing_id, quantity, seen_fen = map(int, numbers)
        items.append(Item(listing_id, quantity, seen_fen))
    return items
