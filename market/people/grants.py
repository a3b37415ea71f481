"""Giving and ending roles: an administrator does both inside their own division, and nowhere else."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.ground import audit
from market.ground.errors import NotAllowed, NotFound
from market.ground.places import Division
from market.people import accounts, precincts, registers, stations, units
from market.people.accounts import Account, Grant, Role, Viewer
from market.people.households import Household
from market.people.stations import Station
from market.people.units import WorkUnit

_OVER_DIVISION = (Role.OFFICER, Role.ORGANISER, Role.ACCOUNTANT, Role.ADMINISTRATOR)


@dataclass(frozen=True)
class Choice:
    """A role over something the administrator may give: `agent:station_id:3`."""

    role: Role
    field: str
    value: int | str
    name: str

    @property
    def key(self) -> str:
        """The choice as a form carries it."""
        return f"{self.role}:{self.value}"


class Held(NamedTuple):
    """A grant as a list shows it."""

    grant: Grant
    account: Account
    over: str


async def held(session: AsyncSession, viewer: Viewer, *, q: str, offset: int, limit: int) -> list[Held]:
    """Live grants inside the administrator's division, by name."""
    found = _held(viewer).order_by(col(Grant.role), col(Account.name), col(Grant.id)).offset(offset).limit(limit)
    if q:
        found = found.where(or_(col(Account.name).contains(q, autoescape=True), col(Account.phone) == q))
    return [Held(grant, account, over or "") for grant, account, over in await session.exec(found)]


async def choices(session: AsyncSession, viewer: Viewer) -> list[Choice]:
    """Every role the administrator may give over a station, a work unit or a place down to the township.

    A county has thousands of households: their logins are given one household at a time, by `give_login`.
    """
    found = [
        Choice(Role.AGENT, "station_id", station.id or 0, station.name)
        for station in await session.exec(stations.governed_by(viewer))
    ]
    for unit in await session.exec(units.governed_by(viewer)):
        found += [Choice(role, "work_unit_id", unit.id or 0, unit.name) for role in (Role.CLERK, Role.MEMBER)]
    for division in await precincts.divisions(session, viewer):
        found += [Choice(role, "division_code", division.code, division.name) for role in _OVER_DIVISION]
    return sorted(found, key=lambda choice: (list(Role).index(choice.role), choice.name))


async def give(session: AsyncSession, by: Viewer, choice: Choice, *, phone: str, name: str, now: datetime) -> Grant:
    """Give the role to this phone's account, made if there is none; twice is once. NotAllowed outside the division."""
    if choice not in await choices(session, by):
        raise NotAllowed("give_role")
    return await _give(session, by, choice, phone=phone, name=name, now=now)


async def give_login(
    session: AsyncSession, by: Viewer, household_id: int, *, phone: str, name: str, now: datetime
) -> Grant:
    """Let this phone's account sell for one household; twice is once. NotFound for one outside the divisions."""
    home = await registers.entered(session, by, household_id)
    choice = Choice(Role.HOUSEHOLD, "household_id", household_id, home.head_name)
    return await _give(session, by, choice, phone=phone, name=name, now=now)


async def logins(session: AsyncSession, viewer: Viewer, household_id: int) -> list[Held]:
    """Who may sell as this household now, the first first."""
    found = await session.exec(_held(viewer).where(Grant.household_id == household_id).order_by(col(Grant.id)))
    return [Held(grant, account, over or "") for grant, account, over in found]


async def end_login(session: AsyncSession, by: Viewer, household_id: int, grant_id: int, *, now: datetime) -> None:
    """End one login of a household at once. NotFound when it is not one of this household's."""
    if grant_id not in {held.grant.id for held in await logins(session, by, household_id)}:
        raise NotFound("grant", str(grant_id))
    await accounts.end_grant(session, by, grant_id, now=now)


async def end(session: AsyncSession, by: Viewer, grant_id: int, *, now: datetime) -> None:
    """End a grant at once. NotFound outside the division, NotAllowed for the administrator's own last one."""
    if not (await session.exec(_held(by).where(Grant.id == grant_id))).first():
        raise NotFound("grant", str(grant_id))
    if any(own.id == grant_id and own.role is Role.ADMINISTRATOR for own in by.grants):
        raise NotAllowed("end_own_role")
    await accounts.end_grant(session, by, grant_id, now=now)


async def _give(session: AsyncSession, by: Viewer, choice: Choice, *, phone: str, name: str, now: datetime) -> Grant:
    account = await accounts.sign_up(session, phone=phone, name=name, now=now)
    # The same form sent twice at once: the second waits here and finds the first one's grant.
    await session.exec(select(Account.id).where(Account.id == account.id).with_for_update(key_share=True))
    same = select(Grant).where(
        Grant.account_id == account.id,
        Grant.role == choice.role,
        col(getattr(Grant, choice.field)) == choice.value,
        col(Grant.ended_at).is_(None),
    )
    existing = (await session.exec(same)).first()
    if existing is not None:
        return existing
    over: dict[str, Any] = {choice.field: choice.value, "given_by": by.account_id}
    home = int(choice.value) if choice.role is Role.HOUSEHOLD else None
    audit.note(session, by.account_id, "give_role", household_id=home, subject=choice.key, note=phone, now=now)
    return await accounts.grant(session, account, choice.role, now=now, **over)


def _held(viewer: Viewer) -> Select[Grant, Account, Any]:
    place = func.coalesce(
        col(Grant.division_code), col(Household.division_code), col(Station.division_code), col(WorkUnit.division_code)
    )
    named = func.coalesce(col(Household.head_name), col(Station.name), col(WorkUnit.name), col(Division.name))
    return (
        select(Grant, Account, named)
        .join(Account, col(Account.id) == col(Grant.account_id))
        .outerjoin(Household, col(Household.id) == col(Grant.household_id))
        .outerjoin(Station, col(Station.id) == col(Grant.station_id))
        .outerjoin(WorkUnit, col(WorkUnit.id) == col(Grant.work_unit_id))
        .outerjoin(Division, col(Division.code) == col(Grant.division_code))
        # A login without a number belongs to a door card, which has pages of its own.
        .where(col(Grant.ended_at).is_(None), col(Account.phone).is_not(None), precincts.inside(viewer, place))
    )
