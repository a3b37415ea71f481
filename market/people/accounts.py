"""Accounts (logins) and what each may do: a person holds any number of dated grants."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel, col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.ground import audit
from market.ground.db import choice, key_of, new_id, place_code
from market.ground.errors import Malformed, NotFound, PhoneFirst

_MOBILE = re.compile(r"^1[3-9][0-9]{9}$")
_TOKEN_BYTES = 24


class Role(StrEnum):
    """What a grant lets a person be."""

    HOUSEHOLD = "household"
    """Sells for one household."""
    AGENT = "agent"
    """Lists and answers for the households of a station."""
    MEMBER = "member"
    """A civil servant of a work unit."""
    CLERK = "clerk"
    """Buys and collects for a work unit."""
    OFFICER = "officer"
    """Reads what the households of a division sold; sees nothing outside it."""
    ORGANISER = "organiser"
    """Runs selling days of a division and takes cash there."""
    ACCOUNTANT = "accountant"
    """Keeps the money's papers of a division: statements, cash handed in, payouts. Another one approves."""
    ADMINISTRATOR = "administrator"
    """Gives and ends grants of a division; reads no household's books."""


class Account(SQLModel, table=True):
    """A login: one phone number, one person; or, without a number, the door card of one household."""

    __tablename__ = "accounts"

    id: int | None = new_id()
    phone: str | None = Field(default=None, max_length=11, unique=True)
    name: str = Field(max_length=40)
    created_at: datetime


class Grant(SQLModel, table=True):
    """One role of one person, over one household, station, work unit or division, from then until ended."""

    __tablename__ = "grants"
    __table_args__ = (
        CheckConstraint(
            "CASE role WHEN 'household' THEN household_id IS NOT NULL WHEN 'agent' THEN station_id IS NOT NULL "
            "WHEN 'member' THEN work_unit_id IS NOT NULL WHEN 'clerk' THEN work_unit_id IS NOT NULL "
            "ELSE division_code IS NOT NULL END",
            name="over",
        ),
        Index("ix_grants_account_id_live", "account_id", postgresql_where="ended_at IS NULL"),
    )

    id: int | None = new_id()
    account_id: int = key_of("accounts.id")
    role: Role = choice(Role, name="role")
    household_id: int | None = key_of("households.id", default=None, index=True)
    station_id: int | None = key_of("stations.id", default=None)
    work_unit_id: int | None = key_of("work_units.id", default=None)
    division_code: str | None = place_code(references=True, default=None)
    given_at: datetime
    given_by: int | None = key_of("accounts.id", default=None)
    ended_at: datetime | None = None


class ApiToken(SQLModel, table=True):
    """A machine's key to an account; only its hash is kept."""

    __tablename__ = "api_tokens"

    token_hash: str = Field(primary_key=True, max_length=64)
    account_id: int = key_of("accounts.id")
    label: str = Field(default="", max_length=40)
    created_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True)
class Viewer:
    """The person looking, with all they may see. A visitor who has not signed in has no id and no grants."""

    account_id: int | None = None
    name: str = ""
    phone: str = ""
    grants: tuple[Grant, ...] = field(default=())
    by_card: bool = False
    """Whether they came in by a household's door card, which is less than a phone's code."""

    @property
    def signed_in(self) -> bool:
        """Whether we know who this is."""
        return self.account_id is not None

    @property
    def id(self) -> int:
        """The account's id. NotFound for a visitor, who has none."""
        if self.account_id is None:
            raise NotFound("account")
        return self.account_id

    @property
    def roles(self) -> frozenset[Role]:
        """Every role held over anything."""
        return frozenset(grant.role for grant in self.grants)

    def over(self, *roles: Role) -> tuple[Grant, ...]:
        """The grants that carry one of these roles."""
        return tuple(grant for grant in self.grants if grant.role in roles)

    @property
    def household_ids(self) -> list[int]:
        """Households this person sells for as one of them."""
        return [grant.household_id for grant in self.over(Role.HOUSEHOLD) if grant.household_id]

    @property
    def station_ids(self) -> list[int]:
        """Stations this person is an agent of."""
        return [grant.station_id for grant in self.over(Role.AGENT) if grant.station_id]

    def work_unit_ids(self, *roles: Role) -> list[int]:
        """Work units this person belongs to in one of these roles (member or clerk when none is named)."""
        held = self.over(*(roles or (Role.MEMBER, Role.CLERK)))
        return [grant.work_unit_id for grant in held if grant.work_unit_id]

    def division_codes(self, role: Role) -> list[str]:
        """Divisions this person holds the role over."""
        return [grant.division_code for grant in self.over(role) if grant.division_code]


VISITOR = Viewer()


