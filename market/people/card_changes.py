"""Changing where a household's money goes: two people, a day of waiting, and a message to the household each time."""

import hmac
import re
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import queue
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound, NotMovable, SamePerson
from market.ground.seal import Seal
from market.people import accounts, acts_for, cards, households
from market.people.accounts import Grant, Role, Viewer
from market.people.cards import WAITING_DAY, PayoutCard
from market.people.households import Household

_NUMBER = re.compile(r"^[1-9][0-9]{15,18}$")
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")
_NINE = 9


@dataclass(frozen=True)
class NewCard:
    """A card as somebody typed it in. Without a relation it is the head's own, and the holder's name is the head's."""

    bank: str
    number: str
    holder: str = ""
    relation: str = ""
    mandate_on: date | None = None


async def asker_for(session: AsyncSession, viewer: Viewer, household_id: int) -> Household:
    """The household, for whoever may ask for its card: itself, its agent, its accountant. NotFound for anyone else."""
    for theirs in (households.sold_for_by(viewer), households.accounted_by(viewer)):
        found = (await session.exec(theirs.where(Household.id == household_id))).one_or_none()
        if found is not None:
            return found
    raise NotFound("household", str(household_id))


async def ask(
    session: AsyncSession, seal: Seal, by: Viewer, household_id: int, wanted: NewCard, *, now: datetime
) -> PayoutCard:
    """Ask that this card be used. What was asked before and not confirmed falls away; the same again changes nothing.

    Raises PhoneFirst (a printed card is not enough), NotFound (not this person's household), Malformed (see `checked`).
    """
    accounts.must_be_proven(by, "ask_card")
    household = await asker_for(session, by, household_id)
    entered = checked(wanted, household, now)
    await households.lock(session, [household_id])
    for earlier in await session.exec(_asked(household_id)):
        if _same(seal, earlier, entered):
            return earlier
        _end(earlier, by, "replaced", now)
    await session.flush()  # frees the one place for a card that is asked for
    card = PayoutCard(
        household_id=household_id, bank=entered.bank, relation=entered.relation, mandate_on=entered.mandate_on,
        asked_at=now, asked_by=by.id, **cards.sealed(seal, household_id, holder=entered.holder, number=entered.number),
    )  # fmt: skip
    session.add(card)
    await session.flush()  # the message names its id
    _note(session, by, "ask_card", card, now=now)
    await queue.enqueue(session, "announce_card", card_id=card.id, news="asked")
    return card


async def confirm(
    session: AsyncSession, seal: Seal, by: Viewer, card_id: int, *, number: str, now: datetime
) -> PayoutCard:
    """A second person has the card before them and types the number anew. A second tap changes nothing.

    An accountant may, or an agent of the household's station where the household itself asked: what a station asks
    for leaves the station. Raises NotFound for anyone else, SamePerson for whoever asked, NotMovable once it is ended,
    Malformed when the number is another one.
    """
    card = await _locked(session, by, card_id)
    if card.confirmed_at is not None:
        return card
    if card.ended_at is not None:
        raise NotMovable("card", "ended", "confirm")
    if card.asked_by == by.id:
        raise SamePerson("confirm_card")
    if not hmac.compare_digest(_digits(number).encode(), cards.number_of(seal, card).encode()):
        raise Malformed("number", "another_number")
    card.confirmed_at, card.confirmed_by, card.usable_from_at = now, by.id, now + WAITING_DAY
    _note(session, by, "confirm_card", card, now=now)
    await queue.enqueue(session, "announce_card", card_id=card.id, news="confirmed")
    return card


async def stop(session: AsyncSession, by: Viewer, card_id: int, *, why: str, now: datetime) -> PayoutCard:
    """No money goes to this card any more; any one of those who may ask may say so. A second tap changes nothing."""
    accounts.must_be_proven(by, "stop_card")
    card = await session.get(PayoutCard, card_id)
    if card is None:
        raise NotFound("card", str(card_id))
    await asker_for(session, by, card.household_id)
    await households.lock(session, [card.household_id])
    await session.refresh(card)
    if card.ended_at is None:
        _end(card, by, why, now)
        _note(session, by, "stop_card", card, now=now)
        await queue.enqueue(session, "announce_card", card_id=card.id, news="stopped")
    return card


