"""The hour after which nothing more may be ordered for a handover: then every household is told its list."""

from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import queue
from market.ground.clock import day_of
from market.ground.db import key_of, run

_LATE = timedelta(days=2)
"""A list told later than this helps nobody any more."""


class CutoffCall(SQLModel, table=True):
    """One stop's one handover day whose households were told: written in the transaction that queues the messages."""

    __tablename__ = "cutoff_calls"

    stop_id: int = key_of("stops.id", primary_key=True)
    handover_on: date = Field(primary_key=True)
    called_at: datetime


_CLOSE = text("""
    INSERT INTO cutoff_calls (stop_id, handover_on, called_at)
    SELECT DISTINCT stop_id, handover_on, CAST(:now AS timestamptz) FROM orders
    WHERE state IN ('paid', 'confirmed') AND cutoff_at <= :now AND cutoff_at > :since
      AND handover_on >= :today
      AND NOT EXISTS (
          SELECT FROM round_cancellations off
          WHERE off.stop_id = orders.stop_id AND off.handover_on = orders.handover_on
      )
    ON CONFLICT DO NOTHING
    RETURNING stop_id, handover_on
""")
_WHO = text("""
    SELECT DISTINCT l.household_id FROM order_lines l JOIN orders o ON o.id = l.order_id
    WHERE o.stop_id = :stop_id AND o.handover_on = :handover_on AND o.state IN ('paid', 'confirmed')
      AND l.quantity > l.short_quantity
    ORDER BY l.household_id
""")


async def call(session: AsyncSession, *, now: datetime) -> int:
    """Queue one message to every household of the handovers whose cut-off has passed; returns how many. Never twice."""
    closed = (await run(session, _CLOSE, {"now": now, "since": now - _LATE, "today": day_of(now)})).all()
    told = 0
    for stop_id, on in closed:
        homes = (await run(session, _WHO, {"stop_id": stop_id, "handover_on": on})).scalars().all()
        for household_id in homes:
            said = {"household_id": household_id, "stop_id": stop_id, "on": on.isoformat()}
            await queue.enqueue(session, "announce_cutoff", **said)
        told += len(homes)
    return told
