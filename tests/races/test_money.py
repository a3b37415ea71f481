"""Money moved by several at once: cancelling against paying, many refunds of everything, one notice told twice."""

import asyncio
from collections.abc import Awaitable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlmodel import select

from market.ground.db import Database, run
from market.ground.errors import NotMovable, OverLimit
from market.people import accounts
from market.reports import oversight
from market.trade.orders import Order
from market.trade.placing import Item
from payments import desk, proof, records, refunds
from payments.records import Method, Notice, Payment, PaymentState, Refund
from payments.refunds import Claim
from payments.stripe import Event, Fate, Seen
from tests import build
from tests.simulator import Cashier
from tests.world import BEGIN, World

ALL_FEN = 7000


async def paid(database: Database, world: World) -> UUID:
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.mutton, 2))
        return (await session.exec(records.of_order(placed.id))).one().id


async def waiting(database: Database, world: World, at: int = 0) -> Payment:
    """An order with an online attempt nobody has paid yet."""
    async with database.transaction() as session:
        placed = await build.order(session, world, Item(world.mutton, 2))
        payment = Payment(
            order_id=placed.id, method=Method.ALIPAY, rail=Method.ALIPAY.rail, amount_fen=placed.total_fen,
            started_at=BEGIN, started_by=world.buyer, provider_id=f"pi_{at}",
        )  # fmt: skip
        session.add(payment)
    return payment


async def differences(database: Database) -> list[Any]:
    async with database.transaction() as session:
        return [*await oversight.differences(session), *await proof.differences(session)]


async def together(*acts: Awaitable[Any]) -> list[Any]:
    return list(await asyncio.gather(*acts))


async def test_summing_first_and_refunding_after_gives_everything_back_twice(database: Database, world: World) -> None:
    """The race is real: both see that nothing went back yet, and both send everything."""
    payment_id, both_have_looked = await paid(database, world), asyncio.Barrier(2)

    async def naive() -> bool:
        async with database.transaction() as session:
            left = ALL_FEN - await records.refunded_fen(session, payment_id)
            await both_have_looked.wait()
            if left < ALL_FEN:
                return False
            session.add(Refund(payment_id=payment_id, amount_fen=ALL_FEN, reason="naive", requested_at=BEGIN))
            return True

    assert await together(naive(), naive()) == [True, True]


@pytest.mark.parametrize("crowd", [2, 20])
async def test_however_many_click_no_more_goes_back_than_was_paid(database: Database, world: World, crowd: int) -> None:
    payment_id = await paid(database, world)

    async def everything() -> bool:
        try:
            async with database.transaction() as session:
                await refunds.request(session, payment_id, Claim(ALL_FEN, "全退", world.officer), now=BEGIN)
        except OverLimit:
            return False
        return True

    assert sum(await together(*(everything() for _ in range(crowd)))) == 1
    assert await differences(database) == []


async def test_parts_clicked_at_once_stop_exactly_at_the_whole(database: Database, world: World) -> None:
    payment_id = await paid(database, world)

    async def part() -> int:
        try:
            async with database.transaction() as session:
                claim = Claim(1500, "退一部分", world.officer)
                return (await refunds.request(session, payment_id, claim, now=BEGIN)).amount_fen
        except OverLimit:
            return 0

    assert sum(await together(*(part() for _ in range(12)))) == 6000
    assert await differences(database) == []


async def test_looking_at_the_state_first_cancels_what_is_being_paid(database: Database, world: World) -> None:
    """The race is real: both see the order waiting; it ends cancelled, with its money kept and nothing owed back."""
    payment, both_have_looked = await waiting(database, world), asyncio.Barrier(2)

    async def naive(to: str, also: str) -> bool:
        async with database.transaction() as session:
            order = await session.get_one(Order, payment.order_id)
            await both_have_looked.wait()
            if order.state != "placed":
                return False
            values = {"to": to, "id": order.id}
            await run(session, text("UPDATE orders SET state = :to WHERE id = :id"), values)
            await run(session, text(also), {"id": payment.id})
            return True

    pays = naive("paid", "UPDATE payments SET state = 'succeeded' WHERE id = :id")
    cancels = naive("cancelled", "SELECT CAST(:id AS uuid)")
    assert await together(pays, cancels) == [True, True]
    assert await differences(database) != []


