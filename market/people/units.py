"""Work units (the buyers' employers) and the wallets money comes from."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import audit
from market.ground.db import new_id, place_code
from market.ground.errors import Malformed, NotFound
from market.people import precincts
from market.people.accounts import Grant, Role, Viewer


class Wallet(StrEnum):
    """Whose money pays: three paper trails (domain §2.5)."""

    CANTEEN = "canteen"
    """食堂: public money; needs an invoice and an acceptance sheet with two signatures."""
    UNION = "union"
    """工会: in kind, on holidays, with a name list."""
    PERSONAL = "personal"
    """个人: the buyer's own."""


class WorkUnit(SQLModel, table=True):
    """单位: a bureau, sub-district office, school or enterprise whose people buy."""

    __tablename__ = "work_units"

    id: int | None = new_id()
    name: str = Field(max_length=80)
    short_name: str = Field(max_length=20)
    division_code: str = place_code(references=True, index=True)


def visible_to(viewer: Viewer) -> SelectOfScalar[WorkUnit]:
    """The work units a person belongs to."""
    return select(WorkUnit).where(col(WorkUnit.id).in_(viewer.work_unit_ids())).order_by(col(WorkUnit.name))


def governed_by(viewer: Viewer) -> SelectOfScalar[WorkUnit]:
    """The work units of an administrator's divisions, by place and name."""
    return (
        select(WorkUnit)
        .where(precincts.inside(viewer, col(WorkUnit.division_code)))
        .order_by(col(WorkUnit.division_code), col(WorkUnit.name), col(WorkUnit.id))
    )


def wallets_of(viewer: Viewer) -> list[Wallet]:
    """Wallets a person may order with: their own always, the unit's canteen and union as its clerk."""
    return [Wallet.PERSONAL, *([Wallet.CANTEEN, Wallet.UNION] if viewer.over(Role.CLERK) else [])]


async def served_by(session: AsyncSession, clerk: Viewer, work_unit_id: int) -> WorkUnit:
    """A work unit this person is the clerk of. NotFound otherwise."""
    if work_unit_id not in clerk.work_unit_ids(Role.CLERK):
        raise NotFound("work_unit", str(work_unit_id))
    found = await session.get(WorkUnit, work_unit_id)
    if found is None:
        raise NotFound("work_unit", str(work_unit_id))
    return found


async def names(session: AsyncSession, work_unit_ids: set[int]) -> dict[int, str]:
    """Names of several work units by id."""
    found = await session.exec(select(WorkUnit).where(col(WorkUnit.id).in_(work_unit_ids)))
    return {unit.id or 0: unit.name for unit in found}


async def people_counts(session: AsyncSession, work_unit_ids: list[int]) -> dict[int, int]:
    """How many people belong to each of these work units now."""
    found = await session.exec(
        select(Grant.work_unit_id, func.count(func.distinct(col(Grant.account_id))))
        .where(col(Grant.work_unit_id).in_(work_unit_ids), col(Grant.ended_at).is_(None))
        .group_by(col(Grant.work_unit_id))
    )
    return {unit_id: number for unit_id, number in found if unit_id}


async def governed(session: AsyncSession, viewer: Viewer, work_unit_id: int) -> WorkUnit:
    """A work unit inside the administrator's divisions; NotFound for any other."""
    found = (await session.exec(governed_by(viewer).where(WorkUnit.id == work_unit_id))).one_or_none()
    if found is None:
        raise NotFound("work_unit", str(work_unit_id))
    return found


async def add(
    session: AsyncSession, by: Viewer, *, name: str, short_name: str, division_code: str, now: datetime
) -> WorkUnit:
    """Enter a work unit. NotFound outside the administrator's divisions, Malformed for a name the place has already."""
    await _check_name(session, by, name, division_code)
    work_unit = WorkUnit(name=name, short_name=short_name, division_code=division_code)
    session.add(work_unit)
    await session.flush()  # the trace names its id
    audit.note(session, by.account_id, "add_work_unit", subject=f"work_unit:{work_unit.id}", note=name, now=now)
    return work_unit


async def rename(
    session: AsyncSession, by: Viewer, work_unit_id: int, *, name: str, short_name: str, now: datetime
) -> WorkUnit:
    """Give a work unit other names; its people and orders stay. NotFound and Malformed as when adding one."""
    work_unit = await governed(session, by, work_unit_id)
    if name != work_unit.name:
        await _check_name(session, by, name, work_unit.division_code)
    if (name, short_name) != (work_unit.name, work_unit.short_name):
        was = f"{work_unit.name} → {name}（{short_name}）"
        audit.note(session, by.account_id, "rename_work_unit", subject=f"work_unit:{work_unit_id}", note=was, now=now)
        work_unit.name, work_unit.short_name = name, short_name
    return work_unit


async def _check_name(session: AsyncSession, by: Viewer, name: str, division_code: str) -> None:
    await precincts.claim(session, by, division_code)
    same = select(WorkUnit.id).where(WorkUnit.name == name, WorkUnit.division_code == division_code)
    if (await session.exec(same)).first() is not None:
        raise Malformed("name", "taken", name)
