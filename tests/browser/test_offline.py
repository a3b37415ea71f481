"""In a valley without network: the door opens, goods are put up with a photo, all of it is sent exactly once later."""

import re

import pytest
from playwright.sync_api import FilePayload, Page, expect

from tests.browser import taps
from tests.browser.conftest import OpenPage
from tests.browser.running import PATIENCE_MS

_KEPT = "记在手机里了"
_IS_DOOR_KEPT = "() => localStorage.getItem('warmed') !== null"
_IS_MONEY_KEPT = """async () => {
    const home = location.pathname.replace("goods", "");
    return Boolean(await (await caches.open("pages")).match(`${home}money`));
}"""
_IS_NOTHING_KEPT = "async () => (await (await caches.open('pages')).keys()).length === 0"
_HAS_DRAFT = """() => new Promise((resolve) => {
    const asked = indexedDB.open("yigou");
    asked.onsuccess = () => {
        const found = asked.result.transaction("acts").objectStore("acts").getAllKeys();
        found.onsuccess = () => resolve(found.result.some((key) => key.startsWith("draft ")));
    };
})"""


def _kept_door(open_page: OpenPage, who: str = "grower") -> tuple[Page, str]:
    """The household's goods, with the door kept on the phone; the household's address."""
    page = open_page(who)
    page.goto("/village")
    _until(page, _IS_DOOR_KEPT)
    return page, page.url.rsplit("/", 1)[0]


def _until(page: Page, is_so: str) -> None:
    """Ask the page until it says yes. Playwright's own `wait_for_function` takes a promise of no for a yes."""
    for _ in range(PATIENCE_MS // 100):
        if page.evaluate(is_so):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"not so within {PATIENCE_MS} ms: {is_so}")


def _cut(page: Page, *, is_cut: bool = True) -> None:
    page.context.set_offline(is_cut)


def _next(page: Page) -> None:
    page.get_by_role("button", name="下一步").tap()


def _choose_photo(page: Page) -> None:
    photo = FilePayload(name="IMG_0001.jpg", mimeType="image/jpeg", buffer=taps.photo_with_place())
    page.locator("input[type=file]").set_input_files(photo)


def _take_photo(page: Page) -> None:
    _choose_photo(page)
    page.get_by_role("button", name="带上照片，上架").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
    expect(page.locator("#outbox")).to_contain_text("1 件事等有网再送")


def _arrived(page: Page, home: str) -> list[str]:
    """With network again: what the household sells, once all was sent."""
    page.goto(f"{home}/goods")
    expect(page.locator("#outbox")).to_contain_text("1 件事等有网再送")
    _cut(page, is_cut=False)
    expect(page.locator("html[data-kept]")).to_have_count(0)  # it has opened itself anew
    expect(page.locator("#outbox")).to_be_hidden()
    return _goods(page, home)


def _goods(page: Page, home: str) -> list[str]:
    page.goto(f"{home}/goods")
    return [str(card.get_attribute("id")) for card in page.locator("article[id]").all()]


def test_goods_with_a_photo_from_a_valley_and_a_killed_tab(open_page: OpenPage) -> None:
    page, home = _kept_door(open_page)
    before = _goods(page, home)
    _cut(page)
    taps.begin_listing(page, "核桃", "12", "8.5")
    page.reload()  # the answers are in the address
    _take_photo(page)
    page.goto(f"{home}/orders")  # the rest of the door still opens
    expect(page.get_by_role("heading", level=1)).to_contain_text("要备的货")
    page.close()
    page = page.context.new_page()
    new = set(_arrived(page, home)) - set(before)
    assert len(new) == 1
    page.locator(f"#{new.pop()} a.cover").first.tap()
    page.wait_for_url(re.compile(r"/village/goods/\d+$"))
    expect(page.locator(".offers img")).to_have_attribute("src", re.compile(r"^/photos/"))


@pytest.mark.parametrize("is_cut", [False, True], ids=["network", "valley"])
def test_a_photo_chosen_and_not_sent_outlives_the_tab(open_page: OpenPage, *, is_cut: bool) -> None:
    page, home = _kept_door(open_page)
    before = _goods(page, home)
    _cut(page, is_cut=is_cut)
    taps.begin_listing(page, "核桃", "12", "8.5")
    _choose_photo(page)
    _until(page, _HAS_DRAFT)
    address = page.url
    page.close()
    page = page.context.new_page()
    page.goto(address)
    expect(page.locator("[data-preview]")).to_be_visible()
    page.get_by_role("button", name="带上照片，上架").tap()
    if is_cut:
        expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
        after = _arrived(page, home)
    else:
        page.wait_for_url(re.compile(r"/village/goods/\d+"))
        after = _goods(page, home)
    [new] = set(after) - set(before)
    expect(page.locator(f"#{new} img").first).to_have_attribute("src", re.compile(r"^/photos/"))
    page.goto(address)  # the next of the same begins without it
    expect(page.locator("[data-preview]")).to_be_hidden()
    assert not page.evaluate(_HAS_DRAFT)


