import base64
from typing import Any

import httpx
import pytest
import stripe

from tests.payments.simulator.runs import BACK, KEY, Running, client


async def test_alipay_sends_the_payer_to_a_page_of_ours(simulator: Running) -> None:
    intent = await simulator.alipay(metadata={"order": "Y7"}, description="以购订单 Y7")
    assert intent.status == "requires_action"
    assert intent.next_action
    assert intent.next_action.type == "alipay_handle_redirect"
    action = intent.next_action.alipay_handle_redirect
    assert action
    assert action.url == f"{simulator.url}/cashier/alipay/{intent.id}"
    assert action.return_url == BACK
    assert intent.payment_method_types == ["alipay"]
    assert intent.metadata["order"] == "Y7"
    known = await simulator.api.payment_intents.retrieve_async(intent.id)
    assert known.to_dict() == intent.to_dict()


async def test_wechat_shows_a_qr_code_of_the_cashier(simulator: Running) -> None:
    intent = await simulator.wechat()
    assert intent.next_action
    assert intent.next_action.type == "wechat_pay_display_qr_code"
    code = intent.next_action.wechat_pay_display_qr_code
    assert code
    assert code.data == f"{simulator.url}/cashier/wechat_pay/{intent.id}"
    assert code.hosted_instructions_url == f"{code.data}/qr"
    kind, _, picture = code.image_data_url.partition(",")
    assert kind == "data:image/png;base64"
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    for address, start in ((code.image_url_png, b"\x89PNG"), (code.image_url_svg, b"<?xml")):
        assert (await simulator.browser.get(address)).content.startswith(start)


async def test_a_wallet_paid_books_charge_and_fee(simulator: Running) -> None:
    paid = await simulator.paid_alipay(10_000)
    assert (paid.status, paid.amount_received, paid.next_action) == ("succeeded", 10_000, None)
    charge = await simulator.api.charges.retrieve_async(str(paid.latest_charge), {"expand": ["balance_transaction"]})
    assert charge.id.startswith("py_")
    assert charge.payment_method_details
    assert charge.payment_method_details.type == "alipay"
    booked = charge.balance_transaction
    assert isinstance(booked, stripe.BalanceTransaction)
    assert (booked.type, booked.amount, booked.fee, booked.net) == ("payment", 10_000, 490, 9_510)


async def test_a_card_is_charged_at_once(simulator: Running) -> None:
    intent = await simulator.card(5_000, expand=["latest_charge.balance_transaction"])
    assert intent.status == "succeeded"
    charge = intent.latest_charge
    assert isinstance(charge, stripe.Charge)
    assert charge.id.startswith("ch_")
    assert isinstance(charge.balance_transaction, stripe.BalanceTransaction)
    assert charge.balance_transaction.type == "charge"


