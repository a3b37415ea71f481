"""Paying by bank transfer: told where to, what to write and until when, on the page and on paper."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select, update

from market.ground.db import Database
from market.trade import orders
from market.trade.orders import Order
from payments.records import Payment
from tests import build
from tests.payments.bank import Bank, Wire
from tests.storefront.pages.shop.visits import Buyer, said


@pytest.fixture(autouse=True)
async def payee(buyer: Buyer, database: Database) -> None:
    async with database.transaction() as session:
        await build.payee(session, buyer.world)


async def transferring(buyer: Buyer) -> str:
    url = await buyer.orders(buyer.world.mutton, 2)
    assert "银行转账" in said(await buyer.browser.get(url))
    answer = await buyer.browser.post(f"{url}/payments", {"method": "transfer"})
    assert answer.headers["location"] == url
    return url


async def reference_of(database: Database) -> str:
    async with database.transaction() as session:
        return (await session.exec(select(Payment.reference))).one() or ""


async def test_the_order_says_how_to_transfer(buyer: Buyer, database: Database) -> None:
    url = await transferring(buyer)
    reference = await reference_of(database)
    for path in (url, f"{url}/payment"):
        page = said(await buyer.browser.get(path))
        for words in (
            "请转账 ¥70.00", f"{reference[:3]} {reference[3:]}", "样例村股份经济合作社", "1002 0030 0400",
            "样例农村信用合作联社", "多转的会退回",
        ):  # fmt: skip
            assert words in page, words
    assert "已预订，等转账到账" in said(await buyer.browser.get(url))
    assert "等转账到账" in said(await buyer.browser.get("/orders"))


async def test_it_copies_in_one_piece(buyer: Buyer, database: Database) -> None:
    page = (await buyer.browser.get(await transferring(buyer))).text
    shown = re.search(r'<span id="copy-reference">(.*?)</span> *<button', page, re.DOTALL)
    assert shown is not None
    assert re.sub(r"<[^>]+>|\s", "", shown[1]) == await reference_of(database)
    assert 'data-text="100200300400"' in page


async def test_a_sheet_for_the_accountant(buyer: Buyer, database: Database) -> None:
    url = await transferring(buyer)
    page = said(await buyer.browser.get(f"{url}/transfer"))
    for words in ("转账通知单", "¥70.00 柒拾元整", "1002 0030 0400", "转账日期"):
        assert words in page
    assert "不用转账" not in page
    await buyer.browser.post(f"{url}/cancellation")
    assert "这一单现在不用转账：订单已取消" in said(await buyer.browser.get(f"{url}/transfer"))
    assert "要是您已经转了账" in said(await buyer.browser.get(url))


async def test_an_order_paid_otherwise_has_no_such_sheet(buyer: Buyer) -> None:
    url = await buyer.orders(buyer.world.mutton, 2)
    assert (await buyer.browser.get(f"{url}/transfer")).status_code == 404


async def test_when_it_ran_out_late_money_is_spoken_of(buyer: Buyer, database: Database) -> None:
    url = await transferring(buyer)
    now = datetime.now(UTC)
    async with database.transaction() as session:
        await session.exec(update(Order).values(expires_at=now - timedelta(minutes=1)))
        await orders.expire_due(session, now=now)
    page = said(await buyer.browser.get(url))
    assert "要是您已经转了账：货还在就算付成" in page
    assert "请转账" not in page


async def test_it_says_what_has_come_and_what_is_missing(buyer: Buyer, database: Database) -> None:
    url = await transferring(buyer)
    assert "还没看到这笔钱" in said(await buyer.browser.get(url))
    bank = await Bank(database, buyer.world).open()
    reference = await reference_of(database)
    await bank.tells(Wire("30.00", reference, serial="1"))
    page = said(await buyer.browser.get(url))
    for words in ("请再转 ¥40.00", "已经收到 ¥30.00，还差 ¥40.00", "11月3日", "银行转账 ¥70.00，已到 ¥30.00"):
        assert words in page, words
    assert "还差 ¥40.00" in said(await buyer.browser.get(f"{url}/transfer"))
    await bank.tells(Wire("40.00", reference, serial="2"))
    assert "已付款 ¥70.00" in said(await buyer.browser.get(url))
