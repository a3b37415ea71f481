"""Paying online: off to the provider and back; only the provider's signed word changes anything."""

from datetime import UTC, datetime, timedelta

import pytest
from httpx import Response
from sqlmodel import col, select, update

from market.ground.db import Database
from market.trade.orders import Order
from payments.records import Payment, PaymentState
from tests.simulator import Cashier
from tests.storefront.pages.shop.visits import Buyer, said


async def _payments(database: Database) -> list[Payment]:
    async with database.transaction() as session:
        return list(await session.exec(select(Payment).order_by(col(Payment.started_at))))


async def _carry(payer: Buyer, cashier: Cashier, payment: Payment) -> list[Response]:
    """Bring the provider's notices about a payment to the door, as the provider would."""
    hook = payer.browser.http
    return [
        await hook.post("/hooks/stripe", content=body, headers={"stripe-signature": signature})
        for body, signature in await cashier.notices_about(str(payment.id), payment.provider_id or "-")
    ]


async def test_money_that_comes_while_the_page_is_read_is_not_called_a_failure(
    payer: Buyer, database: Database
) -> None:
    """The page reads the order, the notice commits, the page reads the payment."""
    url = await payer.orders(payer.world.mutton, 2)
    await payer.browser.post(f"{url}/payments", {"method": "alipay"})
    async with database.transaction() as session:
        await session.exec(update(Payment).values(state=PaymentState.SUCCEEDED))
    page = said(await payer.browser.get(f"{url}/return?redirect_status=succeeded"))
    assert "正在确认付款" in page
    assert "没有付成" not in page


async def test_alipay_sends_away_and_the_return_page_only_looks(
    payer: Buyer, database: Database, cashier: Cashier
) -> None:
    url = await payer.orders(payer.world.mutton, 2)
    assert "支付宝" in said(await payer.browser.get(url))
    away = await payer.browser.post(f"{url}/payments", {"method": "alipay"})
    again = await payer.browser.post(f"{url}/payments", {"method": "alipay"})
    assert away.headers["location"].startswith(cashier.url)
    assert again.headers["location"] == away.headers["location"]
    payment = (await _payments(database))[0]
    await cashier.pay(payment)
    page = said(await payer.browser.get(f"{url}/return?redirect_status=succeeded"))
    assert "正在确认付款" in page
    assert "没有付成" not in page
    assert (await _payments(database))[0].state is PaymentState.STARTED
    assert {answer.status_code for answer in await _carry(payer, cashier, payment)} == {200}
    assert "付款成功" in said(await payer.browser.get(f"{url}/return"))
    assert "已付款 ¥70.00 支付宝" in said(await payer.browser.get(url))
    refused = await payer.browser.post(f"{url}/payments", {"method": "card"})
    assert refused.headers["location"] == url
    assert "已经付过款了" in said(await payer.browser.get(url))


async def test_the_code_is_shown_and_the_waiting_page_hears_of_the_money(
    payer: Buyer, database: Database, cashier: Cashier
) -> None:
    url = await payer.orders(payer.world.mutton, 2)
    answer = await payer.browser.post(f"{url}/payments", {"method": "wechat_pay"})
    assert answer.headers["location"] == f"{url}/payment"
    page = await payer.browser.get(f"{url}/payment")
    assert 'src="data:image/' in page.text
    asks = page.text.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert (await payer.browser.get(asks)).status_code == 204
    payment = (await _payments(database))[0]
    await cashier.pay(payment)
    await _carry(payer, cashier, payment)
    done = await payer.browser.get(asks)
    assert "付款成功" in said(done)
    assert "hx-get" not in done.text
    assert "<html" not in done.text


async def test_the_order_page_asks_and_is_told_to_look_again(payer: Buyer) -> None:
    url = await payer.orders(payer.world.mutton, 2)
    page = await payer.browser.get(url)
    asks = page.text.split('hx-get="')[1].split('"')[0].replace("&amp;", "&")
    assert "还有 14 分钟" in said(await payer.browser.get(asks))
    await payer.browser.post(f"{url}/cancellation")
    assert (await payer.browser.get(asks)).headers["hx-refresh"] == "true"


async def test_a_refused_payment_is_no_loss(payer: Buyer, database: Database, cashier: Cashier) -> None:
    url = await payer.orders(payer.world.mutton, 2)
    await payer.browser.post(f"{url}/payments", {"method": "alipay"})
    payment = (await _payments(database))[0]
    await cashier.act(f"intents/{payment.provider_id}/fail")
    await _carry(payer, cashier, payment)
    assert "没有付成" in said(await payer.browser.get(f"{url}/return"))
    assert "刚才没有付成，钱没有扣" in said(await payer.browser.get(url))
    assert (await payer.browser.post(f"{url}/payments", {"method": "alipay"})).status_code == 303
    assert len(await _payments(database)) == 2


async def test_leaving_the_card_page_is_not_a_failure(payer: Buyer) -> None:
    url = await payer.orders(payer.world.mutton, 2)
    away = await payer.browser.post(f"{url}/payments", {"method": "card"})
    page = await payer.browser.get(f"{url}/return")
    assert "还没付，接着付款" in said(page)
    assert away.headers["location"].replace("&", "&amp;") in page.text
    await payer.browser.post(f"{url}/payments", {"method": "cash"})
    assert (await payer.browser.http.get(f"{url}/payment")).headers["location"] == url


async def test_money_that_may_still_come_is_not_called_lost(payer: Buyer, database: Database) -> None:
    url = await payer.orders(payer.world.mutton, 2)
    await payer.browser.post(f"{url}/payments", {"method": "alipay"})
    async with database.transaction() as session:
        await session.exec(update(Order).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))
    for path in ("", "/return"):
        assert "货还在就算付成，货没了钱会原路退回" in said(await payer.browser.get(url + path))


@pytest.mark.parametrize("method", ["", "gold"])
async def test_an_unknown_method_is_asked_again(payer: Buyer, method: str) -> None:
    url = await payer.orders(payer.world.mutton)
    answer = await payer.browser.post(f"{url}/payments", {"method": method})
    assert answer.headers["location"] == url
    assert "请选一种付款方式" in said(await payer.browser.get(url))


async def test_without_a_provider_only_cash_is_offered(buyer: Buyer) -> None:
    url = await buyer.orders(buyer.world.mutton)
    await buyer.browser.post(f"{url}/payments", {"method": "alipay"})
    assert "这个订单不能用这种方式付款" in said(await buyer.browser.get(url))
