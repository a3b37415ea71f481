import asyncio
import time
from pathlib import Path

import pytest
import stripe

from tests.payments.simulator.runs import SECRET, Running, running


async def test_a_payment_tells_its_whole_story(simulator: Running) -> None:
    intent = await simulator.alipay()
    event = await simulator.listener.wait("payment_intent.requires_action", intent.id)
    assert event.api_version == stripe.api_version
    assert event.request
    assert event.request.id
    await simulator.browser.post(f"/cashier/alipay/{intent.id}", data={"outcome": "pay"})
    paid = await simulator.listener.wait("payment_intent.succeeded", intent.id)
    assert paid.request
    assert paid.request.id is None
    assert paid.data.object.amount_received == 12_345
    kinds = [known.type for known in simulator.listener.events(intent.id)]
    assert sorted(kinds) == ["payment_intent.created", "payment_intent.requires_action", "payment_intent.succeeded"]
    await simulator.listener.wait("charge.succeeded", str(paid.data.object.latest_charge))


async def test_refused_and_cancelled_payments_are_told(simulator: Running) -> None:
    refused, cancelled = await simulator.alipay(), await simulator.wechat()
    await simulator.probe(f"intents/{refused.id}/fail")
    await simulator.api.payment_intents.cancel_async(cancelled.id)
    await simulator.listener.wait("payment_intent.payment_failed", refused.id)
    await simulator.listener.wait("payment_intent.canceled", cancelled.id)


async def test_a_signature_is_of_the_sending_moment_and_of_this_secret(simulator: Running) -> None:
    intent = await simulator.alipay()
    await simulator.listener.wait("payment_intent.created", intent.id)
    body, mark = simulator.listener.taken[-1]
    assert abs(int(mark.split(",")[0].removeprefix("t=")) - time.time()) < 5
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, mark, "whsec_other")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body.replace(b"12345", b"12346"), mark, SECRET)


async def test_a_notice_is_sent_until_it_is_taken(simulator: Running) -> None:
    simulator.listener.answers += [500, 303, 404]
    intent = await simulator.alipay()
    await simulator.listener.wait("payment_intent.created", intent.id)
    await simulator.listener.wait("payment_intent.requires_action", intent.id)
    notices = (await simulator.probe("notices"))["notices"]
    mine = [notice for notice in notices if notice["object"] == intent.id]
    assert sum(notice["attempt_count"] for notice in mine) == 5
    assert {notice["last_status"] for notice in mine} == {200}


async def test_held_notices_go_when_told_in_the_order_told(simulator: Running) -> None:
    await simulator.probe("switches", {"hold_notices": True})
    paid = await simulator.paid_alipay()
    await asyncio.sleep(0.2)
    assert simulator.listener.events(paid.id) == []
    sent = (await simulator.probe("notices/deliver", {"order": "reversed"}))["sent"]
    assert [item["status"] for item in sent] == [200] * len(sent)
    kinds = [event.type for event in simulator.listener.events(paid.id)]
    assert kinds == ["payment_intent.succeeded", "payment_intent.requires_action", "payment_intent.created"]
    again = next(
        item["event"] for item in sent if item["type"] == "payment_intent.succeeded" and item["object"] == paid.id
    )
    await simulator.probe("notices/deliver", {"events": [again, again]})
    ids = [event.id for event in simulator.listener.events(paid.id)]
    assert ids.count(again) == 3


async def test_named_notices_leave_the_others_held(simulator: Running) -> None:
    await simulator.probe("switches", {"hold_notices": True})
    paid = await simulator.paid_alipay()
    listed = await simulator.api.events.list_async({"type": "payment_intent.succeeded", "limit": 1})
    await simulator.probe("notices/deliver", {"events": [listed.data[0].id]})
    assert [event.type for event in simulator.listener.events(paid.id)] == ["payment_intent.succeeded"]
    await simulator.probe("switches", {"hold_notices": False})
    assert len(await simulator.listener.gather(paid.id, 3)) == 3


async def test_notices_come_twice_late_and_shuffled(simulator: Running) -> None:
    await simulator.probe("switches", {"copy_count": 2, "delay_seconds": 1.5, "shuffle_seconds": 0.3})
    intent = await simulator.alipay()
    assert simulator.listener.events(intent.id) == []
    kinds = sorted(event.type for event in await simulator.listener.gather(intent.id, 4))
    assert kinds == ["payment_intent.created"] * 2 + ["payment_intent.requires_action"] * 2


async def test_a_restart_sends_what_was_not_taken(tmp_path: Path) -> None:
    async with running(tmp_path / "restart.sqlite3") as simulator:
        await simulator.probe("switches", {"hold_notices": True})
        paid = await simulator.paid_alipay()
        simulator.stop()
        assert simulator.listener.events() == []
        simulator.process = simulator.spawn()
        await simulator.listener.wait("payment_intent.succeeded", paid.id)
        known = await simulator.api.payment_intents.retrieve_async(paid.id)
        assert known.to_dict() == paid.to_dict()
        event = await simulator.listener.wait("payment_intent.created", paid.id)
        for _ in range(100):  # taken here a moment before it is written down there
            if (await simulator.api.events.retrieve_async(event.id)).pending_webhooks == 0:
                return
            await asyncio.sleep(0.05)
        pytest.fail("the notice that was taken is still to be sent")


async def test_a_killed_simulator_loses_nothing(tmp_path: Path) -> None:
    async with running(tmp_path / "killed.sqlite3", "--refund-seconds", "0.6") as simulator:
        paid = await simulator.paid_alipay()
        refund = await simulator.api.refunds.create_async(
            {"payment_intent": paid.id}, {"idempotency_key": "refund-once"}
        )
        simulator.kill()
        simulator.process = simulator.spawn()
        again = await simulator.api.refunds.create_async(
            {"payment_intent": paid.id}, {"idempotency_key": "refund-once"}
        )
        assert again.id == refund.id
        updated = await simulator.listener.wait("refund.updated", refund.id)
        assert updated.data.object.status == "succeeded"