def checked(wanted: NewCard, household: Household, now: datetime) -> NewCard:
    """The card as it is kept: digits only, the head's own name filled in.

    Raises Malformed: `bank` or `holder` missing, `number` not_a_card_number, `mandate_on` missing or in_future.
    """
    number = _digits(wanted.number)
    if not _NUMBER.match(number) or not _adds_up(number):
        raise Malformed("number", "not_a_card_number")
    bank, relation = wanted.bank.strip(), wanted.relation.strip()
    if not bank:
        raise Malformed("bank", "missing")
    if not relation:
        return NewCard(bank, number, household.head_name)
    holder = wanted.holder.strip()
    if not holder:
        raise Malformed("holder", "missing")
    if wanted.mandate_on is None:
        raise Malformed("mandate_on", "missing")
    if wanted.mandate_on > day_of(now):
        raise Malformed("mandate_on", "in_future", wanted.mandate_on.isoformat())
    return NewCard(bank, number, holder, relation, wanted.mandate_on)


async def _locked(session: AsyncSession, by: Viewer, card_id: int) -> PayoutCard:
    """A card this person may confirm, held with its household until the transaction ends."""
    card = await session.get(PayoutCard, card_id)
    if card is None or not await may_confirm(session, by, card):
        raise NotFound("card", str(card_id))
    await households.lock(session, [card.household_id])
    await session.refresh(card)
    return card


async def may_confirm(session: AsyncSession, by: Viewer, card: PayoutCard) -> bool:
    """Whether this person may be the second one. Whoever asked is told apart when they try."""
    wanted = households.accounted_by(by).where(Household.id == card.household_id)
    if (await session.exec(wanted)).first() is not None:
        return True
    home = await session.get_one(Household, card.household_id)
    return home.station_id in by.station_ids and await _asked_by_itself(session, card)


async def _asked_by_itself(session: AsyncSession, card: PayoutCard) -> bool:
    asker = select(Grant.id).where(
        Grant.account_id == card.asked_by,
        Grant.role == Role.HOUSEHOLD,
        Grant.household_id == card.household_id,
        col(Grant.ended_at).is_(None),
    )
    return (await session.exec(asker)).first() is not None


def _asked(household_id: int) -> SelectOfScalar[PayoutCard]:
    waiting = cards.of_household(household_id).where(
        col(PayoutCard.confirmed_at).is_(None), col(PayoutCard.ended_at).is_(None)
    )
    return waiting.execution_options(populate_existing=True)


def _same(seal: Seal, card: PayoutCard, entered: NewCard) -> bool:
    kept = NewCard(card.bank, cards.number_of(seal, card), cards.holder_of(seal, card), card.relation, card.mandate_on)
    return kept == entered


def _end(card: PayoutCard, by: Viewer, why: str, now: datetime) -> None:
    card.ended_at, card.ended_by, card.end_why = now, by.id, why.strip()[:80]


def _note(session: AsyncSession, by: Viewer, act: str, card: PayoutCard, *, now: datetime) -> None:
    """Who did what for whom; the note tells the card by what stands in clear."""
    note = f"{card.bank} {card.last_four}"
    acts_for.note(session, by, card.household_id, act, subject=f"card:{card.id}", note=note, now=now)


def _digits(typed: str) -> str:
    return re.sub(r"[\s\-]", "", typed.translate(_WIDE))


def _adds_up(number: str) -> bool:
    """Luhn: every second digit from the right doubled, nines cast out; the sum ends in 0. It finds one wrong digit."""
    total = 0
    for at, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + at % 2)
        total += value - _NINE if value > _NINE else value
    return total % 10 == 0
