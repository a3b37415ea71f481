"""The whole story through pages only: listed, fought over, paid, packed, reported, refunded, and it adds up."""

import csv
import re
from io import BytesIO, StringIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser import taps
from tests.browser.conftest import OpenPage
from tests.browser.running import DESKTOP, PATIENCE_MS, Market

PRICE = "48.50"
PRICE_FEN = 4850
NOT_FOUND = 404


def test_the_last_jin_of_mutton(market: Market, open_page: OpenPage) -> None:
    villager, officer = open_page("household"), open_page("officer", DESKTOP)
    villager.goto("/village")
    household = villager.url.split("/")[4]
    before = _gross_fen(officer, household)

    listing = _list_with_photo(villager)
    _leave_one(villager, listing)
    winner, loser = _fight_over(listing, open_page("member"), open_page("second_member"))
    no = taps.number_of_order(winner)
    _is_told_kindly(loser)
    _pay_by_alipay(winner, no)
    _tells_what_comes_next(winner)

    villager.goto("/village/orders")
    expect(villager.get_by_role("main")).to_contain_text(f"单号尾数 {no[-4:]}")
    assert _gross_fen(officer, household) == before + PRICE_FEN
    _drill_down(officer, household, no)
    assert _gross_fen_in_file(officer, household) == before + PRICE_FEN
    assert market.command("verify").returncode == 0

    _take_back(winner)
    assert _row(officer, household)["净销售额"] == before - _row(officer, household)["已退款"] + PRICE_FEN
    assert _row(officer, household)["已退款"] >= PRICE_FEN
    proof = market.command("verify")
    assert (proof.returncode, proof.stdout.strip()) == (0, "Everything adds up.")


def _list_with_photo(villager: Page) -> str:
    listing = taps.list_goods(villager, "羊肉", "12", PRICE, photo=taps.photo_with_place(), gated=True)
    assert villager.context.request.get(f"/listings/{listing}").status == NOT_FOUND
    taps.show_papers(villager, taps.photo_with_place())
    expect(villager.locator("#flashes")).to_contain_text("证件齐了，买的人能看到了")
    shown = villager.locator(".offer img").get_attribute("src") or ""
    kept = villager.context.request.get(shown)
    with Image.open(BytesIO(kept.body())) as photo:
        assert dict(photo.getexif()) == {}
        assert photo.width == 480
    return listing


def _leave_one(villager: Page, listing: str) -> None:
    villager.goto(f"/village/goods/{listing}/stock")
    taps.press(villager, "1")
    villager.get_by_role("button", name="改好了").tap()
    expect(villager.locator("#flashes")).to_contain_text("数量改好了")
    expect(villager.get_by_role("main")).to_contain_text("还剩 1 斤")


def _fight_over(listing: str, one: Page, other: Page) -> tuple[Page, Page]:
    """Both stand at checkout and submit in the same moment; the one who got the order first."""
    for buyer in (one, other):
        taps.put_in_cart(buyer, listing)
        taps.stand_at_checkout(buyer)
    for buyer in (one, other):
        # Later, so that neither page waits for the other's answer.
        buyer.evaluate("() => { setTimeout(() => document.querySelector('button[form=checkout]').click(), 300) }")
    for buyer in (one, other):
        buyer.wait_for_url(re.compile(r"/cart$|/orders/"))
    return (one, other) if "/orders/" in one.url else (other, one)


def _is_told_kindly(loser: Page) -> None:
    assert loser.url.endswith("/cart")
    expect(loser.locator("#flashes")).to_contain_text("刚刚有人先买了：羊肉")
    expect(loser.locator("#flashes")).to_contain_text("购物车里别的都还在")
    line = loser.locator(".cart-line", has_text="这样货刚刚卖完了")
    expect(line.get_by_role("link", name="看同类的货")).to_be_visible()
    line.get_by_role("button", name="拿掉").click()
    expect(loser.get_by_text("已拿掉：羊肉")).to_be_visible()


