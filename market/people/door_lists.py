"""The doors a person keeps, as lists: which household has a card, on how many phones it is let in, and who waits."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy import true as sql_true
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.clock import day_of
from market.ground.db import run
from market.ground.places import Division
from market.people import door_cards, door_devices
from market.people.accounts import Viewer
from market.people.door_cards import DoorCard
from market.people.door_devices import DoorDevice
from market.people.households import Household

PAGE = 40
"""Households shown at once."""


class Only(StrEnum):
    """Which part of the list is asked for."""

    ALL = ""
    WITHOUT = "without"
    """Households that have no card."""
    WITH = "with"
    """Households that have one."""


class Doorway(NamedTuple):
    """A household and its card, if it has one."""

    household_id: int
    head_name: str
    number: str
    village: str
    card_id: int | None
    printed_at: datetime | None
    is_old: bool
    """Whether its time has run out."""
    phone_count: int
    """Phones that may come in by it."""


async def listed(
    session: AsyncSession, viewer: Viewer, *, now: datetime, q: str = "", only: Only = Only.ALL, offset: int = 0
) -> list[Doorway]:
    """Households by place and number; one more than a page when there are more."""
    phones = (
        _select(func.count())
        .select_from(DoorDevice)
        .where(col(DoorDevice.card_id) == col(DoorCard.id), col(DoorDevice.ended_at).is_(None), door_devices.vouched())
        .correlate(DoorCard)
        .scalar_subquery()
    )
    theirs = door_cards.kept_by(viewer).with_only_columns(col(Household.id))
    live = and_(col(DoorCard.household_id) == col(Household.id), col(DoorCard.revoked_at).is_(None))
    query = (
        _select(
            col(Household.id), col(Household.head_name), col(Household.number), col(Division.name), col(DoorCard.id),
            col(DoorCard.printed_at), func.coalesce(col(DoorCard.good_until_on) < day_of(now), False), phones,
        )
        .join(Division, col(Division.code) == col(Household.division_code))
        .outerjoin(DoorCard, live)
        .where(col(Household.id).in_(theirs), _part(only), _like(q.strip()))
        .order_by(col(Household.division_code), col(Household.number))
        .offset(offset)
        .limit(PAGE + 1)
    )  # fmt: skip
    return [Doorway._make(row) for row in (await run(session, query)).all()]


def _part(only: Only) -> Any:
    if only is Only.ALL:
        return sql_true()
    return col(DoorCard.id).is_(None) if only is Only.WITHOUT else col(DoorCard.id).is_not(None)


def _like(text: str) -> Any:
    """SQL: the text is in the household's name, begins its number, or names its village."""
    if not text:
        return sql_true()
    return or_(
        col(Household.head_name).contains(text, autoescape=True),
        col(Household.number).startswith(text, autoescape=True),
        col(Division.name).contains(text, autoescape=True),
        col(Division.pinyin).startswith(text.lower(), autoescape=True),
    )


def _select(*columns: Any) -> Select[*tuple[Any, ...]]:
    return select(*columns)
