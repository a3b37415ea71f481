"""The invented people: households with their standing, stations, work units, stops, and everybody who signs in."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import product
from random import Random
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery.stops import Stop
from market.ground.clock import day_of
from market.people.accounts import Account, Grant, Role, Viewer
from market.people.consent import Consent, Purpose
from market.people.households import Household, HouseholdStanding, default_display_name
from market.people.stations import Station
from market.people.units import WorkUnit
from storefront.local.world.logins import world

VILLAGE = "141102006201"
_LARGEST = 7
_SURNAMES = "梁王李张刘高任薛冯雒成侯"
_GIVEN = (
    "南瓜", "小米", "核桃", "红薯", "土豆", "玉米", "荞麦", "莜麦", "谷穗", "红枣", "山杏", "沙棘",
    "香梨", "苹果", "樱桃", "白菜", "豆角", "黄豆", "绿豆", "蜂蜜", "花椒", "胡麻", "牡丹", "葵花",
)  # fmt: skip
_LEFT_POVERTY_ON = date(2018, 12, 31)
_MONITORED_ON = date(2024, 3, 1)
_SELLING_PLACES = {VILLAGE: (33, 3)}
"""Households that sell, of those that count and of the others; elsewhere two and one."""


@dataclass
class Person:
    """A buyer: who, for which work unit, and whether as its clerk."""

    viewer: Viewer
    work_unit_id: int
    is_clerk: bool


@dataclass
class Cast:
    """Everybody who acts in the demo world."""

    sellers: list[Household] = field(default_factory=list)
    seller_viewers: dict[int, Viewer] = field(default_factory=dict)
    """Who lists for a household: itself, or its station's agent."""
    buyers: list[Person] = field(default_factory=list)
    stops: dict[int, Stop] = field(default_factory=dict)
    """Where each work unit collects."""
    clerks: dict[int, int] = field(default_factory=dict)
    """Account of each work unit that takes the cash of its orders."""
    officer: int = 0
    """Account that decides refunds."""
    accountants: list[Viewer] = field(default_factory=list)
    """The first gets the clerks' cash and proposes payouts, the second approves them."""
    administrators: list[Viewer] = field(default_factory=list)

    @property
    def accountant(self) -> int:
        """Account of the first of them."""
        return self.accountants[0].id

    @property
    def both_accountants(self) -> tuple[int, int]:
        """Their accounts."""
        return self.accountants[0].id, self.accountants[1].id


async def bring(session: AsyncSession, rng: Random, *, now: datetime) -> Cast:
    """Write everybody."""
    joined = now - timedelta(days=400)
    stations = {
        s["key"]: Station(name=s["name"], division_code=s["division"], phone=s["phone"]) for s in world()["stations"]
    }
    units = {
        u["key"]: WorkUnit(name=u["name"], short_name=u["short_name"], division_code=u["division"])
        for u in world()["work_units"]
    }
    session.add_all([*stations.values(), *units.values()])
    await session.flush()  # what follows refers to them
    homes = _homes(rng, stations, joined)
    stops = [_stop(described, units) for described in world()["stops"]]
    session.add_all([*(home for home, _standing in homes), *stops])
    await session.flush()  # their standings and grants need the ids
    _stand(session, homes)
    cast = Cast(sellers=_sellers(homes))
    cast.stops = {unit.id or 0: _stop_of(unit, stops) for unit in units.values()}
    _agree(session, cast.sellers, day_of(joined))
    await _sign_up(session, cast, stations, units, joined)
    return cast


def _homes(rng: Random, stations: dict[str, Station], joined: datetime) -> list[tuple[Household, str]]:
    """Every household with its standing, in the order of their numbers."""
    names = [surname + given for given, surname in product(_GIVEN, _SURNAMES)]
    rng.shuffle(names)
    homes = []
    for code, size in world()["villages"].items():
        counted = [kind for kind in ("exited", "unstable", "marginal", "sudden") for _ in range(size[kind])]
        standings = counted + ["ordinary"] * (size["households"] - len(counted))
        rng.shuffle(standings)
        for at, (standing, people) in enumerate(zip(standings, _people(rng, size), strict=True), start=1):
            name = names.pop(0)
            home = Household(
                number=f"{code}{at:04d}", head_name=name, display_name=default_display_name(name), people_count=people,
                division_code=code, station_id=_station_of(code, stations), joined_at=joined,
            )  # fmt: skip
            homes.append((home, standing))
    coop = world()["coop"]
    home = Household(
        number=coop["number"], head_name=coop["name"], display_name=coop["name"], people_count=5,
        division_code=coop["village"], station_id=_station_of(coop["village"], stations), joined_at=joined,
    )  # fmt: skip
    return [*homes, (home, "coop")]


def _people(rng: Random, size: dict[str, int]) -> list[int]:
    """Head counts that sum to the village's people."""
    counts = [1] * size["households"]
    for _ in range(size["people"] - size["households"]):
        counts[rng.choice([at for at, count in enumerate(counts) if count < _LARGEST])] += 1
    return counts


def _station_of(code: str, stations: dict[str, Station]) -> int | None:
    over = [station for station in stations.values() if code.startswith(station.division_code)]
    return max(over, key=lambda station: len(station.division_code)).id if over else None


def _stop(described: dict[str, Any], units: dict[str, WorkUnit]) -> Stop:
    unit = units.get(described.get("work_unit", ""))
    return Stop(
        name=described["name"], address=described["address"], division_code=described["division"],
        work_unit_id=unit.id if unit else None, cutoff_weekday=2, cutoff_time=time(12), handover_weekday=4,
        handover_from=described["from"], handover_to=described["to"],
    )  # fmt: skip


