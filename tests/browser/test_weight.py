"""Light and narrow: the first visit is small and asks nobody else, and no page scrolls sideways."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import OpenPage
from tests.browser.running import DESKTOP, PHONE
from tests.browser.screens import BUYER, DESK, OPERATOR, SCREENS, UNIT, VILLAGE, VISITOR, Screen
from tests.browser.survey import Survey

MOST_BYTES, MOST_BYTES_LATER = 60 * 1024, 20 * 1024


@pytest.mark.parametrize(("who", "path"), [("", "/"), ("household", "/village")])
def test_a_first_visit_weighs_at_most_sixty_kilobytes_without_goods_photos(
    open_page: OpenPage, who: str, path: str
) -> None:
    page = open_page(who)
    sizes = _listen(page)
    page.goto(path, wait_until="networkidle")
    own = {address: size for address, size in sizes.items() if not urlsplit(address).path.startswith("/photos/")}
    assert len(own) > 3
    assert sum(own.values()) <= MOST_BYTES, own


@pytest.mark.parametrize("screen", VILLAGE, ids=lambda screen: screen.name)
def test_a_page_of_the_village_is_light_the_first_time_and_lighter_after(survey: Survey, screen: Screen) -> None:
    found = survey.of(screen, PHONE)
    assert 0 < found.bytes_later <= found.bytes_first <= MOST_BYTES
    assert found.bytes_later <= MOST_BYTES_LATER


@pytest.mark.parametrize("path", ["/", "/listings", "/sign-in"])
def test_nobody_else_is_asked(open_page: OpenPage, path: str) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path, wait_until="networkidle")
    assert {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))} == {"localhost"}


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_a_phone_never_scrolls_sideways(survey: Survey, screen: Screen) -> None:
    assert survey.of(screen, PHONE).sideways == []


@pytest.mark.parametrize("screen", [*VISITOR, *BUYER, *VILLAGE], ids=lambda screen: screen.name)
def test_text_twice_as_big_still_fits(survey: Survey, screen: Screen) -> None:
    assert survey.of(screen, PHONE).sideways_at_twice == []


@pytest.mark.parametrize("screen", [*DESK, *UNIT, *OPERATOR], ids=lambda screen: screen.name)
def test_a_big_screen_never_scrolls_sideways(survey: Survey, screen: Screen) -> None:
    assert survey.of(screen, DESKTOP).sideways == []


def _listen(page: Page) -> dict[str, int]:
    """Bytes on the wire, headers and all, by address."""
    sizes: dict[str, int] = {}
    addresses: dict[str, str] = {}
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.on("Network.responseReceived", lambda it: addresses.update({it["requestId"]: it["response"]["url"]}))
    wire.on(
        "Network.loadingFinished",
        lambda it: sizes.update({addresses.get(it["requestId"], it["requestId"]): int(it["encodedDataLength"])}),
    )
    return sizes
