"""Phones on which a door card was opened: each is let in once, by a person of the station who asked the household."""

import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import CheckConstraint, ColumnElement, Index, exists
from sqlalchemy.orm import aliased
from sqlmodel import Field, SQLModel, and_, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import audit, queue
from market.ground.clock import day_of
from market.ground.db import choice, key_of, new_id
from market.ground.errors import Malformed, NotAllowed, NotFound, NotMovable, OverLimit, TooManyTries
from market.ground.places import Division
from market.people import accounts, acts_for, door_cards
from market.people.accounts import Account, Grant, Role, Viewer
from market.people.door_cards import DoorCard
from market.people.heard import Heard, Word
from market.people.households import Household

MOST_DEVICES = 3
"""A family's phones. One more, and one of them has to be taken off first."""
_MOST_WAITING = 5
_WAITS = timedelta(days=3)
_STAFF = (Role.AGENT, Role.ADMINISTRATOR)


class DoorDevice(SQLModel, table=True):
    """A browser that opened a card: it waits until somebody vouches for it, and may come in until it is taken off."""

    __tablename__ = "door_devices"
    __table_args__ = (
        CheckConstraint("num_nulls(confirmed_at, confirmed_by, heard) IN (0, 3)", name="confirmed"),
        Index("uq_door_devices_live", "card_id", "device_hash", unique=True, postgresql_where="ended_at IS NULL"),
    )

    id: int | None = new_id()
    card_id: int = key_of("door_cards.id", index=True)
    device_hash: str = Field(max_length=64)
    kind: str = Field(default="", max_length=40)
    """What it said it is: a phone's make, a browser."""
    number: str = Field(max_length=4)
    """Four digits it shows, which the household reads to whoever calls."""
    asked_at: datetime
    confirmed_at: datetime | None = None
    confirmed_by: int | None = key_of("accounts.id", default=None)
    heard: Heard | None = choice(Heard, name="heard", default=None, nullable=True)
    number_end: str = Field(default="", max_length=4)
    sheet: str = Field(default="", max_length=20)
    used_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: int | None = key_of("accounts.id", default=None)


class Knock(NamedTuple):
    """A phone that waits to be let in, and at whose door."""

    device: DoorDevice
    household: Household
    village: str
    before: str
    """Who let it in earlier and has left the service since."""


class Known(NamedTuple):
    """A phone of a card, who vouches for it, and whether that still holds."""

    device: DoorDevice
    confirmed_by: str
    is_open: bool


@dataclass(frozen=True)
class Vouch:
    """That somebody asked the household: which number it read out, how, and on which browser this is said."""

    number: str
    word: Word
    device_hash: str = ""


def vouched() -> ColumnElement[bool]:
    """SQL: whoever let the phone in is still in service. A word is worth as much as the one who gave it.

    The one person who could have let in a phone of their own is exactly the one who leaves.
    """
    held = aliased(Grant)
    serving = exists().where(
        col(held.account_id) == col(DoorDevice.confirmed_by), col(held.role).in_(_STAFF), col(held.ended_at).is_(None)
    )
    return and_(col(DoorDevice.confirmed_at).is_not(None), serving)


async def waiting(session: AsyncSession, viewer: Viewer, *, now: datetime) -> list[Knock]:
    """Phones that knocked in the last days at the doors this person keeps, the longest waiting first."""
    theirs = door_cards.kept_by(viewer).with_only_columns(col(Household.id))
    wanted = (
        select(DoorDevice, Household, col(Division.name), func.coalesce(col(Account.name), ""))
        .join(DoorCard, col(DoorCard.id) == col(DoorDevice.card_id))
        .join(Household, col(Household.id) == col(DoorCard.household_id))
        .join(Division, col(Division.code) == col(Household.division_code))
        .outerjoin(Account, col(Account.id) == col(DoorDevice.confirmed_by))
        .where(
            col(DoorCard.revoked_at).is_(None),
            col(DoorCard.good_until_on) >= day_of(now),
            col(Household.id).in_(theirs),
            col(DoorDevice.ended_at).is_(None),
            col(DoorDevice.asked_at) > now - _WAITS,
            ~vouched(),
        )
        .order_by(col(DoorDevice.asked_at), col(DoorDevice.id))
    )
    return [Knock(*row) for row in await session.exec(wanted)]


async def of_card(session: AsyncSession, card_id: int) -> list[Known]:
    """The phones of a card that were not taken off, the first first."""
    wanted = (
        select(DoorDevice, func.coalesce(col(Account.name), ""), vouched())
        .outerjoin(Account, col(Account.id) == col(DoorDevice.confirmed_by))
        .where(DoorDevice.card_id == card_id, col(DoorDevice.ended_at).is_(None))
        .order_by(col(DoorDevice.id))
    )
    return [Known(*row) for row in await session.exec(wanted)]


