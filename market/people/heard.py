"""How a household's word was heard when it did not give it on its own phone: who called which number, which sheet."""

import re
from dataclasses import dataclass
from enum import StrEnum

from market.ground.errors import Malformed

_FOUR_DIGITS = re.compile(r"^[0-9]{4}$")


class Heard(StrEnum):
    """By which way a yes or a no came."""

    OWN = "own"
    """On the household's own phone, or by its own card."""
    CALL = "call"
    """Somebody of the station called and asked."""
    PRESENT = "present"
    """One of the household stood there."""
    SHEET = "sheet"
    """A sheet of paper bears their thumb or name."""


@dataclass(frozen=True)
class Word:
    """A household's word with what it can be checked by."""

    heard: Heard
    number_end: str = ""
    """Last four digits of the number that was called."""
    sheet: str = ""
    """Number of the sheet."""

    def check(self) -> None:
        """Malformed when it could not be followed up: a call without its number, a sheet without its own."""
        if self.heard is Heard.CALL and not _FOUR_DIGITS.match(self.number_end):
            raise Malformed("number_end", "four_digits", self.number_end)
        if self.heard is Heard.SHEET and not self.sheet:
            raise Malformed("sheet", "missing")
