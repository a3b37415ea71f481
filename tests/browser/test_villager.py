"""A villager at the phone: goods are up in four screens and under a minute, on a slow network too; nothing is lost."""

import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser import taps
from tests.browser.conftest import OpenPage

_MOST_SECONDS = 60
_SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
"""400 kbit/s and 400 ms, the browser makers' own measure."""
_WECHAT = "Mozilla/5.0 (Linux; Android 10) AppleWebKit/537.36 Chrome/86.0 Mobile Safari/537.36 MicroMessenger/8.0.2"
_RECORD = "() => { window.said = []; speechSynthesis.speak = (speech) => window.said.push(speech.text) }"


def _slow(page: Page) -> None:
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    wire.send("Network.emulateNetworkConditions", _SLOW_3G)


def test_four_screens_under_a_minute_on_a_slow_network_and_twice_tapped_is_once(open_page: OpenPage) -> None:
    page = open_page("grower")
    page.goto("/village")
    before = page.locator("article h2").count()
    _slow(page)
    began = time.monotonic()
    page.get_by_role("link", name="卖一样东西").tap()
    screens = ["卖什么"]
    page.get_by_role("main").get_by_role("link", name="核桃", exact=True).tap()
    screens.append(_asked(page, "有多少核桃？"))
    taps.press(page, "36")
    page.get_by_role("button", name="下一步").tap()
    screens.append(_asked(page, "一斤卖多少钱？"))
    taps.press(page, "8.5")
    page.get_by_role("button", name="下一步").tap()
    screens.append(_asked(page, "再看一遍，拍张照片"))
    page.get_by_role("button", name="不放照片，上架").dblclick()
    page.wait_for_url("**/village/goods/*")
    assert time.monotonic() - began < _MOST_SECONDS
    assert len(screens) == 4
    page.goto("/village")
    assert page.locator("article h2").count() == before + 1


def test_what_was_begun_is_there_after_the_tab_was_killed(open_page: OpenPage) -> None:
    page = open_page("grower")
    page.goto("/village")
    page.get_by_role("link", name="卖一样东西").tap()
    page.get_by_role("main").get_by_role("link", name="红枣", exact=True).tap()
    taps.press(page, "40")
    page.get_by_role("button", name="下一步").tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text("一斤卖多少钱？")
    killed, page = page, page.context.new_page()
    killed.close()
    page.goto("/village")
    expect(page.get_by_role("main")).to_contain_text("上次的红枣还没上架")
    page.get_by_role("link", name="接着来").tap()
    expect(page.get_by_role("heading", level=1)).to_contain_text("一斤卖多少钱？")
    page.goto("/village")
    page.get_by_role("button", name="不要了").tap()
    expect(page.get_by_text("上次的红枣还没上架")).to_have_count(0)


def test_a_price_and_a_count_go_back_with_one_tap(open_page: OpenPage) -> None:
    page = open_page("grower")
    page.goto("/village")
    page.get_by_role("link", name="改价钱").first.tap()
    page.wait_for_url("**/price")
    was = page.locator(".keypad__input").input_value()
    taps.press(page, f"{float(was) + 0.5:.2f}".rstrip("0").rstrip("."))
    page.get_by_role("button", name="改好了").tap()
    expect(page.locator("#flashes")).to_contain_text("价钱改好了")
    _take_back(page)
    listing = page.url.split("?")[0]
    page.goto(f"{listing}/price")
    assert page.locator(".keypad__input").input_value() == was
    page.goto(f"{listing}/stock")
    left = page.locator(".keypad__input").input_value()
    taps.press(page, "1")
    page.get_by_role("button", name="改好了").tap()
    _take_back(page)
    page.goto(f"{listing}/stock")
    assert page.locator(".keypad__input").input_value() == left


def test_costs_are_noted_taken_away_and_put_back(open_page: OpenPage) -> None:
    page = open_page("household")
    page.goto("/village/money")
    page.goto(page.url.split("/money")[0] + "/costs")
    page.get_by_role("link", name="记一笔花费").tap()
    page.get_by_role("link", name="饲料").tap()
    taps.press(page, "86")
    page.get_by_role("button", name="记下").dblclick()
    expect(page.locator("#flashes")).to_contain_text("记下了：饲料")
    expect(page.get_by_text("¥86.00").last).to_be_visible()
    row = page.locator(".list__row", has_text="¥86.00")
    expect(row).to_have_count(1)
    row.get_by_role("button", name="去掉").tap()
    expect(row).to_have_count(0)
    page.get_by_role("button", name="刚去掉的放回来").tap()
    expect(row).to_have_count(1)


def test_the_page_says_what_stands_on_it_now(open_page: OpenPage) -> None:
    page = open_page("grower")
    page.goto("/village")
    page.goto(page.url.split("/goods")[0] + "/goods/new?produce=walnut&counted=jin&quantity=12")
    page.evaluate(_RECORD)
    taps.press(page, "99")
    page.get_by_role("button", name="读给我听").tap()
    (said,) = page.evaluate("() => window.said")
    for words in ("一斤卖多少钱", "99", "比附近贵不少", "下一步"):
        assert words in said


@pytest.mark.parametrize("path", ["/village", "/village/goods/0"])
def test_where_the_phone_has_no_voice_there_is_no_button(open_page: OpenPage, path: str) -> None:
    page = open_page("grower")
    page.add_init_script("delete window.speechSynthesis")
    page.goto(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("[data-speak]")).to_be_hidden()


def test_big_letters_stay_on_for_whoever_comes_next_at_this_phone(open_page: OpenPage) -> None:
    page = open_page("grower")
    page.goto("/village")
    page.get_by_role("button", name="大字").tap()
    expect(page.locator("html")).to_have_attribute("data-size", "large")
    page.goto("/account")
    with page.expect_navigation():
        page.get_by_role("button", name="退出登录").first.tap()
    page.goto("/sign-in")
    expect(page.locator("html")).to_have_attribute("data-size", "large")


def test_inside_wechat_nothing_leads_into_a_trap(open_page: OpenPage) -> None:
    page = open_page("household")
    page.context.new_cdp_session(page).send("Network.setUserAgentOverride", {"userAgent": _WECHAT})
    page.add_init_script("window.open = () => { throw new Error('a second window') }; window.print = window.open")
    page.goto("/village")
    home = page.url.split("/goods")[0]
    listing = page.locator("h2 a.cover").first.get_attribute("href")
    rooms = [f"{home}/{room}" for room in ("goods", "orders", "money", "looks", "costs")]
    for path in (*rooms, f"{listing}/photo"):
        page.goto(path)
        traps = page.locator("a[download], [target=_blank], [data-print]:visible, input[capture]")
        assert [trap.evaluate("(node) => node.outerHTML") for trap in traps.all()] == []


def _take_back(page: Page) -> None:
    expect(page.locator("#flashes")).to_contain_text("改好了")
    with page.expect_navigation():
        page.get_by_role("button", name="点错了").tap()


def _asked(page: Page, question: str) -> str:
    expect(page.get_by_role("heading", level=1)).to_contain_text(question)
    return question
