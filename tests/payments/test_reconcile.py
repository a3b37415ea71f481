"""Comparing with the provider's list: every kind of difference is provoked at a real simulator, named, and mended."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from sqlmodel import select

from market.ground.errors import Malformed, NotFound, NotMovable, OverLimit, Unavailable
from market.ground.settings import Settings
from market.people import accounts
from market.trade import orders
from market.trade.orders import OrderState
from market.trade.placing import Item
from payments import reconcile, reconciliations, records, refunds
from payments.reconcile import Window
from payments.reconciliations import Condition, Kind
from payments.records import Method, Payment, PaymentState, RefundState
from payments.stripe import Gateway
from tests import build
from tests.payments.scene import BACK, Scene, now
from tests.world import COUNTY

DONE = "银行退的，已经联系买家"


NOTICED = (Kind.MISSING_NOTICE, Condition.REPAIRED)


async def test_where_both_sides_agree_nothing_is_found(scene: Scene) -> None:
    payment = await scene.paid()
    done = await scene.refund(payment)
    await scene.cashier.act(f"refunds/{done.provider_id}/succeed")
    async with scene.database.transaction() as session:
        seen = await scene.gateway.look_refund(done.provider_id or "")
        await refunds.record(session, done.id, seen, now=now())
    await scene.refund(payment, 500)
    made = await scene.run()
    assert (made.charge_count, made.refund_count, made.found_count, made.left_count) == (1, 2, 0, 0)
    assert made.ended_at is not None
    await scene.adds_up()


@pytest.mark.parametrize("method", [Method.ALIPAY, Method.CARD])
async def test_a_notice_that_never_came_is_made_up_for(scene: Scene, method: Method) -> None:
    payment = await scene.pay(method=method)
    assert await scene.compare() == [NOTICED]
    healed = await scene.payment(payment.id)
    assert healed.state is PaymentState.SUCCEEDED
    async with scene.database.transaction() as session:
        assert (await orders.lock(session, payment.order_id)).state is OrderState.PAID
    assert await scene.compare() == []
    await scene.adds_up()


async def test_lost_money_for_goods_that_are_gone_is_recorded_and_owed_back(scene: Scene) -> None:
    payment = await scene.pay(Item(scene.world.last_leg, 1))
    async with scene.database.transaction() as session:
        await orders.expire_due(session, now=now() + timedelta(minutes=16))
        await build.order(session, scene.world, Item(scene.world.last_leg, 1), buyer=scene.world.second_buyer)
    assert await scene.compare() == [NOTICED]
    async with scene.database.transaction() as session:
        refund = (await session.exec(records.refunds_of_order(payment.order_id))).one()
        assert (refund.amount_fen, refund.state) == (120000, RefundState.REQUESTED)
    await scene.adds_up()


async def test_the_end_of_a_refund_we_never_heard_of_is_recorded(scene: Scene) -> None:
    payment = await scene.paid()
    arrived, refused = await scene.refund(payment, 3000), await scene.refund(payment, 1000)
    await scene.cashier.act(f"refunds/{arrived.provider_id}/succeed")
    await scene.cashier.act(f"refunds/{refused.provider_id}/fail")
    assert await scene.compare() == [(Kind.MISSING_REFUND_NOTICE, Condition.REPAIRED)] * 2
    assert (await scene.refund_of(arrived.id)).state is RefundState.SUCCEEDED
    assert (await scene.refund_of(refused.id)).state is RefundState.FAILED
    assert await scene.compare() == []
    await scene.adds_up()


async def test_a_refund_that_came_back_days_later_is_owed_again(scene: Scene) -> None:
    payment = await scene.paid()
    refund = await scene.refund(payment)
    await scene.cashier.act(f"refunds/{refund.provider_id}/succeed")
    assert await scene.compare() == [(Kind.MISSING_REFUND_NOTICE, Condition.REPAIRED)]
    await scene.cashier.act(f"refunds/{refund.provider_id}/fail")
    assert await scene.compare() == [(Kind.MISSING_REFUND_NOTICE, Condition.REPAIRED)]
    assert (await scene.refund_of(refund.id)).state is RefundState.FAILED
    await scene.adds_up()


async def test_a_refund_whose_answer_was_lost_is_found_by_our_own_notes(scene: Scene) -> None:
    refund = await scene.refund(await scene.paid())
    await scene.harm("UPDATE refunds SET state = 'requested', provider_id = NULL")
    assert await scene.compare() == [(Kind.MISSING_REFUND_NOTICE, Condition.REPAIRED)]
    again = await scene.refund_of(refund.id)
    assert (again.state, again.provider_id) == (RefundState.PENDING, refund.provider_id)


async def test_a_refund_left_lying_is_handed_over(scene: Scene) -> None:
    refund = await scene.refund(await scene.paid(), sent=False)
    assert await scene.compare() == []  # it is only just decided
    await scene.harm("UPDATE refunds SET requested_at = requested_at - interval '2 hours'")
    assert await scene.compare() == [(Kind.REFUND_NOT_SENT, Condition.REPAIRED)]
    assert (await scene.refund_of(refund.id)).state is RefundState.PENDING


async def test_a_refund_the_provider_never_saw_is_handed_over_again_under_its_own_key(scene: Scene) -> None:
    refund = await scene.refund(await scene.paid(), sent=False)
    await scene.harm("UPDATE refunds SET state = 'pending', provider_id = 'pyr_never'")
    assert await scene.compare() == [(Kind.REFUND_MISSING, Condition.REPAIRED)]
    for _ in range(2):
        async with scene.database.transaction() as session:
            await refunds.send(session, scene.gateway, refund.id, now=now())
    there = await scene.gateway.refunds_of((await scene.payment(refund.payment_id)).charge_key or "")
    assert [(back.refund_id, back.amount_fen) for back in there] == [(refund.id, 3000)]
    assert await scene.compare() == []
    await scene.adds_up()


async def test_a_refund_we_believe_arrived_and_nobody_sent_is_for_a_person(scene: Scene) -> None:
    await scene.refund(await scene.paid(), sent=False)
    await scene.harm("UPDATE refunds SET state = 'succeeded', provider_id = 'pyr_never'")
    found = await scene.compare()
    assert (Kind.REFUND_MISSING, Condition.OPEN) in found
    assert (Kind.LEDGER_DIFFERS, Condition.OPEN) in found


async def test_money_sent_back_there_and_in_cash_is_named(scene: Scene) -> None:
    await scene.refund(await scene.paid())
    await scene.harm("UPDATE refunds SET state = 'succeeded', provider_id = 'cash-' || id")
    assert (Kind.REFUND_TWICE, Condition.OPEN) in await scene.compare()


async def test_an_attempt_that_failed_before_the_one_that_arrived_is_no_difference(scene: Scene) -> None:
    refund = await scene.refund(await scene.paid())
    await scene.cashier.act(f"refunds/{refund.provider_id}/fail")
    await scene.compare()
    async with scene.database.transaction() as session:
        officer = await accounts.viewer_of(session, scene.world.officer)
        await refunds.try_again(session, officer, refund.id, now=now())
    async with scene.database.transaction() as session:
        await refunds.send(session, scene.gateway, refund.id, now=now())
    assert await scene.compare() == []


async def test_a_refund_made_in_the_dashboard_is_named_and_booked_by_a_person(scene: Scene) -> None:
    payment = await scene.paid()
    made = await scene.dashboard.v1.refunds.create_async({"payment_intent": payment.charge_key or "", "amount": 2500})
    assert await scene.compare() == [(Kind.UNKNOWN_REFUND, Condition.OPEN)]
    (difference,) = await scene.differences()
    assert (difference.subject, difference.found, difference.county_code) == (made.id, "2500", COUNTY)
    async with scene.database.transaction() as session:
        accountant = await accounts.viewer_of(session, scene.world.accountant)
        refund = await reconciliations.adopt_refund(
            session, scene.gateway, accountant, difference.id or 0, reason="在后台退的", now=now()
        )
    assert (refund.provider_id, refund.state, refund.requested_by) == (made.id, RefundState.PENDING, accountant.id)
    async with scene.database.transaction() as session:
        await refunds.send(session, scene.gateway, refund.id, now=now())  # the job it left behind does nothing
    assert len(await scene.gateway.refunds_of(payment.charge_key or "")) == 1
    await scene.cashier.act(f"refunds/{made.id}/succeed")
    await scene.compare()
    assert await scene.compare() == []
    await scene.adds_up()


async def test_a_refund_that_would_go_below_zero_or_is_none_is_not_booked(scene: Scene) -> None:
    payment = await scene.paid()
    await scene.dashboard.v1.refunds.create_async({"payment_intent": payment.charge_key or "", "amount": 2500})
    await scene.refund(payment, 7000, sent=False)
    await scene.compare()
    (difference,) = await scene.differences()
    async with scene.database.transaction() as session:
        accountant = await accounts.viewer_of(session, scene.world.accountant)
        with pytest.raises(OverLimit):
            await reconciliations.adopt_refund(
                session, scene.gateway, accountant, difference.id or 0, reason="x", now=now()
            )
    await scene.cashier.act(f"refunds/{difference.subject}/fail")
    async with scene.database.transaction() as session:
        with pytest.raises(NotMovable):
            await reconciliations.adopt_refund(
                session, scene.gateway, accountant, difference.id or 0, reason="x", now=now()
            )
    assert await scene.compare() == []
    assert [found.condition for found in await scene.differences()] == [Condition.GONE]


async def test_a_strangers_charge_is_named_and_never_invented(scene: Scene) -> None:
    await scene.pay()
    for notes in ({}, {"payment_id": str(uuid4())}, {"payment_id": "nonsense"}):
        made = await scene.dashboard.v1.payment_intents.create_async({
            "amount": 5000, "currency": "cny", "payment_method_data": {"type": "alipay"}, "confirm": True,
            "return_url": BACK, "metadata": notes,
        })  # fmt: skip
        await scene.cashier.act(f"intents/{made.id}/pay")
        await scene.dashboard.v1.refunds.create_async({"payment_intent": made.id, "amount": 100})
    found = await scene.compare()
    assert sorted(found) == sorted([NOTICED, *[(Kind.UNKNOWN_CHARGE, Condition.OPEN)] * 3])
    async with scene.database.transaction() as session:
        assert len((await session.exec(select(Payment))).all()) == 1
    await scene.adds_up()


async def test_a_second_charge_under_our_own_name_is_a_strangers_too(scene: Scene) -> None:
    for payment in (await scene.paid(), await scene.pay(Item(scene.world.pear, 1))):
        made = await scene.dashboard.v1.payment_intents.create_async({
            "amount": payment.amount_fen, "currency": "cny", "payment_method_data": {"type": "alipay"},
            "confirm": True, "return_url": BACK, "metadata": {"payment_id": str(payment.id)},
        })  # fmt: skip
        await scene.cashier.act(f"intents/{made.id}/pay")
    assert sorted(await scene.compare()) == sorted([NOTICED, *[(Kind.UNKNOWN_CHARGE, Condition.OPEN)] * 2])
    await scene.adds_up()


async def test_money_in_our_books_that_is_not_there_is_named(scene: Scene) -> None:
    async with scene.database.transaction() as session:
        await build.cash_order(session, scene.world, now=now())
    await scene.harm(
        "UPDATE payments SET method = 'alipay', rail = 'stripe', charge_key = 'pi_x', provider_id = 'pi_x'"
    )
    await scene.harm("UPDATE postings SET rail = 'stripe', holder_id = NULL WHERE rail = 'cash'")
    assert await scene.compare() == [(Kind.CHARGE_MISSING, Condition.OPEN)]
    (difference,) = await scene.differences()
    assert (difference.subject, difference.expected, difference.found) == ("pi_x", "7000", "nothing")


async def test_a_sum_that_differs_is_never_settled_by_itself(scene: Scene) -> None:
    waiting, known = await scene.pay(), await scene.paid(Item(scene.world.pear, 1))
    await scene.harm("UPDATE payments SET amount_fen = amount_fen + 1")
    found = await scene.compare()
    assert found.count((Kind.AMOUNT_DIFFERS, Condition.OPEN)) == 2
    assert (await scene.payment(waiting.id)).state is PaymentState.STARTED
    refund = await scene.refund(known, 500)
    await scene.harm("UPDATE refunds SET amount_fen = 501 WHERE id = :id", id=refund.id)
    assert (Kind.REFUND_AMOUNT_DIFFERS, Condition.OPEN) in await scene.compare()


async def test_money_the_ledger_does_not_know_is_named(scene: Scene) -> None:
    payment = await scene.paid()
    await scene.harm("UPDATE postings SET amount_fen = amount_fen + 1 WHERE book = 'clearing'")
    assert await scene.compare() == [(Kind.LEDGER_DIFFERS, Condition.OPEN)]
    await scene.harm("DELETE FROM postings")
    await scene.harm("DELETE FROM entries")
    assert await scene.compare() == [(Kind.CHARGE_WITHOUT_ORDER, Condition.OPEN)]
    conditions = {found.kind: found.condition for found in await scene.differences()}
    assert conditions[Kind.LEDGER_DIFFERS] is Condition.GONE
    assert {found.payment_id for found in await scene.differences()} == {payment.id}


async def test_money_the_provider_moves_by_itself_is_named(scene: Scene) -> None:
    payment = await scene.paid()
    await scene.cashier.act(f"intents/{payment.charge_key}/dispute")
    assert await scene.compare() == [(Kind.OTHER_MOVEMENT, Condition.OPEN)]
    (difference,) = await scene.differences()
    assert (difference.payment_id, difference.found) == (payment.id, "adjustment -7000 cny")


async def test_comparing_twice_finds_the_same_rows_and_two_at_once_repair_once(scene: Scene) -> None:
    await scene.pay()
    known = await scene.paid(Item(scene.world.pear, 1))
    await scene.dashboard.v1.refunds.create_async({"payment_intent": known.charge_key or "", "amount": 100})
    await asyncio.gather(*(scene.run() for _ in range(4)))
    for _ in range(2):
        assert await scene.compare() == [(Kind.UNKNOWN_REFUND, Condition.OPEN)]
    kinds = sorted((found.kind, found.condition) for found in await scene.differences())
    assert kinds == sorted([NOTICED, (Kind.UNKNOWN_REFUND, Condition.OPEN)])
    await scene.adds_up()


async def test_what_a_person_dealt_with_stays_so_and_no_longer_counts(scene: Scene) -> None:
    payment = await scene.paid()
    await scene.cashier.act(f"intents/{payment.charge_key}/dispute")
    await scene.compare()
    (difference,) = await scene.differences()
    async with scene.database.transaction() as session:
        accountant = await accounts.viewer_of(session, scene.world.accountant)
        with pytest.raises(Malformed):
            await reconciliations.deal_with(session, accountant, difference.id or 0, why=" ", now=now())
        await reconciliations.deal_with(
            session, accountant, difference.id or 0, why="银行退的，已经联系买家", now=now()
        )
        with pytest.raises(NotMovable):
            await reconciliations.deal_with(session, accountant, difference.id or 0, why="再来", now=now())
    assert await scene.compare() == [(Kind.OTHER_MOVEMENT, Condition.DEALT_WITH)]
    assert (await scene.run()).left_count == 0
    (kept,) = await scene.differences()
    assert (kept.settled_by, kept.why) == (scene.world.accountant, DONE)


async def test_only_those_of_the_county_see_its_differences(scene: Scene) -> None:
    payment = await scene.paid()
    await scene.cashier.act(f"intents/{payment.charge_key}/dispute")
    await scene.compare()
    (difference,) = await scene.differences()
    async with scene.database.transaction() as session:
        for who in (scene.world.officer, scene.world.accountant):
            viewer = await accounts.viewer_of(session, who)
            assert await reconciliations.listed(session, viewer)
            assert await reconciliations.counts(session, viewer) == {Condition.OPEN: 1}
        for who in (scene.world.township_officer, scene.world.township_accountant, scene.world.buyer):
            viewer = await accounts.viewer_of(session, who)
            assert await reconciliations.listed(session, viewer) == []
            with pytest.raises(NotFound):
                await reconciliations.deal_with(session, viewer, difference.id or 0, why="x", now=now())


async def test_a_provider_that_does_not_answer_is_written_down_and_told(scene: Scene) -> None:
    nobody = Gateway(Settings(demo=True, **{**scene.cashier.settings(), "stripe_api_base": "http://127.0.0.1:9"}))
    with pytest.raises(Unavailable):
        await reconcile.reconcile(scene.database, nobody, reconcile.usual(now()), now=now())
    await nobody.hang_up()
    async with scene.database.transaction() as session:
        (made,) = (await session.exec(reconciliations.latest())).all()
        assert (made.failure, made.ended_at is not None) == ("stripe", True)


async def test_a_long_window_is_compared_day_by_day_and_only_its_days(scene: Scene) -> None:
    await scene.pay()
    week_ago = now() - timedelta(days=7)
    assert await scene.compare(Window(week_ago, now() - timedelta(days=1))) == []
    assert await scene.compare(Window(week_ago, now() + timedelta(seconds=1))) == [NOTICED]
    parts = list(Window(week_ago, week_ago + timedelta(days=2, hours=5)).slices())
    assert [part.to_at - part.from_at for part in parts] == [timedelta(days=1), timedelta(days=1), timedelta(hours=5)]


async def test_days_are_those_of_the_village_and_never_reach_beyond_now() -> None:
    at = datetime(2026, 11, 24, 4, 0, tzinfo=UTC)
    window = reconcile.of_days(date(2026, 11, 20), date(2026, 11, 21), now=at)
    assert window == Window(datetime(2026, 11, 19, 16, tzinfo=UTC), datetime(2026, 11, 21, 16, tzinfo=UTC))
    assert reconcile.of_days(None, None, now=at) == Window(at - timedelta(days=3), at)
    assert reconcile.of_days(date(2026, 11, 24), date(2026, 12, 1), now=at).to_at == at
    for first, last in ((date(2026, 11, 25), None), (date(2026, 11, 22), date(2026, 11, 20)), (date(2020, 1, 1), None)):
        with pytest.raises(Malformed):
            reconcile.of_days(first, last, now=at)
