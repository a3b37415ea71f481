"""Stations: where agents list, pack and answer on behalf of households."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import audit
from market.ground.db import new_id, place_code, run
from market.ground.errors import Malformed, NotFound
from market.people import precincts
from market.people.accounts import Viewer
from market.people.households import Household


class Station(SQLModel, table=True):
    """电商服务站: an e-commerce aid station of a township or village."""

    __tablename__ = "stations"

    id: int | None = new_id()
    name: str = Field(max_length=60)
    division_code: str = place_code(references=True, index=True)
    phone: str = Field(default="", max_length=20)


def visible_to(viewer: Viewer) -> SelectOfScalar[Station]:
    """The stations a person is an agent of."""
    return select(Station).where(col(Station.id).in_(viewer.station_ids)).order_by(col(Station.name))


def governed_by(viewer: Viewer) -> SelectOfScalar[Station]:
    """The stations of an administrator's divisions, by place and name."""
    return (
        select(Station)
        .where(precincts.inside(viewer, col(Station.division_code)))
        .order_by(col(Station.division_code), col(Station.name), col(Station.id))
    )


async def governed(session: AsyncSession, viewer: Viewer, station_id: int) -> Station:
    """A station inside the administrator's divisions; NotFound for any other."""
    found = (await session.exec(governed_by(viewer).where(Station.id == station_id))).one_or_none()
    if found is None:
        raise NotFound("station", str(station_id))
    return found


async def household_counts(session: AsyncSession, station_ids: list[int]) -> dict[int, int]:
    """How many households belong to each of these stations."""
    found = await session.exec(
        select(Household.station_id, func.count())
        .where(col(Household.station_id).in_(station_ids), col(Household.left_on).is_(None))
        .group_by(col(Household.station_id))
    )
    return {station_id: number for station_id, number in found if station_id}


async def add(
    session: AsyncSession, by: Viewer, *, name: str, division_code: str, phone: str = "", now: datetime
) -> Station:
    """Set up a station. NotFound outside the administrator's divisions, Malformed for a name the place has already."""
    await _check_name(session, by, name, division_code)
    station = Station(name=name, division_code=division_code, phone=phone)
    session.add(station)
    await session.flush()  # the trace names its id
    audit.note(session, by.account_id, "add_station", subject=f"station:{station.id}", note=name, now=now)
    return station


async def change(
    session: AsyncSession, by: Viewer, station_id: int, *, name: str, phone: str, now: datetime
) -> Station:
    """Rename a station or give it another phone. NotFound and Malformed as when adding one."""
    station = await governed(session, by, station_id)
    if name != station.name:
        await _check_name(session, by, name, station.division_code)
    if (name, phone) != (station.name, station.phone):
        was = f"{station.name} {station.phone} → {name} {phone}"
        audit.note(session, by.account_id, "change_station", subject=f"station:{station_id}", note=was, now=now)
        station.name, station.phone = name, phone
    return station


async def assign_villages(
    session: AsyncSession, by: Viewer, village_codes: list[str], station_id: int | None, *, now: datetime
) -> int:
    """Every household of these villages belongs to the station from now on (None: to no one). Returns how many moved.

    NotFound for a station or village outside the administrator's divisions: then nothing moves.
    """
    if station_id is not None:
        await governed(session, by, station_id)
    outside = [code for code in village_codes if not precincts.is_inside(by, code)]
    if outside:
        raise NotFound("division", outside[0])
    moved = 0
    for code in sorted(set(village_codes)):
        moving = update(Household).where(
            col(Household.division_code) == code, col(Household.station_id).is_distinct_from(station_id)
        )
        count = (await run(session, moving.values(station_id=station_id))).rowcount
        if count:
            note = f"station:{station_id or '-'} households:{count}"
            audit.note(session, by.account_id, "assign_village", subject=f"village:{code}", note=note, now=now)
        moved += count
    return moved


async def _check_name(session: AsyncSession, by: Viewer, name: str, division_code: str) -> None:
    await precincts.claim(session, by, division_code)
    same = select(Station.id).where(Station.name == name, Station.division_code == division_code)
    if (await session.exec(same)).first() is not None:
        raise Malformed("name", "taken", name)
