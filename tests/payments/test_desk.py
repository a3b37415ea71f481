"""Paying, being told, refunding: the desk beside the real SDK and the simulator in its own process."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import pytest_asyncio

from market.ground.clock import day_of
from market.ground.db import Database
from market.ground.errors import AlreadyPaid, Malformed, NotFound, NotMovable, OverLimit
from market.people import accounts
from market.trade import orders, sales
from market.trade.orders import OrderState
from market.trade.placing import Item
from payments import bank_slips, desk, oversight, records, refunds
from payments.bank_slips import Slip
from payments.cash_records import SlipKind
from payments.records import Method, Payment, PaymentState, Refund, RefundState
from payments.refunds import Claim
from payments.stripe import Fate, Gateway
from tests import build
from tests.simulator import Cashier, signed
from tests.world import World

BACK = "http://shop.test/orders/x/return"
ONLINE = [Method.ALIPAY, Method.WECHAT_PAY, Method.CARD]


def now() -> datetime:
    return datetime.now(UTC)


@pytest_asyncio.fixture
async def gateway(cashier: Cashier) -> AsyncIterator[Gateway]:
    opened = cashier.gateway()
    yield opened
    await opened.hang_up()


async def start(database: Database, world: World, gateway: Gateway, no: str, method: Method) -> Payment:
    async with database.transaction() as session:
        buyer = await accounts.viewer_of(session, world.buyer)
        return await desk.start(session, gateway, buyer, no, method, return_url=BACK, now=now())


async def tell(database: Database, gateway: Gateway, cashier: Cashier, *words: str) -> list[str]:
    """Deliver every notice that names one of the words."""
    outcomes = []
    for body, signature in await cashier.notices_about(*words):
        async with database.transaction() as session:
            event = gateway.verify(body, signature)
            outcomes.append(await desk.take_notice(session, gateway, event, now=now()))
    return outcomes


async def place(database: Database, world: World, *items: Item) -> str:
    async with database.transaction() as session:
        return (await build.order(session, world, *items, now=now())).no


async def paid_order(database: Database, world: World, gateway: Gateway, cashier: Cashier) -> Payment:
    payment = await start(database, world, gateway, await place(database, world), Method.ALIPAY)
    await cashier.pay(payment)
    assert "paid" in await tell(database, gateway, cashier, str(payment.id))
    return payment


async def state_of(database: Database, payment: Payment) -> tuple[OrderState, PaymentState]:
    async with database.transaction() as session:
        found, order = await records.lock(session, payment.id)
        return order.state, found.state


@pytest.mark.parametrize("method", ONLINE)
async def test_an_order_is_paid_by_the_notice(
    database: Database, world: World, gateway: Gateway, cashier: Cashier, method: Method
) -> None:
    payment = await start(database, world, gateway, await place(database, world), method)
    assert payment.next["redirect_url"].startswith("http")
    await cashier.pay(payment)
    assert await state_of(database, payment) == (OrderState.PLACED, PaymentState.STARTED)
    outcomes = await tell(database, gateway, cashier, str(payment.id))
    assert outcomes.count("paid") == 1
    assert await state_of(database, payment) == (OrderState.PAID, PaymentState.SUCCEEDED)
    async with database.transaction() as session:
        assert await build.balances(session) == {"payable": 7000, "clearing": -7000}


async def test_the_same_notices_again_change_nothing(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    payment = await paid_order(database, world, gateway, cashier)
    assert set(await tell(database, gateway, cashier, str(payment.id))) == {"duplicate"}
    async with database.transaction() as session:
        assert await build.balances(session) == {"payable": 7000, "clearing": -7000}


async def test_two_taps_on_pay_are_one_payment(database: Database, world: World, gateway: Gateway) -> None:
    no = await place(database, world)
    first, second = [await start(database, world, gateway, no, Method.ALIPAY) for _ in range(2)]
    assert first.id == second.id


async def test_another_method_withdraws_the_first_attempt_whose_money_still_goes_back(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    no = await place(database, world)
    first = await start(database, world, gateway, no, Method.ALIPAY)
    second = await start(database, world, gateway, no, Method.WECHAT_PAY)
    await cashier.pay(second)
    await tell(database, gateway, cashier, str(second.id))
    await cashier.pay(first)
    assert "already_paid" in await tell(database, gateway, cashier, str(first.id))
    async with database.transaction() as session:
        assert await build.balances(session) == {"payable": 7000, "clearing": -14000, "returns": 7000}


async def test_money_for_goods_that_are_gone_is_recorded_and_goes_back(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    no = await place(database, world, Item(world.last_leg, 1))
    payment = await start(database, world, gateway, no, Method.ALIPAY)
    async with database.transaction() as session:
        await orders.expire_due(session, now=now() + timedelta(minutes=16))
        await build.order(session, world, Item(world.last_leg, 1), buyer=world.second_buyer, now=now())
    await cashier.pay(payment)
    assert "goods_gone" in await tell(database, gateway, cashier, str(payment.id))
    assert await state_of(database, payment) == (OrderState.EXPIRED, PaymentState.SUCCEEDED)
    refund = await send_refunds(database, gateway, payment)
    await cashier.act(f"refunds/{refund.provider_id}/succeed")
    await tell(database, gateway, cashier, str(refund.id))
    async with database.transaction() as session:
        assert await build.balances(session) == {}


async def send_refunds(database: Database, gateway: Gateway, payment: Payment) -> Refund:
    async with database.transaction() as session:
        found = (await session.exec(records.refunds_of_order(payment.order_id))).one()
        await refunds.send(session, gateway, found.id, now=now())
    async with database.transaction() as session:
        return await session.get_one(Refund, found.id)


async def test_a_paid_order_is_cancelled_and_its_money_goes_back(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    payment = await paid_order(database, world, gateway, cashier)
    async with database.transaction() as session:
        buyer = await accounts.viewer_of(session, world.buyer)
        no = (await orders.lock(session, payment.order_id)).no
        for _ in range(2):
            await desk.cancel_order(session, buyer, no, why="", now=now())
    async with database.transaction() as session:
        assert await build.balances(session) == {"clearing": -7000, "returns": 7000}
    refund = await send_refunds(database, gateway, payment)
    assert refund.state is RefundState.PENDING
    await cashier.act(f"refunds/{refund.provider_id}/succeed")
    for _ in range(2):
        await tell(database, gateway, cashier, str(refund.id))
    async with database.transaction() as session:
        assert await build.balances(session) == {}


async def test_refunds_never_exceed_what_was_paid(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    payment = await paid_order(database, world, gateway, cashier)
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        await refunds.request(session, payment.id, Claim(3000, "少了一斤", officer.account_id), now=now())
        with pytest.raises(OverLimit):
            await refunds.request(session, payment.id, Claim(4001, "再退", officer.account_id), now=now())
        with pytest.raises(Malformed):
            await refunds.request(session, payment.id, Claim(0, "零", officer.account_id), now=now())
        await refunds.request(session, payment.id, Claim(4000, "全退", officer.account_id), now=now())
    async with database.transaction() as session:
        assert await build.balances(session) == {"clearing": -7000, "returns": 7000}


async def test_a_refund_the_provider_refuses_is_told_and_still_owed(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    payment = await paid_order(database, world, gateway, cashier)
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        await refunds.request(session, payment.id, Claim(7000, "退", officer.account_id), now=now())
    refund = await send_refunds(database, gateway, payment)
    await cashier.act(f"refunds/{refund.provider_id}/fail")
    await tell(database, gateway, cashier, str(refund.id))
    async with database.transaction() as session:
        assert (await session.get_one(Refund, refund.id)).state is RefundState.FAILED
        assert await build.balances(session) == {"clearing": -7000, "returns": 7000}


async def test_a_paid_order_or_one_whose_day_has_come_cannot_be_paid(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    payment = await paid_order(database, world, gateway, cashier)
    async with database.transaction() as session:
        no = (await orders.lock(session, payment.order_id)).no
    with pytest.raises(AlreadyPaid):
        await start(database, world, gateway, no, Method.CARD)
    other = await place(database, world)
    async with database.transaction() as session:
        await orders.expire_due(session, now=now() + timedelta(minutes=16))
        buyer = await accounts.viewer_of(session, world.buyer)
        with pytest.raises(NotMovable):
            await desk.start(
                session, gateway, buyer, other, Method.CARD, return_url=BACK, now=now() + timedelta(days=20)
            )


async def test_another_persons_order_does_not_exist(database: Database, world: World, gateway: Gateway) -> None:
    no = await place(database, world)
    async with database.transaction() as session:
        stranger = await accounts.viewer_of(session, world.second_buyer)
        with pytest.raises(NotFound):
            await desk.start(session, gateway, stranger, no, Method.CASH, return_url=BACK, now=now())


async def test_cash_is_taken_once(database: Database, world: World) -> None:
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, now=now())
        payment = (await session.exec(records.of_order(placed.id))).one()
        clerk = await accounts.viewer_of(session, world.clerk)
        await desk.take_cash(session, clerk, payment.id, now=now())
        assert await build.balances(session) == {"payable": 7000, "clearing": -7000}


@pytest.mark.parametrize("fault", ["secret", "stale", "nonsense", "missing"])
async def test_a_notice_that_cannot_be_verified_is_refused(gateway: Gateway, fault: str) -> None:
    body = b'{"id": "evt_1", "object": "event", "type": "x", "data": {"object": {"id": "pi_1"}}}'
    body, signature = {
        "secret": signed(body, secret="whsec_other"),
        "stale": signed(body, at=now().timestamp() - 900),
        "nonsense": (body, "t=1,v1=zz"),
        "missing": (body, ""),
    }[fault]
    with pytest.raises(Malformed):
        gateway.verify(body, signature)


async def test_foreign_and_unknown_notices_are_recorded_and_ignored(database: Database, gateway: Gateway) -> None:
    for number, kind in enumerate(["payment_intent.succeeded", "refund.updated", "customer.created"]):
        text = f'{{"id": "evt_{number}", "object": "event", "type": "{kind}", "data": {{"object": {{"id": "x_1"}}}}}}'
        body, signature = signed(text.encode())
        async with database.transaction() as session:
            outcome = await desk.take_notice(session, gateway, gateway.verify(body, signature), now=now())
        assert outcome in {"foreign", "ignored"}


async def test_a_notice_before_its_payment_is_visible_is_sent_again(database: Database, gateway: Gateway) -> None:
    unseen = UUID(int=7)
    text = (
        '{"id": "evt_early", "object": "event", "type": "payment_intent.succeeded", '
        f'"data": {{"object": {{"id": "pi_early", "metadata": {{"payment_id": "{unseen}"}}}}}}}}'
    )
    body, signature = signed(text.encode())
    with pytest.raises(Exception, match="payment_not_visible_yet"):
        async with database.transaction() as session:
            await desk.take_notice(session, gateway, gateway.verify(body, signature), now=now())
    async with database.transaction() as session:
        assert await session.get(records.Notice, "evt_early") is None


async def refused_refund(database: Database, world: World, gateway: Gateway, cashier: Cashier) -> Refund:
    payment = await paid_order(database, world, gateway, cashier)
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        await refunds.request(session, payment.id, Claim(3000, "退", officer.account_id), now=now())
    refund = await send_refunds(database, gateway, payment)
    await cashier.act(f"refunds/{refund.provider_id}/fail")
    await tell(database, gateway, cashier, str(refund.id))
    return refund


async def test_a_failed_refund_is_tried_again_and_arrives(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    refund = await refused_refund(database, world, gateway, cashier)
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        await refunds.try_again(session, officer, refund.id, now=now())
        with pytest.raises(NotMovable):
            await refunds.try_again(session, officer, refund.id, now=now())
    async with database.transaction() as session:
        await refunds.send(session, gateway, refund.id, now=now())
    async with database.transaction() as session:
        sent = await session.get_one(Refund, refund.id)
    assert sent.provider_id != refund.provider_id
    await cashier.act(f"refunds/{sent.provider_id}/succeed")
    await tell(database, gateway, cashier, str(refund.id))
    async with database.transaction() as session:
        assert (await session.get_one(Refund, refund.id)).state is RefundState.SUCCEEDED
        assert await build.balances(session) == {"payable": 4000, "clearing": -4000}


async def test_a_failed_refund_still_bounds_what_may_be_refunded(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    refund = await refused_refund(database, world, gateway, cashier)
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        with pytest.raises(OverLimit):
            await refunds.request(session, refund.payment_id, Claim(4001, "再退", officer.account_id), now=now())


async def test_a_failed_refund_can_be_handed_back_in_cash(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    refund = await refused_refund(database, world, gateway, cashier)
    async with database.transaction() as session:
        accountant = await accounts.viewer_of(session, world.accountant)
        slip = Slip(SlipKind.TAKEN_OUT, 3000, "YS 001", day_of(now()))
        await bank_slips.enter(session, accountant, slip, now=now())
        for _ in range(2):
            await refunds.hand_back_cash(session, accountant, refund.id, now=now())
        assert await build.balances(session) == {"payable": 4000, "clearing": -4000}


async def test_a_refund_the_bank_turns_back_later_is_owed_again(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    payment = await paid_order(database, world, gateway, cashier)
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        await refunds.request(session, payment.id, Claim(7000, "退", officer.account_id), now=now())
    refund = await send_refunds(database, gateway, payment)
    for outcome in ("succeed", "fail"):
        await cashier.act(f"refunds/{refund.provider_id}/{outcome}")
        await tell(database, gateway, cashier, str(refund.id))
    async with database.transaction() as session:
        assert (await session.get_one(Refund, refund.id)).state is RefundState.FAILED
        assert await build.balances(session) == {"clearing": -7000, "returns": 7000}


async def test_a_cash_promise_stays_when_the_wallet_fails_and_ends_when_it_pays(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    no = await place(database, world)
    cash = await start(database, world, gateway, no, Method.CASH)
    wallet = await start(database, world, gateway, no, Method.ALIPAY)
    assert await state_of(database, cash) == (OrderState.CONFIRMED, PaymentState.STARTED)
    await cashier.pay(wallet)
    await tell(database, gateway, cashier, str(wallet.id))
    assert await state_of(database, cash) == (OrderState.PAID, PaymentState.CANCELLED)


async def test_attempts_at_ended_orders_are_closed_at_the_provider(
    database: Database, world: World, gateway: Gateway, cashier: Cashier
) -> None:
    payment = await start(database, world, gateway, await place(database, world), Method.ALIPAY)
    async with database.transaction() as session:
        await orders.expire_due(session, now=now() + timedelta(minutes=16))
        assert await desk.close_left_over(session, now=now()) == 1
        assert await desk.close_left_over(session, now=now()) == 0
    await gateway.close(payment.provider_id or "")
    assert (await gateway.look(payment.provider_id or "")).fate is Fate.CANCELLED


async def test_a_refund_for_one_line_is_given_up_by_its_household_alone(database: Database, world: World) -> None:
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
        payment = (await session.exec(records.of_order(placed.id))).one()
        pear = await oversight.line_of(session, payment.id, world.pear)
        claim = Claim(4000, "梨烂了", world.officer, pear)
        await refunds.request(session, payment.id, claim, now=now())
        standing = {part.line.listing_id: part.standing_fen for part in await sales.standing(session, placed.id)}
        assert standing == {world.mutton: 7000, world.pear: 500}
        with pytest.raises(OverLimit):
            await refunds.request(session, payment.id, claim, now=now())
        with pytest.raises(Malformed):
            await oversight.line_of(session, payment.id, world.millet)
