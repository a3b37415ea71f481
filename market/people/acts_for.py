"""代办: every act of an agent for a household, and what the household says to it.

The acts themselves write here, in their own transaction, whoever does them: what a household does itself leaves no row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel, col, false, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.ground import audit, places
from market.ground.clock import day_of
from market.ground.db import choice, key_of, new_id
from market.ground.errors import Malformed, NotAllowed, NotFound, SamePerson
from market.people import households
from market.people.accounts import Account, Role, Viewer
from market.people.heard import Heard, Word
from market.people.households import Household

_MOST_WHY = 200


class HouseholdWord(SQLModel, table=True):
    """What a household said to one act or several: yes or no, when, and how it was heard."""

    __tablename__ = "household_words"
    __table_args__ = (
        CheckConstraint("heard <> 'call' OR number_end ~ '^[0-9]{4}$'", name="call"),
        CheckConstraint("heard <> 'sheet' OR sheet <> ''", name="sheet"),
        CheckConstraint("num_nulls(settled_at, settled_by) IN (0, 2)", name="settled"),
        CheckConstraint("NOT agreed OR settled_at IS NULL", name="nothing_to_settle"),
        Index("ix_household_words_objections", "household_id", postgresql_where="NOT agreed AND settled_at IS NULL"),
    )

    id: int | None = new_id()
    household_id: int = key_of("households.id", index=True)
    at: datetime
    account_id: int = key_of("accounts.id")
    """Who wrote it down: the household's own login, or whoever heard it."""
    agreed: bool
    said_on: date
    heard: Heard = choice(Heard, name="heard")
    spoken_to: str = Field(default="", max_length=40)
    """Who of the household said it, when it was not said on its own phone."""
    number_end: str = Field(default="", max_length=4)
    sheet: str = Field(default="", max_length=20)
    photo: str | None = Field(default=None, max_length=64)
    """Content hash of the sheet's photo."""
    note: str = Field(default="", max_length=_MOST_WHY)
    settled_at: datetime | None = None
    settled_by: int | None = key_of("accounts.id", default=None)
    settled_note: str = Field(default="", max_length=_MOST_WHY)
    """What an officer found out about a no, for the household and the station to read."""


class ActFor(SQLModel, table=True):
    """One act of an agent for a household. Only the word to it is added later."""

    __tablename__ = "acts_for"
    __table_args__ = (
        Index("ix_acts_for_household_id_id", "household_id", "id"),
        Index("ix_acts_for_open", "household_id", postgresql_where="word_id IS NULL"),
    )

    id: int | None = new_id()
    at: datetime
    account_id: int = key_of("accounts.id", index=True)
    household_id: int = key_of("households.id")
    act: str = Field(max_length=40)
    subject: str = Field(default="", max_length=80)
    """Upon what: `listing:12`, `cost:3`."""
    note: str = Field(default="", max_length=200)
    word_id: int | None = key_of("household_words.id", default=None, index=True)
    """What the household says to it; none yet."""


@dataclass(frozen=True)
class Said:
    """A household's word as somebody writes it down."""

    word: Word
    agreed: bool = True
    said_on: date | None = None
    """None: today."""
    spoken_to: str = ""
    photo: str | None = None
    note: str = ""

    def check(self, *, on: date) -> None:
        """Malformed for what could not be followed up: nobody's name, no photo of a sheet, a day to come."""
        self.word.check()
        if self.word.heard is not Heard.OWN and not self.spoken_to.strip():
            raise Malformed("spoken_to", "missing")
        if self.word.heard is Heard.SHEET and self.photo is None:
            raise Malformed("sheet_photo", "missing")
        if self.said_on is not None and self.said_on > on:
            raise Malformed("said_on", "in_future", self.said_on.isoformat())


OWN = Word(Heard.OWN)


def of_household(household_id: int) -> Select[ActFor, Account, HouseholdWord | None]:
    """What was done for a household, by whom, and what it said to it; the newest first."""
    return (
        select(ActFor, Account, HouseholdWord)
        .join(Account, col(Account.id) == col(ActFor.account_id))
        .outerjoin(HouseholdWord, col(HouseholdWord.id) == col(ActFor.word_id))
        .where(ActFor.household_id == household_id)
        .order_by(col(ActFor.id).desc())
    )


async def open_count(session: AsyncSession, household_id: int) -> int:
    """How many acts for a household it has said nothing to."""
    waiting = select(func.count()).where(ActFor.household_id == household_id, col(ActFor.word_id).is_(None))
    return int((await session.exec(waiting)).one())


async def just_done(session: AsyncSession, by: Viewer, household_id: int, *, now: datetime) -> list[int]:
    """The acts this person did for a household in this very moment, so that a word heard before them is theirs."""
    await session.flush()  # the acts get their ids
    mine = select(ActFor.id).where(
        ActFor.household_id == household_id, ActFor.account_id == by.id, ActFor.at == now, col(ActFor.word_id).is_(None)
    )
    return [act_id for act_id in await session.exec(mine) if act_id]


def objected_in(viewer: Viewer) -> SelectOfScalar[HouseholdWord]:
    """Every no that stands, of households in an officer's divisions."""
    inside = [places.within(col(Household.division_code), code) for code in viewer.division_codes(Role.OFFICER)]
    theirs = select(Household.id).where(or_(*inside) if inside else false())
    stands = select(ActFor.id).where(col(ActFor.word_id) == col(HouseholdWord.id)).exists()
    return select(HouseholdWord).where(
        col(HouseholdWord.agreed).is_(False), stands, col(HouseholdWord.household_id).in_(theirs)
    )


