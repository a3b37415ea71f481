import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.payments.simulator.runs import BACK, Running

BANNER = "测试收银台，不会真的扣钱"


@pytest.mark.parametrize(
    ("outcome", "status", "told", "code"),
    [
        ("pay", "succeeded", "succeeded", None),
        ("fail", "requires_payment_method", "failed", "payment_method_provider_decline"),
        ("cancel", "requires_payment_method", "failed", "payment_method_customer_decline"),
    ],
)
async def test_alipay_sends_the_payer_back(
    simulator: Running, outcome: str, status: str, told: str, code: str | None
) -> None:
    intent = await simulator.alipay(123_450, description="以购订单 <b>Y7</b>")
    page = f"/cashier/alipay/{intent.id}"
    shown = await simulator.browser.get(page)
    assert BANNER in shown.text
    assert "¥1,234.50" in shown.text
    assert "以购订单 &lt;b&gt;Y7&lt;/b&gt;" in shown.text
    answer = await simulator.browser.post(page, data={"outcome": outcome})
    assert answer.status_code == 303
    back = urlsplit(answer.headers["location"])
    assert back.netloc + back.path == "shop.test/orders/7"
    assert parse_qs(back.query) == {
        "lang": ["zh"],
        "payment_intent": [intent.id],
        "payment_intent_client_secret": [intent.client_secret],
        "redirect_status": [told],
    }
    known = await simulator.api.payment_intents.retrieve_async(intent.id)
    assert known.status == status
    assert (known.last_payment_error.code if known.last_payment_error else None) == code


async def test_two_clicks_at_once_pay_once(simulator: Running) -> None:
    intent = await simulator.alipay()
    page = f"/cashier/alipay/{intent.id}"
    clicks = [simulator.browser.post(page, data={"outcome": outcome}) for outcome in ("pay", "pay", "pay")]
    answers = await asyncio.gather(*clicks)
    assert {answer.headers["location"] for answer in answers} == {answers[0].headers["location"]}
    late = await simulator.browser.post(page, data={"outcome": "cancel"})
    assert "redirect_status=succeeded" in late.headers["location"]
    charges = await simulator.api.charges.list_async({"payment_intent": intent.id})
    assert len(charges.data) == 1
    assert (await simulator.api.payment_intents.retrieve_async(intent.id)).status == "succeeded"


async def test_an_open_page_of_a_cancelled_intent_takes_no_money(simulator: Running) -> None:
    intent = await simulator.alipay()
    await simulator.api.payment_intents.cancel_async(intent.id)
    page = f"/cashier/alipay/{intent.id}"
    shown = await simulator.browser.get(page)
    assert "这笔付款已由商家取消" in shown.text
    assert "回到商家" in shown.text
    answer = await simulator.browser.post(page, data={"outcome": "pay"})
    assert "redirect_status=failed" in answer.headers["location"]
    assert (await simulator.api.payment_intents.retrieve_async(intent.id)).amount_received == 0


async def test_wechat_without_a_way_back_ends_on_a_page_of_its_own(simulator: Running) -> None:
    intent = await simulator.wechat()
    page = f"/cashier/wechat_pay/{intent.id}"
    code = await simulator.browser.get(f"{page}/qr")
    assert BANNER in code.text
    assert 'http-equiv="refresh"' in code.text
    assert f'href="{simulator.url}{page}"' in code.text
    answer = await simulator.browser.post(page, data={"outcome": "pay"})
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert "已付款" in (await simulator.browser.get(page)).text
    waiting = await simulator.browser.get(f"{page}/qr")
    assert "已付款" in waiting.text
    assert 'http-equiv="refresh"' not in waiting.text


async def test_wechat_with_a_way_back_takes_it(simulator: Running) -> None:
    intent = await simulator.wechat(return_url=BACK)
    page = f"/cashier/wechat_pay/{intent.id}"
    paid = await simulator.browser.post(page, data={"outcome": "pay"})
    assert "redirect_status=succeeded" in paid.headers["location"]
    waiting = await simulator.browser.get(f"{page}/qr")
    assert waiting.headers["location"] == paid.headers["location"]


@pytest.mark.parametrize(
    "page", ["alipay/pi_nobody", "wechat_pay/pi_nobody/qr", "wechat_pay/pi_nobody/qr.png", "checkout/cs_test_nobody"]
)
async def test_unknown_pages_are_a_kind_404(simulator: Running, page: str) -> None:
    answer = await simulator.browser.get(f"/cashier/{page}")
    assert answer.status_code == 404
    assert "没有这笔付款" in answer.text


async def test_an_unknown_outcome_changes_nothing(simulator: Running) -> None:
    intent = await simulator.alipay()
    answer = await simulator.browser.post(f"/cashier/alipay/{intent.id}", data={"outcome": "perhaps"})
    assert "redirect_status=pending" in answer.headers["location"]
    assert (await simulator.api.payment_intents.retrieve_async(intent.id)).status == "requires_action"


async def test_a_page_belongs_to_its_way_of_paying(simulator: Running) -> None:
    intent = await simulator.alipay()
    for method in ("bitcoin", "wechat_pay"):
        answer = await simulator.browser.post(f"/cashier/{method}/{intent.id}", data={"outcome": "pay"})
        assert answer.status_code == 404
    assert (await simulator.browser.get(f"/cashier/wechat_pay/{intent.id}/qr")).status_code == 404
    assert (await simulator.api.payment_intents.retrieve_async(intent.id)).status == "requires_action"
