"""Payees of record: whose bank account the transfers of a county go to. The market itself never holds any money.

One person enters a payee, another one looks at the bank's paper and confirms it: whoever could change the account alone
could have every buyer pay into their own.
"""

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import CheckConstraint, ColumnElement, Index, text
from sqlmodel import Field, SQLModel, col, false, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import audit, places
from market.ground.db import key_of, new_id, place_code
from market.ground.errors import Malformed, NotAllowed, NotFound, NotMovable
from market.ground.places import Level
from market.people import precincts
from market.people.accounts import Role, Viewer

_ACCOUNT_NO = re.compile(r"^[0-9]{8,34}$")


class Payee(SQLModel, table=True):
    """收款账户: whom buyers of a county transfer to, from confirmed until closed. Rows stay as history."""

    __tablename__ = "payees"
    __table_args__ = (
        Index(
            "uq_payees_open",
            "county_code",
            unique=True,
            postgresql_where=text("confirmed_at IS NOT NULL AND closed_at IS NULL"),
        ),
        Index(
            "uq_payees_waiting",
            "county_code",
            unique=True,
            postgresql_where=text("confirmed_at IS NULL AND closed_at IS NULL"),
        ),
        CheckConstraint("confirmed_by <> entered_by", name="two_people"),
        CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name="confirmed"),
    )

    id: int | None = new_id()
    county_code: str = place_code(references=True)
    name: str = Field(max_length=80)
    """户名."""
    bank: str = Field(max_length=80)
    """开户行."""
    account_no: str = Field(max_length=34)
    entered_at: datetime
    entered_by: int | None = key_of("accounts.id", default=None)
    confirmed_at: datetime | None = None
    confirmed_by: int | None = key_of("accounts.id", default=None)
    closed_at: datetime | None = None
    closed_by: int | None = key_of("accounts.id", default=None)

    @property
    def is_open(self) -> bool:
        """Whether buyers are shown it now."""
        return self.confirmed_at is not None and self.closed_at is None

    @property
    def is_waiting(self) -> bool:
        """Whether it was entered and nobody else has looked at it yet."""
        return self.confirmed_at is None and self.closed_at is None


@dataclass(frozen=True)
class Details:
    """What a bank's paper says of an account."""

    name: str
    bank: str
    account_no: str


def visible_to(viewer: Viewer) -> SelectOfScalar[Payee]:
    """The payees of an accountant's counties, closed ones too; the newest first."""
    return select(Payee).where(_within(viewer)).order_by(col(Payee.id).desc())


def governed_by(viewer: Viewer) -> SelectOfScalar[Payee]:
    """The payees of an administrator's counties, the newest first."""
    return select(Payee).where(precincts.inside(viewer, col(Payee.county_code))).order_by(col(Payee.id).desc())


async def open_in(session: AsyncSession, county_code: str) -> Payee | None:
    """Whom buyers of a county transfer to now; nobody where transfers are not offered."""
    found = select(Payee).where(
        Payee.county_code == county_code, col(Payee.confirmed_at).is_not(None), col(Payee.closed_at).is_(None)
    )
    return (await session.exec(found)).one_or_none()


async def seen_by(session: AsyncSession, viewer: Viewer, payee_id: int) -> Payee:
    """A payee of an accountant's counties; NotFound for any other."""
    found = (await session.exec(visible_to(viewer).where(Payee.id == payee_id))).one_or_none()
    if found is None:
        raise NotFound("payee", str(payee_id))
    return found


