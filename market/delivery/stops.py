"""Stops: set places where goods are handed over on a set day of the week, and until when one may order for it."""

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import CheckConstraint, String, literal_column
from sqlmodel import Field, SQLModel, col, or_, select, true
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.delivery import round_cancellations
from market.ground import audit
from market.ground.clock import SHANGHAI, day_of
from market.ground.db import key_of, new_id, place_code
from market.ground.errors import Malformed, NotFound
from market.ground.places import Level, within
from market.people import precincts, units
from market.people.accounts import Viewer

_WEEK = 7


class Stop(SQLModel, table=True):
    """取货点: a gate, yard or station with a weekly hour. Weekdays count from Monday = 0."""

    __tablename__ = "stops"
    __table_args__ = (
        CheckConstraint("handover_weekday BETWEEN 0 AND 6 AND cutoff_weekday BETWEEN 0 AND 6", name="weekdays"),
        CheckConstraint("handover_from < handover_to", name="hours"),
    )

    id: int | None = new_id()
    name: str = Field(max_length=60)
    address: str = Field(default="", max_length=120)
    division_code: str = place_code(references=True, index=True)
    work_unit_id: int | None = key_of("work_units.id", default=None)
    cutoff_weekday: int
    cutoff_time: time
    """Orders and cancellations until then go with that week's handover."""
    handover_weekday: int
    handover_from: time
    handover_to: time
    closed_on: date | None = None


@dataclass(frozen=True)
class Handover:
    """The next time goods are handed over at a stop, and until when an order may still change."""

    stop: Stop
    cutoff_at: datetime
    on: date
    version: str = ""
    """The stop's row as it was read; another one after every change of it."""

    @property
    def county_code(self) -> str:
        """The county the stop lies in."""
        return self.stop.division_code[: Level.COUNTY]


def open_on(on: date) -> SelectOfScalar[Stop]:
    """Stops that are in use on a day."""
    return (
        select(Stop)
        .where((col(Stop.closed_on).is_(None)) | (col(Stop.closed_on) > on))
        .order_by(col(Stop.division_code), col(Stop.name))
    )


def open_to(viewer: Viewer, on: date, *, near: Iterable[str] = ()) -> SelectOfScalar[Stop]:
    """Stops in use that a person may choose: everybody's, and those of the work units they belong to.

    `near`: only those in the counties of these places; none for anywhere.
    """
    counties = [within(col(Stop.division_code), code) for code in sorted({code[: Level.COUNTY] for code in near})]
    theirs = or_(col(Stop.work_unit_id).is_(None), col(Stop.work_unit_id).in_(viewer.work_unit_ids()))
    return open_on(on).where(theirs, or_(*counties) if counties else true())


def governed_by(viewer: Viewer) -> SelectOfScalar[Stop]:
    """The stops of an administrator's divisions: those in use first, by place and name."""
    return (
        select(Stop)
        .where(precincts.inside(viewer, col(Stop.division_code)))
        .order_by(col(Stop.closed_on).is_not(None), col(Stop.division_code), col(Stop.name), col(Stop.id))
    )


def next_handover(stop: Stop, now: datetime, *, off: Collection[date] = ()) -> Handover:
    """The first handover whose cut-off has not passed and which was not called off (`off`: the days that were)."""
    here = now.astimezone(SHANGHAI)
    days = (stop.cutoff_weekday - here.weekday()) % _WEEK
    cutoff = datetime.combine(here.date() + timedelta(days=days), stop.cutoff_time, SHANGHAI)
    if cutoff <= here:
        cutoff += timedelta(days=_WEEK)
    wait = (stop.handover_weekday - cutoff.weekday()) % _WEEK
    if wait == 0 and stop.handover_from <= stop.cutoff_time:
        wait = _WEEK
    while cutoff.date() + timedelta(days=wait) in off:
        cutoff += timedelta(days=_WEEK)
    return Handover(stop, cutoff.astimezone(now.tzinfo), cutoff.date() + timedelta(days=wait))


async def next_handovers(session: AsyncSession, at: Iterable[Stop], *, now: datetime) -> list[Handover]:
    """The next handover of each of these stops; rounds that were called off are passed over."""
    wanted = list(at)
    off = await round_cancellations.off_days(session, [stop.id or 0 for stop in wanted], from_on=day_of(now))
    return [next_handover(stop, now, off=off.get(stop.id or 0, ())) for stop in wanted]


