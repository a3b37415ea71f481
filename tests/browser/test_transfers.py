"""From the order to the bank's file and back: copied by hand, matched at the desk, paid without a reload."""

import re

from playwright.sync_api import expect

from market.ground.clock import day_of, now
from tests.browser import taps
from tests.browser.conftest import OpenPage
from tests.browser.running import DESKTOP, PATIENCE_MS


def test_a_transfer_finds_its_order(open_page: OpenPage) -> None:
    buyer, accountant = open_page("member"), open_page("accountant", DESKTOP)
    buyer.goto("/listings?sort=price")
    offer = buyer.locator(".offer:not(.offer--gone) a.cover").nth(4).get_attribute("href") or ""
    taps.order(buyer, offer.rsplit("/", 1)[1])
    buyer.get_by_role("button", name="银行转账").click()
    reference = re.sub(r"\s", "", buyer.locator("#copy-reference").inner_text())
    amount = buyer.locator("#copy-amount").get_attribute("data-text")
    paper = open_page("member")
    paper.goto(f"{buyer.url}/transfer")
    expect(paper.get_by_role("button", name="打印")).to_be_visible()

    lines = [
        "交易日期,收入金额,对方户名,附言,交易流水号",
        f"{day_of(now()):%Y-%m-%d},{amount},路人,{reference[:3]} {reference[3:]},{reference}1",
        f"{day_of(now()):%Y-%m-%d},1.23,路人,谢谢,{reference}2",
    ]
    accountant.goto("/desk/statements/new")
    accountant.locator("#f-file").set_input_files(
        {"name": "明细.csv", "mimeType": "text/csv", "buffer": "\n".join(lines).encode("gb18030")}
    )
    accountant.get_by_role("button", name="看每一笔是什么").click()
    expect(accountant.locator("table")).to_contain_text("对上了，附言写散了")
    accountant.get_by_role("button", name="入账").click()
    expect(accountant.locator("#confirm-text")).to_contain_text("1 笔自己记到订单，1 笔等人看")
    taps.confirm(accountant)
    # The worker pays the order; nobody touches this page.
    expect(accountant.get_by_role("row").filter(has_text=reference[3:])).to_contain_text("办完了", timeout=PATIENCE_MS)
    buyer.reload()
    expect(buyer.get_by_role("heading", level=1)).to_contain_text("已付款")

    accountant.get_by_role("link", name="谢谢").click()
    accountant.get_by_text("和订单没有关系").click()
    card = accountant.locator("form[action$='/purpose']")
    card.get_by_text("和市场没有关系").click()
    card.get_by_label("为什么").fill("问过了，是转错的")
    card.get_by_role("button", name="放到一边").click()
    expect(accountant.locator("main")).to_contain_text("问过了，是转错的")
