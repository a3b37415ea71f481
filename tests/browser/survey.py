"""Visits screens and notes what is wrong with them; each screen is opened once a size, whichever test asks first."""

from dataclasses import dataclass, field
from http.client import OK
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from storefront.migrations import ROOT
from tests.browser.running import Market, open_context, sign_in_as
from tests.browser.screens import Screen
from tests.browser.staging import Places

_AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8")
_JUDGE = """() => axe.run(document, {resultTypes: ['violations'], preload: false})"""
_GRAVE = {"serious", "critical"}
_MOST_SAID = 4

# On a phone the window grows with what sticks out, so the width is compared with the one the page was given.
_SIDEWAYS = """(width) => {
  const page = document.scrollingElement;
  if (page.scrollWidth <= width) return [];
  const clipped = (node) => {
    for (let at = node.parentElement; at && at !== document.body; at = at.parentElement)
      if (getComputedStyle(at).overflowX !== 'visible') return true;
    return false;
  };
  const wide = [...document.body.querySelectorAll('*')].filter(
    (node) => node.getBoundingClientRect().right > width + 1 && !clipped(node));
  return [`${page.scrollWidth} px`, ...wide.slice(-4).map((node) => node.cloneNode().outerHTML.slice(0, 120))];
}"""
_TWICE = "() => { document.documentElement.style.fontSize = '200%' }"


@dataclass
class Findings:
    """What is wrong with a screen; empty is well."""

    status: int = 200
    barriers: list[str] = field(default_factory=list)
    """Serious and critical violations axe reports."""
    sideways: list[str] = field(default_factory=list)
    """What sticks out to the right."""
    sideways_at_twice: list[str] = field(default_factory=list)
    """The same with text at 200 %."""
    errors: list[str] = field(default_factory=list)
    """What the browser's console complains about."""


class Survey:
    """All screens of one running market, seen by the people they belong to."""

    def __init__(self, browser: Browser, market: Market, places: Places) -> None:
        self._browser, self._market, self.places = browser, market, places
        self._contexts: dict[tuple[object, ...], BrowserContext] = {}
        self._known: dict[tuple[str, tuple[int, int]], Findings] = {}

    def of(self, screen: Screen, size: tuple[int, int]) -> Findings:
        """What is wrong with it at this size."""
        key = (screen.name, size)
        if key not in self._known:
            with self.page_of(screen, size) as page:
                self._known[key] = _look(page, screen, self.places, size[0])
        return self._known[key]

    def page_of(self, screen: Screen, size: tuple[int, int], language: str = "") -> Page:
        """A page in the browser of the person the screen belongs to; use as a context, it closes at the end."""
        return self._context(screen, size, language or screen.language).new_page()

    def close(self) -> None:
        """Close all browsers."""
        for context in self._contexts.values():
            context.close()

    def _context(self, screen: Screen, size: tuple[int, int], language: str) -> BrowserContext:
        # What a visitor does is kept in the browser, so a screen that needs doing has one to itself.
        whose = screen.who or (screen.name if screen.then else "")
        key = (whose, size, language, screen.prefs)
        if key not in self._contexts:
            context = open_context(self._browser, self._market, size, language=language, prefs=screen.prefs)
            if screen.who:
                sign_in_as(context, screen.who)
            self._contexts[key] = context
        return self._contexts[key]


def _look(page: Page, screen: Screen, places: Places, width: int) -> Findings:
    found = Findings()
    page.on("console", lambda said: found.errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: found.errors.append(str(error)))
    found.status = screen.open(page, places)
    # A page that says no is reported to the console too.
    found.errors = [said for said in found.errors if found.status == OK or "Failed to load resource" not in said]
    page.evaluate(_AXE)
    found.barriers = _barriers(page.evaluate(_JUDGE))
    found.sideways = page.evaluate(_SIDEWAYS, width)
    page.evaluate(_TWICE)
    found.sideways_at_twice = page.evaluate(_SIDEWAYS, width)
    return found


def _barriers(report: dict[str, Any]) -> list[str]:
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]}"
        for violation in report["violations"]
        if violation["impact"] in _GRAVE
        for node in violation["nodes"][:_MOST_SAID]
    ]
