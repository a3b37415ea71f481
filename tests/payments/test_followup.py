"""Notices that never come heal in minutes, whatever else happens to the payment meanwhile."""

from datetime import timedelta

from sqlmodel import select

from market.trade import orders
from market.trade.orders import OrderState
from payments import desk, followup
from payments.records import Payment, PaymentState, RefundState
from tests.payments.scene import Scene, now


async def look_after(scene: Scene, *, minutes: float) -> list[str]:
    """One round of the job, so many minutes from now."""
    later = now() + timedelta(minutes=minutes)
    async with scene.database.transaction() as session:
        payments = await followup.started(session, now=later)
        refunds = await followup.on_their_way(session, now=later)
    outcomes = []
    for each in payments:
        async with scene.database.transaction() as session:
            outcomes.append(await followup.look_after_payment(session, scene.gateway, each, now=later))
    for each in refunds:
        async with scene.database.transaction() as session:
            outcomes.append(await followup.look_after_refund(session, scene.gateway, each, now=later))
    return outcomes


async def test_a_payment_is_looked_at_when_its_notice_is_overdue(scene: Scene) -> None:
    await scene.pay()
    assert await look_after(scene, minutes=1) == []
    assert await look_after(scene, minutes=4) == ["paid"]
    assert await look_after(scene, minutes=6) == []
    await scene.adds_up()


async def test_one_nobody_has_paid_yet_goes_on_waiting(scene: Scene) -> None:
    payment = await scene.start()
    assert await look_after(scene, minutes=4) == ["waiting"]
    await scene.cashier.act(f"intents/{payment.provider_id}/fail")
    assert await look_after(scene, minutes=6) == ["failed"]
    assert await look_after(scene, minutes=60 * 30) == []


async def test_one_the_provider_does_not_know_is_left_alone(scene: Scene) -> None:
    await scene.start()
    await scene.harm("UPDATE payments SET provider_id = 'pi_never'")
    assert await look_after(scene, minutes=4) == ["unknown"]


async def test_a_refund_is_looked_at_when_its_notice_is_overdue(scene: Scene) -> None:
    refund = await scene.refund(await scene.paid())
    assert await look_after(scene, minutes=5) == []
    assert await look_after(scene, minutes=12) == ["known"]  # still on its way there too
    await scene.cashier.act(f"refunds/{refund.provider_id}/succeed")
    assert await look_after(scene, minutes=12) == ["succeeded"]
    assert (await scene.refund_of(refund.id)).state is RefundState.SUCCEEDED
    await scene.adds_up()


async def test_closing_an_attempt_that_was_paid_at_the_last_moment_takes_its_money(scene: Scene) -> None:
    """The hold ran out, the attempt was withdrawn, and the payer tapped in the same second: no notice is needed."""
    payment = await scene.pay()
    async with scene.database.transaction() as session:
        await orders.expire_due(session, now=now() + timedelta(minutes=16))
        await desk.close_left_over(session, now=now() + timedelta(minutes=16))
    assert (await scene.payment(payment.id)).state is PaymentState.CANCELLED
    for outcome in ("paid", "known"):
        async with scene.database.transaction() as session:
            assert await followup.close(session, scene.gateway, payment.provider_id or "", now=now()) == outcome
    async with scene.database.transaction() as session:
        assert (await orders.lock(session, payment.order_id)).state is OrderState.PAID
    await scene.adds_up()


async def test_closing_an_attempt_nobody_paid_closes_it_at_the_provider(scene: Scene) -> None:
    payment = await scene.start()
    for _ in range(2):
        async with scene.database.transaction() as session:
            assert await followup.close(session, scene.gateway, payment.provider_id or "", now=now()) == "closed"
    assert (await scene.gateway.look(payment.provider_id or "")).fate == "cancelled"
    async with scene.database.transaction() as session:
        assert len((await session.exec(select(Payment))).all()) == 1
