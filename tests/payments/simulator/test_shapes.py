"""The simulator's objects and fields are those of the SDK's typed models, so that code and simulator cannot agree on a
mistake of our own."""

import json
from typing import Any

import pytest
from stripe.params import (
    BalanceTransactionListParams,
    ChargeListParams,
    EventListParams,
    PaymentIntentCancelParams,
    PaymentIntentCaptureParams,
    PaymentIntentConfirmParams,
    PaymentIntentCreateParams,
    PaymentIntentListParams,
    RefundCreateParams,
    RefundListParams,
)
from stripe.params.checkout import SessionCreateParams, SessionListParams

from payments.simulator.calls import CALLS
from tests.payments.simulator.runs import KEY, Running
from tests.payments.simulator.shapes import MODELS, knows, lacking, strangers

PARAMS: dict[tuple[str, str], type[Any]] = {
    ("POST", "/payment_intents"): PaymentIntentCreateParams,
    ("GET", "/payment_intents"): PaymentIntentListParams,
    ("POST", "/payment_intents/{id}/confirm"): PaymentIntentConfirmParams,
    ("POST", "/payment_intents/{id}/cancel"): PaymentIntentCancelParams,
    ("POST", "/payment_intents/{id}/capture"): PaymentIntentCaptureParams,
    ("GET", "/charges"): ChargeListParams,
    ("POST", "/refunds"): RefundCreateParams,
    ("GET", "/refunds"): RefundListParams,
    ("GET", "/balance_transactions"): BalanceTransactionListParams,
    ("GET", "/events"): EventListParams,
    ("POST", "/checkout/sessions"): SessionCreateParams,
    ("GET", "/checkout/sessions"): SessionListParams,
}


@pytest.mark.parametrize(
    "call", [call for call in CALLS if (call.verb, call.path) in PARAMS], ids=lambda call: call.path
)
def test_every_field_a_call_takes_is_one_the_sdk_sends(call: Any) -> None:
    params = PARAMS[call.verb, call.path]
    # Known only in order to be refused with its own error code.
    fields = call.known - {"payment_method_types[]"}
    whole = {field.replace("[*]", "").split("[gt")[0].split("[lt")[0] for field in fields}
    assert [field for field in sorted(whole) if not knows(params, field)] == []


async def test_every_object_has_the_fields_and_types_of_the_sdk(simulator: Running) -> None:
    await simulator.wechat(description="南瓜", metadata={"order": "Y7"})
    await simulator.alipay()
    paid = await simulator.paid_alipay()
    card = await simulator.card()
    await simulator.card(method="pm_card_authenticationRequired", return_url="http://shop.test/back")
    with pytest.raises(Exception, match="declined"):
        await simulator.card(method="pm_card_chargeDeclined")
    for intent in (paid, card):
        await simulator.api.refunds.create_async({"payment_intent": intent.id, "amount": 500})
    line: Any = {"quantity": 2, "price_data": {"currency": "cny", "unit_amount": 900, "product_data": {"name": "小米"}}}
    session = await simulator.api.checkout.sessions.create_async(
        {"mode": "payment", "success_url": "http://shop.test/done", "line_items": [line]}
    )
    await simulator.probe(f"sessions/{session.id}/pay")
    listed = ["payment_intents", "charges", "refunds", "balance_transactions", "events", "checkout/sessions"]
    things = [thing for name in listed for thing in await _raw(simulator, name)]
    things += [event["data"]["object"] for event in await _raw(simulator, "events")]
    method = str(card.payment_method)
    things.append((await _get(simulator, f"payment_methods/{method}")).copy())
    assert {thing["object"] for thing in things} == set(MODELS)
    for thing in things:
        model = MODELS[thing["object"]]
        assert strangers(thing, model) == [], thing["object"]
        assert lacking(thing, model) == [], thing["object"]


async def test_no_note_of_our_own_leaves_the_house(simulator: Running) -> None:
    intent = await simulator.paid_alipay()
    await simulator.api.refunds.create_async({"payment_intent": intent.id})
    for name in ("payment_intents", "charges", "refunds", "events", "checkout/sessions"):
        assert '"_' not in json.dumps(await _raw(simulator, name))


async def _raw(simulator: Running, name: str) -> list[dict[str, Any]]:
    return list((await _get(simulator, f"{name}?limit=100"))["data"])


async def _get(simulator: Running, path: str) -> dict[str, Any]:
    answer = await simulator.browser.get(f"/v1/{path}", headers={"authorization": f"Bearer {KEY}"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
