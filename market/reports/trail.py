"""What agents did for households, with the thing it was done to: for the household, the station and the officer."""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods.listings import Listing
from market.ground.errors import NotFound
from market.ground.places import Division
from market.people import accounts, acts_for
from market.people.accounts import Viewer
from market.people.acts_for import ActFor, HouseholdWord
from market.people.households import Household
from market.trade.orders import OrderLine

PAGE = 30
_SUBJECT = re.compile(r"^(listing|order_line):([0-9]+)$")


class Done(NamedTuple):
    """One act, who did it, what the household says, and the listing or line it was about."""

    act: ActFor
    agent: str
    word: HouseholdWord | None
    thing: Listing | OrderLine | None


class Objection(NamedTuple):
    """A household's no, to which acts, and who looked into it."""

    word: HouseholdWord
    household: Household
    village: str
    acts: list[Done]
    settled_by: str


async def of_household(
    session: AsyncSession, household_id: int, *, only_open: bool = False, offset: int = 0
) -> list[Done]:
    """Acts for a household, the newest first; one more than a page when there are more."""
    query = acts_for.of_household(household_id).offset(offset).limit(PAGE + 1)
    if only_open:
        query = query.where(col(ActFor.word_id).is_(None))
    rows = (await session.exec(query)).all()
    things = await _things(session, [act for act, _account, _word in rows])
    return [Done(act, account.name, word, things.get(act.subject)) for act, account, word in rows]


async def one(session: AsyncSession, household_id: int, act_id: int) -> Done:
    """One act for this household. NotFound for any other."""
    row = (await session.exec(acts_for.of_household(household_id).where(ActFor.id == act_id))).one_or_none()
    if row is None:
        raise NotFound("act_for", str(act_id))
    act, account, word = row
    return Done(act, account.name, word, (await _things(session, [act])).get(act.subject))


async def objections(
    session: AsyncSession, officer: Viewer, *, settled: bool = False, offset: int = 0
) -> list[Objection]:
    """Every no in an officer's divisions that waits to be looked into, the oldest first; or those that were."""
    state = col(HouseholdWord.settled_at).is_not(None) if settled else col(HouseholdWord.settled_at).is_(None)
    order = col(HouseholdWord.settled_at).desc() if settled else col(HouseholdWord.id)
    query = acts_for.objected_in(officer).where(state).order_by(order).offset(offset).limit(PAGE + 1)
    words = (await session.exec(query)).all()
    done = await _of_words(session, [word.id or 0 for word in words])
    homes = await _homes(session, {word.household_id for word in words})
    people = await accounts.names(session, {word.settled_by for word in words if word.settled_by})
    return [
        Objection(word, *homes[word.household_id], done.get(word.id or 0, []), people.get(word.settled_by or 0, ""))
        for word in words
    ]


async def _of_words(session: AsyncSession, word_ids: Sequence[int]) -> dict[int, list[Done]]:
    query = (
        select(ActFor, accounts.Account.name, HouseholdWord)
        .join(accounts.Account, col(accounts.Account.id) == col(ActFor.account_id))
        .join(HouseholdWord, col(HouseholdWord.id) == col(ActFor.word_id))
        .where(col(ActFor.word_id).in_(word_ids))
        .order_by(col(ActFor.id))
    )
    rows = (await session.exec(query)).all()
    things = await _things(session, [act for act, _name, _word in rows])
    found: dict[int, list[Done]] = {}
    for act, name, word in rows:
        found.setdefault(word.id or 0, []).append(Done(act, name, word, things.get(act.subject)))
    return found


async def _homes(session: AsyncSession, household_ids: set[int]) -> dict[int, tuple[Household, str]]:
    query = (
        select(Household, Division.name)
        .join(Division, col(Division.code) == col(Household.division_code))
        .where(col(Household.id).in_(household_ids))
    )
    return {home.id or 0: (home, village) for home, village in await session.exec(query)}


async def _things(session: AsyncSession, acts: Iterable[ActFor]) -> dict[str, Listing | OrderLine]:
    """The listings and lines these acts were about, by the acts' own name for them."""
    ids: dict[str, set[int]] = {"listing": set(), "order_line": set()}
    for act in acts:
        if match := _SUBJECT.match(act.subject):
            ids[match[1]].add(int(match[2]))
    listings = await session.exec(select(Listing).where(col(Listing.id).in_(ids["listing"])))
    lines = await session.exec(select(OrderLine).where(col(OrderLine.id).in_(ids["order_line"])))
    return {f"listing:{one.id}": one for one in listings} | {f"order_line:{one.id}": one for one in lines}
