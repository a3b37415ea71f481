"""A transfer is promised: the goods stay held, the payer is told where to and what to write."""

from datetime import datetime, timedelta

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.clock import start_of
from market.ground.errors import Malformed
from market.ground.settings import Settings
from market.people import accounts
from market.people.units import Wallet
from market.trade import orders
from market.trade.orders import OrderState
from payments import desk, records, references
from payments.promises import CASH_HOLD, TRANSFER_HOLD, UNIT_HOLD
from payments.records import Method, Payment, PaymentState
from payments.stripe import Gateway
from tests import build
from tests.world import BEGIN, World

DAY = timedelta(days=1)


async def started(session: AsyncSession, payer: int, no: str, method: Method, now: datetime = BEGIN) -> Payment:
    viewer = await accounts.viewer_of(session, payer)
    return await desk.start(session, Gateway(Settings(demo=True)), viewer, no, method, return_url="", now=now)


async def test_without_a_payee_it_is_not_offered(session: AsyncSession, world: World) -> None:
    placed = await build.order(session, world)
    with pytest.raises(Malformed, match="not_offered"):
        await started(session, world.buyer, placed.no, Method.TRANSFER)


async def test_a_persons_transfer_holds_a_week_at_most_as_long_as_cash(session: AsyncSession, world: World) -> None:
    payee = await build.payee(session, world)
    placed = await build.order(session, world)
    payment = await started(session, world.buyer, placed.no, Method.TRANSFER)
    order = await orders.lock(session, placed.id)
    assert references.is_one(payment.reference or "")
    told = {"name": payee.name, "bank": payee.bank, "account_no": payee.account_no}
    assert payment.next == {"reference": payment.reference, "payee": told}
    assert order.state is OrderState.CONFIRMED
    assert order.expires_at == min(BEGIN + TRANSFER_HOLD, start_of(order.handover_on) + DAY + CASH_HOLD)
    assert (await session.exec(orders.moves_of(placed.id))).one().why == "transfer"
    again = await started(session, world.buyer, placed.no, Method.TRANSFER)
    assert (again.id, again.reference) == (payment.id, payment.reference)


async def test_a_work_units_transfer_may_follow_the_goods(session: AsyncSession, world: World) -> None:
    await build.payee(session, world)
    placed = await build.unit_order(session, world)
    viewer = await accounts.viewer_of(session, world.clerk)
    order = await orders.seen_by(session, viewer, placed.no)
    assert (await desk.methods_for(session, order, Gateway(Settings(demo=True))))[0] is Method.TRANSFER
    await started(session, world.clerk, placed.no, Method.TRANSFER)
    assert order.wallet is Wallet.CANTEEN
    assert order.expires_at == start_of(order.handover_on) + DAY + UNIT_HOLD


async def test_both_promises_stand_and_neither_shortens_the_other(session: AsyncSession, world: World) -> None:
    await build.payee(session, world)
    placed = await build.unit_order(session, world)
    transfer = await started(session, world.clerk, placed.no, Method.TRANSFER)
    cash = await started(session, world.clerk, placed.no, Method.CASH)
    order = await orders.lock(session, placed.id)
    assert order.expires_at == start_of(order.handover_on) + DAY + UNIT_HOLD
    assert transfer.state is cash.state is PaymentState.STARTED
    clerk = await accounts.viewer_of(session, world.clerk)
    await desk.take_cash(session, clerk, cash.id, now=BEGIN)
    states = {payment.id: payment.state for payment in await records.lock_all(session, order)}
    assert states == {transfer.id: PaymentState.CANCELLED, cash.id: PaymentState.SUCCEEDED}
