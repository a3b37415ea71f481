import time
from typing import Any

import pytest
import stripe
import stripe.checkout

from tests.payments.simulator.runs import Running, path_of

DONE = "http://shop.test/orders/7?session={CHECKOUT_SESSION_ID}"


async def opened(simulator: Running, **more: Any) -> stripe.checkout.Session:
    lines = [
        {"quantity": 2, "price_data": {"currency": "cny", "unit_amount": 900, "product_data": {"name": "小米"}}},
        {"quantity": 1, "price_data": {"currency": "cny", "unit_amount": 4_800, "product_data": {"name": "<羊肉>"}}},
    ]
    asked: Any = {
        "mode": "payment",
        "success_url": DONE,
        "cancel_url": "http://shop.test/orders/7",
        "allowed_payment_method_types": ["card"],
        "line_items": lines,
        "client_reference_id": "Y7",
        "metadata": {"order": "Y7"},
        "payment_intent_data": {"metadata": {"payment": "P1"}, "description": "以购订单 Y7"},
    }
    return await simulator.api.checkout.sessions.create_async(asked | more)


async def test_a_card_pays_on_the_hosted_page(simulator: Running) -> None:
    session = await opened(simulator)
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 6_600)
    assert session.payment_intent is None
    page = path_of(str(session.url))
    shown = await simulator.browser.get(page)
    assert "测试收银台，不会真的扣钱" in shown.text
    assert "小米、&lt;羊肉&gt;" in shown.text
    answer = await simulator.browser.post(page, data={"card": "4242 4242 4242 4242", "name": "买家甲"})
    assert answer.status_code == 303
    assert answer.headers["location"] == DONE.format(CHECKOUT_SESSION_ID=session.id)
    done = await simulator.api.checkout.sessions.retrieve_async(
        session.id, {"expand": ["payment_intent", "line_items"]}
    )
    assert (done.status, done.payment_status, done.url) == ("complete", "paid", None)
    intent = done.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert (intent.status, intent.amount, intent.metadata["payment"]) == ("succeeded", 6_600, "P1")
    assert done.line_items
    assert [line.quantity for line in done.line_items.data] == [2, 1]
    told = await simulator.listener.wait("checkout.session.completed", session.id)
    assert told.data.object.payment_intent == intent.id
    assert told.data.object.client_reference_id == "Y7"
    await simulator.listener.wait("payment_intent.succeeded", intent.id)


async def test_a_declined_card_may_be_followed_by_another(simulator: Running) -> None:
    session = await opened(simulator)
    page = path_of(str(session.url))
    refused = await simulator.browser.post(page, data={"card": "4000 0000 0000 0002"})
    assert refused.status_code == 402
    assert "银行没有通过这张卡" in refused.text
    known = await simulator.api.checkout.sessions.retrieve_async(session.id)
    assert known.status == "open"
    failed = await simulator.listener.wait("payment_intent.payment_failed", str(known.payment_intent))
    assert failed.data.object.last_payment_error.code == "card_declined"
    assert (await simulator.browser.post(page, data={"card": "1234"})).status_code == 402
    paid = await simulator.browser.post(page, data={"card": "4242424242424242"})
    assert paid.status_code == 303
    again = await simulator.browser.post(page, data={"card": "4242424242424242"})
    assert again.headers["location"] == paid.headers["location"]
    intent = await simulator.api.payment_intents.retrieve_async(str(known.payment_intent))
    assert intent.amount_received == 6_600
    charges = await simulator.api.charges.list_async({"payment_intent": intent.id})
    assert [charge.status for charge in charges.data] == ["succeeded", "failed"]


async def test_an_expired_page_takes_nothing(simulator: Running) -> None:
    session = await opened(simulator)
    page = path_of(str(session.url))
    await simulator.browser.post(page, data={"card": "4000000000000002"})
    gone = await simulator.api.checkout.sessions.expire_async(session.id)
    assert (gone.status, gone.url) == ("expired", None)
    await simulator.listener.wait("checkout.session.expired", session.id)
    late = await simulator.browser.post(page, data={"card": "4242424242424242"})
    assert "这个付款页面已过期" in late.text
    intent = await simulator.api.payment_intents.retrieve_async(str(gone.payment_intent))
    assert intent.status == "canceled"
    with pytest.raises(stripe.InvalidRequestError, match='status in \\["open"\\]'):
        await simulator.api.checkout.sessions.expire_async(session.id)


async def test_a_session_may_only_authorise(simulator: Running) -> None:
    session = await opened(simulator, payment_intent_data={"capture_method": "manual"})
    held = await simulator.probe(f"sessions/{session.id}/pay")
    assert (held["status"], held["payment_status"]) == ("complete", "unpaid")
    taken = await simulator.api.payment_intents.capture_async(held["payment_intent"])
    assert taken.status == "succeeded"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"mode": "subscription"}, "mode"),
        ({"success_url": "nowhere"}, "success_url"),
        ({"line_items": []}, "line_items"),
        ({"expires_at": int(time.time()) + 60}, "expires_at"),
        ({"payment_method_types": ["card"]}, "payment_method_types"),
        ({"allowed_payment_method_types": ["alipay"]}, "allowed_payment_method_types"),
        ({"ui_mode": "hosted"}, "ui_mode"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_wrong_fields_are_named(simulator: Running, more: dict[str, Any], param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await opened(simulator, **more)
    assert refusal.value.param == param
