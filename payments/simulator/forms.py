"""What a caller sent: Stripe's bracketed form fields read into a tree, every value checked as Stripe checks it."""

import re
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from payments.simulator.faults import Json, invalid, missing, unknown

MOST_FEN = 99_999_999
"""Amounts have at most eight digits (Stripe, docs of `amount`)."""

MOST_FIELDS = 2000
PART = re.compile(r"[^\[\]]+")
WHOLE = re.compile(r"-?\d{1,18}")


class Form:
    """The decoded fields of one call. Each reader takes the path of a field: `text("payment_method_data", "type")`."""

    def __init__(self, raw: bytes | str) -> None:
        text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
        try:
            pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MOST_FIELDS)
        except ValueError as too_many:
            raise invalid("", f"A request has at most {MOST_FIELDS} fields.") from too_many
        self.names = [name for name, _ in pairs]
        self.fingerprint = sorted(pairs)
        self.tree: Json = {}
        for name, value in pairs:
            _plant(self.tree, name, value)

    def only(self, known: Collection[str]) -> None:
        """Refuses the first field whose pattern (`line_items[][quantity]`, `metadata[*]`) is not known to this call."""
        for name in self.names:
            if _pattern(name) not in known:
                raise unknown(name)

    def find(self, *path: str) -> Any:
        """The raw value at the path: text, a dict, or None."""
        place: Any = self.tree
        for part in path:
            if not isinstance(place, dict):
                return None
            place = place.get(part)
        return place

    def text(self, *path: str, most: int = 5000) -> str | None:
        """A piece of text, or None where it was not sent."""
        value, name = self.find(*path), _name(path)
        if value is None:
            return None
        if not isinstance(value, str):
            raise invalid(name, f"Invalid string: {value}")
        if not value:
            said = f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset a"
            raise invalid(name, f"{said} parameter; however '{name}' cannot be unset.", "parameter_invalid_empty")
        if len(value) > most:
            raise invalid(name, f"Invalid string: must be at most {most} characters")
        return value

    def needed(self, *path: str) -> str:
        """A piece of text that must be there."""
        value = self.text(*path)
        if value is None:
            raise missing(_name(path))
        return value

    def number(self, *path: str) -> int | None:
        """A whole number, or None where it was not sent."""
        value = self.text(*path)
        if value is None:
            return None
        if not WHOLE.fullmatch(value):
            raise invalid(_name(path), f"Invalid integer: {value}", "parameter_invalid_integer")
        return int(value)

    def fen(self, *path: str) -> int | None:
        """An amount of at least one fen and at most eight digits."""
        value, name = self.number(*path), _name(path)
        if value is not None and value < 1:
            raise invalid(name, "This value must be greater than or equal to 1.", "parameter_invalid_integer")
        if value is not None and value > MOST_FEN:
            raise invalid(name, "Amount must be no more than ¥999,999.99", "amount_too_large")
        return value

    def flag(self, *path: str) -> bool:
        """True or false; false where it was not sent."""
        value = self.text(*path)
        if value not in {None, "true", "false"}:
            raise invalid(_name(path), f"Invalid boolean: {value}")
        return value == "true"

    def choice(self, *path: str, among: Collection[str]) -> str | None:
        """One of the named words, or None where it was not sent."""
        value = self.text(*path)
        if value is not None and value not in among:
            name = _name(path)
            raise invalid(name, f"Invalid {name}: must be one of {', '.join(among)}")
        return value

    def url(self, *path: str) -> str | None:
        """A web address, or None where it was not sent."""
        value = self.text(*path)
        if value is not None:
            address = urlsplit(value)
            if address.scheme not in {"http", "https"} or not address.netloc:
                raise invalid(_name(path), "Not a valid URL", "url_invalid")
        return value

    def texts(self, *path: str) -> list[str]:
        """A list of pieces of text, in the order of their numbers; empty where it was not sent."""
        value = self.find(*path)
        if value is None:
            return []
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise invalid(_name(path), "Invalid array")
        return [value[key] for key in sorted(value, key=_order)]

    def metadata(self, *path: str) -> dict[str, str]:
        """The caller's own notes: at most 50 names of 40 characters with 500 characters each (Stripe, Metadata)."""
        value, name = self.find(*(path or ("metadata",))), _name(path or ("metadata",))
        if value is None or value == "":
            return {}
        if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
            raise invalid(name, "Metadata values must be strings")
        if len(value) > 50:  # noqa: PLR2004
            raise invalid(name, "Metadata can have up to 50 keys")
        for key, item in value.items():
            if len(key) > 40 or len(item) > 500:  # noqa: PLR2004
                raise invalid(f"{name}[{key}]", "Metadata names have at most 40 characters, values at most 500")
        return {key: item for key, item in value.items() if item}


def currency(form: Form, *path: str) -> str:
    """The currency, which here is always cny; anything else is refused as Stripe refuses what it does not know."""
    value = form.needed(*path).lower()
    if value != "cny":
        raise invalid(_name(path), f"Invalid currency: {value}. Stripe currently supports these currencies: cny")
    return value


def charged_fen(fen: int, *, least: int, param: str = "amount") -> int:
    """An amount to charge, refused below what Stripe takes (0.50 US dollars' worth)."""
    if fen < least:
        raise invalid(param, f"Amount must be at least ¥{least / 100:.2f} cny", "amount_too_small")
    return fen


def _plant(tree: Json, name: str, value: str) -> None:
    parts = PART.findall(name)
    if name.endswith("[]"):
        parts.append("")
    if not parts:
        raise unknown(name)
    place = tree
    for part in parts[:-1]:
        place = place.setdefault(part, {})
        if not isinstance(place, dict):
            raise invalid(name, f"Invalid object: {parts[0]}")
    last = parts[-1] or str(len(place))
    if isinstance(place.get(last), dict):
        raise invalid(name, f"Invalid string: {place[last]}")
    place[last] = value


def _pattern(name: str) -> str:
    parts: list[str] = PART.findall(name) + ([""] if name.endswith("[]") else [])
    pattern = before = parts[0]
    for part in parts[1:]:
        pattern += "[*]" if before == "metadata" else "[]" if not part or part.isdigit() else f"[{part}]"
        before = part
    return pattern


def _name(path: tuple[str, ...]) -> str:
    return path[0] + "".join(f"[{part}]" for part in path[1:])


def _order(key: str) -> tuple[int, str]:
    return (int(key) if key.isdigit() else 0, key)
