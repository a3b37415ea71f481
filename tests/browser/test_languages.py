"""Complete in both languages: on an English page nothing the product itself says is left in Chinese.

Names of places, people and goods stay as they are, and so do the heads a register's file has. What the product says is
known from its source: every sentence given to gettext. A page that shows one of them as it stands was not translated;
and a template that holds a Chinese word outside of gettext could not be.
"""

import re
from functools import cache
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from jinja2 import Environment

from storefront.migrations import ROOT
from storefront.registers import HOUSEHOLD_COLUMNS
from tests.browser.screens import SCREENS, Screen
from tests.browser.survey import Survey

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_TEMPLATES = sorted((ROOT / "storefront/templates").rglob("*.html"))
_ITS_OWN_NAME = "中文"
"""The language switch names each language in itself."""
_TEXTS = """(markup) => {
  const texts = new Set(), sent = new DOMParser().parseFromString(markup, 'text/html');
  for (const part of [sent, ...[...sent.querySelectorAll('template')].map((later) => later.content)]) {
    const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const tag = walker.currentNode.parentElement?.tagName;
      if (!['SCRIPT', 'STYLE', 'OPTION', 'TEXTAREA'].includes(tag)) texts.add(walker.currentNode.data.trim());
    }
    for (const name of ['aria-label', 'placeholder', 'title', 'alt', 'data-busy', 'data-confirm', 'data-confirm-yes'])
      for (const node of part.querySelectorAll(`[${name}]`)) texts.add(node.getAttribute(name).trim());
  }
  return [...texts];
}"""
_FEW = 2
_VARIANTS = ("-large", "-outdoor", "-english")
ENGLISH = [screen for screen in SCREENS if not screen.name.endswith(_VARIANTS)]


@pytest.mark.parametrize("screen", ENGLISH, ids=lambda screen: screen.name)
def test_nothing_is_left_in_chinese(survey: Survey, screen: Screen) -> None:
    page, markup = survey.markup(screen, "en")
    texts = page.evaluate(_TEXTS, markup)
    assert texts
    texts = [text for text in texts if _CHINESE.search(text)]
    assert [text for text in texts if text not in HOUSEHOLD_COLUMNS and _sentences().fullmatch(text)] == []


@pytest.mark.parametrize("path", _TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "storefront/templates")))
def test_every_word_of_a_template_can_be_translated(path: Path) -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    words, inside_trans = [], False
    for line, kind, value in environment.lex(path.read_text("utf-8")):
        if kind == "name" and value in {"trans", "endtrans"}:
            inside_trans = value == "trans"
        elif kind == "data" and not inside_trans and _CHINESE.search(value.replace(_ITS_OWN_NAME, "")):
            words.append((line, value.strip()))
    assert words == []


@cache
def _sentences() -> re.Pattern[str]:
    """Any sentence of the product, with anything where a value stands in it.

    `%(year)s年` would also be a village called 千年: where so little is the product's, the value has to be a number.
    """
    found: set[str] = set()
    for folder, methods in (
        ("storefront", [("templates/**.html", "jinja2"), ("**.py", "python")]),
        ("market", [("**.py", "python")]),
        ("payments", [("**.py", "python")]),
    ):
        keywords = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "ngettext": (1, 2)}
        for _path, _line, message, _notes, _context in extract_from_dir(
            ROOT / folder, methods, {"**.html": {"trimmed": "true"}}, keywords
        ):
            found.update([message] if isinstance(message, str) else message)
    said = sorted(sentence for sentence in found if _CHINESE.search(sentence))
    assert len(said) > 200, "the sentences were not found"
    return re.compile("|".join(map(_pattern, said)), re.DOTALL)


def _pattern(sentence: str) -> str:
    value = ".+?" if len(_CHINESE.findall(sentence)) > _FEW else r"[^\u3400-\u9fff]+?"
    return re.sub(r"%\\?\((\w+)\\?\)[sd]", lambda _place: value, re.escape(sentence))
