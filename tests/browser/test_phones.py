"""A phone without a service worker, as inside WeChat on an iPhone: what is done without network waits and is sent."""

from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import taps
from tests.browser.conftest import OpenPage

_KEPT = "记在手机里了"


def _goods(page: Page) -> str:
    page.goto("/village")
    page.wait_for_load_state("load")
    return page.url


def _offline(page: Page, *, is_off: bool = True) -> BrowserContext:
    page.context.set_offline(is_off)
    return page.context


def test_a_change_waits_in_words_and_is_sent_once(open_page: OpenPage) -> None:
    page = open_page("grower")
    goods = _goods(page)
    page.get_by_role("link", name="改数量").first.tap()
    page.wait_for_url("**/stock")
    listing = page.url.split("/goods/")[1].split("/")[0]
    taps.press(page, "23")
    _offline(page)
    page.get_by_role("button", name="改好了").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
    expect(page.locator("#outbox")).to_contain_text("1 件事等有网再送")
    sent: list[str] = []
    page.on("request", lambda it: sent.append(it.url) if it.method == "POST" else None)
    _offline(page, is_off=False)
    expect(page.locator("#outbox")).to_be_hidden()
    assert len(sent) == 1
    page.goto(goods)
    expect(page.locator(f"#g-{listing}")).to_contain_text("还剩 23")
