"""Every job there is, run twice against a market full of things to do: the second run finds nothing left to do.

Messages are told again after a crash, which is harmless; what is compared is every row of every table.
"""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from procrastinate import App
from sqlalchemy import text
from sqlmodel import select

from market.delivery import calling_off
from market.ground import clock
from market.ground.db import Database, run
from market.people import accounts, door_cards, door_devices
from market.reports import oversight
from market.trade import carts
from market.trade.answers import Gap, Short
from market.trade.orders import Order, OrderLine
from market.trade.placing import Item
from payments import desk, proof, refunds, shortages
from payments.records import Method, Payment
from payments.refunds import Claim
from storefront import jobs
from storefront.state import State
from tests import build, payouts
from tests.client import Browser
from tests.payments.bank import Bank, Wire, file
from tests.simulator import Cashier
from tests.world import World

_QUIET = {"procrastinate_events", "procrastinate_periodic_defers", "procrastinate_workers"}
"""The queue's own notes about itself."""
_LOOKS = {"reconciliations", "differences"}
"""Each comparison is a row of its own, and a difference notes the last that found it."""
_IDLE = {
    "announce_card", "announce_cutoff", "announce_ordered", "announce_payout", "announce_returned", "announce_short",
    "tell_decision", "tell_door_opened", "tell_order_off", "tell_round_off", "tell_spoiling", "tell_spoilt",
    "close_payment", "forget_uploads", "verify",
}  # fmt: skip
"""Jobs that tell, look, or act at the provider or on the disk, and write no row.

Every other one must have found something to do the first time.
"""


@dataclass
class Scene:
    """A market in which every job has something to do."""

    state: State
    world: World
    cashier: Cashier
    now: datetime

    @property
    def database(self) -> Database:
        return self.state.database

    async def online(self, *, minutes_ago: int = 0, pay: bool = True, tell: bool = True) -> Payment:
        """An order paid at the provider, or not; told to us, or not."""
        async with self.database.transaction() as session:
            no = (await build.order(session, self.world, Item(self.world.pumpkin, 2), now=self.now)).no
        async with self.database.transaction() as session:
            buyer = await accounts.viewer_of(session, self.world.buyer)
            payment = await desk.start(
                session, self.state.gateway, buyer, no, Method.ALIPAY, return_url="http://shop.test/", now=self.now
            )
        if pay:
            await self.cashier.pay(payment)
        async with self.database.transaction() as session:
            if pay and tell:
                seen = await self.state.gateway.look(payment.provider_id or "")
                await desk.settle(session, payment.id, seen, now=self.now)
            found = await session.get_one(Payment, payment.id)
            found.started_at = self.now - timedelta(minutes=minutes_ago)
            return found

    async def refund(self) -> UUID:
        payment = await self.online()
        async with self.database.transaction() as session:
            claim = Claim(300, "少了", self.world.officer)
            return (await refunds.request(session, payment.id, claim, now=self.now)).id

    async def cancelled(self) -> str:
        """What the provider calls an attempt nobody follows any more."""
        payment = await self.online(pay=False)
        async with self.database.transaction() as session:
            buyer = await accounts.viewer_of(session, self.world.buyer)
            order = await session.get_one(Order, payment.order_id)
            await desk.cancel_order(session, buyer, order.no, why="", now=self.now)
        return payment.provider_id or ""

    async def called_off(self, weeks: int) -> tuple[int, int]:
        """A round so many weeks ahead, called off with a paid order; its cancellation and the order."""
        async with self.database.transaction() as session:
            placed = await build.cash_order(session, self.world, Item(self.world.pumpkin, 1), now=self.now)
            order = await session.get_one(Order, placed.id)
            order.handover_on += timedelta(weeks=weeks)
            await session.flush()
            officer = await accounts.viewer_of(session, self.world.officer)
            made = await calling_off.call_off(
                session, officer, self.world.stop, order.handover_on, why="大雪封路", now=self.now
            )
            return made.id or 0, placed.id

    async def short(self) -> int:
        async with self.database.transaction() as session:
            placed = await build.cash_order(session, self.world, Item(self.world.pumpkin, 3), now=self.now)
            line = (await session.exec(select(OrderLine).where(OrderLine.order_id == placed.id))).one()
            seller = await accounts.viewer_of(session, self.world.wang_account)
            return (await shortages.say_short(session, seller, line.id or 0, Gap(1, Short.LESS), now=self.now)).id or 0

    async def door(self) -> int:
        async with self.database.transaction() as session:
            agent = await accounts.viewer_of(session, self.world.agent)
            (made,) = await door_cards.print_for(session, agent, [self.world.liu], now=self.now)
            card = await door_cards.found(session, made.secret, on=self.now.date())
            known = await door_devices.knock(session, card, "phone", kind="android", now=self.now)
            return known.device.id or 0

    async def overdue(self) -> None:
        """Time goes by for a hold, a cut-off, a cart, goods and a worker that was killed."""
        async with self.database.transaction() as session:
            await build.order(session, self.world, Item(self.world.pear, 1), now=self.now - timedelta(hours=1))
            late = await build.cash_order(session, self.world, Item(self.world.pear, 1), now=self.now)
            owner = carts.owner_of(self.world.buyer)
            long_ago = self.now - timedelta(days=200)
            await carts.put(session, owner, self.world.pear, 1, add=False, now=long_ago)
            for statement, values in (
                ("UPDATE orders SET cutoff_at = :at WHERE id = :id", {"at": self.now, "id": late.id}),
                ("UPDATE listings SET sell_by_on = :on WHERE id = :id",
                 {"on": self.now.date() - timedelta(days=2), "id": self.world.millet}),
                ("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = 'announce_card'", {}),
            ):  # fmt: skip
                await run(session, text(statement), values)

    async def statement(self, serial: str) -> int:
        """A bank's statement that pays an order; taken, not worked off."""
        bank = await Bank(self.database, self.world).open()
        payment = await bank.promised(Item(self.world.pumpkin, 1), now=self.now)
        brought = await bank.bring(file(Wire("6.00", payment.reference or "", serial=serial)), f"{serial}.csv")
        await bank.take(brought, self.now)
        return brought


