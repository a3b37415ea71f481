"""A round called off while others order, pay and call it off too; each race is first shown without its guard."""

import asyncio
from collections.abc import Awaitable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import func, select

from market.delivery import calling_off, round_cancellations
from market.delivery.round_cancellations import CalledOffOrder, RoundCancellation
from market.ground.db import Database, run
from market.ground.errors import MarketError, RoundCancelled
from market.people import accounts
from market.reports import oversight
from market.trade import cancellations, orders, placing
from market.trade.orders import Order, OrderState
from market.trade.placing import Item
from payments import called_off, desk, proof, refunds
from payments.records import Method, Payment, Refund
from payments.refunds import Claim
from payments.stripe import Fate, Seen
from tests import build
from tests.world import BEGIN, World

ON = date(2026, 11, 6)
STANDING = "no order stands for a cancelled round"


async def together(*acts: Awaitable[Any]) -> list[Any]:
    return list(await asyncio.gather(*acts))


async def broken(database: Database) -> set[str]:
    async with database.transaction() as session:
        return {each.rule for each in [*await oversight.differences(session), *await proof.differences(session)]}


async def call_off(database: Database, account_id: int, world: World, why: str = "大雪封路") -> int:
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, account_id)
        return (await calling_off.call_off(session, officer, world.stop, ON, why=why, now=BEGIN)).id or 0


async def place(database: Database, world: World) -> bool:
    try:
        async with database.transaction() as session:
            buyer = await accounts.viewer_of(session, world.buyer)
            terms = await build.terms(session, world)
            if terms.handover_on != ON:
                return False  # it was off already: the week after is offered
            await placing.place(session, buyer, [Item(world.pumpkin, 1)], terms, now=BEGIN)
    except RoundCancelled:
        return False
    return True


async def waiting_orders(database: Database, world: World, number: int) -> list[Payment]:
    made = []
    for _ in range(number):
        async with database.transaction() as session:
            placed = await build.order(session, world, Item(world.pumpkin, 1))
            payment = Payment(
                order_id=placed.id, method=Method.ALIPAY, rail=Method.ALIPAY.rail, amount_fen=placed.total_fen,
                started_at=BEGIN, started_by=world.buyer, provider_id=f"pi_{placed.id}",
            )  # fmt: skip
            session.add(payment)
        made.append(payment)
    return made


async def paid_orders(database: Database, world: World, number: int) -> list[Payment]:
    made = await waiting_orders(database, world, number)
    await together(*(pay(database, payment) for payment in made))
    return made


async def pay(database: Database, payment: Payment) -> str:
    async with database.transaction() as session:
        seen = Seen(payment.provider_id or "", Fate.SUCCEEDED, payment.amount_fen, payment.provider_id)
        return await desk.settle(session, payment.id, seen, now=BEGIN)


async def test_looking_first_leaves_an_order_standing(database: Database, world: World) -> None:
    """The race is real: with the trigger off, an order that looked in time is placed for a round that does not come."""
    async with database.transaction() as session:
        await run(session, text("ALTER TABLE orders DISABLE TRIGGER round_is_on"))
    looked, listed = asyncio.Event(), asyncio.Event()

    async def naive() -> None:
        async with database.transaction() as session:
            buyer, terms = await accounts.viewer_of(session, world.buyer), await build.terms(session, world)
            looked.set()
            await listed.wait()
            await placing.place(session, buyer, [Item(world.pumpkin, 1)], terms, now=BEGIN)

    async def off() -> None:
        await looked.wait()
        await called_off.work_off(database, await call_off(database, world.officer, world))
        listed.set()

    await together(naive(), off())
    assert await broken(database) == {STANDING}


async def test_an_order_on_its_way_is_listed_or_refused(database: Database, world: World) -> None:
    """An order placed and not committed yet makes the cancellation wait; it is then listed with the others."""
    placed, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.transaction() as session:
            await build.order(session, world, Item(world.pumpkin, 1))
            placed.set()
            await go_on.wait()

    async def off() -> int:
        await placed.wait()
        calling = asyncio.create_task(call_off(database, world.officer, world))
        await asyncio.sleep(0.2)
        assert not calling.done()
        go_on.set()
        return await calling

    _none, cancellation = await together(slow(), off())
    assert await called_off.work_off(database, cancellation) == 1
    assert await broken(database) == set()


async def test_an_order_waits_for_a_cancellation_on_its_way_and_is_refused(database: Database, world: World) -> None:
    """The cancellation is written and not committed: the order waits at its stop, then looks, and is not placed."""
    written, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        async with database.transaction() as session:
            officer = await accounts.viewer_of(session, world.officer)
            await calling_off.call_off(session, officer, world.stop, ON, why="大雪封路", now=BEGIN)
            written.set()
            await go_on.wait()

    async def order() -> bool:
        await written.wait()
        placing_it = asyncio.create_task(place(database, world))
        await asyncio.sleep(0.2)
        assert not placing_it.done()
        go_on.set()
        return await placing_it

    assert await together(slow(), order()) == [None, False]
    async with database.transaction() as session:
        assert (await session.exec(select(Order))).all() == []


