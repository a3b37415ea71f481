"""The short reference a payer writes into a transfer's remark: easy to say, hard to get wrong unnoticed.

Six characters and one that checks them, of 31 without look-alikes: no 0 and O, no 1, I and L. 31 is a prime, so a sum
with a weight for each place (as in ISO 7064 and the ISBN) changes with any wrong character and with any two swapped.
The first is a letter, so that nobody takes it for a day or an amount.
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable, Iterator

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LETTERS = ALPHABET[8:]
LENGTH = 7
_FIRST_GROUP = 3
_VALUES = {sign: value for value, sign in enumerate(ALPHABET)}
_NUMBER = re.compile(rf"([0-9]{{6}})([{ALPHABET}]{{4}})([{ALPHABET}]{{4}})")
_RUN = re.compile(r"[A-Z0-9]+")


def new() -> str:
    """A reference nobody can guess. Whether it is free is for the caller to see."""
    body = secrets.choice(LETTERS) + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH - 2))
    return body + next(sign for sign in ALPHABET if is_one(body + sign))


def is_one(text: str) -> bool:
    """Whether this is a reference whose characters bear each other out."""
    if len(text) != LENGTH or text[0] not in LETTERS or any(sign not in _VALUES for sign in text):
        return False
    return sum(place * _VALUES[sign] for place, sign in enumerate(text, start=1)) % len(ALPHABET) == 0


def grouped(reference: str) -> str:
    """`K7M3QX2` as people read it aloud: `K7M 3QX2`."""
    return f"{reference[:_FIRST_GROUP]} {reference[_FIRST_GROUP:]}"


def written_in(text: str) -> list[str]:
    """Every reference a text may contain in one piece, in order; each once."""
    return list(dict.fromkeys(found for run in _runs(text) for found in _windows(run, LENGTH) if is_one(found)))


def scattered_in(text: str) -> list[str]:
    """The same for one that is cut up by blanks, dashes or a line's end."""
    return list(dict.fromkeys(found for found in _windows("".join(_runs(text)), LENGTH) if is_one(found)))


def order_numbers_in(text: str) -> list[str]:
    """Every order's number a text may contain, with its dashes or without: payers copy what they have before them."""
    run = squeezed(text)
    found = (_NUMBER.match(run, at) for at in range(len(run)))
    return list(dict.fromkeys("-".join(number.groups()) for number in found if number))


def squeezed(text: str) -> str:
    """A text's letters and digits alone, wide ones made narrow: how remarks are compared."""
    return "".join(_runs(text))


class Misspellings:
    """Finds which references a text may have meant: one character wrong, missing or too many, or two swapped."""

    def __init__(self, references: Iterable[str]) -> None:
        """Prepare for these references."""
        self._whole: dict[str, set[str]] = {}
        self._shortened: dict[str, set[str]] = {}
        for reference in references:
            self._whole.setdefault(reference, set()).add(reference)
            for short in _shortened(reference):
                self._shortened.setdefault(short, set()).add(reference)

    def meant_by(self, text: str) -> set[str]:
        """Every reference the text is at most one slip away from."""
        found: set[str] = set()
        for run in {*_runs(text), squeezed(text)}:
            for window in _windows(run, LENGTH - 1):
                found |= self._shortened.get(window, set())
            for window in _windows(run, LENGTH):
                for short in _shortened(window):
                    found |= self._shortened.get(short, set())
            for window in _windows(run, LENGTH + 1):
                for short in _shortened(window):
                    found |= self._whole.get(short, set())
        return found


def _runs(text: str) -> list[str]:
    return _RUN.findall(unicodedata.normalize("NFKC", text).upper())


def _windows(run: str, length: int) -> Iterator[str]:
    return (run[at : at + length] for at in range(len(run) - length + 1))


def _shortened(text: str) -> set[str]:
    """The text without one of its characters. One wrong or two neighbours swapped leave one of these alike."""
    return {text[:at] + text[at + 1 :] for at in range(len(text))}
