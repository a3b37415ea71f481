"""The buyer is back before the notice, or after it, or at that moment: the order is paid once, and no page breaks."""

import asyncio
from datetime import UTC, datetime

import pytest
from sqlmodel import select

from market.people import accounts
from market.reports import oversight
from market.trade.orders import Order, OrderState
from payments import desk, followup, proof
from payments.moves import PaymentMove, move_payment
from payments.records import Method, Notice, Payment, PaymentState
from tests import build
from tests.client import Browser
from tests.simulator import Cashier
from tests.world import World


async def paid_at_the_cashier(client: Browser, world: World, cashier: Cashier) -> tuple[str, Payment]:
    """An order's number and its payment; the money is there, and nobody told us."""
    async with client.state.database.transaction() as session:
        no = (await build.order(session, world, now=datetime.now(UTC))).no
    async with client.state.database.transaction() as session:
        buyer = await accounts.viewer_of(session, world.buyer)
        payment = await desk.start(
            session, client.state.gateway, buyer, no, Method.ALIPAY, return_url="http://shop.test/",
            now=datetime.now(UTC),
        )  # fmt: skip
    await cashier.pay(payment)
    return no, payment


@pytest.mark.parametrize("turn", range(3))
async def test_return_page_notices_and_the_watch_at_once_pay_once(
    paying_client: Browser, world: World, cashier: Cashier, turn: int
) -> None:
    """The same notice three times, another of the same payment, the look after lost notices, and two pages."""
    no, payment = await paid_at_the_cashier(paying_client, world, cashier)
    database, gateway = paying_client.state.database, paying_client.state.gateway
    await paying_client.sign_in(world.buyer)
    notices = await cashier.notices_about(str(payment.id))
    (news,) = [pair for pair in notices if b'"payment_intent.succeeded"' in pair[0]]

    async def told(pair: tuple[bytes, str]) -> str:
        headers = {"stripe-signature": pair[1]}
        answer = await paying_client.http.post("/hooks/stripe", content=pair[0], headers=headers)
        return str(answer.json()["outcome"])

    async def back() -> str:
        return str((await paying_client.get(f"/orders/{no}/return")).status_code)

    async def watched() -> str:
        async with database.transaction() as session:
            return await followup.look_after_payment(session, gateway, payment.id, now=datetime.now(UTC))

    acts = [back(), told(news), told(news), watched(), told(news), back()]
    came_to = await asyncio.gather(*(acts[turn * 2 :] + acts[: turn * 2]))
    assert sorted(each for each in came_to if each not in {"200", "known"}).count("paid") == 1
    assert came_to.count("200") == 2
    assert came_to.count("duplicate") == 2
    async with database.transaction() as session:
        moves = (await session.exec(select(PaymentMove).where(PaymentMove.payment_id == payment.id))).all()
        assert len(moves) == 1
        assert len((await session.exec(select(Notice))).all()) == 1
        order = (await session.exec(select(Order).where(Order.no == no))).one()
        assert order.state is OrderState.PAID
        assert [*await oversight.differences(session), *await proof.differences(session)] == []
    page = await paying_client.get(f"/orders/{no}/return")
    assert "付款成功" in page.text


async def test_looking_whether_a_notice_is_known_and_then_writing_acts_twice(
    paying_client: Browser, world: World, cashier: Cashier
) -> None:
    """The race is real: two deliveries that look first both find the notice new and the payment open."""
    _, payment = await paid_at_the_cashier(paying_client, world, cashier)
    both_have_looked = asyncio.Barrier(2)

    async def naive() -> bool:
        async with paying_client.state.database.transaction() as session:
            known = (await session.exec(select(Notice.id))).first()
            found = await session.get_one(Payment, payment.id)
            await both_have_looked.wait()
            if known is not None or found.state is not PaymentState.STARTED:
                return False
            move_payment(session, found, PaymentState.SUCCEEDED, by=None, why="naive", now=datetime.now(UTC))
            return True

    assert all(await asyncio.gather(naive(), naive()))
    async with paying_client.state.database.transaction() as session:
        assert len((await session.exec(select(PaymentMove))).all()) == 2
