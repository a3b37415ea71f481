"""Where goods come from and where they are handed over."""

from datetime import date, datetime, time
from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel, Field
from sqlmodel import col, select

from market.delivery import stops
from market.delivery.stops import Handover
from market.ground import places
from market.ground.clock import day_of
from market.ground.places import Division
from storefront.api.faults import faults
from storefront.api.fields import Asked, Page, Paged, Word
from storefront.api.routes import noun
from storefront.deps import NowDep, SessionDep

router = noun("places")


class DivisionQuery(Paged):
    """Which places."""

    q: Annotated[Word, Field(description="How a name, an alias, its pinyin or its initials begin.")] = ""
    within: Annotated[Word, Field(description="Code of a place: only what lies inside it.")] = ""


class DivisionShown(BaseModel):
    """A place by the significant digits of its national code."""

    code: str
    name: str
    pinyin: str
    level: Annotated[str, Field(description="province, city, county, township or village.")]

    @classmethod
    def of(cls, place: Division) -> Self:
        """The place for a machine."""
        return cls(code=place.code, name=place.name, pinyin=place.pinyin, level=place.level.name.lower())


class DivisionsShown(Page[DivisionShown]):
    """A page of places in the order of their codes."""


class StopQuery(Asked):
    """Which stops."""

    division: Annotated[Word, Field(description="Code of a place: only stops inside it.")] = ""


class StopShown(BaseModel):
    """A place with a weekly hour where goods are handed over."""

    id: int
    name: str
    address: str
    division: str
    work_unit_id: Annotated[int | None, Field(description="Whose gate it stands at, if it is one unit's.")]
    cutoff_at: Annotated[datetime, Field(description="An order placed before then goes with the next handover.")]
    handover_on: Annotated[date, Field(description="Day of the next handover.")]
    handover_from: Annotated[time, Field(description="Asia/Shanghai time of day.")]
    handover_to: time

    @classmethod
    def of(cls, handover: Handover) -> Self:
        """The stop with its next handover, for a machine."""
        stop = handover.stop
        return cls(
            id=stop.id or 0, name=stop.name, address=stop.address, division=stop.division_code,
            work_unit_id=stop.work_unit_id, cutoff_at=handover.cutoff_at, handover_on=handover.on,
            handover_from=stop.handover_from, handover_to=stop.handover_to,
        )  # fmt: skip


class StopsShown(Page[StopShown]):
    """Every stop in use; there is only one page."""


@router.get("/divisions", responses=faults(422))
async def list_divisions(session: SessionDep, query: Annotated[DivisionQuery, Query()]) -> DivisionsShown:
    """Places by code or name. No token needed."""
    wanted = places.called(query.q) if query.q else select(Division).order_by(col(Division.code))
    if query.within:
        wanted = wanted.where(places.within(col(Division.code), places.parse_code(query.within, field="within")))
    if query.cursor:
        wanted = wanted.where(col(Division.code) > places.parse_code(query.cursor, field="cursor"))
    found = (await session.exec(wanted.limit(query.limit + 1))).all()
    items = [DivisionShown.of(place) for place in found[: query.limit]]
    return DivisionsShown(items=items, next=items[-1].code if len(found) > query.limit else None)


@router.get("/stops", responses=faults(422))
async def list_stops(session: SessionDep, now: NowDep, query: Annotated[StopQuery, Query()]) -> StopsShown:
    """Stops in use, each with its next handover. No token needed."""
    wanted = stops.open_on(day_of(now))
    if query.division:
        wanted = wanted.where(places.within(col(stops.Stop.division_code), places.parse_code(query.division)))
    found = await stops.next_handovers(session, await session.exec(wanted), now=now)
    return StopsShown(items=[StopShown.of(each) for each in found], next=None)