def is_for_another(by: Viewer, household_id: int) -> bool:
    """Whether this person, allowed to act for the household, does so as an agent and not as one of it."""
    return household_id not in by.household_ids and bool(by.station_ids)


def note(
    session: AsyncSession, by: Viewer, household_id: int, act: str, *, now: datetime, subject: str = "", note: str = ""
) -> ActFor | None:  # fmt: skip
    """Leave the trace of an act for a household, and its row here when an agent did it: both exist if the act does."""
    audit.note(session, by.account_id, act, household_id=household_id, subject=subject, note=note, now=now)
    if not is_for_another(by, household_id):
        return None
    done = ActFor(
        at=now, account_id=by.id, household_id=household_id, act=act, subject=subject, note=note[:200]
    )  # fmt: skip
    session.add(done)
    return done


async def note_heard(
    session: AsyncSession, by: Viewer, household_id: int, act: str, word: Word, *, subject: str, now: datetime
) -> None:  # fmt: skip
    """The same for an act that begins with the household's yes: it is asked before, so nothing is asked after."""
    said = " ".join(filter(None, [word.heard, word.number_end, word.sheet]))
    done = note(session, by, household_id, act, subject=subject, note=said, now=now)
    if done is None:
        return
    heard = HouseholdWord(
        household_id=household_id, at=now, account_id=by.id, agreed=True, said_on=day_of(now), heard=word.heard,
        number_end=word.number_end, sheet=word.sheet,
    )  # fmt: skip
    session.add(heard)
    await session.flush()  # the act names it
    done.word_id = heard.id


async def answer(
    session: AsyncSession, by: Viewer, household_id: int, act_ids: Sequence[int], said: Said, *, now: datetime
) -> HouseholdWord | None:
    """Write down what a household says to these acts. The same again changes nothing, and None comes back.

    The household itself may say no after a yes that somebody else wrote down. NotFound for acts of another household,
    NotAllowed for a household's word that is not its own, SamePerson for whoever did the act.
    """
    said.check(on=day_of(now))
    await households.seller(session, by, household_id)
    is_own = household_id in by.household_ids
    if is_own is not (said.word.heard is Heard.OWN):
        raise NotAllowed("speak_for_household")
    acts = await _locked(session, household_id, act_ids)
    if is_own and any(act.account_id == by.id for act in acts):
        raise SamePerson("agree_to_own_act")
    waiting = [act for act in acts if await _is_open_to(session, act, said)]
    if not waiting:
        return None
    word = HouseholdWord(
        household_id=household_id, at=now, account_id=by.id, agreed=said.agreed, said_on=said.said_on or day_of(now),
        heard=said.word.heard, spoken_to=said.spoken_to.strip()[:40], number_end=said.word.number_end,
        sheet=said.word.sheet[:20], photo=said.photo, note=said.note.strip()[:_MOST_WHY],
    )  # fmt: skip
    session.add(word)
    await session.flush()  # the acts name it
    for act in waiting:
        act.word_id = word.id
    kind = "agree_to_acts" if said.agreed else "object_to_acts"
    audit.note(
        session, by.account_id, kind, household_id=household_id, subject=f"household_word:{word.id}",
        note=f"{said.word.heard} {len(waiting)}", now=now,
    )  # fmt: skip
    return word


async def settle(session: AsyncSession, officer: Viewer, word_id: int, *, found: str, now: datetime) -> HouseholdWord:
    """An officer looked into a no and says what came of it. A second time changes nothing. NotFound elsewhere."""
    locked = objected_in(officer).where(HouseholdWord.id == word_id).with_for_update(key_share=True)
    word = (await session.exec(locked.execution_options(populate_existing=True))).one_or_none()
    if word is None:
        raise NotFound("household_word", str(word_id))
    if not found.strip():
        raise Malformed("found", "missing")
    if word.settled_at is None:
        word.settled_at, word.settled_by, word.settled_note = now, officer.id, found.strip()[:_MOST_WHY]
        subject = f"household_word:{word.id}"
        audit.note(
            session, officer.account_id, "settle_objection", household_id=word.household_id, subject=subject,
            note=found, now=now,
        )  # fmt: skip
    return word


async def _locked(session: AsyncSession, household_id: int, act_ids: Sequence[int]) -> Sequence[ActFor]:
    wanted = sorted(set(act_ids))
    held = select(ActFor).where(col(ActFor.id).in_(wanted), ActFor.household_id == household_id)
    held = held.order_by(col(ActFor.id)).with_for_update(key_share=True).execution_options(populate_existing=True)
    acts = (await session.exec(held)).all()
    if not wanted or len(acts) != len(wanted):
        raise NotFound("act_for", ",".join(map(str, wanted))[:60])
    return acts


async def _is_open_to(session: AsyncSession, act: ActFor, said: Said) -> bool:
    """Whether this word is news: the first one, or the household's own after one that only was written down."""
    if act.word_id is None:
        return True
    if said.word.heard is not Heard.OWN:
        return False
    earlier = await session.get_one(HouseholdWord, act.word_id)
    return earlier.heard is not Heard.OWN or earlier.agreed is not said.agreed
