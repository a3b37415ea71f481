"""Comparing ours with the provider's list: look, look again, repair by the normal path, and write down what is left.

Every difference is one transaction with its repair, so a comparison that is cut off leaves nothing half done, and
running it again finds only what is still different.
"""

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import clock
from market.ground.clock import start_of
from market.ground.db import Database, run
from market.ground.errors import Malformed, Unavailable
from payments import comparison, looks
from payments.comparison import Suspicion
from payments.looks import Outcome
from payments.reconciliations import Condition, Reconciliation
from payments.stripe import Gateway, Statement

log = logging.getLogger("yigou.reconcile")
USUAL = timedelta(days=3)
"""How far back the daily comparison looks: what one night missed, the next ones find."""
_ON_ITS_WAY = timedelta(minutes=3)
"""Younger money may simply not have been told yet."""
_SLICE = timedelta(days=1)
_LONGEST = timedelta(days=400)


@dataclass(frozen=True)
class Window:
    """From one instant until before another."""

    from_at: datetime
    to_at: datetime

    def slices(self) -> Iterator["Window"]:
        """The same day by day, so that a long window never has to fit into memory."""
        at = self.from_at
        while at < self.to_at:
            end = min(at + _SLICE, self.to_at)
            yield Window(at, end)
            at = end


def usual(now: datetime) -> Window:
    """The last days, without what may still be on its way."""
    return Window(now - USUAL, now - _ON_ITS_WAY)


def of_days(first: date | None, last: date | None, *, now: datetime) -> Window:
    """Whole days of the village's calendar, the last one included, never beyond now. Malformed for none or too many."""
    to_at = min(start_of(last + timedelta(days=1)), now) if last else now
    from_at = start_of(first) if first else to_at - USUAL
    if not timedelta(0) < to_at - from_at <= _LONGEST:
        raise Malformed("from", "not_a_window", f"{from_at:%Y-%m-%d} {to_at:%Y-%m-%d}")
    return Window(from_at, to_at)


async def reconcile(
    database: Database, gateway: Gateway, window: Window, *, by: int | None = None, now: datetime
) -> Reconciliation:
    """Compare a window and repair what is safe. Raises Unavailable when the provider stops answering on the way."""
    made = Reconciliation(from_at=window.from_at, to_at=window.to_at, started_at=now, account_id=by)
    async with database.transaction() as session:
        session.add(made)
    try:
        for part in window.slices():
            await _compare_part(database, gateway, made, part, now)
    except Unavailable as error:
        await _close(database, made, now, failure=error.service)
        raise
    return await _close(database, made, now)


async def _compare_part(
    database: Database, gateway: Gateway, made: Reconciliation, part: Window, now: datetime
) -> None:
    theirs = await gateway.statement(part.from_at, part.to_at)
    made.charge_count += len(theirs.charges)
    made.refund_count += len(theirs.refunds)
    for suspicion in await _suspicions(database, theirs, part):
        async with database.transaction() as session:
            outcome = await looks.look_again(session, gateway, suspicion, now=now)
            if outcome is not None:
                await _write(session, made, outcome, now)
    # Last, because repairing is posting.
    async with database.transaction() as session:
        ours = await comparison.read_ours(session, theirs, part.from_at, part.to_at)
        for suspicion in await comparison.read_ledger(session, theirs, ours):
            await _write(session, made, Outcome(suspicion, Condition.OPEN), now)


async def _suspicions(database: Database, theirs: Statement, part: Window) -> list[Suspicion]:
    async with database.transaction() as session:
        ours = await comparison.read_ours(session, theirs, part.from_at, part.to_at)
    return comparison.compare(theirs, ours, from_at=part.from_at, to_at=part.to_at)


async def _close(database: Database, made: Reconciliation, now: datetime, *, failure: str = "") -> Reconciliation:
    """Write down what it came to. Only a whole comparison may say that something is no longer different."""
    async with database.transaction() as session:
        values = {"run_id": made.id, "now": now, "from_at": made.from_at, "to_at": made.to_at}
        if not failure:
            await run(session, _GONE, values)
        counted = (await run(session, _COUNT, values)).one()
        closed = await session.get_one(Reconciliation, made.id)
        closed.charge_count, closed.refund_count = made.charge_count, made.refund_count
        closed.found_count, closed.repaired_count, closed.left_count = counted
        closed.ended_at, closed.failure = clock.now(), failure
    log.info("reconciled %s charges: %s found, %s left", made.charge_count, closed.found_count, closed.left_count)
    return closed


async def _write(session: AsyncSession, made: Reconciliation, outcome: Outcome, now: datetime) -> None:
    suspicion, condition = outcome
    values = {**asdict(suspicion), "kind": suspicion.kind.value, "condition": condition.value}
    settled_at = None if condition is Condition.OPEN else now
    await run(session, _WRITE, {**values, "settled_at": settled_at, "run_id": made.id, "now": now})


_WRITE = text("""
    INSERT INTO differences AS d (kind, subject, expected, found, at, county_code, payment_id, refund_id, condition,
                                  first_id, last_id, found_at, settled_at, why)
    SELECT :kind, :subject, :expected, :found, :at,
           (SELECT o.county_code FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.id = :payment_id),
           :payment_id, :refund_id, :condition, :run_id, :run_id, :now, :settled_at, ''
    ON CONFLICT (kind, subject, expected, found) DO UPDATE SET
        last_id = EXCLUDED.last_id,
        condition = CASE WHEN d.condition = 'dealt_with' THEN d.condition ELSE EXCLUDED.condition END,
        settled_at = CASE WHEN d.condition = 'dealt_with' THEN d.settled_at ELSE EXCLUDED.settled_at END
""")
_GONE = text("""
    UPDATE differences SET condition = 'gone', settled_at = :now
    WHERE condition = 'open' AND at >= :from_at AND at < :to_at AND last_id <> :run_id
""")
_COUNT = text("""
    SELECT count(*), count(*) FILTER (WHERE condition = 'repaired'), count(*) FILTER (WHERE condition = 'open')
    FROM differences WHERE last_id = :run_id
""")