@pytest.mark.parametrize("turn", range(2))
async def test_a_crowd_orders_while_it_is_called_off(database: Database, world: World, turn: int) -> None:
    acts: list[Awaitable[Any]] = [place(database, world) for _ in range(12)]
    acts.insert(turn * 5, call_off(database, world.officer, world))
    done = await together(*acts)
    cancellation = done.pop(turn * 5)
    assert await called_off.work_off(database, cancellation) == sum(done)
    assert await broken(database) == set()


@pytest.mark.parametrize("turn", range(2))
async def test_paying_while_it_is_called_off_and_worked_off(database: Database, world: World, turn: int) -> None:
    payments = await waiting_orders(database, world, 6)

    async def off() -> int:
        return await called_off.work_off(database, await call_off(database, world.officer, world))

    acts: list[Awaitable[Any]] = [pay(database, payment) for payment in payments]
    acts.insert(turn * 3, off())
    done = await together(*acts)
    assert done.pop(turn * 3) == 6
    assert set(done) <= {"paid", "goods_gone"}
    async with database.transaction() as session:
        assert (await session.exec(select(func.sum(Refund.amount_fen)))).one() == 6 * 600
        assert set(await session.exec(select(Order.state))) == {OrderState.CANCELLED}
    assert await broken(database) == set()


async def test_two_officers_at_once_are_one_cancellation(database: Database, world: World) -> None:
    await paid_orders(database, world, 1)
    assert len(set(await together(*(call_off(database, world.officer, world, why) for why in ("雪", "车坏了"))))) == 1
    async with database.transaction() as session:
        assert len((await session.exec(select(RoundCancellation))).all()) == 1
        jobs = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name IN ('call_off_round', 'tell_round_off')")
        assert (await run(session, jobs)).scalar_one() == 2


async def test_two_workers_without_the_list_send_money_back_twice(database: Database, world: World) -> None:
    """The race is real: workers that look at the state first and lock nothing both send everything back."""
    [payment] = await paid_orders(database, world, 1)
    both_have_looked = asyncio.Barrier(2)

    async def naive() -> bool:
        async with database.transaction() as session:
            order = await session.get_one(Order, payment.order_id)
            await both_have_looked.wait()
            if order.state is not OrderState.PAID:
                return False
            session.add(Refund(payment_id=payment.id, amount_fen=600, reason=called_off.WHY, requested_at=BEGIN))
            return True

    assert await together(naive(), naive()) == [True, True]
    assert "no more goes back than was paid" in await broken(database)


async def test_workers_share_the_orders_and_refund_each_once(database: Database, world: World) -> None:
    await paid_orders(database, world, 8)
    cancellation = await call_off(database, world.officer, world)
    assert sum(await together(*(called_off.work_off(database, cancellation) for _ in range(3)))) == 8
    await called_off.work_off(database, cancellation)
    async with database.transaction() as session:
        assert [each.amount_fen for each in await session.exec(select(Refund))] == [600] * 8
        assert await round_cancellations.unended(session) == []
        assert len((await session.exec(select(CalledOffOrder))).all()) == 8
    assert await broken(database) == set()


async def test_buyers_and_staff_sending_back_at_the_same_time(database: Database, world: World) -> None:
    """A buyer takes one back, an officer refunds a part of another, while the round's own worker is at them all."""
    first, second = await paid_orders(database, world, 2)
    cancellation = await call_off(database, world.officer, world)

    async def take_back() -> None:
        async with database.transaction() as session:
            buyer = await accounts.viewer_of(session, world.buyer)
            order = await session.get_one(Order, first.order_id)
            await desk.cancel_order(session, buyer, order.no, why="buyer", now=BEGIN)

    async def refund() -> None:
        try:
            async with database.transaction() as session:
                await refunds.request(session, second.id, Claim(200, "少了", world.officer), now=BEGIN)
        except MarketError:
            pass

    await together(take_back(), called_off.work_off(database, cancellation), refund())
    await called_off.work_off(database, cancellation)
    async with database.transaction() as session:
        assert (await session.exec(select(func.sum(Refund.amount_fen)))).one() == 1200
        assert {(await orders.lock(session, each.order_id)).state for each in (first, second)} == {OrderState.CANCELLED}
        assert len((await session.exec(select(cancellations.Cancellation))).all()) == 2
    assert await broken(database) == set()