def test_the_network_goes_at_every_step(open_page: OpenPage) -> None:
    page, home = _kept_door(open_page)
    before = _goods(page, home)

    def gone(question: str) -> None:
        """The screen that was fetched, asked again from the phone; then the network is back."""
        _cut(page)
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_contain_text(question)
        _cut(page, is_cut=False)

    page.get_by_role("link", name="卖一样东西").tap()
    page.wait_for_url("**/goods/new")
    gone("您要卖什么")
    page.get_by_role("main").get_by_role("link", name="核桃", exact=True).tap()
    page.wait_for_url("**produce=walnut*")
    gone("有多少核桃")
    taps.press(page, "12")
    _next(page)
    page.wait_for_url("**quantity=12*")
    gone("一斤卖多少钱")
    taps.press(page, "8.5")
    _next(page)
    page.wait_for_url("**price=8.5*")
    _cut(page)
    _take_photo(page)
    assert len(set(_arrived(page, home)) - set(before)) == 1


def test_who_comes_again_has_all_three_tabs_in_the_valley(open_page: OpenPage) -> None:
    page, home = _kept_door(open_page)
    page.evaluate("localStorage.setItem('warmed', localStorage.getItem('warmed').split(' ')[0] + ' 0')")  # later
    page.reload()
    _until(page, _IS_MONEY_KEPT)
    _cut(page)
    for tab, heading in (("备货", "要备的货"), ("我的钱", "我的钱"), ("卖货", "我家的货")):
        page.get_by_role("navigation", name="主要页面").get_by_role("link", name=tab).tap()
        expect(page.get_by_role("heading", level=1)).to_contain_text(heading)
        expect(page.locator("#kept-notice")).to_contain_text("没有网，这是")
    assert page.url == f"{home}/goods"


def test_a_kept_page_says_so_and_finds_its_files(open_page: OpenPage) -> None:
    page, home = _kept_door(open_page)
    missing: list[str] = []
    page.on("requestfailed", lambda it: missing.append(it.url))
    _cut(page)
    page.goto(f"{home}/goods")
    page.reload()
    expect(page.locator("#kept-notice")).to_contain_text("没有网，这是")
    page.goto(f"{home}/looks")  # never opened: the one page that knows the way answers
    expect(page.get_by_role("heading", level=1)).to_have_text("这一页没有存在手机里")
    assert [url for url in missing if "/static/" in url] == []


def test_a_number_is_changed_in_the_valley(open_page: OpenPage) -> None:
    page, home = _kept_door(open_page)
    card = page.locator("article[id]").first.get_attribute("id")
    _cut(page)
    page.locator(f"#{card}").get_by_role("link", name="改数量").tap()
    page.wait_for_url("**/stock")
    taps.press(page, "44")
    page.get_by_role("button", name="改好了").tap()
    expect(page.get_by_role("heading", level=1)).to_have_text(_KEPT)
    page.get_by_role("link", name="看一下").tap()
    page.wait_for_url("**/village/waiting")
    expect(page.locator("#waiting")).to_contain_text("改成 44")
    page.get_by_role("button", name="不送了").tap()
    page.get_by_role("button", name="放回来").tap()
    expect(page.get_by_role("button", name="不送了")).to_be_visible()
    page.goto(f"{home}/goods")
    page.locator(f"#{card}").get_by_role("link", name="改数量").tap()
    page.wait_for_url("**/stock")
    taps.press(page, "45")  # the kept page still shows the old number: the same phone knows better
    page.get_by_role("button", name="改好了").tap()
    expect(page.locator("#outbox")).to_contain_text("2 件事等有网再送")
    _cut(page, is_cut=False)
    page.goto("/village/waiting")
    expect(page.locator("#waiting").get_by_text("送到了")).to_have_count(2)
    page.goto(f"{home}/goods")
    expect(page.locator(f"#{card}")).to_contain_text("还剩 45")


def test_nobody_reads_what_another_kept(open_page: OpenPage) -> None:
    page, _home = _kept_door(open_page)
    token = page.locator("input[name=csrf_token]").first.input_value()
    page.request.post("/sign-out", form={"csrf_token": token})
    page.goto("/")
    expect(page.locator("html[data-visitor]")).to_be_attached()
    _until(page, _IS_NOTHING_KEPT)
