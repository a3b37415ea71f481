"""The card path against a second provider that other people wrote, so that simulator and product share no mistake.

Every test here runs against localstripe and against the simulator and expects the same of both. localstripe has no
hosted checkout page, so the payer's card is given by the SDK where the page would do it. It does not know Alipay and
WeChat Pay, idempotency keys (a refund handed over twice is held back by our own state alone), windows of time in
lists (the whole list is read), notes on charges (a charge is found by its intent), pending, failed or bounded
refunds, and notices other than of a payment that succeeded or failed, sent once, a second late. All that is proven
against the simulator only: tests/payments/simulator, test_desk.py, test_reconcile.py.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
import stripe

from market.ground.errors import Malformed, NotFound, NotMovable, OverLimit
from market.trade.orders import OrderState
from payments import desk, reconcile, reconciliations
from payments.reconcile import Window
from payments.reconciliations import Condition, Kind
from payments.records import PaymentState, RefundState
from payments.stripe import Fate
from tests.payments.localstripe.runs import Provider
from tests.payments.localstripe.scene import BAD, CardScene, now
from tests.payments.simulator.runs import Listener
from tests.simulator import WEBHOOK_SECRET


async def test_a_card_pays_an_order(scene: CardScene) -> None:
    payment = await scene.attempt()
    assert await scene.told(payment) in {"waiting", "failed"}  # no card was given yet
    await scene.pay(payment)
    assert await scene.told(payment) == "paid"
    assert await scene.told(payment) == "known"
    assert (await scene.payment(payment.id)).charge_key == payment.provider_id
    assert (await scene.order(payment)).state is OrderState.PAID
    await scene.adds_up()


async def test_a_declined_card_pays_nothing_and_another_may(scene: CardScene) -> None:
    payment = await scene.attempt()
    with pytest.raises(stripe.CardError):
        await scene.pay(payment, BAD)
    assert await scene.told(payment) == "failed"
    assert (await scene.order(payment)).state is OrderState.PLACED
    another = await scene.attempt(payment.order_id)
    await scene.pay(another)
    assert await scene.told(another) == "paid"
    assert await scene.told(payment) == "known"
    await scene.adds_up()


async def test_what_is_closed_cannot_be_paid_and_what_is_paid_stays(scene: CardScene) -> None:
    closed, paid = await scene.attempt(), await scene.paid()
    await scene.gateway.close(closed.provider_id or "")
    with pytest.raises(stripe.InvalidRequestError):
        await scene.pay(closed)
    assert await scene.told(closed) == "cancelled"
    await scene.gateway.close(paid.provider_id or "")
    assert (await scene.gateway.look(paid.provider_id or "")).fate is Fate.SUCCEEDED


async def test_money_goes_back_in_parts_never_above_what_came(scene: CardScene) -> None:
    payment = await scene.paid()
    sent = [await scene.refund(payment, fen) for fen in (2500, 1500, 3000)]
    assert {each.state for each in sent} == {RefundState.SUCCEEDED}
    listed = await scene.gateway.refunds_of(payment.charge_key or "")
    assert Counter((each.refund_id, each.amount_fen, each.fate) for each in listed) == Counter(
        (each.id, each.amount_fen, Fate.SUCCEEDED) for each in sent
    )
    with pytest.raises(OverLimit):
        await scene.refund(payment, 1)
    await scene.adds_up()


async def test_a_refund_handed_over_again_goes_once(scene: CardScene) -> None:
    payment = await scene.paid()
    refund = await scene.refund(payment, 2500, times=3)
    seen = await scene.gateway.look_refund(refund.provider_id or "")
    assert (seen.fate, seen.amount_fen) == (Fate.SUCCEEDED, 2500)
    assert len(await scene.gateway.refunds_of(payment.charge_key or "")) == 1
    await scene.adds_up()


async def test_a_refund_of_money_that_never_came_fails_and_is_owed(scene: CardScene) -> None:
    payment = await scene.paid()
    async with scene.database.transaction() as session:
        stored = await session.get_one(type(payment), payment.id)
        stored.charge_key = "pi_nobody_has_this"
    refund = await scene.refund(payment, 2500)
    assert refund.state is RefundState.FAILED
    await scene.adds_up()


async def test_what_the_provider_does_not_have_is_not_found(scene: CardScene) -> None:
    with pytest.raises(NotFound):
        await scene.gateway.look("pi_nobody_has_this")
    with pytest.raises(NotFound):
        await scene.gateway.look_refund("re_nobody_has_this")


async def test_the_list_lays_open_a_payment_nobody_told_of_and_a_refund_made_without_us(scene: CardScene) -> None:
    paid, untold = await scene.paid(), await scene.attempt()
    await scene.pay(untold)
    await scene.refund(paid, 2500)
    made = await scene.payer.v1.refunds.create_async({"payment_intent": paid.charge_key or "", "amount": 700})
    window = Window(now() - timedelta(days=1), now() + timedelta(seconds=1))
    compared = await reconcile.reconcile(scene.database, scene.gateway, window, now=now())
    async with scene.database.transaction() as session:
        found = {each.subject: each for each in await reconciliations.found_by(session, compared)}
    ours = {paid.provider_id, untold.provider_id, made.id}
    assert {(each.kind, each.condition) for subject, each in found.items() if subject in ours} == {
        (Kind.MISSING_NOTICE, Condition.REPAIRED),
        (Kind.UNKNOWN_REFUND, Condition.OPEN),
    }
    assert (await scene.payment(untold.id)).state is PaymentState.SUCCEEDED
    await scene.adds_up()


@pytest.fixture
def listener() -> Iterator[Listener]:
    opened = Listener()
    yield opened
    opened.close()


async def test_localstripes_own_notice_pays_and_a_forged_one_does_not(
    scene: CardScene, provider: Provider, listener: Listener
) -> None:
    if provider.name != "localstripe":
        pytest.skip("the simulator's notices have tests of their own")
    async with httpx.AsyncClient(base_url=provider.url, trust_env=False) as http:
        hook = {"url": listener.url, "secret": WEBHOOK_SECRET}
        assert (await http.post("/_config/webhooks/shop", data=hook)).is_success
    payment = await scene.attempt()
    await scene.pay(payment)
    for _ in range(100):
        if any(payment.provider_id.encode() in body for body, _mark in listener.taken if payment.provider_id):
            break
        await asyncio.sleep(0.05)
    body, mark = next(pair for pair in listener.taken if (payment.provider_id or "?").encode() in pair[0])
    for _ in range(2):
        with pytest.raises(Malformed):
            scene.gateway.verify(body.replace(b"7000", b"9000"), mark)
    event = scene.gateway.verify(body, mark)
    outcomes = []
    for _ in range(2):
        async with scene.database.transaction() as session:
            outcomes.append(await desk.take_notice(session, scene.gateway, event, now=now()))
    assert outcomes == ["paid", "duplicate"]
    await scene.adds_up()


async def test_nothing_unpaid_is_refunded(scene: CardScene) -> None:
    payment = await scene.attempt()
    with pytest.raises(NotMovable):
        await scene.refund(payment, 100)
