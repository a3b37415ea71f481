"""A big invented world: a village event, a county, a province. Seeded and repeatable; one transaction a county."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from random import Random
from typing import Any

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import listings, produce
from market.goods.listings import Offer
from market.goods.produce import ProduceMeasure
from market.goods.slaughter_points import SlaughterPoint
from market.ground import places
from market.ground.clock import day_of
from market.ground.db import run
from market.ground.seal import Seal
from market.people.accounts import Account, Grant, Role, Viewer, with_phone
from market.people.households import Household
from market.people.stations import Station
from storefront.local.world import crowds, history, purses
from storefront.local.world.goods import SAMPLE_CERTIFICATE, WAYS, papers_of
from storefront.local.world.logins import DEMO_ACCOUNTS

log = logging.getLogger("yigou.world")
_LISHI, _PROVINCE, _MADE_UP_CITY = "141102", "14", "1499"
_HOUSEHOLDS_A_VILLAGE, _VILLAGES_A_TOWNSHIP, _BUYERS_A_UNIT = 70, 99, 100
_WAYS_A_VILLAGE = 8
_ACCOUNTANTS = ("accountant", "second_accountant")
_FIRST = "东西南北上中下前后里外大小老新高长圆双平"
_SECOND = "沟坡岭塔湾坪滩梁峁原庄寨坊堡店窑井泉桥渠"


@dataclass(frozen=True)
class Size:
    """How much of everything (facts.md, the scales to design for)."""

    households: int
    listings: int
    buyers: int
    orders: int
    counties: int = 1


@dataclass(frozen=True)
class Recipe:
    """What all counties of a world share: its dice, its moment, and what its cards are sealed with."""

    seed: int
    now: datetime
    seal: Seal


SIZES = {
    "village": Size(66, 200, 300, 300),
    "county": Size(13_000, 20_000, 15_000, 500_000),
    "province": Size(1_200_000, 1_000_000, 2_000_000, 30_000_000, counties=92),
}


def counties_of(size: Size) -> list[tuple[str, Size]]:
    """Code and size of every county: Lishi first, then made-up ones."""
    codes = [_LISHI, *(f"{_MADE_UP_CITY}{at:02d}" for at in range(1, size.counties))]
    share = Size(
        *(max(1, whole // size.counties) for whole in (size.households, size.listings, size.buyers, size.orders))
    )
    return [(code, share) for code in codes]


async def county(session: AsyncSession, code: str, size: Size, recipe: Recipe, *, ordinal: int) -> bool:
    """Write one county's crowd; False where it stands already. Expects the small demo world."""
    if (await session.exec(select(Household.id).where(Household.number == f"G{code}0000001"))).first() is not None:
        return False
    await run(session, text("SET LOCAL work_mem = '128MB'"))
    now, joined_at = recipe.now, recipe.now - timedelta(days=380)
    officer = (await session.exec(with_phone(DEMO_ACCOUNTS["officer"]))).one()
    ways = min(_WAYS_A_VILLAGE, size.listings)
    villages = min(max(1, size.households // _HOUSEHOLDS_A_VILLAGE), size.listings // ways)
    units = max(1, size.buyers // _BUYERS_A_UNIT)
    values: dict[str, Any] = {
        "county": code, "seed": recipe.seed * 100, "households": size.households, "buyers": size.buyers,
        "orders": size.orders, "listings": size.listings, "units": units, "ways": ways,
        "copies": size.listings - villages * ways, "base": ordinal * 1_000_000, "officer": officer.id,
        "joined_at": joined_at, "from_at": now - timedelta(days=365), "lasting": timedelta(days=352),
        "today": day_of(now), "slaughter_point": f"demo-{code}", "certificate": SAMPLE_CERTIFICATE,
    }  # fmt: skip
    await _villages(session, code, villages)
    session.add(SlaughterPoint(code=f"demo-{code}", name="样例定点屠宰场", division_code=code, source="样例"))
    await crowds.households(session, values)
    heads = await run(session, text("SELECT id, head_name FROM crowd_households ORDER BY id"))
    both = await _accountants(session, code, ordinal, at=joined_at)
    await purses.bring(session, recipe.seal, [(row.id, row.head_name) for row in heads], both, at=joined_at)
    await crowds.buyers(session, values)
    await _models(session, Random(recipe.seed), ways, at=joined_at)  # noqa: S311  invented, and the same every time
    await crowds.listings(session, values)
    await history.plan(session)
    await crowds.orders(session, values)
    await history.write(session, accountants=both, now=now)
    log.info("county %s: %s households, %s orders", code, size.households, size.orders)
    return True


async def let_see_all(session: AsyncSession, *, now: datetime) -> None:
    """The demo officer sees the whole province."""
    officer = (await session.exec(with_phone(DEMO_ACCOUNTS["officer"]))).one()
    session.add(Grant(account_id=officer.id or 0, role=Role.OFFICER, division_code=_PROVINCE, given_at=now))
    await session.flush()  # nothing of it waits for the counties


async def _accountants(session: AsyncSession, county_code: str, ordinal: int, *, at: datetime) -> tuple[int, int]:
    """Who gets the county's cash and proposes its payouts, and who approves them: elsewhere than in Lishi its own."""
    if county_code == _LISHI:
        known = [(await session.exec(with_phone(DEMO_ACCOUNTS[key]))).one() for key in _ACCOUNTANTS]
        return known[0].id or 0, known[1].id or 0
    made = [
        Account(phone=f"196{ordinal * 2 + second:08d}", name=f"样会计{ordinal * 2 + second}", created_at=at)
        for second in (0, 1)
    ]
    session.add_all(made)
    await session.flush()  # the grants need their ids
    session.add_all(
        Grant(account_id=one.id or 0, role=Role.ACCOUNTANT, division_code=county_code, given_at=at) for one in made
    )
    return made[0].id or 0, made[1].id or 0


async def _villages(session: AsyncSession, county_code: str, count: int) -> None:
    """Made-up villages under the county's townships: their last three digits begin with a nine, as no real one's do."""
    townships = await _townships(session, county_code, count)
    stations = [Station(name=f"{place.name}样例电商服务站", division_code=place.code) for place in townships]
    session.add_all(stations)
    names = ["样" + first + second for first, second in product(_FIRST, _SECOND)]
    made = [
        places.named(f"{townships[at % len(townships)].code}{901 + at // len(townships)}", names[at % len(names)])
        for at in range(count)
    ]
    session.add_all(made)
    await session.flush()  # households refer to both
    await run(
        session,
        text("CREATE TEMPORARY TABLE crowd_villages (village bigint, code text, station_id bigint) ON COMMIT DROP"),
    )
    connection = await session.connection()
    await connection.execute(
        text("INSERT INTO crowd_villages VALUES (:village, :code, :station_id)"),
        [
            {"village": at + 1, "code": place.code, "station_id": stations[at % len(stations)].id}
            for at, place in enumerate(made)
        ],
    )


async def _townships(session: AsyncSession, county_code: str, villages: int) -> list[places.Division]:
    found = list(await session.exec(places.below(county_code, places.Level.TOWNSHIP)))
    if not found:
        if await session.get(places.Division, _MADE_UP_CITY) is None:
            session.add(places.named(_MADE_UP_CITY, "演示市"))
        session.add(places.named(county_code, f"演示县{county_code[-2:]}"))
        found = [places.named(f"{county_code}{100 + at}", f"演示镇{at + 1}") for at in range(12)]
        session.add_all(found)
        await session.flush()  # villages are asked for by these
    if villages > len(found) * _VILLAGES_A_TOWNSHIP:
        msg = f"{villages} villages do not fit into {len(found)} townships: ask for fewer households"
        raise ValueError(msg)
    return found


async def _models(session: AsyncSession, rng: Random, ways: int, *, at: datetime) -> None:
    """In every village the first household puts up what the village grows: the models of all other listings."""
    firsts = text("SELECT DISTINCT ON (village) id FROM crowd_households ORDER BY village, home_no")
    homes = await session.exec(
        select(Household, Account)
        .join(Grant, col(Grant.household_id) == col(Household.id))
        .join(Account, col(Account.id) == col(Grant.account_id))
        .where(col(Household.id).in_((await run(session, firsts)).scalars().all()))
        .order_by(col(Household.division_code))
    )
    prices = {(row.produce_code, row.measure): row for row in await session.exec(select(ProduceMeasure))}
    for home, account in homes.all():
        by = Viewer(account_id=account.id, name=account.name, phone=account.phone or "")
        for code, measure, grams, (least, most), note in rng.sample(WAYS, ways):
            band = produce.band(prices[code, measure], grams)
            price = rng.randint(band.low_fen, band.high_fen)
            point = f"demo-{home.division_code[: places.Level.COUNTY]}"
            shown = await papers_of(session, code, day_of(at), home.id or 0, point=point)
            quantity = rng.randint(least, most)
            offer = Offer(code, measure, price, quantity, grams_each=grams, note=note, papers=shown)
            await listings.put_up(session, by, home, offer, now=at)
