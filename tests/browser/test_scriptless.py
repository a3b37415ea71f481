"""An old telephone that runs no scripts: goods are listed and bought all the same."""

from playwright.sync_api import expect

from tests.browser import taps
from tests.browser.conftest import OpenPage


def test_goods_are_listed_without_scripts(open_page: OpenPage) -> None:
    page = open_page("grower", scripts=False)
    page.goto("/village")
    page.get_by_role("link", name="卖一样东西").click()
    page.locator(".pick", has_text="红枣").click()
    page.get_by_label("现在能卖的").fill("30")
    page.get_by_role("button", name="下一步").click()
    page.get_by_label("的价钱").fill("12")
    page.get_by_role("button", name="下一步").click()
    page.get_by_role("button", name="不放照片，上架").click()
    expect(page.locator("#flashes")).to_contain_text("已上架")
    page.goto(page.url.split("?")[0].replace("/village/goods/", "/listings/"))
    expect(page.get_by_role("main")).to_contain_text("30 斤")


def test_an_order_is_paid_in_cash_without_scripts(open_page: OpenPage) -> None:
    page = open_page("second_member", scripts=False)
    page.goto("/listings?produce=jujube")
    page.locator(".offer:not(.offer--gone) a.cover").first.click()
    page.locator(".stepper button[value='1']").click()
    expect(page.get_by_label("买多少")).to_have_value("2")
    page.locator("form[action='/cart/lines'] .button--lg").click()
    taps.stand_at_checkout(page)
    page.get_by_role("button", name="提交订单").click()
    taps.number_of_order(page)
    page.get_by_role("button", name="取货时付现金").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("取货时付现金")
