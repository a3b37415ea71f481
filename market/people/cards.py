"""到户卡: the bank card a household's money goes to. One person asks for it, another confirms it, and a day passes.

Number and holder are sealed; the last four digits stand in clear, so that people can tell cards apart. How one is
changed stands in `card_changes.py`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, Text, text
from sqlalchemy.dialects.postgresql import distinct_on
from sqlmodel import Field, SQLModel, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.ground import audit
from market.ground.db import key_of, new_id
from market.ground.seal import Seal
from market.people import households
from market.people.accounts import Viewer
from market.people.households import Household

WAITING_DAY = timedelta(hours=24)
"""How long a confirmed card rests before money goes to it: time for the household to say it knows nothing of it."""


class Stage(StrEnum):
    """Where a card is on its way."""

    ASKED = "asked"
    """Waits for a second person."""
    WAITING = "waiting"
    """Confirmed; its day has not passed."""
    IN_USE = "in_use"
    REPLACED = "replaced"
    """Another card is in use now."""
    ENDED = "ended"
    """Stopped, or never confirmed."""


class PayoutCard(SQLModel, table=True):
    """One card of one household, from the day it was asked for. Rows are never deleted: they are the history."""

    __tablename__ = "payout_cards"
    __table_args__ = (
        CheckConstraint("last_four ~ '^[0-9]{4}$'", name="last_four"),
        CheckConstraint("(relation = '') = (mandate_on IS NULL)", name="mandate_on"),
        CheckConstraint("confirmed_by <> asked_by", name="second_person"),
        CheckConstraint("num_nonnulls(confirmed_at, confirmed_by, usable_from_at) IN (0, 3)", name="confirmed"),
        CheckConstraint("usable_from_at >= confirmed_at + interval '24 hours'", name="waiting_day"),
        CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
        Index(
            "uq_payout_cards_asked",
            "household_id",
            unique=True,
            postgresql_where=text("confirmed_at IS NULL AND ended_at IS NULL"),
        ),
    )

    id: int | None = new_id()
    household_id: int = key_of("households.id", index=True)
    bank: str = Field(max_length=40)
    sealed_holder: str = Field(sa_type=Text)
    sealed_number: str = Field(sa_type=Text)
    last_four: str = Field(max_length=4)
    relation: str = Field(default="", max_length=20)
    """What the holder is to the head of the household; empty: the head's own card."""
    mandate_on: date | None = None
    """The day the household signed that a relative's card may be used."""
    asked_at: datetime
    asked_by: int = key_of("accounts.id")
    confirmed_at: datetime | None = None
    confirmed_by: int | None = key_of("accounts.id", default=None)
    usable_from_at: datetime | None = None
    ended_at: datetime | None = None
    ended_by: int | None = key_of("accounts.id", default=None)
    end_why: str = Field(default="", max_length=80)

    def stage(self, in_use_id: int | None, now: datetime) -> Stage:
        """Where it is, given which card of the household is in use."""
        if self.ended_at is not None:
            return Stage.ENDED
        if self.usable_from_at is None:
            return Stage.ASKED
        if self.usable_from_at > now:
            return Stage.WAITING
        return Stage.IN_USE if self.id == in_use_id else Stage.REPLACED


@dataclass(frozen=True)
class Opened:
    """A card with its seal broken: for the bank, and for nobody's screen."""

    card: PayoutCard
    holder: str
    number: str


def of_household(household_id: int) -> SelectOfScalar[PayoutCard]:
    """Every card a household ever had or asked for, the newest first."""
    return select(PayoutCard).where(PayoutCard.household_id == household_id).order_by(col(PayoutCard.id).desc())


def in_use(at: datetime) -> SelectOfScalar[PayoutCard]:
    """The card of each household that money may go to at this moment: the last one whose waiting day has passed.

    One that was stopped is followed by none: an older card does not come back by itself.
    """
    latest = (
        select(PayoutCard.id)
        .ext(distinct_on(col(PayoutCard.household_id)))
        .where(
            col(PayoutCard.usable_from_at) <= at,
            or_(col(PayoutCard.ended_at).is_(None), col(PayoutCard.ended_at) >= col(PayoutCard.usable_from_at)),
        )
        .order_by(col(PayoutCard.household_id), col(PayoutCard.usable_from_at).desc(), col(PayoutCard.id).desc())
    )
    return select(PayoutCard).where(col(PayoutCard.id).in_(latest), col(PayoutCard.ended_at).is_(None))


def on_their_way(at: datetime) -> SelectOfScalar[PayoutCard]:
    """Cards that wait for a second person, or for their day to pass."""
    return select(PayoutCard).where(
        col(PayoutCard.ended_at).is_(None),
        or_(col(PayoutCard.usable_from_at).is_(None), col(PayoutCard.usable_from_at) > at),
    )


def to_confirm(viewer: Viewer) -> Select[PayoutCard, Household]:
    """Cards that wait for a second person in an accountant's divisions, the oldest first."""
    theirs = households.accounted_by(viewer).with_only_columns(col(Household.id))
    return (
        select(PayoutCard, Household)
        .join(Household, col(Household.id) == col(PayoutCard.household_id))
        .where(
            col(PayoutCard.confirmed_at).is_(None),
            col(PayoutCard.ended_at).is_(None),
            col(PayoutCard.household_id).in_(theirs),
        )
        .order_by(col(PayoutCard.asked_at), col(PayoutCard.id))
    )


async def open_all(
    session: AsyncSession, seal: Seal, by: Viewer, cards: Iterable[PayoutCard], *, subject: str, now: datetime
) -> list[Opened]:
    """Break the seals, with a trace for each household. The caller has checked that this person may.

    `subject` says what for.
    """
    opened = []
    for card in cards:
        opened.append(Opened(card, holder_of(seal, card), number_of(seal, card)))
        audit.note(session, by.account_id, "open_card", household_id=card.household_id, subject=subject, now=now)
    await session.flush()  # no number leaves before its trace is written
    return opened


def sealed(seal: Seal, household_id: int, *, holder: str, number: str) -> dict[str, Any]:
    """What a row keeps of holder and number: two sealed texts, and four digits in clear."""
    return {
        "sealed_holder": seal.close(holder, about=_about_holder(household_id)),
        "sealed_number": seal.close(number, about=_about_number(household_id)),
        "last_four": number[-4:],
    }


def holder_of(seal: Seal, card: PayoutCard) -> str:
    """The holder's name, for comparing; `open_all` is for showing."""
    return seal.open(card.sealed_holder, about=_about_holder(card.household_id))


def number_of(seal: Seal, card: PayoutCard) -> str:
    """The whole number, for comparing; `open_all` is for showing."""
    return seal.open(card.sealed_number, about=_about_number(card.household_id))


async def renew_seals(session: AsyncSession, seal: Seal) -> int:
    """Seal every card anew with the first secret, so that older ones can be thrown away; returns how many."""
    held = select(PayoutCard).order_by(col(PayoutCard.id)).with_for_update(key_share=True)
    cards = (await session.exec(held)).all()
    for card in cards:
        card.sealed_holder = seal.renew(card.sealed_holder, about=_about_holder(card.household_id))
        card.sealed_number = seal.renew(card.sealed_number, about=_about_number(card.household_id))
    return len(cards)


def _about_holder(household_id: int) -> str:
    return f"card holder of household {household_id}"


def _about_number(household_id: int) -> str:
    return f"card number of household {household_id}"
