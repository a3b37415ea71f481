import asyncio
from typing import Any

import pytest
import stripe

from tests.payments.simulator.runs import Running


async def test_a_card_is_refunded_at_once(simulator: Running) -> None:
    intent = await simulator.card(5_000)
    asked: Any = {
        "charge": str(intent.latest_charge),
        "amount": 1_200,
        "reason": "requested_by_customer",
        "metadata": {"refund": "R1"},
    }
    refund = await simulator.api.refunds.create_async(asked)
    assert (refund.status, refund.amount, refund.payment_intent) == ("succeeded", 1_200, intent.id)
    assert refund.id.startswith("re_")
    charge = await simulator.api.charges.retrieve_async(str(intent.latest_charge), {"expand": ["refunds"]})
    assert (charge.amount_refunded, charge.refunded) == (1_200, False)
    assert charge.refunds
    assert [item.id for item in charge.refunds.data] == [refund.id]
    booked = await simulator.api.balance_transactions.retrieve_async(str(refund.balance_transaction))
    assert (booked.type, booked.amount, booked.fee, booked.net) == ("refund", -1_200, 0, -1_200)


async def test_a_wallet_is_refunded_later(simulator: Running) -> None:
    intent = await simulator.paid_alipay(8_000)
    refund = await simulator.api.refunds.create_async({"payment_intent": intent.id, "amount": 3_000})
    assert (refund.status, refund.pending_reason) == ("pending", "processing")
    assert refund.id.startswith("pyr_")
    created = await simulator.listener.wait("refund.created", refund.id)
    assert created.data.object.status == "pending"
    updated = await simulator.listener.wait("refund.updated", refund.id)
    assert updated.data.object.status == "succeeded"
    assert updated.data.previous_attributes
    assert updated.data.previous_attributes.status == "pending"
    assert (await simulator.api.refunds.retrieve_async(refund.id)).status == "succeeded"
    told = await simulator.listener.wait("charge.refunded", str(intent.latest_charge))
    assert told.data.object.amount_refunded == 3_000


async def test_no_more_goes_back_than_came(simulator: Running) -> None:
    intent = await simulator.card(5_000)
    create = simulator.api.refunds.create_async
    await create({"payment_intent": intent.id, "amount": 2_000})
    with pytest.raises(stripe.InvalidRequestError) as too_much:
        await create({"payment_intent": intent.id, "amount": 3_001})
    assert too_much.value.param == "amount"
    assert "Refund amount (¥30.01) is greater than unrefunded amount on charge (¥30.00)" in str(too_much.value)
    rest = await create({"payment_intent": intent.id})
    assert rest.amount == 3_000
    asked: list[Any] = [{"payment_intent": intent.id}, {"payment_intent": intent.id, "amount": 1}]
    for more in asked:
        with pytest.raises(stripe.InvalidRequestError) as nothing_left:
            await create(more)
        assert nothing_left.value.code == "charge_already_refunded"


async def test_many_refunds_at_once_stay_within_the_charge(simulator: Running) -> None:
    intent = await simulator.paid_alipay(4_000)
    asked = [simulator.api.refunds.create_async({"payment_intent": intent.id, "amount": 1_500}) for _ in range(8)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(outcome, stripe.Refund) for outcome in outcomes) == 2
    charge = await simulator.api.charges.retrieve_async(str(intent.latest_charge))
    assert charge.amount_refunded == 3_000


async def test_a_refund_that_fails_gives_the_amount_free_again(simulator: Running) -> None:
    intent = await simulator.paid_alipay(6_000)
    await simulator.probe("switches", {"failing_refund_count": 1})
    refund = await simulator.api.refunds.create_async({"payment_intent": intent.id})
    assert refund.status == "pending"
    failed = await simulator.listener.wait("refund.failed", refund.id)
    assert (failed.data.object.status, failed.data.object.failure_reason) == ("failed", "declined")
    charge = await simulator.api.charges.retrieve_async(str(intent.latest_charge))
    assert (charge.amount_refunded, charge.refunded) == (0, False)
    booked = await simulator.api.balance_transactions.list_async({"source": refund.id})
    assert [(item.type, item.amount) for item in booked.data] == [("refund_failure", 6_000), ("payment_refund", -6_000)]
    again = await simulator.api.refunds.create_async({"payment_intent": intent.id})
    assert again.amount == 6_000


async def test_the_cards_of_stripe_that_refund_badly(simulator: Running) -> None:
    fails = await simulator.card(method="pm_card_refundFail")
    refund = await simulator.api.refunds.create_async({"payment_intent": fails.id})
    assert refund.status == "succeeded"
    await simulator.listener.wait("refund.failed", refund.id)
    slow = await simulator.card(method="pm_card_pendingRefund")
    refund = await simulator.api.refunds.create_async({"payment_intent": slow.id})
    assert refund.status == "pending"
    updated = await simulator.listener.wait("refund.updated", refund.id)
    assert updated.data.object.status == "succeeded"


async def test_tests_decide_when_and_how_a_refund_ends(simulator: Running) -> None:
    intent = await simulator.paid_alipay(6_000)
    await simulator.probe("switches", {"hold_refunds": True})
    refund = await simulator.api.refunds.create_async({"payment_intent": intent.id})
    await asyncio.sleep(0.3)
    assert (await simulator.api.refunds.retrieve_async(refund.id)).status == "pending"
    assert (await simulator.probe(f"refunds/{refund.id}/succeed"))["status"] == "succeeded"
    reversed_ = await simulator.probe(f"refunds/{refund.id}/fail")
    assert reversed_["status"] == "failed"
    assert (await simulator.probe(f"refunds/{refund.id}/succeed"))["status"] == "failed"


async def test_only_money_that_came_goes_back(simulator: Running) -> None:
    unpaid, held = await simulator.alipay(), await simulator.card(capture_method="manual")
    create = simulator.api.refunds.create_async
    with pytest.raises(stripe.InvalidRequestError, match="does not have a successful charge"):
        await create({"payment_intent": unpaid.id})
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await create({"payment_intent": held.id})
    assert refusal.value.code == "charge_not_refundable"
    with pytest.raises(stripe.InvalidRequestError, match="payment_intent or charge"):
        await create({})
    with pytest.raises(stripe.InvalidRequestError, match="No such charge"):
        await create({"charge": "ch_nobody"})
    with pytest.raises(stripe.InvalidRequestError, match="must be one of"):
        await create({"payment_intent": held.id, "reason": "whim"})