def _pay_by_alipay(buyer: Page, no: str) -> None:
    buyer.get_by_role("button", name="支付宝").click()
    expect(buyer.get_by_role("heading", name="支付宝")).to_be_visible()
    expect(buyer.get_by_text("¥48.50")).to_be_visible()
    waiting = buyer.context.new_page()
    waiting.goto(f"/orders/{no}")
    expect(waiting.get_by_text("正在确认。")).to_be_visible()
    buyer.get_by_role("button", name="同意付款").click()
    expect(buyer.get_by_role("heading", name="付款成功")).to_be_visible(timeout=PATIENCE_MS)
    # The other tab was never touched: it asks by itself.
    expect(waiting.get_by_role("heading", name=re.compile("^已付款，.*取货$"))).to_be_visible(timeout=PATIENCE_MS)
    waiting.close()
    buyer.get_by_role("link", name="看订单").click()


def _tells_what_comes_next(buyer: Page) -> None:
    steps = buyer.locator(".timeline__step .timeline__title").all_inner_texts()
    assert [re.sub(r"\d+月.*）", "", step) for step in steps] == ["已下单", "已付款 ¥48.50", "农户备货", "取货"]
    expect(buyer.locator(".timeline__step").nth(1)).to_contain_text("支付宝")
    expect(buyer.locator(".timeline")).to_contain_text("截单")


def _row(officer: Page, household: str) -> dict[str, int]:
    """The household's figures in fen, from the officer's table."""
    officer.goto(f"/desk/households/{household}")
    name = officer.get_by_role("heading", level=1).inner_text()
    officer.goto(f"/desk/income?q={name}")
    row = officer.locator("tbody tr").filter(has=officer.locator(f"a[href^='/desk/households/{household}?']"))
    labels = ("销售额", "已退款", "净销售额", "已到户")
    return {label: _fen(row.locator(f"td[data-label='{label}']").inner_text()) for label in labels}


def _gross_fen(officer: Page, household: str) -> int:
    return _row(officer, household)["销售额"]


def _drill_down(officer: Page, household: str, no: str) -> None:
    officer.locator(f"a[href^='/desk/households/{household}?']").click()
    line = officer.locator("tbody tr", has_text=no)
    expect(line).to_contain_text("¥48.50")
    line.get_by_role("link").click()
    expect(officer.get_by_role("heading", level=1)).to_have_text("¥48.50")
    expect(officer.get_by_role("main")).to_contain_text("payment_intent.succeeded")
    expect(officer.get_by_role("main")).to_contain_text(no)


def _gross_fen_in_file(officer: Page, household: str) -> int:
    """The same figure in the CSV of the page's rows."""
    _row(officer, household)
    with officer.expect_download() as downloading:
        officer.get_by_role("link", name="CSV").click()
    text = Path(downloading.value.path()).read_text("utf-8-sig")
    # A few lines on top say what was asked; the head of the table follows.
    rows = list(csv.reader(StringIO(text)))
    head = next(at for at, row in enumerate(rows) if "净销售额" in " ".join(row))
    column = next(at for at, title in enumerate(rows[head]) if title.startswith("销售额"))
    return _fen(rows[head + 1][column])


def _take_back(buyer: Page) -> None:
    buyer.get_by_role("button", name="取消订单").click()
    taps.confirm(buyer)
    expect(buyer.locator("#flashes")).to_contain_text("付的钱会原路退回")
    returned = buyer.locator(".timeline__step", has_text="退款 ¥48.50")
    expect(returned).to_be_visible()
    for _ in range(60):
        if "已退回" in returned.inner_text():
            return
        buyer.wait_for_timeout(500)
        buyer.reload()
    pytest.fail("the refund never arrived")


def _fen(text: str) -> int:
    return round(float(re.sub(r"[¥,\s]", "", text)) * 100)
