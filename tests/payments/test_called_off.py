"""A round that was called off: every order ends once, its money goes home as it came, and a crash costs nothing."""

from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from market.delivery import calling_off, cutoffs, round_cancellations, stops
from market.delivery.round_cancellations import CalledOffOrder, Outcome, RoundCancellation
from market.ground.clock import day_of
from market.ground.db import Database, run
from market.ground.errors import Malformed, NotFound, RoundCancelled
from market.ground.settings import Settings
from market.people import accounts
from market.reports import oversight
from market.trade import cancellations, orders, placing
from market.trade.orders import Order, OrderState
from market.trade.placing import Item
from payments import called_off, cash, desk, proof, records, remittances
from payments.outcomes import RowState
from payments.records import Method, Payment, PaymentState, Refund, RefundState
from payments.stripe import Fate, Gateway, Seen
from tests import build
from tests.payments.bank import Bank, Wire
from tests.world import BEGIN, World

ON = date(2026, 11, 6)
"""The Friday after the world began."""
CLOSED = Gateway(Settings(demo=True))


async def call_off(database: Database, world: World, *, by: int = 0, why: str = "大雪封路") -> int:
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, by or world.officer)
        return (await calling_off.call_off(session, officer, world.stop, ON, why=why, now=BEGIN)).id or 0


async def online(database: Database, world: World, *items: Item, paid: bool = True) -> Payment:
    """An order somebody pays online, or has begun to."""
    async with database.transaction() as session:
        placed = await build.order(session, world, *items)
        payment = Payment(
            order_id=placed.id, method=Method.ALIPAY, rail=Method.ALIPAY.rail, amount_fen=placed.total_fen,
            started_at=BEGIN, started_by=world.buyer, provider_id=f"pi_{placed.id}",
        )  # fmt: skip
        session.add(payment)
    return await settle(database, payment) if paid else payment


async def settle(database: Database, payment: Payment) -> Payment:
    async with database.transaction() as session:
        seen = Seen(payment.provider_id or "", Fate.SUCCEEDED, payment.amount_fen, payment.provider_id)
        await desk.settle(session, payment.id, seen, now=BEGIN)
        return await session.get_one(Payment, payment.id)


async def outcomes(database: Database) -> list[tuple[Outcome, int]]:
    async with database.transaction() as session:
        found = await session.exec(select(CalledOffOrder).order_by(text("order_id")))
        return [(each.outcome, each.back_fen) for each in found]


async def adds_up(database: Database) -> None:
    async with database.transaction() as session:
        assert [*await oversight.differences(session), *await proof.differences(session)] == []


async def queued(database: Database, task: str) -> list[int]:
    async with database.transaction() as session:
        found = text("SELECT (coalesce(args ->> 'order_id', args ->> 'household_id'))::int FROM procrastinate_jobs "
                     "WHERE task_name = :task ORDER BY 1")  # fmt: skip
        return list((await run(session, found, {"task": task})).scalars())


async def free(database: Database) -> dict[int, int]:
    async with database.transaction() as session:
        found = await run(session, text("SELECT listing_id, on_hand - reserved FROM stock"))
        return dict(found.all())


def stumbling(patched: pytest.MonkeyPatch, at: int, error: type[BaseException]) -> None:
    """Let the cancelling of an order fail once, the `at`-th time."""
    whole, turns = cancellations.cancel, count()

    async def cancel(*args: Any, **kwargs: Any) -> bool:
        if next(turns) == at:
            raise error
        return await whole(*args, **kwargs)

    patched.setattr(cancellations, "cancel", cancel)