async def viewer_of(session: AsyncSession, device_id: int, *, on: date) -> Viewer:
    """Whoever is in by this phone and its card; a visitor once either is void. Read at every request."""
    rows = await session.exec(
        accounts.with_grants()
        .join(DoorCard, col(DoorCard.account_id) == col(Account.id))
        .join(DoorDevice, col(DoorDevice.card_id) == col(DoorCard.id))
        .where(
            DoorDevice.id == device_id,
            col(DoorDevice.ended_at).is_(None),
            col(DoorCard.revoked_at).is_(None),
            col(DoorCard.good_until_on) >= on,
            col(Grant.household_id) == col(DoorCard.household_id),
            vouched(),
        )
    )
    return accounts.as_viewer(rows.all(), by_card=True)


async def knock(session: AsyncSession, card: DoorCard, device_hash: str, *, kind: str, now: datetime) -> Known:
    """A browser asks to come in by this card: let in before, or waiting with its number. Twice is one knock."""
    await session.exec(select(DoorCard.id).where(DoorCard.id == card.id).with_for_update(key_share=True))
    devices = await of_card(session, card.id or 0)
    mine = next((known for known in devices if known.device.device_hash == device_hash), None)
    if mine is not None:
        mine.device.asked_at = now
        return mine
    if sum(not known.is_open and known.device.asked_at > now - _WAITS for known in devices) >= _MOST_WAITING:
        raise TooManyTries
    number = f"{secrets.randbelow(10_000):04d}"
    device = DoorDevice(card_id=card.id or 0, device_hash=device_hash, kind=kind[:40], number=number, asked_at=now)
    session.add(device)
    await session.flush()  # the page names it
    return Known(device, "", is_open=False)


async def come_in(session: AsyncSession, card: DoorCard, known: Known, *, now: datetime) -> None:
    """Note that the household came in by a phone that is let in. NotAllowed for one that waits."""
    if not known.is_open:
        raise NotAllowed("unconfirmed_device")
    known.device.used_at = now
    subject = f"door_device:{known.device.id}"
    audit.note(session, card.account_id, "come_in", household_id=card.household_id, subject=subject, now=now)


async def confirm(session: AsyncSession, by: Viewer, device_id: int, vouch: Vouch, *, now: datetime) -> DoorDevice:
    """Let a phone in after asking the household, which reads out its number.

    NotMovable when somebody else has let it in or taken it off, or the card is void; OverLimit above three phones.
    """
    accounts.must_be_proven(by, "confirm_device")
    vouch.word.check()
    device, card = await _kept(session, by, device_id)
    known = {each.device.id: each for each in await of_card(session, card.id or 0)}
    if card.revoked_at is not None or device.id not in known:
        raise NotMovable("door_device", "ended", "confirm")
    if known[device.id].is_open:
        raise NotMovable("door_device", "confirmed", "confirm")
    if vouch.device_hash == device.device_hash:
        raise NotAllowed("vouch_for_oneself")
    if vouch.number != device.number:
        raise Malformed("number", "other_number", vouch.number)
    open_count = sum(each.is_open for each in known.values())
    if open_count >= MOST_DEVICES:
        raise OverLimit("door_devices", MOST_DEVICES, open_count + 1)
    device.confirmed_at, device.confirmed_by = now, by.id
    device.heard, device.number_end, device.sheet = vouch.word.heard, vouch.word.number_end, vouch.word.sheet
    subject = f"door_device:{device.id}"
    await acts_for.note_heard(session, by, card.household_id, "confirm_device", vouch.word, subject=subject, now=now)
    await queue.enqueue(session, "tell_door_opened", device_id=device.id)
    return device


async def take_off(session: AsyncSession, by: Viewer, device_id: int, *, now: datetime) -> DoorDevice:
    """Whoever is in by this phone is out, and it has to knock anew. Said twice is once."""
    accounts.must_be_proven(by, "take_off_device")
    device, card = await _kept(session, by, device_id)
    if device.ended_at is None:
        device.ended_at, device.ended_by = now, by.id
        said = " ".join(filter(None, [device.heard, device.number_end, device.sheet]))
        subject = f"door_device:{device.id}"
        acts_for.note(session, by, card.household_id, "take_off_device", subject=subject, note=said, now=now)
    return device


async def kept(session: AsyncSession, by: Viewer, device_id: int) -> tuple[DoorDevice, DoorCard]:
    """A phone at a door this person keeps, to look at. NotFound for any other."""
    theirs = door_cards.kept_by(by).with_only_columns(col(Household.id))
    wanted = (
        select(DoorDevice, DoorCard)
        .join(DoorCard, col(DoorCard.id) == col(DoorDevice.card_id))
        .where(DoorDevice.id == device_id, col(DoorCard.household_id).in_(theirs))
    )
    found = (await session.exec(wanted)).one_or_none()
    if found is None:
        raise NotFound("door_device", str(device_id))
    return found[0], found[1]


async def _kept(session: AsyncSession, by: Viewer, device_id: int) -> tuple[DoorDevice, DoorCard]:
    """The same, with its card locked and both read after that: two people at once find one another's work."""
    _device, card = await kept(session, by, device_id)
    card = await door_cards.kept(session, by, card.id or 0)
    again = select(DoorDevice).where(DoorDevice.id == device_id).execution_options(populate_existing=True)
    return (await session.exec(again)).one(), card
