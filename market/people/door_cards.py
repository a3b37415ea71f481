"""Door cards: a printed card by which a household signs in without a telephone number. Scanning it only knocks."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel, col, or_, select, update
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.clock import day_of
from market.ground.db import choice, key_of, new_id, run
from market.ground.errors import NotFound
from market.ground.places import Division
from market.people import accounts, acts_for, precincts
from market.people.accounts import Account, Grant, Role, Viewer
from market.people.consent import Consent, Purpose
from market.people.households import Household

GOOD_FOR = timedelta(days=730)
"""Paper wears and people move: after two years a new one is printed."""
_SECRET_BYTES = 18


class Why(StrEnum):
    """Why a card opens nothing any more."""

    REPLACED = "replaced"
    """A new one was printed."""
    LOST = "lost"
    """It is lost, or in strange hands."""
    RETURNED = "returned"
    """The household wants none."""


class DoorCard(SQLModel, table=True):
    """进门卡: one printed card of one household. Only the hash of its secret is kept."""

    __tablename__ = "door_cards"
    __table_args__ = (
        CheckConstraint("(revoked_at IS NULL) = (why IS NULL)", name="revoked"),
        Index("uq_door_cards_live", "household_id", unique=True, postgresql_where="revoked_at IS NULL"),
    )

    id: int | None = new_id()
    household_id: int = key_of("households.id", index=True)
    account_id: int = key_of("accounts.id")
    """The login without a number that all cards of the household share."""
    secret_hash: str = Field(max_length=64, unique=True)
    printed_at: datetime
    printed_by: int = key_of("accounts.id")
    good_until_on: date
    revoked_at: datetime | None = None
    revoked_by: int | None = key_of("accounts.id", default=None)
    why: Why | None = choice(Why, name="why", default=None, nullable=True)


class Printed(NamedTuple):
    """A card fresh from the press. The secret is nowhere else."""

    household: Household
    village: str
    is_named: bool
    """Whether the household agreed to its name; otherwise the card bears its number."""
    secret: str
    good_until_on: date


def kept_by(viewer: Viewer) -> SelectOfScalar[Household]:
    """The households whose cards a person prints and voids: their station's as its agent, or of a place they govern."""
    theirs = or_(
        col(Household.station_id).in_(viewer.station_ids), precincts.inside(viewer, col(Household.division_code))
    )
    return select(Household).where(theirs, col(Household.left_on).is_(None))


async def found(session: AsyncSession, secret: str, *, on: date) -> DoorCard:
    """The card of this secret. NotFound for one that never was, is void, or too old: a stranger learns no more."""
    wanted = select(DoorCard).where(
        DoorCard.secret_hash == hash_of(secret), col(DoorCard.revoked_at).is_(None), col(DoorCard.good_until_on) >= on
    )
    card = (await session.exec(wanted)).one_or_none()
    if card is None:
        raise NotFound("door_card")
    return card


