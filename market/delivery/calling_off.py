"""Calling a round off: which rounds an officer may call off, what hangs on each, and the one act."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, text
from sqlmodel import col, false, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import round_cancellations, stops
from market.delivery.round_cancellations import RoundCancellation
from market.delivery.stops import Stop
from market.ground import audit, places, queue
from market.ground.clock import day_of
from market.ground.db import run
from market.ground.errors import Malformed, NotFound
from market.ground.places import Level
from market.people.accounts import Role, Viewer

JOB = "call_off_round"


@dataclass(frozen=True)
class Round:
    """One stop's one handover day, with the orders that stand for it, and its cancellation if there is one."""

    stop: Stop
    on: date
    order_count: int
    total_fen: int
    off: RoundCancellation | None = None


def codes(viewer: Viewer) -> list[str]:
    """Divisions of at least a county: calling off sends a whole county's orders home, as its refunds do."""
    return [code for code in viewer.division_codes(Role.OFFICER) if len(code) <= Level.COUNTY]


async def stop_of(session: AsyncSession, viewer: Viewer, stop_id: int) -> Stop:
    """A stop whose rounds this officer may call off; NotFound for any other."""
    found = (await session.exec(select(Stop).where(Stop.id == stop_id, _theirs(viewer)))).one_or_none()
    if found is None:
        raise NotFound("stop", str(stop_id))
    return found


async def rounds(session: AsyncSession, viewer: Viewer, *, now: datetime) -> list[Round]:
    """The rounds to come: those somebody ordered for, and the next one of every stop in use. The soonest first."""
    today = day_of(now)
    held = {each.id or 0: each for each in await session.exec(select(Stop).where(_theirs(viewer)))}
    ordered = await _ordered(session, list(held), today)
    keys = set(ordered) | {
        (stop_id, stops.next_handover(stop, now).on)
        for stop_id, stop in held.items()
        if stop.closed_on is None or stop.closed_on > today
    }
    off = {
        (each.stop_id, each.handover_on): each
        for each in await session.exec(
            select(RoundCancellation).where(
                col(RoundCancellation.stop_id).in_(held), RoundCancellation.handover_on >= today
            )
        )
    }
    found = [
        Round(held[stop_id], on, *ordered.get((stop_id, on), (0, 0)), off.get((stop_id, on)))
        for stop_id, on in keys | set(off)
    ]
    return sorted(found, key=lambda each: (each.on, each.stop.name, each.stop.id))


async def round_of(session: AsyncSession, viewer: Viewer, stop_id: int, on: date, *, now: datetime) -> Round:
    """One round, to come or called off; NotFound outside the grant, and for a day that is past or never was one."""
    stop = await stop_of(session, viewer, stop_id)
    off = await round_cancellations.of_round(session, stop_id, on)
    ordered = (await _ordered(session, [stop_id], on)).get((stop_id, on))
    if off is None and (on < day_of(now) or (ordered is None and stops.next_handover(stop, now).on != on)):
        raise NotFound("round", f"{stop_id} {on}")
    return Round(stop, on, *(ordered or (0, 0)), off)


async def call_off(
    session: AsyncSession, by: Viewer, stop_id: int, on: date, *, why: str, now: datetime
) -> RoundCancellation:
    """From the commit on nobody orders or pays for this round; a job ends its orders. Said twice it is said once.

    Raises NotFound (another's stop, no such round, a day that is past), Malformed (no reason).
    """
    await round_of(session, by, stop_id, on, now=now)
    if not why.strip():
        raise Malformed("why", "missing")
    # An order being placed holds its stop by its foreign key: we wait for it and list it, or it waits and is refused.
    await session.exec(select(Stop.id).where(Stop.id == stop_id).with_for_update())
    # What processes remember of the stop's next handover counts only while its row is the same (decision 0017).
    await session.exec(update(Stop).where(col(Stop.id) == stop_id).values(name=Stop.name))
    known = await round_cancellations.of_round(session, stop_id, on)
    if known is not None:
        return known
    made = RoundCancellation(stop_id=stop_id, handover_on=on, at=now, account_id=by.id, why=why.strip()[:100])
    session.add(made)
    await session.flush()  # its orders and its job name its id
    await run(session, _LIST, {"id": made.id, "stop_id": stop_id, "handover_on": on})
    await queue.enqueue(session, JOB, cancellation_id=made.id)
    for household_id in (await run(session, _WHO, {"id": made.id})).scalars().all():
        await queue.enqueue(session, "tell_round_off", cancellation_id=made.id, household_id=household_id)
    audit.note(session, by.account_id, "call_off_round", subject=f"stop:{stop_id} {on}", note=made.why, now=now)
    return made


# An order that ran out may be taken up again by somebody who looked before our commit: it is listed too.
_LIST = text("""
    INSERT INTO called_off_orders (order_id, cancellation_id, outcome, back_fen)
    SELECT id, :id, 'waiting', 0 FROM orders
    WHERE stop_id = :stop_id AND handover_on = :handover_on AND state <> 'cancelled'
""")
# Who was told to get something ready is told that it is not wanted.
_WHO = text("""
    SELECT DISTINCT l.household_id FROM called_off_orders c
    JOIN orders o ON o.id = c.order_id JOIN order_lines l ON l.order_id = o.id
    WHERE c.cancellation_id = :id AND o.state IN ('paid', 'confirmed') AND l.quantity > l.short_quantity
    ORDER BY l.household_id
""")
_ORDERED = text("""
    SELECT stop_id, handover_on, count(*) AS order_count, sum(total_fen)::bigint AS total_fen FROM orders
    WHERE stop_id = ANY(:stop_ids) AND handover_on >= :from_on AND state IN ('placed', 'confirmed', 'paid')
    GROUP BY stop_id, handover_on
""")


async def _ordered(
    session: AsyncSession, stop_ids: list[int], from_on: date
) -> dict[tuple[int, date], tuple[int, int]]:
    rows = await run(session, _ORDERED, {"stop_ids": stop_ids, "from_on": from_on})
    return {(row.stop_id, row.handover_on): (row.order_count, row.total_fen) for row in rows}


def _theirs(viewer: Viewer) -> ColumnElement[bool]:
    inside = [places.within(col(Stop.division_code), code) for code in codes(viewer)]
    return or_(*inside) if inside else false()
