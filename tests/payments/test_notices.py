"""Staff act on a recorded notice again: the same work on what the provider has now, once more written down."""

import pytest
from sqlmodel import select

from market.ground.audit import Trace
from market.ground.errors import NotFound, Unavailable
from market.ground.settings import Settings
from market.people import accounts
from market.people.accounts import Viewer
from payments import desk, notices
from payments.notices import Led
from payments.records import Method, Notice, PaymentState, RefundState
from payments.stripe import Gateway
from tests.payments.scene import Scene, now


async def tell(scene: Scene, *words: str) -> list[Notice]:
    """Let the provider's notices that name one of the words arrive; as they are recorded."""
    for body, signature in await scene.cashier.notices_about(*words):
        async with scene.database.transaction() as session:
            await desk.take_notice(session, scene.gateway, scene.gateway.verify(body, signature), now=now())
    async with scene.database.transaction() as session:
        return list(await session.exec(select(Notice).order_by(Notice.received_at)))  # type: ignore[arg-type]


async def viewer(scene: Scene, account_id: int) -> Viewer:
    async with scene.database.transaction() as session:
        return await accounts.viewer_of(session, account_id)


async def replay(scene: Scene, notice_id: str, who: int = 0) -> str:
    by = await viewer(scene, who or scene.world.accountant)
    async with scene.database.transaction() as session:
        return await notices.replay(session, scene.gateway, by, notice_id, now=now())


async def test_every_kind_of_recorded_notice_bears_being_replayed(scene: Scene) -> None:
    """Everything a paid, refunded, failed and cancelled life brings: acted on again, it changes nothing."""
    paid = await scene.paid()
    refund = await scene.refund(paid)
    await scene.cashier.act(f"refunds/{refund.provider_id}/succeed")
    failed = await scene.start()
    await scene.cashier.act(f"intents/{failed.provider_id}/fail")
    cancelled = await scene.start()
    await scene.gateway.close(cancelled.provider_id or "")
    carded = await scene.pay(method=Method.CARD)
    recorded = await tell(scene, "evt_")
    before = await scene.everything()
    kinds = {notice.kind for notice in recorded}
    assert {"payment_intent.succeeded", "payment_intent.payment_failed", "payment_intent.canceled"} <= kinds
    assert {"checkout.session.completed", "refund.created", "refund.updated", "charge.refunded"} <= kinds
    for notice in recorded:
        assert await replay(scene, notice.id) in {"known", "ignored"}, notice.kind
    assert await scene.everything() == before
    assert (await scene.payment(carded.id)).state is PaymentState.SUCCEEDED
    await scene.adds_up()


async def test_a_notice_that_came_to_nothing_then_is_acted_on_now(scene: Scene) -> None:
    payment = await scene.pay()
    await scene.harm("UPDATE payments SET amount_fen = amount_fen + 1")
    told = [notice for notice in await tell(scene, str(payment.id)) if notice.kind == "payment_intent.succeeded"]
    assert [notice.outcome for notice in told] == ["amount_differs"]
    await scene.harm("UPDATE payments SET amount_fen = amount_fen - 1")
    assert await replay(scene, told[0].id) == "paid"
    assert await replay(scene, told[0].id) == "known"
    async with scene.database.transaction() as session:
        history = await notices.replays_of(session, told[0].id)
        assert [(each.before, each.outcome, each.account_id) for each in history] == [
            ("amount_differs", "paid", scene.world.accountant),
            ("paid", "known", scene.world.accountant),
        ]
        assert (await session.get_one(Notice, told[0].id)).outcome == "known"
        traces = (await session.exec(select(Trace).where(Trace.act == "replay_notice"))).all()
        assert [trace.account_id for trace in traces] == [scene.world.accountant] * 2
    await scene.adds_up()


async def test_a_replay_that_cannot_ask_the_provider_leaves_nothing(scene: Scene) -> None:
    payment = await scene.pay()
    told = [notice for notice in await tell(scene, str(payment.id)) if notice.outcome == "paid"]
    nobody = Gateway(Settings(demo=True, **{**scene.cashier.settings(), "stripe_api_base": "http://127.0.0.1:9"}))
    by = await viewer(scene, scene.world.accountant)

    async def replay_in_vain() -> None:
        async with scene.database.transaction() as session:
            await notices.replay(session, nobody, by, told[0].id, now=now())

    with pytest.raises(Unavailable):
        await replay_in_vain()
    await nobody.hang_up()
    async with scene.database.transaction() as session:
        assert await notices.replays_of(session, told[0].id) == []


async def test_a_late_word_of_the_provider_comes_in_by_replaying_an_old_notice(scene: Scene) -> None:
    """The object is fetched afresh, so an old notice brings today's state."""
    refund = await scene.refund(await scene.paid())
    created = [notice for notice in await tell(scene, str(refund.id)) if notice.kind == "refund.created"]
    await scene.cashier.act(f"refunds/{refund.provider_id}/succeed")
    assert await replay(scene, created[0].id) == "succeeded"
    assert (await scene.refund_of(refund.id)).state is RefundState.SUCCEEDED


async def test_notices_are_seen_by_those_of_the_county_and_found_by_number_and_outcome(scene: Scene) -> None:
    payment = await scene.pay()
    recorded = await tell(scene, str(payment.id))
    paid = next(notice for notice in recorded if notice.outcome == "paid")
    assert paid.payment_id == payment.id
    officer = await viewer(scene, scene.world.officer)
    township = await viewer(scene, scene.world.township_accountant)
    async with scene.database.transaction() as session:
        assert len(await notices.listed(session, officer)) == len(recorded)
        assert [found.id for found in await notices.listed(session, officer, led=Led.DONE)] == [paid.id]
        assert await notices.listed(session, officer, led=Led.ODD) == []
        assert len(await notices.listed(session, officer, led=Led.NOTHING)) == len(recorded) - 1
        assert paid in await notices.listed(session, officer, q=payment.provider_id or "")
        assert await notices.listed(session, officer, q="pi_other") == []
        assert await notices.listed(session, township) == []
        with pytest.raises(NotFound):
            await notices.seen_by(session, township, paid.id)
    with pytest.raises(NotFound):
        await replay(scene, paid.id, scene.world.township_officer)
    with pytest.raises(NotFound):
        await replay(scene, "evt_none")