async def kept(session: AsyncSession, by: Viewer, card_id: int) -> DoorCard:
    """A card this person may void, locked until the transaction ends. NotFound for any other."""
    theirs = kept_by(by).with_only_columns(col(Household.id))
    locked = (
        select(DoorCard)
        .where(DoorCard.id == card_id, col(DoorCard.household_id).in_(theirs))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    card = (await session.exec(locked)).one_or_none()
    if card is None:
        raise NotFound("door_card", str(card_id))
    return card


async def live_of(session: AsyncSession, household_ids: Sequence[int]) -> dict[int, DoorCard]:
    """The card each of these households has now."""
    wanted = select(DoorCard).where(col(DoorCard.household_id).in_(household_ids), col(DoorCard.revoked_at).is_(None))
    return {card.household_id: card for card in await session.exec(wanted)}


async def named(session: AsyncSession, household_ids: Sequence[int]) -> set[int]:
    """Those of the households that agreed to their name."""
    wanted = select(Consent.household_id).where(
        col(Consent.household_id).in_(household_ids),
        Consent.purpose == Purpose.NAME,
        col(Consent.withdrawn_on).is_(None),
    )
    return set(await session.exec(wanted))


async def print_for(session: AsyncSession, by: Viewer, household_ids: Sequence[int], *, now: datetime) -> list[Printed]:
    """A new card for each household; the one it had is void at once. NotFound when one is not theirs to serve."""
    accounts.must_be_proven(by, "print_card")
    wanted = sorted(set(household_ids))
    # Two people printing for one household: the second waits here and voids the first one's card.
    locked = kept_by(by).where(col(Household.id).in_(wanted)).order_by(col(Household.id))
    homes = (await session.exec(locked.with_for_update(key_share=True))).all()
    if len(homes) != len(wanted):
        raise NotFound("household")
    await _void(session, by, wanted, now)
    logins = await _logins(session, homes, now)
    villages = dict((await session.exec(select(Division.code, Division.name).where(
        col(Division.code).in_({home.division_code for home in homes})
    ))).all())  # fmt: skip
    agreed, until = await named(session, wanted), day_of(now) + GOOD_FOR
    made = [
        Printed(home, villages[home.division_code], (home.id or 0) in agreed, _secret(), until) for home in homes
    ]  # fmt: skip
    for one in made:
        home_id = one.household.id or 0
        await _ensure_grant(session, by, logins[home_id], home_id, now)
        session.add(
            DoorCard(
                household_id=home_id, account_id=logins[home_id], secret_hash=hash_of(one.secret), printed_at=now,
                printed_by=by.id, good_until_on=until,
            )
        )  # fmt: skip
        acts_for.note(session, by, home_id, "print_card", subject="door_card", now=now)
    return made


async def revoke(session: AsyncSession, by: Viewer, card_id: int, why: Why, *, now: datetime) -> DoorCard:
    """The card opens nothing from now on, and whoever is in by it is out. Said twice, the first reason stands."""
    accounts.must_be_proven(by, "revoke_card")
    card = await kept(session, by, card_id)
    if card.revoked_at is None:
        card.revoked_at, card.revoked_by, card.why = now, by.id, why
        ended = update(Grant).where(
            col(Grant.account_id) == card.account_id, col(Grant.ended_at).is_(None)
        ).values(ended_at=now)  # fmt: skip
        await run(session, ended)
        acts_for.note(
            session, by, card.household_id, "revoke_card", subject=f"door_card:{card.id}", note=why, now=now
        )  # fmt: skip
    return card


def hash_of(secret: str) -> str:
    """What is kept of a secret of 144 random bits: nothing that could be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


async def _void(session: AsyncSession, by: Viewer, household_ids: list[int], now: datetime) -> None:
    replaced = (
        update(DoorCard)
        .where(col(DoorCard.household_id).in_(household_ids), col(DoorCard.revoked_at).is_(None))
        .values(revoked_at=now, revoked_by=by.id, why=Why.REPLACED)
    )
    await run(session, replaced)


async def _logins(session: AsyncSession, homes: Sequence[Household], now: datetime) -> dict[int, int]:
    """The login of each household's cards, made with its first card."""
    ids = [home.id or 0 for home in homes]
    known = await session.exec(
        select(DoorCard.household_id, DoorCard.account_id).where(col(DoorCard.household_id).in_(ids)).distinct()
    )
    logins: dict[int, int] = dict(known.all())
    fresh = {home.id or 0: Account(name=home.head_name, created_at=now) for home in homes if home.id not in logins}
    session.add_all(fresh.values())
    await session.flush()  # cards and grants need the ids
    return logins | {home_id: account.id or 0 for home_id, account in fresh.items()}


async def _ensure_grant(session: AsyncSession, by: Viewer, account_id: int, household_id: int, now: datetime) -> None:
    live = select(Grant.id).where(
        Grant.account_id == account_id, Grant.household_id == household_id, col(Grant.ended_at).is_(None)
    )
    if (await session.exec(live)).first() is None:
        session.add(
            Grant(
                account_id=account_id, role=Role.HOUSEHOLD, household_id=household_id, given_at=now, given_by=by.id
            )
        )  # fmt: skip