async def test_every_way_to_pay_goes_home_by_itself(database: Database, world: World) -> None:
    paid = await online(database, world, Item(world.mutton, 2))
    waiting = await online(database, world, Item(world.millet, 1), paid=False)
    async with database.transaction() as session:
        in_cash = await build.cash_order(session, world, Item(world.pear, 1))
        promised = await build.order(session, world, Item(world.pumpkin, 3))
        buyer = await accounts.viewer_of(session, world.buyer)
        await desk.start(session, CLOSED, buyer, promised.no, Method.CASH, return_url="", now=BEGIN)
    before = await free(database)
    cancellation = await call_off(database, world)
    await adds_up(database)  # while its orders wait for their turn, too
    assert await called_off.work_off(database, cancellation) == 4
    assert await outcomes(database) == [
        (Outcome.RETURNED, 7000), (Outcome.NOTHING_DUE, 0), (Outcome.CASH_DUE, 4500), (Outcome.NOTHING_DUE, 0),
    ]  # fmt: skip
    async with database.transaction() as session:
        states = {each.state for each in await session.exec(select(Order))}
        assert states == {OrderState.CANCELLED}
        assert (await session.get_one(Payment, waiting.id)).state is PaymentState.CANCELLED
        refunds = (await session.exec(select(Refund).order_by(text("amount_fen")))).all()
        assert [(each.amount_fen, each.state) for each in refunds] == [
            (4500, RefundState.REQUESTED), (7000, RefundState.REQUESTED),
        ]  # fmt: skip
        assert [each.refund.amount_fen for each in await cash.due_back_at(
            session, await accounts.viewer_of(session, world.clerk)
        )] == [4500]  # fmt: skip
        assert (await session.get_one(RoundCancellation, cancellation)).ended_at is not None
    after = await free(database)
    gained = {listing: after[listing] - before[listing] for listing in after if after[listing] != before[listing]}
    assert gained == {world.mutton: 2, world.millet: 1, world.pear: 1, world.pumpkin: 3}
    assert await queued(database, "tell_order_off") == sorted(
        [paid.order_id, waiting.order_id, in_cash.id, promised.id]
    )
    assert await queued(database, "tell_round_off") == sorted([world.wang, world.zhao])
    await adds_up(database)


async def test_nobody_orders_or_pays_for_it_once_it_is_off(database: Database, world: World) -> None:
    async with database.transaction() as session:
        placed = await build.order(session, world)
        promised = await build.order(session, world)
        buyer = await accounts.viewer_of(session, world.buyer)
        cash_due = await desk.start(session, CLOSED, buyer, promised.no, Method.CASH, return_url="", now=BEGIN)
        clerk, terms = await accounts.viewer_of(session, world.clerk), await build.terms(session, world)
    await call_off(database, world)
    with pytest.raises(RoundCancelled):
        async with database.transaction() as session:
            await desk.start(session, CLOSED, buyer, placed.no, Method.CASH, return_url="", now=BEGIN)
    with pytest.raises(RoundCancelled):
        async with database.transaction() as session:
            await desk.take_cash(session, clerk, cash_due.id, now=BEGIN)
    with pytest.raises(RoundCancelled):
        async with database.transaction() as session:
            await placing.place(session, buyer, [Item(world.pear, 1)], terms, now=BEGIN)
    async with database.transaction() as session:  # who asks now is offered the week after
        assert (await build.terms(session, world)).handover_on == ON + timedelta(days=7)
        assert (await stops.handover_for(session, buyer, world.stop, now=BEGIN)).on == ON + timedelta(days=7)


async def test_late_money_goes_home_before_and_after_the_order_was_ended(database: Database, world: World) -> None:
    early, late = [await online(database, world, Item(world.mutton, 1), paid=False) for _ in range(2)]
    cancellation = await call_off(database, world)
    await settle(database, early)
    await called_off.work_off(database, cancellation)
    await settle(database, late)
    assert await outcomes(database) == [(Outcome.NOTHING_DUE, 0), (Outcome.NOTHING_DUE, 0)]
    async with database.transaction() as session:
        for payment in (early, late):
            assert await records.refunded_fen(session, payment.id) == payment.amount_fen
        assert await build.balances(session) == {"clearing": -7000, "returns": 7000}
    await adds_up(database)


async def test_transfers_go_home_too_and_what_came_of_a_part_is_free_again(database: Database, world: World) -> None:
    bank = await Bank(database, world).open()
    whole, part = [await bank.promised(Item(world.mutton, 2)) for _ in range(2)]
    await bank.tells(Wire("70.00", whole.reference or "", serial="A1"))
    partly = await bank.tells(Wire("30.00", part.reference or "", serial="A2"))
    cancellation = await call_off(database, world)
    await called_off.work_off(database, cancellation)
    assert await outcomes(database) == [(Outcome.RETURNED, 7000), (Outcome.NOTHING_DUE, 0)]
    async with database.transaction() as session:
        accountant = await accounts.viewer_of(session, world.accountant)
        assert [each.refund.amount_fen for each in await remittances.waiting(session, accountant)] == [7000]
    assert [row.state for row in await bank.rows(partly)] == [RowState.OPEN]  # somebody sends the 30.00 back
    await adds_up(database)