async def handover_for(session: AsyncSession, viewer: Viewer, stop_id: int, *, now: datetime) -> Handover:
    """The next handover at a stop this person may choose; NotFound for a closed one and for another unit's."""
    theirs = open_to(viewer, day_of(now)).where(Stop.id == stop_id).order_by(None).with_only_columns(col(Stop.id))
    wanted = select(Stop, literal_column("stops.xmin::text", String)).where(col(Stop.id).in_(theirs))
    found = (await session.exec(wanted)).one_or_none()
    if found is None:
        raise NotFound("stop", str(stop_id))
    stop, version = found
    return replace((await next_handovers(session, [stop], now=now))[0], version=version)


@dataclass(frozen=True)
class Plan:
    """What an administrator decides about a stop. Weekdays count from Monday = 0, times are those of the village."""

    name: str
    address: str
    work_unit_id: int | None
    cutoff_weekday: int
    cutoff_time: time
    handover_weekday: int
    handover_from: time
    handover_to: time


async def names(session: AsyncSession, stop_ids: set[int]) -> dict[int, str]:
    """What several stops are called."""
    found = await session.exec(select(Stop).where(col(Stop.id).in_(stop_ids)))
    return {stop.id or 0: stop.name for stop in found}


async def governed(session: AsyncSession, viewer: Viewer, stop_id: int) -> Stop:
    """A stop inside the administrator's divisions; NotFound for any other."""
    found = (await session.exec(governed_by(viewer).where(Stop.id == stop_id))).one_or_none()
    if found is None:
        raise NotFound("stop", str(stop_id))
    return found


async def add(session: AsyncSession, by: Viewer, division_code: str, plan: Plan, *, now: datetime) -> Stop:
    """Open a stop. NotFound outside the administrator's divisions.

    Malformed: `taken`, the place has a stop of that name; `not_after`, it ends before it begins.
    """
    await _check(session, by, plan, division_code)
    stop = Stop(division_code=division_code, **asdict(plan))
    session.add(stop)
    await session.flush()  # the trace names its id
    audit.note(session, by.account_id, "add_stop", subject=f"stop:{stop.id}", note=_said(stop), now=now)
    return stop


async def change(session: AsyncSession, by: Viewer, stop_id: int, plan: Plan, *, now: datetime) -> Stop:
    """Change a stop. Orders placed already keep their day and cut-off. Errors as when adding one."""
    stop = await governed(session, by, stop_id)
    await _check(session, by, plan, stop.division_code, itself=stop)
    was = _said(stop)
    stop.sqlmodel_update(asdict(plan))
    if was != _said(stop):
        audit.note(session, by.account_id, "change_stop", subject=f"stop:{stop_id}", note=_said(stop), now=now)
    return stop


async def close(session: AsyncSession, by: Viewer, stop_id: int, *, now: datetime) -> Stop:
    """From today on nobody can choose this stop; orders placed already are handed over there. Twice is once."""
    stop = await governed(session, by, stop_id)
    if stop.closed_on is None:
        stop.closed_on = day_of(now)
        audit.note(session, by.account_id, "close_stop", subject=f"stop:{stop_id}", note=stop.name, now=now)
    return stop


async def reopen(session: AsyncSession, by: Viewer, stop_id: int, *, now: datetime) -> Stop:
    """The stop can be chosen again. Twice is once."""
    stop = await governed(session, by, stop_id)
    if stop.closed_on is not None:
        stop.closed_on = None
        audit.note(session, by.account_id, "reopen_stop", subject=f"stop:{stop_id}", note=stop.name, now=now)
    return stop


async def _check(
    session: AsyncSession, by: Viewer, plan: Plan, division_code: str, *, itself: Stop | None = None
) -> None:
    if plan.handover_from >= plan.handover_to:
        raise Malformed("handover_to", "not_after", f"{plan.handover_to:%H:%M}")
    kept = itself is not None and itself.work_unit_id == plan.work_unit_id
    if plan.work_unit_id is not None and not kept:
        await units.governed(session, by, plan.work_unit_id)
    await precincts.claim(session, by, division_code)
    same = select(Stop.id).where(Stop.name == plan.name, Stop.division_code == division_code)
    if any(found != (itself.id if itself else None) for found in await session.exec(same)):
        raise Malformed("name", "taken", plan.name)


def _said(stop: Stop) -> str:
    """Everything about a stop that can be changed, for the trace."""
    hours = f"{stop.handover_weekday} {stop.handover_from:%H:%M}-{stop.handover_to:%H:%M}"
    cutoff = f"{stop.cutoff_weekday} {stop.cutoff_time:%H:%M}"
    return f"{stop.name} {stop.address} unit:{stop.work_unit_id or '-'} cutoff:{cutoff} handover:{hours}"
