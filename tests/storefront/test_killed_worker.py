"""A worker killed in the middle of a job: what it had not committed is gone, and another one starts it again."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlmodel import select

from market.delivery import calling_off
from market.delivery.round_cancellations import CalledOffOrder, Outcome
from market.ground import queue
from market.ground.clock import now
from market.ground.db import Database, run
from market.people import accounts
from market.reports import oversight
from market.trade import orders
from market.trade.orders import Order
from market.trade.placing import Item
from payments import proof
from payments.records import Refund
from storefront.state import State
from tests import build
from tests.client import Browser
from tests.storefront.test_jobs import drain
from tests.world import World

_PATIENCE_SECONDS = 40
DOING = "SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE 'call_off%' AND status = 'doing'"
"""The round's own job and the clock's share the orders between them; either is killed, or both."""


@asynccontextmanager
async def worker(state: State) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own, as in production."""
    told = {
        "DATABASE_URL": state.settings.database_url or "", "REDIS_URL": state.settings.redis_url,
        "YIGOU_VAR": str(state.settings.var), "YIGOU_DEMO": "1",
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "storefront.commands", "worker", env=os.environ | told
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(database: Database, statement: str) -> None:
    """Wait for a statement to find something."""
    async with asyncio.timeout(_PATIENCE_SECONDS):
        while True:
            async with database.transaction() as session:
                if (await run(session, text(statement))).first() is not None:
                    return
            await asyncio.sleep(0.1)


async def test_a_round_half_called_off_is_finished_by_the_next_worker(client: Browser, world: World) -> None:
    state, database = client.state, client.state.database
    async with database.transaction() as session:
        made = [await build.cash_order(session, world, Item(world.pumpkin, 1), now=now()) for _ in range(3)]
        await run(session, text("DELETE FROM procrastinate_jobs"))
        on = (await session.get_one(Order, made[0].id)).handover_on
        officer = await accounts.viewer_of(session, world.officer)
        await calling_off.call_off(session, officer, world.stop, on, why="大雪封路", now=now())
    async with worker(state) as process, database.transaction() as session:
        await orders.lock(session, made[1].id)  # the worker has to wait here, its transaction half done
        await until(database, "SELECT 1 FROM called_off_orders WHERE outcome = 'cash_due'")
        await until(database, "SELECT 1 FROM pg_locks WHERE NOT granted")
        process.send_signal(signal.SIGKILL)
        await process.wait()
    await until(database, f"{DOING} HAVING count(*) > 0")
    await until(database, "SELECT 1 FROM called_off_orders WHERE outcome = 'waiting' FOR UPDATE")  # let go by the dead
    async with database.transaction() as session:
        assert (await session.get_one(CalledOffOrder, made[1].id)).outcome is Outcome.WAITING
        # Nobody waits here for half a minute without a sign of life.
        await run(session, text("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 minute'"))
        await queue.enqueue(session, "reap", timestamp=0)
    for _ in range(2):
        await drain(state)
    async with database.transaction() as session:
        assert {each.outcome for each in await session.exec(select(CalledOffOrder))} == {Outcome.CASH_DUE}
        assert [each.amount_fen for each in await session.exec(select(Refund))] == [600] * 3
        assert (await run(session, text(f"{DOING} HAVING count(*) > 0"))).first() is None
        assert [*await oversight.differences(session), *await proof.differences(session)] == []
