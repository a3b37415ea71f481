"""The register of households as an administrator sees it: who lives where and who sells for them, never their books."""

from typing import NamedTuple

import sqlalchemy
from sqlalchemy import distinct, text
from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import places
from market.ground.db import run
from market.ground.errors import NotFound
from market.ground.places import Division, Level
from market.people import precincts
from market.people.accounts import Grant, Role, Viewer
from market.people.households import Household
from market.people.stations import Station


class Entered(NamedTuple):
    """A household as a list shows it."""

    household: Household
    village: str
    station: str
    login_count: int


class Settlement(NamedTuple):
    """A village with its households and the stations that serve them."""

    code: str
    name: str
    household_count: int
    served_count: int
    """Households that belong to a station."""
    stations: str
    """Names of those stations."""


def entered_by(viewer: Viewer) -> SelectOfScalar[Household]:
    """The households of an administrator's divisions that have not left."""
    return select(Household).where(
        precincts.inside(viewer, col(Household.division_code)), col(Household.left_on).is_(None)
    )


async def entered(session: AsyncSession, viewer: Viewer, household_id: int) -> Household:
    """A household inside the administrator's divisions; NotFound for any other."""
    found = (await session.exec(entered_by(viewer).where(Household.id == household_id))).one_or_none()
    if found is None:
        raise NotFound("household", str(household_id))
    return found


async def listed(session: AsyncSession, viewer: Viewer, *, q: str, offset: int, limit: int) -> list[Entered]:
    """Households whose number, head or village the text begins or is in; all of them, by village, without one."""
    count = (
        select(func.count(col(Grant.id)))
        .where(Grant.household_id == Household.id, Grant.role == Role.HOUSEHOLD, col(Grant.ended_at).is_(None))
        .scalar_subquery()
    )
    found = (
        select(Household, col(Division.name), func.coalesce(col(Station.name), ""), count)
        .join(Division, col(Division.code) == col(Household.division_code))
        .outerjoin(Station, col(Station.id) == col(Household.station_id))
        .where(precincts.inside(viewer, col(Household.division_code)), col(Household.left_on).is_(None))
        .order_by(col(Household.division_code), col(Household.number))
        .offset(offset)
        .limit(limit)
    )
    if q:
        literally = q.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        villages = places.called(literally).with_only_columns(col(Division.code)).order_by(None)
        found = found.where(
            or_(
                col(Household.number).startswith(q, autoescape=True),
                col(Household.head_name).contains(q, autoescape=True),
                col(Household.division_code).in_(villages),
            )
        )
    return [Entered(*row) for row in await session.exec(found)]


async def count(session: AsyncSession, viewer: Viewer) -> int:
    """How many households the administrator's divisions have."""
    return int((await session.exec(select(func.count()).select_from(entered_by(viewer).subquery()))).one())


async def settlements(session: AsyncSession, viewer: Viewer, township: str) -> list[Settlement]:
    """The villages of a township with how far they are served. NotFound outside the administrator's divisions."""
    if len(township) != Level.TOWNSHIP or not precincts.is_inside(viewer, township):
        raise NotFound("division", township)
    home, lives = col(Household.id), col(Household.division_code) == col(Division.code)
    found = (
        sqlalchemy.select(
            col(Division.code),
            col(Division.name),
            func.count(home),
            func.count(home).filter(col(Household.station_id).is_not(None)),
            func.coalesce(func.string_agg(distinct(col(Station.name)), text("'、'")), ""),
        )
        .outerjoin(Household, lives & col(Household.left_on).is_(None))
        .outerjoin(Station, col(Station.id) == col(Household.station_id))
        .where(places.within(col(Division.code), township), func.length(col(Division.code)) == int(Level.VILLAGE))
        .group_by(col(Division.code), col(Division.name))
        .order_by(col(Division.code))
    )
    return [Settlement(*row) for row in await run(session, found)]


async def usual_stations(session: AsyncSession, village_codes: set[str]) -> dict[str, int]:
    """By village, the one station that all its households belong to: whoever is new there belongs to it as well."""
    found = await session.exec(
        select(Household.division_code, func.min(col(Household.station_id)))
        .where(col(Household.division_code).in_(village_codes), col(Household.left_on).is_(None))
        .group_by(col(Household.division_code))
        .having(
            func.count(distinct(col(Household.station_id))) == 1,
            func.count(col(Household.station_id)) == func.count(col(Household.id)),
        )
    )
    return {code: station_id for code, station_id in found if station_id}
