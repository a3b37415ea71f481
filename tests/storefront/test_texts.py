"""Every sentence is there in both languages, with the same places to fill."""

import ast
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from storefront.migrations import ROOT
from storefront.texts import gettext, ngettext, speak

_PLACES = re.compile(r"%\((\w+)\)[a-z]|%%")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}


@pytest.fixture(scope="module")
def english() -> Catalog:
    with (ROOT / "storefront/locale/en/LC_MESSAGES/messages.po").open("rb") as file:
        return read_po(file, locale="en")


def said() -> set[str]:
    """Every sentence in code and templates."""
    found: set[str] = set()
    methods = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
    for folder in ("storefront",):
        for _file, _line, message, *_ in extract_from_dir(
            ROOT / folder, methods, {"**/templates/**.html": {"trimmed": "true"}}, keywords=_KEYWORDS
        ):
            found.add(message if isinstance(message, str) else message[0])
    return found


def translations(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def test_every_sentence_has_its_english(english: Catalog) -> None:
    known = {message.id if isinstance(message.id, str) else message.id[0] for message in english if message.id}
    assert sorted(said() - known) == []
    assert [message.id for message in english if message.id and not all(translations(message))] == []


def test_no_translation_loses_or_invents_a_place(english: Catalog) -> None:
    wrong = []
    for message in english:
        source = message.id if isinstance(message.id, str) else message.id[0]
        wrong += [
            source
            for translated in translations(message)
            if source and sorted(_PLACES.findall(source)) != sorted(_PLACES.findall(translated))
        ]
    assert wrong == []


def test_english_is_english(english: Catalog) -> None:
    assert [message.id for message in english if message.id and any(map(_CHINESE.search, translations(message)))] == []


def test_nothing_is_put_into_a_sentence_before_it_is_translated() -> None:
    """`_(f"…")` would look up a sentence nobody wrote down."""
    guilty = []
    for path in sorted((ROOT / "storefront").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _KEYWORDS:
                spoilt = any(isinstance(argument, ast.JoinedStr) for argument in node.args[:1])
                guilty += [f"{Path(path).name}:{node.lineno}"] if spoilt else []
    assert guilty == []


def test_speaking_is_per_request_and_unknown_tongues_are_chinese() -> None:
    speak("en")
    assert gettext("登录") == "Sign in"
    speak("fr")
    assert gettext("登录") == "登录"
    assert ngettext("先看 %(num)s 样", "先看 %(num)s 样", 3) == "先看 3 样"
