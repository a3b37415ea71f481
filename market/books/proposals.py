"""Proposing payouts: who is owed what, who cannot be sent it and why, and a list of the rest."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import BigInteger, and_, cast, func, or_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.books import payouts
from market.books.ledger import Rail
from market.books.payouts import RAILS, Payout, PayoutBatch
from market.ground import audit, places
from market.ground.errors import Malformed, NotFound, NothingToPay
from market.ground.places import Division, Level
from market.people import cards, households
from market.people.accounts import Role, Viewer
from market.people.cards import PayoutCard
from market.people.households import Household


class Hindrance(StrEnum):
    """Why a household that has money in its book is not on the list."""

    BELOW_ZERO = "below_zero"
    """Goods already paid out were refunded: what it sells next settles that first."""
    ON_A_LIST = "on_a_list"
    """All of it is on another list."""
    BELOW_LEAST = "below_least"
    NO_CARD = "no_card"
    CARD_ASKED = "card_asked"
    """Its card waits for a second person."""
    CARD_WAITING = "card_waiting"
    """Its card is confirmed; the waiting day has not passed."""


@dataclass(frozen=True)
class Terms:
    """What list is wanted: of which place, sent how, and from what amount on it is worth sending."""

    division_code: str
    rail: Rail = Rail.TRANSFER
    least_fen: int = 0


class Candidate(NamedTuple):
    """A household with money in its book, or money owed by it."""

    household: Household
    village: str
    payable_fen: int
    """What stands in its book."""
    spoken_for_fen: int
    """What other lists already have of it."""
    card: PayoutCard | None
    """Where the money would go."""
    hindrance: Hindrance | None

    @property
    def available_fen(self) -> int:
        """What could go out now."""
        return self.payable_fen - self.spoken_for_fen


async def candidates(session: AsyncSession, by: Viewer, terms: Terms, *, now: datetime) -> list[Candidate]:
    """Every household of the place that is owed something or owes, village by village.

    Raises NotFound for a place outside this accountant's divisions, Malformed for a way no payout takes.
    """
    check(by, terms)
    return await _candidates(session, terms, now=now)


async def propose(session: AsyncSession, by: Viewer, terms: Terms, *, now: datetime) -> PayoutBatch:
    """Make a list of all that can go out. NotFound and Malformed as for `candidates`, NothingToPay for an empty one.

    Of two at once the second waits for the first and finds its money spoken for.
    """
    check(by, terms)
    held = {one.household.id or 0 for one in await _candidates(session, terms, now=now) if one.hindrance is None}
    await households.lock(session, held)
    # Read anew under the lock: what another list took meanwhile is seen, and nobody takes more until this one is made.
    now_there = await _candidates(session, terms, now=now)
    wanted = [one for one in now_there if one.hindrance is None and one.household.id in held]
    if not wanted:
        raise NothingToPay
    batch = PayoutBatch(division_code=terms.division_code, rail=terms.rail, proposed_at=now, proposed_by=by.id)
    session.add(batch)
    await session.flush()  # its rows name it
    session.add_all(_rows(batch, wanted))
    audit.note(session, by.account_id, "propose_payouts", subject=f"payout_batch:{batch.id}", now=now)
    await session.flush()  # the CHECKs speak now, not at commit
    return batch


def places_of(by: Viewer) -> SelectOfScalar[Division]:
    """Places an accountant may make a list of: their divisions and what is inside, down to the townships."""
    own = by.division_codes(Role.ACCOUNTANT)
    mine = [
        col(Division.code).in_(own),
        *(
            and_(places.within(col(Division.code), code), func.length(col(Division.code)) <= Level.TOWNSHIP)
            for code in own
        ),
    ]
    return select(Division).where(or_(*mine)).order_by(col(Division.code))


def check(by: Viewer, terms: Terms) -> None:
    """Whether this person may ask for such a list. NotFound or Malformed otherwise."""
    if terms.rail not in RAILS:
        raise Malformed("rail", "choose_one", terms.rail)
    if not any(places.is_within(terms.division_code, own) for own in by.division_codes(Role.ACCOUNTANT)):
        raise NotFound("division", terms.division_code)


async def _candidates(session: AsyncSession, terms: Terms, *, now: datetime) -> list[Candidate]:
    stood, taken = payouts.stood(), payouts.spoken_for()
    payable_fen = cast(func.coalesce(stood.c.fen, 0), BigInteger)
    spoken_for_fen = cast(func.coalesce(taken.c.fen, 0), BigInteger)
    found = (
        select(Household, Division.name, payable_fen, spoken_for_fen)
        .join(Division, col(Division.code) == col(Household.division_code))
        .outerjoin(stood, stood.c.household_id == col(Household.id))
        .outerjoin(taken, taken.c.household_id == col(Household.id))
        .where(places.within(col(Household.division_code), terms.division_code))
        .where(or_(payable_fen != 0, spoken_for_fen != 0))
        .order_by(col(Household.division_code), col(Household.number), col(Household.id))
    )
    rows = (await session.exec(found)).all()
    if terms.rail is Rail.CASH:
        return [Candidate(*row, None, _hindrance(terms, *row[2:])) for row in rows]
    usable = {card.household_id: card for card in await session.exec(_here(cards.in_use(now), terms))}
    coming = {card.household_id: card for card in await session.exec(_here(cards.on_their_way(now), terms))}
    return [
        Candidate(*row, usable.get(row[0].id or 0), _hindrance(terms, *row[2:]) or _of_card(row[0], usable, coming))
        for row in rows
    ]


def _hindrance(terms: Terms, payable_fen: int, spoken_for_fen: int) -> Hindrance | None:
    if payable_fen <= 0:
        return Hindrance.BELOW_ZERO
    if payable_fen <= spoken_for_fen:
        return Hindrance.ON_A_LIST
    return Hindrance.BELOW_LEAST if payable_fen - spoken_for_fen < terms.least_fen else None


def _of_card(home: Household, usable: dict[int, PayoutCard], coming: dict[int, PayoutCard]) -> Hindrance | None:
    if home.id in usable:
        return None
    card = coming.get(home.id or 0)
    if card is None:
        return Hindrance.NO_CARD
    return Hindrance.CARD_WAITING if card.confirmed_at else Hindrance.CARD_ASKED


def _here(wanted: SelectOfScalar[PayoutCard], terms: Terms) -> SelectOfScalar[PayoutCard]:
    """Those of the place; of several cards of a household the last one counts."""
    return (
        wanted.join(Household, col(Household.id) == col(PayoutCard.household_id))
        .where(places.within(col(Household.division_code), terms.division_code))
        .order_by(col(PayoutCard.id))
    )


def _rows(batch: PayoutBatch, wanted: list[Candidate]) -> list[Payout]:
    return [
        Payout(
            batch_id=batch.id or 0, household_id=one.household.id or 0, division_code=one.household.division_code,
            rail=batch.rail, card_id=one.card.id if one.card and batch.rail is Rail.TRANSFER else None,
            amount_fen=one.available_fen, proposed_fen=one.available_fen,
        )
        for one in wanted
    ]  # fmt: skip
