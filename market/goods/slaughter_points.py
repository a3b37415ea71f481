"""Slaughter points: the fixed places where households of a county have animals killed and inspected."""

from datetime import datetime
from uuid import uuid4

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import audit, places
from market.ground.db import place_code
from market.ground.errors import Malformed, NotFound
from market.ground.places import Level
from market.people import precincts
from market.people.accounts import Viewer

_MOST_NAME, _MOST_ADDRESS = 40, 120


class SlaughterPoint(SQLModel, table=True):
    """屠宰点: a fixed place of slaughter households of a county, or of a whole city, may use."""

    __tablename__ = "slaughter_points"

    code: str = Field(primary_key=True, max_length=24)
    name: str = Field(max_length=_MOST_NAME)
    division_code: str = place_code(references=True, index=True)
    address: str = Field(default="", max_length=_MOST_ADDRESS)
    source: str = Field(default="", max_length=120)
    closed: bool = False


def usable_in(division_code: str) -> SelectOfScalar[SlaughterPoint]:
    """The open slaughter points a household of that place may use: its county's, and those of the city around it."""
    county = division_code[: Level.COUNTY]
    near = places.within(col(SlaughterPoint.division_code), county)
    return (
        select(SlaughterPoint)
        .where(
            col(SlaughterPoint.closed).is_(False), near | col(SlaughterPoint.division_code).in_(places.parents(county))
        )
        .order_by(col(SlaughterPoint.division_code).desc(), col(SlaughterPoint.code))
    )


def governed_by(viewer: Viewer) -> SelectOfScalar[SlaughterPoint]:
    """The points of an administrator's divisions, closed ones last."""
    return (
        select(SlaughterPoint)
        .where(precincts.inside(viewer, col(SlaughterPoint.division_code)))
        .order_by(col(SlaughterPoint.closed), col(SlaughterPoint.division_code), col(SlaughterPoint.code))
    )


async def governed(session: AsyncSession, viewer: Viewer, code: str) -> SlaughterPoint:
    """A point of the administrator's divisions, locked until the transaction ends. NotFound for any other."""
    wanted = governed_by(viewer).where(SlaughterPoint.code == code).with_for_update(key_share=True)
    found = (await session.exec(wanted)).one_or_none()
    if found is None:
        raise NotFound("slaughter_point", code[:24])
    return found


async def add(
    session: AsyncSession, by: Viewer, division_code: str, *, name: str, address: str, now: datetime
) -> SlaughterPoint:
    """Add a point. NotFound outside the administrator's divisions; Malformed `taken` for a name the place has."""
    await precincts.claim(session, by, division_code)
    point = SlaughterPoint(code=uuid4().hex[:24], name=name, division_code=division_code, address=address)
    await _check(session, point, name)
    session.add(point)
    _note(session, by, point, "add_slaughter_point", now)
    return point


async def change(
    session: AsyncSession, by: Viewer, code: str, *, name: str, address: str, now: datetime
) -> SlaughterPoint:
    """Another name or address for a point. What was shown for goods names the point by its code and follows."""
    point = await governed(session, by, code)
    await precincts.claim(session, by, point.division_code)
    await _check(session, point, name)
    if (point.name, point.address) != (name, address):
        point.name, point.address = name, address
        _note(session, by, point, "change_slaughter_point", now)
    return point


async def close(session: AsyncSession, by: Viewer, code: str, *, now: datetime) -> SlaughterPoint:
    """From now on nobody can choose it; what was shown stays shown. Twice is once."""
    return await _set_closed(session, by, code, closed=True, now=now)


async def reopen(session: AsyncSession, by: Viewer, code: str, *, now: datetime) -> SlaughterPoint:
    """It can be chosen again. Twice is once."""
    return await _set_closed(session, by, code, closed=False, now=now)


async def _set_closed(session: AsyncSession, by: Viewer, code: str, *, closed: bool, now: datetime) -> SlaughterPoint:
    point = await governed(session, by, code)
    if point.closed is not closed:
        point.closed = closed
        _note(session, by, point, "close_slaughter_point" if closed else "reopen_slaughter_point", now)
    return point


async def _check(session: AsyncSession, point: SlaughterPoint, name: str) -> None:
    same = select(SlaughterPoint.code).where(
        SlaughterPoint.division_code == point.division_code, SlaughterPoint.name == name
    )
    if any(code != point.code for code in await session.exec(same)):
        raise Malformed("name", "taken", name)


def _note(session: AsyncSession, by: Viewer, point: SlaughterPoint, act: str, now: datetime) -> None:
    subject, said = f"slaughter_point:{point.code}", f"{point.name} {point.address}".strip()
    audit.note(session, by.account_id, act, subject=subject, note=said, now=now)
