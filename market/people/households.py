"""Households and their dated standing."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Index, any_, literal, text
from sqlmodel import Field, SQLModel, col, false, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import places
from market.ground.db import key_of, new_id, place_code
from market.ground.errors import Malformed, NotFound
from market.people.accounts import Role, Viewer


class StandingKind(SQLModel, table=True):
    """A class of households, as the bureau defines it this year (脱贫户, 监测户 …): data, never a code path."""

    __tablename__ = "standing_kinds"

    code: str = Field(primary_key=True, max_length=24)
    name: str = Field(max_length=40)
    name_en: str = Field(max_length=60)
    counts: bool
    """Whether the bureau's figure counts such a household (domain §3.3)."""
    rank: int = 0


class Household(SQLModel, table=True):
    """农户: a farm household. Buyers only ever see `display_name` and the village."""

    __tablename__ = "households"
    __table_args__ = (CheckConstraint("people_count BETWEEN 1 AND 30", name="people_count"),)

    id: int | None = new_id()
    number: str = Field(max_length=32, unique=True)
    """Official number (户编号): opaque text."""
    head_name: str = Field(max_length=40)
    """Name of the head, for the bureau and the station only."""
    display_name: str = Field(max_length=40)
    """The name the household agreed to show; surname and 某 until it agrees to more."""
    people_count: int
    division_code: str = place_code(references=True, index=True)
    station_id: int | None = key_of("stations.id", default=None, index=True)
    joined_at: datetime
    left_on: date | None = None


class HouseholdStanding(SQLModel, table=True):
    """What a household was considered to be, from one day until another."""

    __tablename__ = "household_standings"
    __table_args__ = (
        CheckConstraint("to_on IS NULL OR to_on > from_on", name="period"),
        Index("uq_household_standings_open", "household_id", unique=True, postgresql_where=text("to_on IS NULL")),
    )

    id: int | None = new_id()
    household_id: int = key_of("households.id", index=True)
    standing_code: str = Field(foreign_key="standing_kinds.code", max_length=24)
    from_on: date
    to_on: date | None = None


def default_display_name(head_name: str) -> str:
    """What buyers see without consent to more: the surname and 某."""
    return f"{head_name.strip()[:1]}某"


def visible_to(viewer: Viewer) -> SelectOfScalar[Household]:
    """Households a person may see inside of: their own, their station's, their division's as its officer."""
    mine = [
        *([col(Household.id).in_(viewer.household_ids)] if viewer.household_ids else []),
        *([col(Household.station_id).in_(viewer.station_ids)] if viewer.station_ids else []),
        *(places.within(col(Household.division_code), code) for code in viewer.division_codes(Role.OFFICER)),
    ]
    return select(Household).where(or_(*mine) if mine else false())


def sold_for_by(viewer: Viewer) -> SelectOfScalar[Household]:
    """Households a person may sell for: as one of them, or as an agent of their station. Officers only read."""
    mine = [
        *([col(Household.id).in_(viewer.household_ids)] if viewer.household_ids else []),
        *([col(Household.station_id).in_(viewer.station_ids)] if viewer.station_ids else []),
    ]
    return (
        select(Household)
        .where(or_(*mine) if mine else false(), col(Household.left_on).is_(None))
        .order_by(col(Household.division_code), col(Household.id))
    )


def accounted_by(viewer: Viewer) -> SelectOfScalar[Household]:
    """Households whose money's papers this person keeps: those of an accountant's divisions, gone or not."""
    mine = [places.within(col(Household.division_code), code) for code in viewer.division_codes(Role.ACCOUNTANT)]
    return select(Household).where(or_(*mine) if mine else false())


def standing_on(on: date) -> SelectOfScalar[HouseholdStanding]:
    """Every household's standing on a day."""
    return select(HouseholdStanding).where(
        col(HouseholdStanding.from_on) <= on,
        or_(col(HouseholdStanding.to_on).is_(None), col(HouseholdStanding.to_on) > on),
    )


async def seen_by(session: AsyncSession, viewer: Viewer, household_id: int) -> Household:
    """A household inside the viewer's grant; NotFound for any other."""
    found = (await session.exec(visible_to(viewer).where(Household.id == household_id))).one_or_none()
    if found is None:
        raise NotFound("household", str(household_id))
    return found


async def seller(session: AsyncSession, viewer: Viewer, household_id: int | None) -> Household:
    """The household this person sells for. Without an id: their only one. NotFound outside the grant."""
    wanted = sold_for_by(viewer)
    if household_id is not None:
        wanted = wanted.where(Household.id == household_id)
    found = (await session.exec(wanted.limit(2))).all()
    if not found:
        raise NotFound("household", str(household_id or ""))
    if len(found) > 1:
        raise Malformed("household_id", "missing")
    return found[0]


async def lock(session: AsyncSession, household_ids: Iterable[int]) -> None:
    """Hold these households until the transaction ends, by id: what they are owed and where it goes stands still."""
    wanted = col(Household.id) == any_(literal(list(household_ids), ARRAY(BigInteger)))
    await session.exec(select(Household.id).where(wanted).order_by(col(Household.id)).with_for_update(key_share=True))


async def set_standing(session: AsyncSession, household: Household, standing_code: str, *, from_on: date) -> None:
    """Close the open standing and begin another on that day; one that began no earlier is corrected instead."""
    open_now = (
        await session.exec(
            select(HouseholdStanding).where(
                HouseholdStanding.household_id == household.id, col(HouseholdStanding.to_on).is_(None)
            )
        )
    ).one_or_none()
    if open_now is not None and open_now.from_on >= from_on:
        open_now.standing_code = standing_code
        return
    if open_now is not None:
        open_now.to_on = from_on
        await session.flush()  # frees the one open place
    session.add(HouseholdStanding(household_id=household.id or 0, standing_code=standing_code, from_on=from_on))
