"""The viewer's language. Sentences in code and templates are Chinese; catalogues translate them.

Catalogues are read from their .po files at start-up: a few milliseconds, and no compiled copy that could be stale.
"""

import io
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy

LANGUAGES = ("zh", "en")
DEFAULT = "zh"
_LOCALE = Path(__file__).parent / "locale"

_language: ContextVar[str] = ContextVar("language", default=DEFAULT)


def speak(language: str) -> None:
    """From here on this request speaks this language; an unknown one is Chinese."""
    _language.set(language if language in LANGUAGES else DEFAULT)


def language() -> str:
    """The language being spoken."""
    return _language.get()


def gettext(message: str, **values: Any) -> str:
    """The sentence in the viewer's language, with its %(name)s places filled."""
    said = _catalogue(_language.get()).gettext(message)
    return said % values if values else said


def ngettext(one: str, many: str, n: int, **values: Any) -> str:
    """The sentence for a number of things."""
    return _catalogue(_language.get()).ngettext(one, many, n) % {"num": n, "n": n, **values}


def lazy_gettext(message: str, **values: Any) -> str:
    """A sentence that is translated when it is shown: for tables at module level."""
    proxy: Any = LazyProxy(gettext, message, enable_cache=False, **values)
    return proxy  # type: ignore[no-any-return]  # the proxy behaves as the str it will be


@cache
def _catalogue(code: str) -> NullTranslations:
    path = _LOCALE / code / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=code)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)
