"""Work units (the buyers' employers) and the wallets money comes from."""

from enum import StrEnum

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import new_id, place_code
from market.ground.errors import NotFound
from market.people.accounts import Role, Viewer


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