def parse_phone(text: str) -> str:
    """A mainland mobile number as 11 digits, from what a person types (`+86`, spaces, dashes). Malformed otherwise."""
    digits = re.sub(r"[\s\-()]", "", text).removeprefix("+86").removeprefix("0086")
    if not _MOBILE.match(digits):
        raise Malformed("phone", "not_a_mobile_number", text[:20])
    return digits


def mask_phone(phone: str) -> str:
    """`13900000001` as `139****0001`."""
    return f"{phone[:3]}****{phone[-4:]}"


def with_phone(phone: str) -> SelectOfScalar[Account]:
    """The account of a phone number."""
    return select(Account).where(Account.phone == phone)


def must_be_proven(viewer: Viewer, act: str) -> None:
    """PhoneFirst for whoever came in by a door card: cards, logins and money ask for a phone's code."""
    if viewer.by_card:
        raise PhoneFirst(act)


async def names(session: AsyncSession, account_ids: set[int]) -> dict[int, str]:
    """Names of several people by account."""
    found = await session.exec(select(Account.id, Account.name).where(col(Account.id).in_(account_ids)))
    return {account_id: name for account_id, name in found if account_id}


async def viewer_of(session: AsyncSession, account_id: int) -> Viewer:
    """The viewer behind a session; a visitor when the account is gone."""
    return as_viewer((await session.exec(with_grants().where(Account.id == account_id))).all())


async def viewer_of_token(session: AsyncSession, token: str) -> Viewer:
    """The viewer behind an API token; NotFound when it was never given or is revoked."""
    bearer = (
        with_grants()
        .join(ApiToken, col(ApiToken.account_id) == col(Account.id))
        .where(ApiToken.token_hash == hash_of(token), col(ApiToken.revoked_at).is_(None))
    )
    viewer = as_viewer((await session.exec(bearer)).all())
    if not viewer.signed_in:
        raise NotFound("token")
    return viewer


def with_grants() -> Select[Account, Grant | None]:
    """Accounts beside each of their live grants, in one read: every request of a signed-in person begins with it."""
    return (
        select(Account, Grant)
        .outerjoin(Grant, (col(Grant.account_id) == col(Account.id)) & col(Grant.ended_at).is_(None))
        .order_by(col(Grant.id))
    )


def as_viewer(rows: Sequence[tuple[Account, Grant | None]], *, by_card: bool = False) -> Viewer:
    """The person of these rows; a visitor for none."""
    if not rows:
        return VISITOR
    account = rows[0][0]
    grants = tuple(grant for _, grant in rows if grant is not None)
    return Viewer(account.id, account.name, account.phone or "", grants, by_card)


async def phones_of(session: AsyncSession, household_id: int) -> list[str]:
    """Numbers of everybody who sells as this household: where it can be told something."""
    sellers = (
        select(Account.phone)
        .join(Grant, col(Grant.account_id) == col(Account.id))
        .where(Grant.role == Role.HOUSEHOLD, Grant.household_id == household_id, col(Grant.ended_at).is_(None))
        .order_by(col(Account.id))
    )
    return [phone for phone in await session.exec(sellers) if phone]


async def sign_up(session: AsyncSession, *, phone: str, name: str = "", now: datetime) -> Account:
    """The account of this phone, made at its first sign-in. Without grants it is simply a buyer."""
    found = (await session.exec(with_phone(phone))).one_or_none()
    if found is None:
        found = Account(phone=phone, name=name or mask_phone(phone), created_at=now)
        session.add(found)
        await session.flush()  # its id goes into the login session
    return found


async def grant(session: AsyncSession, account: Account, role: Role, *, now: datetime, **over: Any) -> Grant:
    """Give a role over `household_id`, `station_id`, `work_unit_id` or `division_code`; `given_by` says who gave it."""
    given = Grant(account_id=account.id or 0, role=role, given_at=now, **over)
    session.add(given)
    await session.flush()  # the CHECK speaks now, not at commit
    return given


async def end_grant(session: AsyncSession, by: Viewer, grant_id: int, *, now: datetime) -> None:
    """End a grant at once; the row stays as history."""
    ended = await session.exec(
        update(Grant).where(col(Grant.id) == grant_id, col(Grant.ended_at).is_(None)).values(ended_at=now)
    )
    if not getattr(ended, "rowcount", 0):
        raise NotFound("grant", str(grant_id))
    audit.note(session, by.account_id, "end_grant", subject=f"grant:{grant_id}", now=now)


async def new_token(session: AsyncSession, account: Account, *, label: str = "", now: datetime) -> str:
    """A fresh API token. It is shown once: only its hash stays."""
    token = "yg_" + secrets.token_urlsafe(_TOKEN_BYTES)
    session.add(ApiToken(token_hash=hash_of(token), account_id=account.id or 0, label=label, created_at=now))
    return token


def hash_of(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
