"""What a visitor asked the catalogue for, read from the address; wrong parts are said, the rest is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from market.goods import search
from market.goods.catalogue import Sort, Wanted
from market.ground import places
from market.ground.errors import Malformed
from market.ground.money import parse_yuan
from market.ground.places import Division, Level
from storefront.errors import say_problem

_MOST_TEXT = 40
_NAMES = ("q", "produce", "division", "min", "max", "sort")


@dataclass
class Search:
    """The parts of the address as typed, what they mean, and what is wrong with them."""

    values: dict[str, str]
    wanted: Wanted
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_narrowed(self) -> bool:
        """Whether anything but the order of the offers was asked for."""
        return any(self.values[name] for name in _NAMES if name != "sort")

    def url(self, **changes: str) -> str:
        """The address of this search with some parts changed; it always begins at the first page."""
        parts = {**self.values, "cursor": "", **changes}
        said = urlencode({name: value for name, value in parts.items() if value})
        return f"/listings?{said}" if said else "/listings"

    def reject_for(self, error: Malformed) -> None:
        """The market found something wrong with a part."""
        self.errors.setdefault(error.field, say_problem(error))


def read_search(query: Mapping[str, str]) -> Search:
    """The search in an address. Nothing in it can fail: what makes no sense is noted and left out."""
    values = {name: query.get(name, "").strip()[:_MOST_TEXT] for name in (*_NAMES, "cursor")}
    found = Search(values, Wanted())
    if values["q"] and not search.is_searchable(values["q"]):
        found.reject_for(Malformed("q", "nothing_to_search", values["q"]))
    lowest, highest = _fen(found, "min"), _fen(found, "max")
    if lowest is not None and highest is not None and lowest > highest:
        lowest, highest = highest, lowest
        values["min"], values["max"] = values["max"], values["min"]
    found.wanted = Wanted(
        q="" if "q" in found.errors else values["q"],
        produce=values["produce"],
        division=_division(found),
        min_fen=lowest,
        max_fen=highest,
        sort=Sort(values["sort"]) if values["sort"] in tuple(Sort) else Sort.NEW,
        cursor=values["cursor"],
    )
    return found


def by_township(divisions: list[Division]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Villages under their townships for a grouped choice: (township, [(code, name), …])."""
    towns = {place.code: place.name for place in divisions if len(place.code) == Level.TOWNSHIP}
    groups: dict[str, list[tuple[str, str]]] = {code: [] for code in towns}
    for place in divisions:
        if len(place.code) == Level.VILLAGE:
            groups.setdefault(place.code[: Level.TOWNSHIP], []).append((place.code, place.name))
    return [
        (towns.get(code, ""), [*([(code, towns[code])] if code in towns else []), *rows])
        for code, rows in groups.items()
    ]


def _fen(found: Search, name: str) -> int | None:
    if not found.values[name]:
        return None
    try:
        return parse_yuan(found.values[name], field=name)
    except Malformed as error:
        found.reject_for(error)
        return None


def _division(found: Search) -> str:
    if not found.values["division"]:
        return ""
    try:
        return places.parse_code(found.values["division"])
    except Malformed as error:
        found.reject_for(error)
        return ""