async def test_an_order_that_ran_out_stays_over_and_takes_no_money(database: Database, world: World) -> None:
    payment = await online(database, world, Item(world.mutton, 2), paid=False)
    async with database.transaction() as session:
        await orders.expire_due(session, now=BEGIN + timedelta(hours=1))
    cancellation = await call_off(database, world)
    await called_off.work_off(database, cancellation)
    assert await outcomes(database) == [(Outcome.OVER, 0)]
    await settle(database, payment)  # its goods are there, but nobody brings them
    async with database.transaction() as session:
        assert (await session.get_one(Order, payment.order_id)).state is OrderState.EXPIRED
        assert await records.refunded_fen(session, payment.id) == payment.amount_fen
    await adds_up(database)


async def test_what_went_back_before_does_not_go_back_again(database: Database, world: World) -> None:
    await online(database, world, Item(world.mutton, 2))
    await build.refund(database, world, 3000)
    cancellation = await call_off(database, world)
    for _ in range(2):
        await called_off.work_off(database, cancellation)
    assert await outcomes(database) == [(Outcome.RETURNED, 4000)]
    await adds_up(database)


async def test_a_run_that_dies_half_way_is_taken_up(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = [await online(database, world, Item(world.pumpkin, 1)) for _ in range(5)]
    cancellation = await call_off(database, world)
    with monkeypatch.context() as patched:  # as a killed process: nothing of this order is kept, none after it is tried
        stumbling(patched, 2, KeyboardInterrupt)
        with pytest.raises(KeyboardInterrupt):
            await called_off.work_off(database, cancellation)
    assert [outcome for outcome, _fen in await outcomes(database)].count(Outcome.WAITING) == 3
    await adds_up(database)
    assert await called_off.work_off(database, cancellation) == 3
    assert await called_off.work_off(database, cancellation) == 0
    async with database.transaction() as session:
        back = [await records.refunded_fen(session, payment.id) for payment in paid]
    assert back == [600] * 5
    await adds_up(database)


async def test_one_order_that_fails_holds_up_no_other(
    database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        await online(database, world, Item(world.pumpkin, 1))
    cancellation = await call_off(database, world)
    with monkeypatch.context() as patched:
        stumbling(patched, 0, LookupError)
        with pytest.raises(LookupError):
            await called_off.work_off(database, cancellation)
    assert [outcome for outcome, _fen in await outcomes(database)].count(Outcome.WAITING) == 1
    async with database.transaction() as session:
        assert await round_cancellations.unended(session) == [cancellation]
    await called_off.work_off(database, cancellation)
    async with database.transaction() as session:
        assert await round_cancellations.unended(session) == []
    await adds_up(database)


async def test_only_the_countys_officer_calls_off_and_gives_a_reason(database: Database, world: World) -> None:
    for other in (world.township_officer, world.accountant, world.administrator, world.buyer):
        with pytest.raises(NotFound):
            await call_off(database, world, by=other)
    with pytest.raises(Malformed):
        await call_off(database, world, why="  ")
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        for on, now in ((ON + timedelta(days=1), BEGIN), (ON, BEGIN + timedelta(days=5))):  # no such day; a day past
            with pytest.raises(NotFound):
                await calling_off.call_off(session, officer, world.stop, on, why="雪", now=now)
        [coming] = await calling_off.rounds(session, officer, now=BEGIN)
        assert (coming.on, coming.order_count, coming.off) == (ON, 0, None)


async def test_nobody_is_called_to_pack_for_it(database: Database, world: World) -> None:
    async with database.transaction() as session:
        placed = await build.cash_order(session, world)
        cutoff_at = (await session.get_one(Order, placed.id)).cutoff_at
    await call_off(database, world)
    async with database.transaction() as session:
        assert day_of(cutoff_at) < ON
        assert await cutoffs.call(session, now=cutoff_at) == 0
