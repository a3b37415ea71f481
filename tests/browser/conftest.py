"""One running market and one Chromium for all browser tests, which `bin/test` runs by themselves.

Playwright's synchronous interface keeps an event loop of its own running while it is open. So it is opened for this
folder only and closed behind it: pytest-asyncio's loop and Playwright's never meet.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.running import PATIENCE_MS, PHONE, Market, open_browser, open_context, running_market, sign_in_as
from tests.browser.screens import Screen
from tests.browser.staging import stage
from tests.browser.survey import Survey

OpenPage = Callable[..., Page]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of a screen go to one worker, which opens it once; of other tests, those of one file."""
    for item in items:
        screen = (
            item.callspec.params.get("screen")
            if isinstance(item, pytest.Function) and hasattr(item, "callspec")
            else None
        )
        item.add_marker(pytest.mark.xdist_group(screen.name if isinstance(screen, Screen) else item.path.name))


@pytest.fixture(scope="package")
def market(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """The whole product with the demo world, as bin/run starts it."""
    with running_market(tmp_path_factory.mktemp("market")) as running:
        yield running


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """The browser, kept open for all tests of this folder."""
    expect.set_options(timeout=PATIENCE_MS)  # as patient as with everything else: machines are shared
    with sync_playwright() as playwright:
        browser = open_browser(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def survey(market: Market, chromium: Browser) -> Iterator[Survey]:
    """Every screen, visited when first asked about and remembered."""
    opened = Survey(chromium, market, stage(market.url))
    yield opened
    opened.close()


@pytest.fixture
def open_page(market: Market, chromium: Browser) -> Iterator[OpenPage]:
    """Opens a page for an invented person (empty: a visitor) in a browser of its own; closed with the test."""
    opened: list[BrowserContext] = []

    def open_one(who: str = "", size: tuple[int, int] = PHONE, *, scripts: bool = True) -> Page:
        context = open_context(chromium, market, size, scripts=scripts)
        opened.append(context)
        if who:
            sign_in_as(context, who)
        return context.new_page()

    yield open_one
    for context in opened:
        context.close()
