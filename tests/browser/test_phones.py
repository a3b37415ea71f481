"""Phones without a service worker, as inside WeChat on an iPhone: what is done without network waits, is sent once."""

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser import taps
from tests.browser.conftest import OpenPage
from tests.browser.running import sign_in_as

_KEPT = "记在手机里了"
_SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}

OpenPhone = Callable[[], Page]


@pytest.fixture
def phone(open_page: OpenPage) -> OpenPhone:
    """Opens the grower's goods on another phone."""

    def open_one() -> Page:
        page = open_page("grower")
        page.context.add_init_script("delete Navigator.prototype.serviceWorker")
        page.goto("/village")
        return page

    return open_one


def _cut(page: Page, *, is_cut: bool = True) -> None:
    page.context.set_offline(is_cut)


def _first(page: Page) -> str:
    """The first listing on the household's page."""
    return str(page.locator("article[id]").first.get_attribute("id"))


def _left(page: Page, card: str) -> int:
    page.goto("/village")
    found = re.search(r"还剩 (\d+)", page.locator(f"#{card}").inner_text())
    return int(found[1]) if found else 0


def _change(page: Page, card: str, quantity: str, *, is_cut: bool) -> None:
    page.locator(f"#{card}").get_by_role("link", name="改数量").tap()
    page.wait_for_url("**/stock")
    taps.press(page, quantity)
    _cut(page, is_cut=is_cut)
    page.get_by_role("button", name="改好了").dblclick()


def test_a_change_waits_in_words_and_is_sent_once(phone: OpenPhone) -> None:
    page = phone()
    card = _first(page)
    _change(page, card, "23", is_cut=True)
    expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
    expect(page.locator("#outbox")).to_contain_text("1 件事等有网再送")
    another = page.context.new_page()  # two tabs, one bringing at a time
    sent: list[str] = []
    page.context.on("request", lambda it: sent.append(it.url) if it.method == "POST" else None)
    _cut(page, is_cut=False)
    another.goto("/village")
    expect(another.locator("#outbox")).to_be_hidden()
    expect(page.locator("#outbox")).to_be_hidden()
    assert len(sent) == 1
    assert _left(page, card) == 23


def test_the_second_of_two_quick_taps_touches_nothing_else(phone: OpenPhone) -> None:
    page = phone()
    page.locator(f"#{_first(page)}").get_by_role("link", name="改数量").tap()
    page.wait_for_url("**/stock")
    taps.press(page, "22")
    _cut(page)
    spot = page.get_by_role("button", name="改好了").bounding_box()
    assert spot
    for _ in range(2):
        page.touchscreen.tap(spot["x"] + spot["width"] / 4, spot["y"] + spot["height"] / 2)
        expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
    expect(page.locator("#outbox")).to_contain_text("1 件事等有网再送")
    page.wait_for_timeout(600)
    expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
    page.get_by_role("button", name="填错了，回去改").tap()
    expect(page.locator("#outbox")).to_be_hidden()


def test_an_answer_that_was_lost_is_asked_for_again_and_the_work_done_once(phone: OpenPhone) -> None:
    page = phone()
    card = _first(page)
    before = _left(page, card)
    taken: list[int] = []

    def lose_the_first(route: Route) -> None:
        if not taken:
            taken.append(route.fetch().status)
            route.abort()
        else:
            route.continue_()

    page.route("**/stock", lose_the_first)
    page.locator(f"#{card}").get_by_role("button", name="多 1").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
    assert taken == [200]
    page.goto("/village")
    expect(page.locator("#outbox")).to_be_hidden()
    assert _left(page, card) == before + 1


def test_two_phones_that_differ_are_asked_on_either(phone: OpenPhone) -> None:
    mine, other = phone(), phone()
    card = _first(mine)
    _change(mine, card, "31", is_cut=True)
    expect(mine.get_by_role("heading", level=1)).to_have_text(_KEPT)
    _change(other, card, "37", is_cut=False)
    other.wait_for_url(re.compile(r"/goods/\d+(\?.*)?$"))
    _cut(mine, is_cut=False)
    expect(mine.locator("#outbox")).to_contain_text("1 件事要请您看一下")
    assert _left(other, card) == 37
    other.get_by_role("link", name="去看看").first.tap()  # the latest question stands first
    expect(other.get_by_role("main")).to_contain_text("现在是“37")
    other.get_by_role("button", name="改成：31").tap()
    other.wait_for_url(re.compile(r"/goods/\d+$"))
    assert _left(mine, card) == 31


def test_a_photo_on_slow_3g_is_small_and_goes_on_where_it_broke_off(phone: OpenPhone) -> None:
    page = phone()
    taps.begin_listing(page, "红枣", "9", "12")
    photo = FilePayload(name="IMG_1.jpg", mimeType="image/jpeg", buffer=taps.photo_of_a_field())
    page.locator("input[type=file]").set_input_files(photo)
    page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", _SLOW_3G)
    parts: list[tuple[int, int]] = []

    def break_off(route: Route) -> None:
        start = int(parse_qs(urlsplit(route.request.url).query)["start"][0])
        parts.append((start, len(route.request.post_data_buffer or b"")))
        if len(parts) == 2:
            route.abort()
        else:
            route.continue_()

    page.route("**/village/uploads/*start=*", break_off)
    page.get_by_role("button", name="带上照片，上架").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
    expect(page.locator("#outbox")).to_contain_text("1 件事等有网再送")
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#outbox")).to_be_hidden()
    starts = [start for start, _size in parts]
    assert starts == sorted(starts)  # nothing from the start again
    assert starts.count(0) == 1
    assert 20_000 < sum(size for _start, size in parts) - parts[1][1] <= 80 * 1024
    page.goto("/village")
    expect(page.locator("article").filter(has_text="还剩 9 斤").first).to_be_visible()


def test_what_waits_outlives_a_sign_in_that_ended(phone: OpenPhone) -> None:
    page = phone()
    card = _first(page)
    home = page.url
    _change(page, card, "26", is_cut=True)
    expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
    page.context.clear_cookies(name="yigou")
    _cut(page, is_cut=False)
    expect(page.locator("#outbox")).to_contain_text("1 件事等您登录再送")
    sign_in_as(page.context, "agent")  # may sell these goods, and did not say this
    page.goto(home)
    expect(page.locator("#outbox")).to_be_hidden()
    assert "还剩 26" not in page.locator(f"#{card}").inner_text()
    sign_in_as(page.context, "grower")
    page.goto("/village/waiting")
    expect(page.locator("#waiting")).to_contain_text("送到了")
    assert _left(page, card) == 26