async def enter(session: AsyncSession, by: Viewer, county_code: str, details: Details, *, now: datetime) -> Payee:
    """An administrator enters a county's payee; it holds once an accountant has confirmed it. An earlier wait ends.

    Raises NotFound outside the divisions, Malformed (`not_an_account`, or `same` as the one that holds).
    """
    if len(county_code) != Level.COUNTY:
        raise NotFound("division", county_code)
    await precincts.claim(session, by, county_code)
    account_no = re.sub(r"[\s-]", "", details.account_no)
    if not _ACCOUNT_NO.match(account_no):
        raise Malformed("account_no", "not_an_account", details.account_no)
    details = Details(details.name.strip(), details.bank.strip(), account_no)
    for known in await _current(session, county_code):
        if Details(known.name, known.bank, known.account_no) == details:
            raise Malformed("account_no", "same", account_no)
        if known.is_waiting:
            known.closed_at, known.closed_by = now, by.account_id
    await session.flush()  # of each kind there is one: the earlier wait has ended before the new one begins
    payee = Payee(county_code=county_code, **asdict(details), entered_at=now, entered_by=by.account_id)
    session.add(payee)
    await session.flush()  # the trace names its id
    _note(session, by, "enter_payee", payee, now)
    return payee


async def confirm(session: AsyncSession, by: Viewer, payee_id: int, *, now: datetime) -> Payee:
    """Another person, an accountant, has compared it with the bank's paper: from now on buyers are shown it.

    Raises NotFound outside the counties, NotAllowed for whoever entered it, NotMovable when it no longer waits.
    """
    payee = await seen_by(session, by, payee_id)
    current = await _current(session, payee.county_code)
    if payee not in current:
        raise NotMovable("payee", "closed", "confirm")
    if payee.is_open:
        return payee
    if payee.entered_by == by.account_id:
        raise NotAllowed("confirm_own_payee")
    for earlier in current:
        if earlier.is_open:
            earlier.closed_at, earlier.closed_by = now, by.account_id
    await session.flush()  # one is open at a time
    payee.confirmed_at, payee.confirmed_by = now, by.account_id
    _note(session, by, "confirm_payee", payee, now)
    return payee


async def turn_down(session: AsyncSession, by: Viewer, payee_id: int, *, now: datetime) -> Payee:
    """An accountant does not confirm it: it never holds. Twice is once."""
    payee = await seen_by(session, by, payee_id)
    await _current(session, payee.county_code)
    if payee.is_open:
        raise NotMovable("payee", "open", "turn_down")
    return _closed(session, by, payee, "turn_down_payee", now)


async def close(session: AsyncSession, by: Viewer, payee_id: int, *, now: datetime) -> Payee:
    """An administrator closes a payee: until the next one holds, transfers are not offered. Twice is once."""
    payee = (await session.exec(governed_by(by).where(Payee.id == payee_id))).one_or_none()
    if payee is None:
        raise NotFound("payee", str(payee_id))
    await _current(session, payee.county_code)
    return _closed(session, by, payee, "close_payee", now)


async def lock(session: AsyncSession, payee_id: int) -> Payee:
    """A payee, held until the transaction ends: its statements are taken one at a time."""
    held = select(Payee).where(Payee.id == payee_id).with_for_update(key_share=True)
    return (await session.exec(held.execution_options(populate_existing=True))).one()


def _closed(session: AsyncSession, by: Viewer, payee: Payee, act: str, now: datetime) -> Payee:
    if payee.closed_at is None:
        payee.closed_at, payee.closed_by = now, by.account_id
        _note(session, by, act, payee, now)
    return payee


async def _current(session: AsyncSession, county_code: str) -> list[Payee]:
    """A county's payee that holds and the one that waits, held until the transaction ends."""
    found = (
        select(Payee)
        .where(Payee.county_code == county_code, col(Payee.closed_at).is_(None))
        .order_by(col(Payee.id))
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return list(await session.exec(found))


def _within(viewer: Viewer) -> ColumnElement[bool]:
    own = [places.within(col(Payee.county_code), code) for code in viewer.division_codes(Role.ACCOUNTANT)]
    return or_(*own) if own else false()


def _note(session: AsyncSession, by: Viewer, act: str, payee: Payee, now: datetime) -> None:
    said = f"{payee.name} {payee.bank} {payee.account_no}"
    audit.note(session, by.account_id, act, subject=f"payee:{payee.id}", note=said, now=now)
