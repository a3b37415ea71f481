"""Stops: set places where goods are handed over on a set day of the week, and until when one may order for it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel, col, or_, select, true
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.clock import SHANGHAI
from market.ground.db import key_of, new_id, place_code
from market.ground.errors import NotFound
from market.ground.places import Level, within

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


def open_to(work_unit_ids: list[int], *, near: set[str], on: date) -> SelectOfScalar[Stop]:
    """Stops in use that members of these work units may choose: everybody's and their own.

    `near`: only those in the counties of these places; empty for anywhere.
    """
    counties = [within(col(Stop.division_code), code) for code in sorted({code[: Level.COUNTY] for code in near})]
    theirs = or_(col(Stop.work_unit_id).is_(None), col(Stop.work_unit_id).in_(work_unit_ids))
    return open_on(on).where(theirs, or_(*counties) if counties else true())


def next_handover(stop: Stop, now: datetime) -> Handover:
    """The first handover whose cut-off has not passed."""
    here = now.astimezone(SHANGHAI)
    days = (stop.cutoff_weekday - here.weekday()) % _WEEK
    cutoff = datetime.combine(here.date() + timedelta(days=days), stop.cutoff_time, SHANGHAI)
    if cutoff <= here:
        cutoff += timedelta(days=_WEEK)
    wait = (stop.handover_weekday - cutoff.weekday()) % _WEEK
    if wait == 0 and stop.handover_from <= stop.cutoff_time:
        wait = _WEEK
    return Handover(stop, cutoff.astimezone(now.tzinfo), cutoff.date() + timedelta(days=wait))


async def handover_at(session: AsyncSession, stop_id: int, *, now: datetime) -> Handover:
    """The next handover at a stop that is in use; NotFound for any other."""
    stop = await session.get(Stop, stop_id)
    if stop is None or (stop.closed_on is not None and stop.closed_on <= now.astimezone(SHANGHAI).date()):
        raise NotFound("stop", str(stop_id))
    return next_handover(stop, now)