@pytest.mark.parametrize(
    ("method", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline"),
        ("pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error"),
    ],
)
async def test_a_declined_card_leaves_a_failed_charge(
    simulator: Running, method: str, code: str, decline_code: str
) -> None:
    with pytest.raises(stripe.CardError) as refusal:
        await simulator.card(method=method)
    assert refusal.value.http_status == 402
    assert refusal.value.code == code
    assert refusal.value.error
    assert refusal.value.error.decline_code == decline_code
    body: Any = refusal.value.json_body
    intent = await simulator.api.payment_intents.retrieve_async(body["error"]["payment_intent"]["id"])
    assert intent.status == "requires_payment_method"
    assert intent.last_payment_error
    assert intent.last_payment_error.code == code
    charge = await simulator.api.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, code)
    again = await simulator.api.payment_intents.confirm_async(intent.id, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


async def test_a_card_that_asks_sends_the_payer_to_its_bank(simulator: Running) -> None:
    intent = await simulator.card(method="pm_card_authenticationRequired", return_url=BACK)
    assert intent.next_action
    assert intent.next_action.redirect_to_url
    page = str(intent.next_action.redirect_to_url.url)
    answer = await simulator.browser.post(page, data={"outcome": "pay"})
    assert answer.status_code == 303
    assert (await simulator.api.payment_intents.retrieve_async(intent.id)).status == "succeeded"


async def test_manual_capture_takes_less_and_lets_the_rest_go(simulator: Running) -> None:
    intent = await simulator.card(9_000, capture_method="manual")
    assert (intent.status, intent.amount_capturable, intent.amount_received) == ("requires_capture", 9_000, 0)
    with pytest.raises(stripe.InvalidRequestError, match="at most 9000"):
        await simulator.api.payment_intents.capture_async(intent.id, {"amount_to_capture": 9_001})
    taken = await simulator.api.payment_intents.capture_async(intent.id, {"amount_to_capture": 7_000})
    assert (taken.status, taken.amount_received, taken.amount_capturable) == ("succeeded", 7_000, 0)
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await simulator.api.payment_intents.capture_async(intent.id)
    assert refusal.value.code == "payment_intent_unexpected_state"
    with pytest.raises(stripe.InvalidRequestError, match="greater than unrefunded"):
        await simulator.api.refunds.create_async({"payment_intent": intent.id, "amount": 7_001})


async def test_the_wallets_know_no_manual_capture(simulator: Running) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await simulator.alipay(capture_method="manual")
    assert refusal.value.code == "payment_intent_incompatible_payment_method"


async def test_cancelling(simulator: Running) -> None:
    intent = await simulator.alipay()
    gone = await simulator.api.payment_intents.cancel_async(intent.id, {"cancellation_reason": "abandoned"})
    assert (gone.status, gone.cancellation_reason, gone.next_action) == ("canceled", "abandoned", None)
    for act in (simulator.api.payment_intents.cancel_async, simulator.api.payment_intents.confirm_async):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await act(intent.id)
        assert refusal.value.code == "payment_intent_unexpected_state"
    held = await simulator.card(capture_method="manual")
    await simulator.api.payment_intents.cancel_async(held.id)
    charge = await simulator.api.charges.retrieve_async(str(held.latest_charge))
    assert (charge.refunded, charge.captured) == (True, False)


async def test_one_intent_changes_its_way_to_pay(simulator: Running) -> None:
    intent = await simulator.alipay(allowed_payment_method_types=["alipay", "wechat_pay"])
    other = await simulator.api.payment_intents.confirm_async(
        intent.id,
        {
            "payment_method_data": {"type": "wechat_pay"},
            "payment_method_options": {"wechat_pay": {"client": "web"}},
        },
    )
    assert other.next_action
    assert other.next_action.type == "wechat_pay_display_qr_code"


WRONG: list[tuple[dict[str, Any], str | None, str]] = [
    ({"amount": "12.5"}, "parameter_invalid_integer", "amount"),
    ({"amount": 0}, "parameter_invalid_integer", "amount"),
    ({"amount": -5}, "parameter_invalid_integer", "amount"),
    ({"amount": 359}, "amount_too_small", "amount"),
    ({"amount": 100_000_000}, "amount_too_large", "amount"),
    ({"currency": "xyz"}, None, "currency"),
    ({"payment_method_types": ["alipay"]}, "payment_method_types_no_longer_supported", "payment_method_types"),
    ({"allowed_payment_method_types": ["bitcoin"]}, None, "allowed_payment_method_types"),
    ({"payment_method_data": {"type": "wechat_pay"}}, "payment_intent_incompatible_payment_method", "payment_method"),
    ({"return_url": "shop.test"}, "url_invalid", "return_url"),
    ({"colour": "red"}, "parameter_unknown", "colour"),
    ({"payment_method_data": {"type": "alipay", "shade": "x"}}, "parameter_unknown", "payment_method_data[shade]"),
    ({"metadata": {"x" * 41: "1"}}, None, f"metadata[{'x' * 41}]"),
    ({"metadata": {"x": "1" * 501}}, None, "metadata[x]"),
    ({"description": ""}, "parameter_invalid_empty", "description"),
    ({"confirm": "perhaps"}, None, "confirm"),
    ({"expand": ["colour"]}, None, "expand"),
]


@pytest.mark.parametrize(("more", "code", "param"), WRONG, ids=lambda value: str(value)[:40])
async def test_wrong_fields_are_named(simulator: Running, more: dict[str, Any], code: str | None, param: str) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await simulator.alipay(**more)
    assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (400, code, param)


@pytest.mark.parametrize("lacking", ["amount", "currency", "return_url"])
async def test_missing_fields_are_named(simulator: Running, lacking: str) -> None:
    asked: Any = {"amount": 900, "currency": "cny", "payment_method_data": {"type": "alipay"}, "return_url": BACK}
    del asked[lacking]
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await simulator.api.payment_intents.create_async(asked | {"confirm": True})
    assert (refusal.value.code, refusal.value.param) == ("parameter_missing", lacking)


async def test_wechat_needs_to_know_its_client(simulator: Running) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await simulator.wechat(payment_method_options={})
    assert refusal.value.param == "payment_method_options[wechat_pay][client]"


async def test_unknown_ids_and_addresses_are_404(simulator: Running) -> None:
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await simulator.api.payment_intents.retrieve_async("pi_nobody")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="Unrecognized request URL"):
        await simulator.api.customers.retrieve_async("cus_1")


@pytest.mark.parametrize("key", ["", "pk_test_1", "sk_live_1"])
async def test_without_a_secret_key_nothing_is_told(simulator: Running, key: str) -> None:
    if key:
        with pytest.raises(stripe.AuthenticationError):
            await client(simulator.url, simulator.http, key).v1.payment_intents.list_async()
    headers = {"authorization": f"Bearer {key}"} if key else {}
    for path in ("/v1/payment_intents", "/v1/nowhere", "/_test/state"):
        answer = await simulator.browser.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["type"] == "invalid_request_error"


async def test_a_key_as_user_name_will_do(simulator: Running) -> None:
    answer = await simulator.browser.get("/v1/charges", auth=httpx.BasicAuth(KEY, ""))
    assert answer.status_code == 200
    assert answer.headers["request-id"].startswith("req_")