async def wanted(scene: Scene) -> dict[str, dict[str, Any]]:
    """Every job with what it is given, the small before what takes up what they left."""
    world, state = scene.world, scene.state
    first, first_order = await scene.called_off(1)
    await scene.called_off(2)
    refund_id, paid, provider_id = await scene.refund(), await scene.online(), await scene.cancelled()
    await scene.refund()
    await scene.online(minutes_ago=9, tell=False)
    answer_id, device_id, statement_id = await scene.short(), await scene.door(), await scene.statement("A1")
    await scene.statement("A2")
    async with scene.database.transaction() as session:
        card = await build.card(session, world, world.wang, now=scene.now)
        batch = await payouts.paid_out(session, world, now=scene.now)
        payout = (await payouts.rows(session, batch))[0]
    await scene.overdue()
    old = state.settings.var / "imports" / "old"
    old.parent.mkdir(parents=True)
    old.touch()
    os.utime(old, (0, 0))
    on = date.today().isoformat()  # noqa: DTZ011
    listings = {"listing_ids": [world.pumpkin]}
    by_name: dict[str, dict[str, Any]] = {
        "call_off_round": {"cancellation_id": first},
        "tell_order_off": {"order_id": first_order},
        "tell_round_off": {"cancellation_id": first, "household_id": world.wang},
        "send_refund": {"refund_id": str(refund_id)},
        "close_payment": {"provider_id": provider_id},
        "settle_rows": {"statement_id": statement_id},
        "announce_ordered": {"order_id": first_order},
        "announce_cutoff": {"household_id": world.wang, "stop_id": world.stop, "on": on},
        "announce_short": {"answer_id": answer_id},
        "announce_returned": {"payment_id": str(paid.id)},
        "announce_card": {"card_id": card.id, "news": "confirmed"},
        "announce_payout": {"payout_id": payout.id, "news": "paid"},
        "tell_door_opened": {"device_id": device_id},
        "tell_spoiling": listings,
        "tell_spoilt": listings,
        "tell_decision": {"listing_id": world.pumpkin, "what": "permitted"},
    }  # fmt: skip
    clocks = (
        "call_off_left_over", "expire_orders", "call_cutoffs", "send_refunds", "spoilage", "settle_left_over",
        "follow_up", "reconcile", "forget_uploads", "housekeeping", "verify", "reap",
    )  # fmt: skip
    return by_name | {name: {"timestamp": 0} for name in clocks}


async def everything(database: Database) -> dict[str, str]:
    """Every table with how many rows it has and what they are."""
    async with database.transaction() as session:
        tables = (await run(session, text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))).scalars()
        each = "SELECT '{0}', count(*), md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM \"{0}\" t"
        whole = " UNION ALL ".join(each.format(table) for table in sorted(set(tables) - _QUIET))
        return {row[0]: f"{row[1]} {row[2]}" for row in await run(session, text(whole))}


def job(app: App, name: str, given: dict[str, Any]) -> Callable[[], Awaitable[Any]]:
    task = app.tasks[name]
    context = [SimpleNamespace(app=app)] if task.pass_context else []
    return lambda: task.func(*context, **given)


async def test_the_second_run_of_every_job_changes_nothing(
    paying_client: Browser, world: World, cashier: Cashier
) -> None:
    state = paying_client.state
    scene = Scene(state, world, cashier, clock.now())
    given = await wanted(scene)
    app, idle = jobs.make_app(state), set()
    own = {name for name in app.tasks if "builtin_tasks" not in name}
    assert own == set(given), "a job is missing from this test, or from the market"
    async with app.open_async():
        twice = await everything(scene.database)
        for name, arguments in given.items():
            before = twice
            await job(app, name, arguments)()
            once = await everything(scene.database)
            idle |= {name} if once == before else set()
            await job(app, name, arguments)()
            twice = await everything(scene.database)
            seen = _LOOKS if name == "reconcile" else set()
            changed = {table for table in once if once[table] != twice[table] and table not in seen}
            assert changed == set(), f"{name}, run again, changed {changed}"
    assert idle == _IDLE
    async with scene.database.transaction() as session:
        assert [*await oversight.differences(session), *await proof.differences(session)] == []
