"""Where an administrator acts: inside the divisions they were given, and nowhere else."""

from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import col, false, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import places
from market.ground.errors import NotFound
from market.ground.places import Division, Level
from market.people.accounts import Role, Viewer


def inside(viewer: Viewer, place: Any) -> ColumnElement[bool]:
    """SQL: the place lies in a division this person administers."""
    own = [places.within(place, code) for code in viewer.division_codes(Role.ADMINISTRATOR)]
    return or_(*own) if own else false()


def is_inside(viewer: Viewer, code: str) -> bool:
    """Whether the place lies in a division this person administers."""
    return any(places.is_within(code, own) for own in viewer.division_codes(Role.ADMINISTRATOR))


async def divisions(session: AsyncSession, viewer: Viewer, *, deepest: Level = Level.TOWNSHIP) -> list[Division]:
    """The administrator's places down to a level, in the order of their codes. Above a county: down to townships."""
    own = viewer.division_codes(Role.ADMINISTRATOR)
    # A province has tens of thousands of villages: too many to choose from, and its counties have people for them.
    lowest = deepest if all(len(code) >= Level.COUNTY for code in own) else min(deepest, Level.TOWNSHIP)
    found = (
        select(Division)
        .where(inside(viewer, col(Division.code)), func.length(col(Division.code)) <= int(lowest))
        .order_by(col(Division.code))
    )
    return list(await session.exec(found))


async def claim(session: AsyncSession, viewer: Viewer, code: str) -> Division:
    """A division of the administrator, held until the transaction ends: names in one place are given one at a time.

    NotFound outside the grant.
    """
    if not is_inside(viewer, code):
        raise NotFound("division", code)
    held = select(Division).where(Division.code == code).with_for_update(key_share=True)
    found = (await session.exec(held)).one_or_none()
    if found is None:
        raise NotFound("division", code)
    return found
