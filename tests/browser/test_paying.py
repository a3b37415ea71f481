"""The other ways to pay, each to its end: WeChat Pay by QR, a card, cash at the stop."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser import taps
from tests.browser.conftest import OpenPage
from tests.browser.running import DESKTOP, PATIENCE_MS


@pytest.fixture
def offers(open_page: OpenPage) -> list[str]:
    """Goods that cost enough to be paid online."""
    page = open_page()
    page.goto("/listings?min=10&sort=price")
    links = page.locator(".offer:not(.offer--gone) a.cover").all()
    return [(link.get_attribute("href") or "").rsplit("/", 1)[1] for link in links]


def test_wechat_pay_by_scanning(open_page: OpenPage, offers: list[str]) -> None:
    buyer, telephone = open_page("second_member", DESKTOP), open_page()
    taps.order(buyer, offers[0])
    buyer.get_by_role("button", name="微信支付").click()
    expect(buyer.get_by_role("img", name="微信支付的二维码")).to_be_visible()
    telephone.goto(buyer.get_by_role("link", name="打开付款说明").get_attribute("href") or "")
    telephone.get_by_role("link", name="打开付款页").click()
    telephone.get_by_role("button", name="同意付款").click()
    # Nobody touches the page with the code.
    expect(buyer.get_by_role("heading", name="付款成功")).to_be_visible(timeout=PATIENCE_MS)


def test_a_card_that_is_refused_and_one_that_is_taken(open_page: OpenPage, offers: list[str]) -> None:
    buyer = open_page("second_member")
    taps.order(buyer, offers[1])
    buyer.get_by_role("button", name="银行卡").click()
    buyer.get_by_label("卡号").fill("4000 0000 0000 0002")
    buyer.get_by_role("button", name="付款").click()
    expect(buyer.get_by_role("alert")).to_contain_text("没有扣钱")
    buyer.get_by_label("卡号").fill("4242 4242 4242 4242")
    buyer.get_by_role("button", name="付款").click()
    expect(buyer.get_by_role("heading", name="付款成功")).to_be_visible(timeout=PATIENCE_MS)
    buyer.get_by_role("link", name="看订单").click()
    expect(buyer.locator(".timeline")).to_contain_text("银行卡")


def test_cash_at_the_stop(open_page: OpenPage, offers: list[str]) -> None:
    buyer, clerk = open_page("member"), open_page("clerk")
    no = taps.order(buyer, offers[2])
    buyer.get_by_role("button", name="取货时付现金").click()
    expect(buyer.locator("#flashes")).to_contain_text("取货时付现金")
    _take_cash(clerk, no)
    buyer.reload()
    expect(buyer.get_by_role("heading", level=1)).to_contain_text("已付款")


def _take_cash(clerk: Page, no: str) -> None:
    clerk.goto("/unit/cash")
    sheet = clerk.locator("section.card", has_text=no)
    sheet.get_by_role("button", name="收到现金").click()
    expect(clerk.locator("#confirm-text")).to_contain_text("已经点清了吗")
    taps.confirm(clerk)
    expect(clerk.locator("#flashes")).not_to_be_empty()
    expect(clerk.locator("section.card", has_text=no)).to_have_count(0)
