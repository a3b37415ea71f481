"""Jobs: queued with the work that needs them, run by a real worker, safe to run twice, restarted after a kill."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from procrastinate.jobs import Status
from sqlalchemy import text

from market.ground import queue
from market.ground.db import Database, run
from market.trade import orders
from market.trade.orders import OrderState
from payments import records, refunds
from payments.records import Refund, RefundState
from payments.refunds import Claim
from storefront import jobs
from storefront.state import State
from tests import build
from tests.client import Browser
from tests.world import World


async def drain(state: State) -> None:
    """Run everything that waits, and nothing periodic."""
    app = jobs.make_app(state)
    async with app.open_async():
        await app.run_worker_async(wait=False, install_signal_handlers=False, queues=["default"], concurrency=2)


async def counts(database: Database) -> dict[str, int]:
    found = text("SELECT status::text, count(*) FROM procrastinate_jobs GROUP BY status")
    async with database.transaction() as session:
        return {str(status): int(number) for status, number in await run(session, found)}


async def test_a_job_exists_if_and_only_if_its_transaction_does(client: Browser, world: World) -> None:
    database = client.state.database

    async def killed_half_way() -> None:
        async with database.transaction() as session:
            await queue.enqueue(session, "announce_ordered", order_id=1)
            raise InterruptedError

    with pytest.raises(InterruptedError):
        await killed_half_way()
    assert await counts(database) == {}
    async with database.transaction() as session:
        await build.cash_order(session, world)
    assert await counts(database) == {"todo": 1}
    await drain(client.state)
    assert (await counts(database))["succeeded"] >= 1


async def test_unpaid_orders_expire_by_the_worker(client: Browser, world: World) -> None:
    database = client.state.database
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    async with database.transaction() as session:
        placed = await build.order(session, world, now=long_ago)
        await queue.enqueue(session, "expire_orders", timestamp=0)
    await drain(client.state)
    async with database.transaction() as session:
        assert (await orders.lock(session, placed.id)).state is OrderState.EXPIRED


async def test_a_refund_is_sent_after_its_commit_and_once(paying_client: Browser, world: World) -> None:
    """The refund of a payment the provider never saw is told as failed, not lost and not repeated."""
    state = paying_client.state
    async with state.database.transaction() as session:
        placed = await build.cash_order(session, world)
        payment = (await session.exec(records.of_order(placed.id))).one()
        payment.rail, payment.charge_key = payment.rail.STRIPE, "pi_never_seen"
        order = await orders.lock(session, placed.id)
        refund = await refunds.decide(session, payment, order, Claim(700, "test"), now=datetime.now(UTC))
    for _ in range(2):
        await drain(state)
    async with state.database.transaction() as session:
        sent = await session.get_one(Refund, refund.id)
        assert (sent.state, sent.failure) == (RefundState.FAILED, "resource_missing")


async def test_what_a_killed_worker_left_is_started_again(client: Browser, world: World) -> None:
    state = client.state
    async with state.database.transaction() as session:
        await build.cash_order(session, world)
        await run(session, text("UPDATE procrastinate_jobs SET status = 'doing'"))
        await queue.enqueue(session, "reap", timestamp=0)
    await drain(state)
    await drain(state)
    app = jobs.make_app(state)
    async with app.open_async():
        left = await app.job_manager.list_jobs_async(task="announce_ordered")
    assert [job.status for job in left] == [Status.SUCCEEDED.value]


async def test_one_that_waits_again_already_holds_up_no_other(client: Browser, world: World) -> None:
    """Of a clock's job only one may wait. The dead one gives way to it, and what died beside it is started again."""
    app, database = jobs.make_app(client.state), client.state.database
    async with app.open_async():
        clock_job = app.tasks["expire_orders"]
        await clock_job.defer_async(timestamp=0)
        async with database.transaction() as session:
            await build.cash_order(session, world)
            await run(session, text("UPDATE procrastinate_jobs SET status = 'doing'"))
        await clock_job.defer_async(timestamp=20)
        await app.tasks["reap"].func(SimpleNamespace(app=app), timestamp=0)
        left = await app.job_manager.list_jobs_async()
    assert sorted((job.task_name, job.status) for job in left) == [
        ("announce_ordered", Status.TODO.value), ("expire_orders", Status.FAILED.value),
        ("expire_orders", Status.TODO.value),
    ]  # fmt: skip


def queued_names() -> set[str]:
    rooms = [Path(room) for room in ("market", "payments", "storefront")]
    source = "\n".join(path.read_text("utf-8") for room in rooms for path in room.rglob("*.py"))
    return set(re.findall(r'queue\.enqueue\(\s*session,\s*"(\w+)"', source))


async def test_whatever_is_queued_is_a_job_there_is(client: Browser) -> None:
    """A name nobody knows would wait for ever; it is found before anything is queued under it."""
    assert len(queued_names()) > 10
    assert queued_names() <= set(jobs.make_app(client.state).tasks)
