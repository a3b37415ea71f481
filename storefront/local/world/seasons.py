"""A year of orders in the demo world: who bought what when, week by week, as people do."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import stops
from market.ground.clock import SHANGHAI, day_of, start_of
from market.ground.db import run
from market.ground.measure import Measure
from market.people.units import Wallet
from storefront.local.world import history
from storefront.local.world.goods import Lot
from storefront.local.world.people import Cast, Person

_WEEKS = 52
_A_WEEK = {1: 12, 9: 9, 10: 10, 11: 11, 12: 13}
"""Orders in a week of the month; six in the others."""
_EVENT_MONTH, _EVENT_DAY, _EVENT_ORDERS = 12, 2, 30
_FATES = ("kept",) * 84 + ("returned",) * 4 + ("claimed",) * 3 + ("expired",) * 5 + ("cancelled",) * 4
_USUAL = {
    Measure.JIN: (2, 8), Measure.KG: (1, 4), Measure.HEAD: (1, 1), Measure.HALF_HEAD: (1, 1), Measure.PIECE: (1, 6),
    Measure.BAG: (1, 2), Measure.BOX: (1, 2),
}  # fmt: skip
_CANTEEN_TIMES = 6
_SETTLE = timedelta(days=2)
_NEW_IDS = text("SELECT nextval(pg_get_serial_sequence('orders', 'id')) FROM generate_series(1, :n)")
_PAST_ORDER = text("""
    INSERT INTO past_orders (order_id, county_code, account_id, work_unit_id, wallet, stop_id, handover_on, cutoff_at,
                             placed_at, fate, settled_at, ended_at, taken_by, refunded_by)
    VALUES (:order_id, :county_code, :account_id, :work_unit_id, :wallet, :stop_id, :handover_on, :cutoff_at,
            :placed_at, :fate, :settled_at, :ended_at, :taken_by, :refunded_by)
""")
_PAST_LINE = text("""
    INSERT INTO past_lines (order_id, line_no, listing_id, quantity)
    VALUES (:order_id, :line_no, :listing_id, :quantity)
""")


@dataclass
class Year:
    """What was ordered, ready to be written."""

    orders: list[dict[str, Any]] = field(default_factory=list)
    lines: list[dict[str, Any]] = field(default_factory=list)


async def bring(session: AsyncSession, rng: Random, cast: Cast, lots: list[Lot], *, now: datetime) -> int:
    """Write a year of trade that ended yesterday; returns how many orders."""
    year = Year()
    today = day_of(now)
    for week in range(_WEEKS, 0, -1):
        monday = today - timedelta(days=today.weekday() + 7 * week)
        for _ in range(_orders_in(monday)):
            at = start_of(monday) + timedelta(days=rng.randrange(7), hours=rng.uniform(8, 21))
            _order(rng, cast, lots, year, at, now)
    await history.plan(session)
    await _number(session, year)
    await history.write(session, accountants=cast.both_accountants, now=now)
    return len(year.orders)


def _orders_in(monday: date) -> int:
    event = date(monday.year, _EVENT_MONTH, _EVENT_DAY)
    extra = _EVENT_ORDERS if monday <= event < monday + timedelta(days=7) else 0
    return _A_WEEK.get(monday.month, 6) + extra


def _order(rng: Random, cast: Cast, lots: list[Lot], year: Year, at: datetime, now: datetime) -> None:
    buyer = rng.choice(cast.buyers)
    stop = cast.stops[buyer.work_unit_id]
    handover = stops.next_handover(stop, at)
    if start_of(handover.on) > now - _SETTLE - timedelta(days=1):
        return
    wallet = rng.choice((Wallet.CANTEEN, Wallet.UNION)) if buyer.is_clerk else Wallet.PERSONAL
    chosen = _choose(rng, lots, at, _CANTEEN_TIMES if wallet is Wallet.CANTEEN else 1)
    if not chosen:
        return
    fate = rng.choice(_FATES)
    if fate == "returned" and handover.cutoff_at - at < timedelta(days=1):
        fate = "kept"
    if fate == "claimed":
        chosen = chosen[:1]
    number = len(year.orders)
    year.orders.append(_row(cast, buyer, wallet, handover, at, fate))
    for line, (lot, quantity) in enumerate(chosen, start=1):
        year.lines.append({"order": number, "line_no": line, "listing_id": lot.listing_id, "quantity": quantity})
        if fate in ("kept", "claimed"):
            lot.left -= quantity


def _choose(rng: Random, lots: list[Lot], at: datetime, times: int) -> list[tuple[Lot, int]]:
    """One to three things that were on sale then."""
    there = [lot for lot in lots if lot.from_at < at < lot.to_at]
    chosen: dict[int, tuple[Lot, int]] = {}
    for lot in rng.choices(there, k=rng.choice((1, 1, 1, 2, 2, 3))) if there else []:
        least, most = _USUAL[lot.measure]
        quantity = rng.randint(least, most) * (times if most > 1 else 1)
        if quantity < lot.left:
            chosen[lot.listing_id] = (lot, quantity)
    return list(chosen.values())


def _row(
    cast: Cast, buyer: Person, wallet: Wallet, handover: stops.Handover, at: datetime, fate: str
) -> dict[str, Any]:
    """One line of the plan. Most pay when they collect; who takes an order back had paid at once."""
    settled_at, ended_at = None, None
    opens = datetime.combine(handover.on, handover.stop.handover_from, SHANGHAI)
    if fate in ("kept", "claimed"):
        settled_at = opens + timedelta(minutes=buyer.viewer.id % 40)
    if fate == "claimed":
        ended_at = opens + timedelta(hours=20)
    if fate == "returned":
        settled_at, ended_at = at + timedelta(hours=2), at + timedelta(hours=20)
    if fate == "cancelled":
        ended_at = at + timedelta(minutes=9)
    return {
        "county_code": handover.county_code, "account_id": buyer.viewer.id, "work_unit_id": buyer.work_unit_id,
        "wallet": wallet.value, "stop_id": handover.stop.id, "handover_on": handover.on,
        "cutoff_at": handover.cutoff_at, "placed_at": at, "fate": fate, "settled_at": settled_at,
        "ended_at": ended_at, "taken_by": cast.clerks[buyer.work_unit_id] if settled_at else None,
        "refunded_by": cast.officer if fate == "claimed" else None,
    }  # fmt: skip


async def _number(session: AsyncSession, year: Year) -> None:
    """Give the orders their ids in the order they were placed, and write the plan."""
    ids = await run(session, _NEW_IDS, {"n": len(year.orders)})
    by_time = sorted(range(len(year.orders)), key=lambda at: year.orders[at]["placed_at"])
    id_of = dict(zip(by_time, ids.scalars(), strict=True))
    connection = await session.connection()
    await connection.execute(_PAST_ORDER, [{"order_id": id_of[at], **year.orders[at]} for at in by_time])
    await connection.execute(_PAST_LINE, [{**line, "order_id": id_of[line["order"]]} for line in year.lines])
