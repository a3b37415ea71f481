import asyncio
from typing import Any

import httpx
import pytest
import stripe

from tests.payments.simulator.runs import KEY, Running

ASKED: dict[str, str] = {"amount": "4200", "currency": "cny", "payment_method": "pm_card_visa", "confirm": "true"}


async def ask(simulator: Running, key: str, path: str = "payment_intents", **more: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {KEY}", "idempotency-key": key}
    return await simulator.browser.post(f"/v1/{path}", data=ASKED | more, headers=headers)


async def test_the_same_key_is_answered_once(simulator: Running) -> None:
    first, second = await ask(simulator, "once"), await ask(simulator, "once")
    assert second.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["original-request"] == first.headers["request-id"]
    charges = await simulator.api.charges.list_async({"payment_intent": first.json()["id"]})
    assert len(charges.data) == 1


async def test_the_same_key_with_another_wish_is_refused(simulator: Running) -> None:
    await ask(simulator, "other")
    for answer in (await ask(simulator, "other", amount="4300"), await ask(simulator, "other", path="refunds")):
        assert answer.status_code == 400
        assert answer.json()["error"]["type"] == "idempotency_error"
    asked: Any = {"amount": 900, "currency": "cny"}
    with pytest.raises(stripe.IdempotencyError):
        await simulator.api.payment_intents.create_async(asked, {"idempotency_key": "other"})


async def test_the_same_key_while_the_first_still_runs(simulator: Running) -> None:
    await simulator.probe("switches", {"slow_seconds": 1.5, "slow_call_count": 1})
    slow = asyncio.create_task(ask(simulator, "busy"))
    await asyncio.sleep(0.5)
    meanwhile = await ask(simulator, "busy")
    assert meanwhile.status_code == 409
    assert meanwhile.json()["error"]["code"] == "idempotency_key_in_use"
    first = await slow
    assert (await ask(simulator, "busy")).json() == first.json()


async def test_the_sdk_waits_for_itself(simulator: Running) -> None:
    await simulator.probe("switches", {"slow_seconds": 0.3, "slow_call_count": 1})
    asked: Any = {"amount": 900, "currency": "cny"}
    create = simulator.api.payment_intents.create_async
    pair = await asyncio.gather(*(create(asked, {"idempotency_key": "twice"}) for _ in range(2)))
    assert pair[0].id == pair[1].id


async def test_a_refusal_of_the_bank_is_remembered_a_wrong_field_is_not(simulator: Running) -> None:
    declined = [await ask(simulator, "poor", payment_method="pm_card_chargeDeclined") for _ in range(2)]
    assert [answer.status_code for answer in declined] == [402, 402]
    assert declined[1].headers["idempotent-replayed"] == "true"
    assert declined[0].json()["error"]["charge"] == declined[1].json()["error"]["charge"]
    assert (await ask(simulator, "typo", amount="x")).status_code == 400
    assert (await ask(simulator, "typo")).status_code == 200


async def test_a_lost_answer_is_found_again_by_its_key(simulator: Running) -> None:
    await simulator.probe("switches", {"lost_answer_count": 3})
    asked: Any = ASKED | {"amount": 7_700, "confirm": True}
    with pytest.raises(stripe.APIConnectionError):
        await simulator.api.payment_intents.create_async(asked, {"idempotency_key": "lost"})
    again = await simulator.api.payment_intents.create_async(asked, {"idempotency_key": "lost"})
    assert again.status == "succeeded"
    charges = await simulator.api.charges.list_async({"payment_intent": again.id})
    assert len(charges.data) == 1


async def test_the_sdk_rides_over_a_server_error(simulator: Running) -> None:
    await simulator.probe("switches", {"broken_call_count": 1})
    assert (await simulator.card()).status == "succeeded"


async def test_the_sdk_rides_over_one_lost_answer(simulator: Running) -> None:
    await simulator.probe("switches", {"lost_answer_count": 1})
    intent = await simulator.card()
    charges = await simulator.api.charges.list_async({"payment_intent": intent.id})
    assert len(charges.data) == 1


async def test_a_key_has_a_length(simulator: Running) -> None:
    assert (await ask(simulator, "k" * 256)).status_code == 400
    assert (await ask(simulator, "k" * 255)).status_code == 200
