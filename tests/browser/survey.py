"""Visits screens and notes what is wrong with them; each screen is opened once a size, whichever test asks first."""

from dataclasses import dataclass, field
from http.client import OK
from typing import Any

from playwright.sync_api import Browser, Page

from storefront.migrations import ROOT
from tests.browser import eyes
from tests.browser.running import PHONE, Market, open_context, prefer, sign_in_as
from tests.browser.screens import Screen
from tests.browser.staging import Places

_AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text("utf-8")
# Without addresses of what it found, which take as long to make up as all the rest: the markup says enough.
_JUDGE = """() => axe.run(document, {resultTypes: ['violations'], selectors: false, preload: false})"""
_GRAVE = {"serious", "critical"}
_ANY = {"minor", "moderate", *_GRAVE}
_MOST_SAID = 4

# On a phone the window grows with what sticks out, so the width is compared with the one the page was given.
_SIDEWAYS = """(width) => {
  const page = document.scrollingElement;
  if (page.scrollWidth <= width + 1) return [];
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

# Bodies as they came over the wire, and something for the head of each; what is in store counts as if it were not.
_BYTES = """() => {
  const [page] = performance.getEntriesByType('navigation');
  const weight = (all) => all.reduce((sum, one) => sum + one.encodedBodySize + 400, 0);
  const parts = performance.getEntriesByType('resource').filter((one) => one.name.startsWith(location.origin));
  const own = parts.filter((one) => !one.name.includes('/static/'));
  return [weight([page, ...parts]), weight([page, ...own])];
}"""


@dataclass
class Findings:
    """What is wrong with a screen; empty is well."""

    status: int
    barriers: list[str]
    """Serious and critical violations axe reports; at the village door all of them."""
    sideways: list[str]
    """What sticks out to the right."""
    sideways_at_twice: list[str]
    """The same with text at 200 %."""
    errors: list[str]
    """What the browser's console complains about."""
    strains: list[str] = field(default_factory=list)
    """At the village door: what is too small, too tight or too faint, in every way it can be shown."""
    heard: str = ""
    """At the village door: what it says when read aloud."""
    title: str = ""
    """Its first heading."""
    bytes_first: int = 0
    """At the village door: the page with all it needs, as a phone that knows nothing yet fetches it."""
    bytes_later: int = 0
    """The same for a phone that has the style sheet, the scripts and the drawings."""


class Survey:
    """All screens of one running market, seen by the people they belong to."""

    def __init__(self, browser: Browser, market: Market, places: Places) -> None:
        self._browser, self._market, self.places = browser, market, places
        self._pages: dict[tuple[str, tuple[int, int]], Page] = {}
        self._known: dict[tuple[str, tuple[int, int]], Findings] = {}
        self._said: list[str] = []

    def of(self, screen: Screen, size: tuple[int, int]) -> Findings:
        """What is wrong with it at this size."""
        key = (screen.name, size)
        if key not in self._known:
            self._known[key] = self._look(screen, size)
        return self._known[key]

    def show(self, screen: Screen, size: tuple[int, int], language: str = "") -> tuple[Page, int]:
        """The screen in the browser of the person it belongs to, and the status it came with."""
        page = self._page(screen, size)
        prefer(page.context, language=language or screen.language, size=screen.size, contrast=screen.contrast)
        self._said.clear()
        return page, screen.open(page, self.places)

    def markup(self, screen: Screen, language: str) -> tuple[Page, str]:
        """The screen as it is sent in that language, and a page to look at it with; drawn only where it must be."""
        if screen.then is not None:
            page, _status = self.show(screen, PHONE, language)
            return page, page.content()
        page = self._page(screen, PHONE)
        prefer(page.context, language=language, size=screen.size, contrast=screen.contrast)
        return page, page.context.request.get(screen.path.format(**self.places)).text()

    def close(self) -> None:
        """Close all browsers."""
        for page in self._pages.values():
            page.context.close()

    def _look(self, screen: Screen, size: tuple[int, int]) -> Findings:
        page, status = self.show(screen, size)
        page.evaluate(_AXE)
        # At the village door nothing axe knows of is small enough to be let pass.
        barriers = _barriers(page.evaluate(_JUDGE), _ANY if eyes.is_in_village(page) else _GRAVE)
        sideways = page.evaluate(_SIDEWAYS, size[0])
        found = Findings(status, barriers, sideways, [], [])
        if size == PHONE and eyes.is_in_village(page):
            found.bytes_first, found.bytes_later = page.evaluate(_BYTES)
            found.heard, found.strains = eyes.heard(page), eyes.strains(page)
            found.title = page.locator("h1").first.inner_text()
        page.evaluate(_TWICE)
        found.sideways_at_twice = page.evaluate(_SIDEWAYS, size[0])
        # A page that says no is reported to the console too.
        found.errors = [said for said in self._said if status == OK or "Failed to load resource" not in said]
        return found

    def _page(self, screen: Screen, size: tuple[int, int]) -> Page:
        # What a visitor does is kept in the browser, so a screen that needs doing has one to itself.
        key = (screen.who or (screen.name if screen.then else ""), size)
        if key not in self._pages:
            context = open_context(self._browser, self._market, size, keeps=False)
            if screen.who:
                sign_in_as(context, screen.who)
            page = self._pages[key] = context.new_page()
            page.on("console", lambda said: self._said.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: self._said.append(str(error)))
        return self._pages[key]


def _barriers(report: dict[str, Any], impacts: set[str]) -> list[str]:
    return [
        f"{violation['id']}: {violation['help']}: {node['html'][:160]}"
        for violation in report["violations"]
        if violation["impact"] in impacts
        for node in violation["nodes"][:_MOST_SAID]
    ]
