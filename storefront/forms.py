"""Forms: what a person typed, checked at once, and kept beside its errors when it has to be asked again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from market.ground.errors import Malformed
from market.ground.money import parse_yuan
from storefront.errors import say_problem

_MOST_TEXT = 2_000


@dataclass
class Form:
    """A form's values as typed, and what is wrong with them, field by field."""

    values: Mapping[str, str]
    files: Mapping[str, UploadFile]
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self.errors

    def text(self, name: str, *, most: int = _MOST_TEXT, required: bool = False) -> str:
        """A line of text without blanks around it."""
        value = self.values.get(name, "").strip()
        if required and not value:
            self.reject(name, "missing")
        return value[:most]

    def whole(self, name: str, *, least: int = 0, most: int = 1_000_000_000, default: int = 0) -> int:
        """A whole number between the bounds; `default` beside an error otherwise."""
        value = self.values.get(name, "").strip()
        if not value:
            self.reject(name, "missing")
        elif not value.isascii() or not value.lstrip("-").isdigit() or len(value) > 12:  # noqa: PLR2004
            self.reject(name, "not_a_number", value)
        elif not least <= int(value) <= most:
            self.reject(name, "not_positive" if int(value) < least else "far_too_many", value)
        else:
            return int(value)
        return default

    def amount(self, name: str) -> int:
        """A sum of money in fen, more than nothing; 0 beside an error otherwise."""
        try:
            fen = parse_yuan(self.text(name), field=name)
        except Malformed as error:
            self.reject_for(error)
            return 0
        if fen <= 0:
            self.reject(name, "not_positive")
        return fen

    def seen(self, name: str) -> int | None:
        """A number the page carried for us: what the person saw. None where it carried none."""
        value = self.values.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 12 else None  # noqa: PLR2004

    def one_of(self, name: str, allowed: list[str], *, default: str = "") -> str:
        """One of the choices offered."""
        value = self.values.get(name, default)
        if value not in allowed:
            self.reject(name, "choose_one", value)
        return value

    def reject(self, name: str, problem: str, given: str = "") -> None:
        """Something is wrong with a field; the first problem said stands."""
        self.errors.setdefault(name, say_problem(Malformed(name, problem, given)))

    def reject_for(self, error: Malformed) -> None:
        """The market found something wrong with a field."""
        self.errors.setdefault(error.field, say_problem(error))


async def ticked(request: Request, name: str) -> list[int]:
    """The numbers behind the ticked boxes of that name, each once; what is no number is left out."""
    values = (await request.form()).getlist(name)
    numbers = [int(value) for value in values if isinstance(value, str) and value.isascii() and value.isdigit()]
    return list(dict.fromkeys(numbers))


async def read_form(request: Request) -> Form:
    """The posted form, which the token check has already read and measured."""
    posted = await request.form()
    texts = {key: value for key, value in posted.items() if isinstance(value, str)}
    files: dict[str, Any] = {key: value for key, value in posted.items() if not isinstance(value, str)}
    return Form(texts, {key: value for key, value in files.items() if value.filename})
