"""What a household agreed to, per purpose, with the day it said so and the day it took it back."""

from datetime import date
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import choice, key_of, new_id
from market.people.households import Household, default_display_name


class Purpose(StrEnum):
    """What is agreed to; each is asked for on its own (PIPL art. 14, 29)."""

    NAME = "name"
    """Showing the name below, instead of surname and 某."""
    PHOTO = "photo"
    """Showing pictures of its goods and yard."""
    STORY = "story"
    """Telling how it farms."""


class Consent(SQLModel, table=True):
    """One yes, until withdrawn."""

    __tablename__ = "consents"
    __table_args__ = (
        Index(
            "uq_consents_open", "household_id", "purpose", unique=True, postgresql_where=text("withdrawn_on IS NULL")
        ),
    )

    id: int | None = new_id()
    household_id: int = key_of("households.id")
    purpose: Purpose = choice(Purpose, name="purpose")
    given_on: date
    withdrawn_on: date | None = None


async def agree_to_name(session: AsyncSession, household: Household, name: str, *, on: date) -> None:
    """The household agrees to be shown under this name."""
    session.add(Consent(household_id=household.id or 0, purpose=Purpose.NAME, given_on=on))
    household.display_name = name.strip()[:40]


async def withdraw_name(session: AsyncSession, household: Household, *, on: date) -> None:
    """The household takes its name back: buyers see surname and 某 from now on."""
    given = await session.exec(
        select(Consent).where(
            Consent.household_id == household.id, Consent.purpose == Purpose.NAME, col(Consent.withdrawn_on).is_(None)
        )
    )
    for consent in given:
        consent.withdrawn_on = on
    household.display_name = default_display_name(household.head_name)