@pytest.mark.parametrize("turn", range(6))
async def test_cancelling_and_paying_at_once_gives_the_money_back(database: Database, world: World, turn: int) -> None:
    payment = await waiting(database, world)

    async def pay() -> str:
        async with database.transaction() as session:
            seen = Seen(payment.provider_id or "", Fate.SUCCEEDED, payment.amount_fen, payment.provider_id)
            return await desk.settle(session, payment.id, seen, now=BEGIN)

    async def cancel() -> str:
        async with database.transaction() as session:
            buyer = await accounts.viewer_of(session, world.buyer)
            order = await session.get_one(Order, payment.order_id)
            return (await desk.cancel_order(session, buyer, order.no, why="", now=BEGIN)).state

    outcomes = await together(*((pay(), cancel()) if turn % 2 else (cancel(), pay())))
    assert "cancelled" in outcomes
    async with database.transaction() as session:
        assert await records.refunded_fen(session, payment.id) == payment.amount_fen
        assert await build.balances(session) == {"clearing": -ALL_FEN, "returns": ALL_FEN}
    assert await differences(database) == []


async def test_two_of_the_same_payment_told_at_once_pay_once(database: Database, world: World) -> None:
    """Two different notices about one payment: both fetch it, one acts."""
    payment = await waiting(database, world)

    async def arrive() -> str:
        async with database.transaction() as session:
            seen = Seen(payment.provider_id or "", Fate.SUCCEEDED, payment.amount_fen, payment.provider_id)
            return await desk.settle(session, payment.id, seen, now=BEGIN)

    assert sorted(await together(*(arrive() for _ in range(8)))) == ["known"] * 7 + ["paid"]
    assert await differences(database) == []


async def test_one_notice_delivered_many_times_at_once_is_recorded_once(
    database: Database, world: World, cashier: Cashier
) -> None:
    gateway = cashier.gateway()
    async with database.transaction() as session:
        placed = await build.order(session, world, Item(world.mutton, 2))
        buyer = await accounts.viewer_of(session, world.buyer)
        payment = await desk.start(session, gateway, buyer, placed.no, Method.ALIPAY, return_url="http://x", now=BEGIN)
    await cashier.pay(payment)
    told = [gateway.verify(*pair) for pair in await cashier.notices_about(str(payment.id))]
    event = next(event for event in told if event.kind == "payment_intent.succeeded")

    async def deliver(event: Event) -> str:
        async with database.transaction() as session:
            return await desk.take_notice(session, gateway, event, now=BEGIN)

    assert sorted(await together(*(deliver(event) for _ in range(6)))) == ["duplicate"] * 5 + ["paid"]
    async with database.transaction() as session:
        assert len((await session.exec(select(Notice))).all()) == 1
    assert await differences(database) == []
    await gateway.hang_up()


async def test_cash_taken_by_two_people_at_once_is_taken_once(database: Database, world: World) -> None:
    async with database.transaction() as session:
        placed = await build.order(session, world, Item(world.mutton, 2))
        payment = Payment(
            order_id=placed.id, method=Method.CASH, rail=Method.CASH.rail, amount_fen=placed.total_fen,
            started_at=BEGIN, started_by=world.buyer,
        )  # fmt: skip
        session.add(payment)

    async def take(account_id: int) -> bool:
        async with database.transaction() as session:
            viewer = await accounts.viewer_of(session, account_id)
            try:
                taken = await desk.take_cash(session, viewer, payment.id, now=BEGIN)
            except NotMovable:
                return False
            return taken.taken_by == account_id and taken.state is PaymentState.SUCCEEDED

    assert sum(await together(take(world.clerk), take(world.organiser), take(world.clerk))) in {1, 2}
    async with database.transaction() as session:
        assert await build.balances(session) == {"payable": ALL_FEN, "clearing": -ALL_FEN}
    assert await differences(database) == []
