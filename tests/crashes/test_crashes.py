"""Web processes killed at random moments under load: what a client was told is there afterwards, no money is lost.

YIGOU_CRASH_SECONDS makes a soak of it, YIGOU_CRASH_SEED another story:
`YIGOU_CRASH_SECONDS=600 bin/test -s tests/crashes`.

That the proof can fail is shown by `test_what_is_lost_is_found`: a charge no order stands for, a payment struck out of
the books and an order that never was are each named.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from market.ground import queue
from market.ground.clock import now as this_instant
from market.ground.db import Database, run
from market.people import accounts
from market.reports import oversight
from payments import desk, proof, reconcile
from payments.reconcile import Window
from payments.records import Method
from payments.stripe import Fate, Gateway, Statement
from tests import build
from tests.crashes import crowd
from tests.crashes.crowd import Crowd
from tests.crashes.diary import Diary, losses
from tests.simulator import Cashier, running_cashier
from tests.webs import Web, free_ports, on, pool
from tests.world import World

SECONDS, SEED = float(os.environ.get("YIGOU_CRASH_SECONDS", "5")), int(os.environ.get("YIGOU_CRASH_SEED", "20261128"))
PROCESSES, BUYERS = 2, 6
_MOMENT = timedelta(seconds=1)


@pytest.fixture(scope="module")
def ports() -> list[int]:
    return free_ports(PROCESSES)


@pytest.fixture(scope="module")
def hearing_cashier(ports: list[int]) -> Iterator[Cashier]:
    """A provider that tells the first web process what happens, and goes on trying while that one is dead."""
    with running_cashier(f"http://127.0.0.1:{ports[0]}/hooks/stripe", refund_seconds=0.2) as running:
        yield running


@pytest.fixture
def surroundings(database_url: str, redis_url: str, hearing_cashier: Cashier) -> dict[str, str]:
    return on(database_url, redis_url, hearing_cashier)


@dataclass
class Killer:
    """Kills one web process or all, at moments nobody chose, and starts them again."""

    webs: list[Web]
    everybody: Crowd
    chance: random.Random
    kills: int = 0

    async def kill_until(self, end: float, *, least: int) -> None:
        """Until then, and on a busy machine as long as it takes to have killed so often."""
        least += self.kills
        while time.monotonic() < end or self.kills < least:
            await self._business(self.chance.randint(0, 15))
            await asyncio.sleep(self.chance.uniform(0, 0.5))
            victims = self.chance.choice([*([web] for web in self.webs), self.webs])
            self._kill(victims)
            await self._start(victims)

    async def kill_all(self, database: Database) -> None:
        """Once more everything, and the half minute after which a worker without heartbeat counts as dead goes by."""
        self._kill(self.webs)
        async with database.transaction() as session:
            long_ago = "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 minute'"
            await run(session, text(long_ago))
        await self._start(self.webs)

    async def _business(self, answers: int) -> None:
        """Wait until so many more wishes were granted: on a slow machine too, kills are to meet work in progress."""
        granted = self.everybody.diary.answers["201"] + answers
        for _ in range(250):
            if self.everybody.diary.answers["201"] >= granted:
                return
            await asyncio.sleep(0.02)

    def _kill(self, victims: list[Web]) -> None:
        for web in victims:
            web.kill()
            self.kills += 1

    async def _start(self, victims: list[Web]) -> None:
        for web in victims:
            web.start()
        await asyncio.gather(*(web.answers() for web in victims))


async def test_nothing_acknowledged_is_lost_when_web_processes_are_killed(
    database: Database, surroundings: dict[str, str], world: World, hearing_cashier: Cashier, ports: list[int],
    tmp_path: Path,
) -> None:  # fmt: skip
    began, chance = this_instant() - _MOMENT, random.Random(SEED)
    gateway = hearing_cashier.gateway()
    await hearing_cashier.act("switches", {"copy_count": 2, "shuffle_seconds": 0.3})
    await crowd.fresh_goods(database)
    async with pool(ports, tmp_path, surroundings) as webs:
        everybody = await crowd.gathered(database, world, webs, buyers=BUYERS, chance=chance)
        killer = Killer(webs, everybody, chance)
        await _rush_hour(everybody, killer, hearing_cashier)
        await killer.kill_all(database)
        await _until_quiet(database)
    reconciled = await _reconciled(database, gateway, began)
    found = await losses(database, gateway, everybody.diary, from_at=began, to_at=this_instant() + _MOMENT)
    print(f"{killer.kills} kills; {everybody.diary.told()}; reconcile repaired {reconciled}")
    assert found == []
    assert killer.kills >= 5
    assert everybody.diary.charged
    assert everybody.diary.answers["500"] == 0
    await gateway.hang_up()


async def _rush_hour(everybody: Crowd, killer: Killer, cashier: Cashier) -> None:
    """Everybody buys while processes die; for the last third nobody is told what happens at the provider."""
    end = time.monotonic() + SECONDS
    living = asyncio.create_task(everybody.live())
    await killer.kill_until(end - SECONDS / 3, least=3)
    await cashier.act("switches", {"hold_notices": True})
    await killer.kill_until(end, least=2)
    everybody.closing = True
    await living
    await everybody.http.aclose()


async def _until_quiet(database: Database) -> None:
    """The worker takes up what dead ones left, as it does by itself twice a minute, and ends all that waits."""
    async with database.transaction() as session:
        for task in ("reap", "send_refunds", "expire_orders"):
            await queue.enqueue(session, task, timestamp=0)
    waiting = text("""
        SELECT task_name || ' ' || status || ' ' || args FROM procrastinate_jobs WHERE status IN ('todo', 'doing')
    """)
    for _ in range(300):
        async with database.transaction() as session:
            left = list((await run(session, waiting)).scalars())
        if not left:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"jobs are left: {left}")


def _under_way(there: Statement) -> bool:
    """Whether the provider has yet to end a refund."""
    return any(refund.fate is Fate.WAITING for refund in there.refunds)


async def _reconciled(database: Database, gateway: Gateway, began: datetime) -> int:
    """Compare and repair; a second look finds nothing, and every invariant holds. How much was repaired."""
    async with asyncio.timeout(60):
        while _under_way(await gateway.statement(began, this_instant() + _MOMENT)):  # noqa: ASYNC110  not our process
            await asyncio.sleep(0.1)
    repaired = 0
    for again in (False, True):
        window = Window(began, this_instant() + _MOMENT)
        made = await reconcile.reconcile(database, gateway, window, now=this_instant())
        repaired += made.repaired_count
        assert made.left_count == 0
        assert not again or made.found_count == 0
    async with database.transaction() as session:
        assert [*await oversight.differences(session), *await proof.differences(session)] == []
    return repaired


async def test_what_is_lost_is_found(database: Database, world: World, cashier: Cashier) -> None:
    """The proof can fail: each loss planted by hand is named, and nothing is named before."""
    began, gateway, diary = this_instant() - _MOMENT, cashier.gateway(), Diary()

    async def found() -> list[str]:
        window = {"from_at": began, "to_at": this_instant() + _MOMENT}
        return [each for each in await losses(database, gateway, diary, **window) if " of ours" not in each]

    async with database.transaction() as session:
        placed = await build.order(session, world, now=this_instant())
        buyer = await accounts.viewer_of(session, world.buyer)
        way = {"return_url": "http://shop.test/", "now": this_instant()}
        payment = await desk.start(session, gateway, buyer, placed.no, Method.ALIPAY, **way)  # type: ignore[arg-type]
    await cashier.pay(payment)
    async with database.transaction() as session:
        await desk.settle(session, payment.id, await gateway.look(payment.provider_id or ""), now=this_instant())
    diary.orders["wish"], diary.started, diary.charged = placed.no, {payment.id}, {payment.id}
    assert await found() == []

    diary.orders["never"] = "261128-NEVR-WAS"
    diary.refunds["wish"] = (uuid4(), 700)
    async with database.transaction() as session:
        await run(session, text("SET LOCAL session_replication_role = replica"))
        await run(session, text("UPDATE payments SET state = 'started'"))
        await run(session, text("UPDATE orders SET state = 'expired'"))
    assert await found() == [
        "order 261128-NEVR-WAS was acknowledged and is lost",
        f"charge of {payment.id} was made and is not in the books",
        "refund wish of 700 was acknowledged and is lost",
        f"payment {payment.id} was charged and has neither its order nor its refund",
    ]
    async with database.transaction() as session:
        await run(session, text("SET LOCAL session_replication_role = replica"))
        await run(session, text("DELETE FROM payments"))
    everything = await losses(database, gateway, diary, from_at=began, to_at=this_instant() + _MOMENT)
    assert f"1 charges name {payment.id}, which is no payment of ours" in everything
    await gateway.hang_up()