def _stop_of(unit: WorkUnit, stops: list[Stop]) -> Stop:
    return next((stop for stop in stops if stop.work_unit_id == unit.id), stops[0])


def _stand(session: AsyncSession, homes: list[tuple[Household, str]]) -> None:
    """Give everybody their standing. Those that came under watch again were out of poverty before."""
    for home, standing in homes:
        since = _LEFT_POVERTY_ON
        if standing == "unstable":
            session.add(_standing(home, "exited", since, _MONITORED_ON))
            since = _MONITORED_ON
        elif standing in ("marginal", "sudden"):
            session.add(_standing(home, "ordinary", since, _MONITORED_ON))
            since = _MONITORED_ON
        session.add(_standing(home, standing, since, None))


def _standing(home: Household, code: str, from_on: date, to_on: date | None) -> HouseholdStanding:
    return HouseholdStanding(household_id=home.id or 0, standing_code=code, from_on=from_on, to_on=to_on)


def _sellers(homes: list[tuple[Household, str]]) -> list[Household]:
    """Who sells: half of those that count, a few others, and the co-operative."""
    left: dict[tuple[str, bool], int] = {}
    sellers: list[tuple[bool, Household]] = []
    for home, standing in homes:
        counts = standing not in ("ordinary", "coop")
        place = (home.division_code, counts)
        most = _SELLING_PLACES.get(home.division_code, (2, 1))[not counts]
        left[place] = left.get(place, 0) + 1
        if left[place] <= most or standing == "coop":
            sellers.append((home.division_code != VILLAGE or not counts, home))
    return [home for _last, home in sorted(sellers, key=lambda seller: seller[0])]


def _agree(session: AsyncSession, sellers: list[Household], on: date) -> None:
    """Two of three sellers let buyers see their name; a co-operative trades under its own."""
    for at, home in enumerate(sellers):
        if at % 3 or home.display_name == home.head_name:
            session.add(Consent(household_id=home.id or 0, purpose=Purpose.NAME, given_on=on))
            home.display_name = home.head_name


async def _sign_up(
    session: AsyncSession, cast: Cast, stations: dict[str, Station], units: dict[str, WorkUnit], at: datetime
) -> None:
    given = [
        *(_login(described, cast, stations, units, at) for described in world()["logins"]),
        *_villagers(cast, at),
        *_staff(units, at),
    ]
    session.add_all(account for account, _held in given)
    await session.flush()  # grants need the ids
    for account, held in given:
        held.account_id = account.id or 0
    session.add_all(held for _who, held in given)
    await session.flush()  # acts that follow are done in their name
    _remember(cast, given)


def _villagers(cast: Cast, at: datetime) -> Iterator[tuple[Account, Grant]]:
    """Sellers who sign in themselves: every fourth of the village has no telephone, and the agent lists for it."""
    for number, home in enumerate(cast.sellers[2:]):
        if home.division_code != VILLAGE or number % 4:
            yield _account(1001 + number, home.head_name, at), _grant(Role.HOUSEHOLD, at, household_id=home.id)


def _staff(units: dict[str, WorkUnit], at: datetime) -> Iterator[tuple[Account, Grant]]:
    """The people of the work units; the first of each is its clerk."""
    number = 2001
    for unit, described in zip(units.values(), world()["work_units"], strict=True):
        for desk in range(described["member_count"]):
            role = Role.MEMBER if desk else Role.CLERK
            name = _SURNAMES[number % len(_SURNAMES)] + ("职工" if desk else "经办")
            yield _account(number, name, at), _grant(role, at, work_unit_id=unit.id)
            number += 1


def _login(
    described: dict[str, Any], cast: Cast, stations: dict[str, Station], units: dict[str, WorkUnit], at: datetime
) -> tuple[Account, Grant]:
    role = Role(described["role"])
    over: dict[str, Any] = {}
    name = described.get("name", "")
    if role is Role.HOUSEHOLD:
        home = cast.sellers[described["seller"]]
        over, name = {"household_id": home.id}, home.head_name
    elif role is Role.AGENT:
        over = {"station_id": stations[described["station"]].id}
    elif role in (Role.MEMBER, Role.CLERK):
        over = {"work_unit_id": units[described["work_unit"]].id}
    else:
        over = {"division_code": described["division"]}
    return Account(phone=described["phone"], name=name, created_at=at), _grant(role, at, **over)


def _account(number: int, name: str, at: datetime) -> Account:
    return Account(phone=f"1990000{number:04d}", name=name, created_at=at)


def _grant(role: Role, at: datetime, **over: Any) -> Grant:
    return Grant(account_id=0, role=role, given_at=at, **over)


def _remember(cast: Cast, given: list[tuple[Account, Grant]]) -> None:
    """Note who acts for whom."""
    viewers = [(Viewer(account.id, account.name, account.phone or "", (held,)), held) for account, held in given]
    agent = next(viewer for viewer, held in viewers if held.role is Role.AGENT)
    cast.administrators = [viewer for viewer, held in viewers if held.role is Role.ADMINISTRATOR]
    for viewer, held in viewers:
        if held.household_id is not None:
            cast.seller_viewers[held.household_id] = viewer
        if held.work_unit_id is not None:
            cast.buyers.append(Person(viewer, held.work_unit_id, held.role is Role.CLERK))
            if held.role is Role.CLERK:
                cast.clerks.setdefault(held.work_unit_id, viewer.id)
        if held.role is Role.OFFICER and not cast.officer:
            cast.officer = viewer.id
        if held.role is Role.ACCOUNTANT:
            cast.accountants.append(viewer)
    for home in cast.sellers:
        cast.seller_viewers.setdefault(home.id or 0, agent)
