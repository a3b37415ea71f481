"""The invented demo world: real places and produce, invented people, a year of trade. See docs for what is real."""

from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from sqlalchemy import text
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import stops
from market.ground import clock
from market.ground.db import open_database, run
from market.ground.seal import open_seal
from market.ground.settings import Settings
from market.people import accounts
from market.people.households import Household
from market.people.units import Wallet
from market.trade import placing
from market.trade.placing import Item, Terms
from payments import cash_books, desk, hand_ins
from payments.hand_ins import Wish
from payments.records import Method
from payments.stripe import Gateway
from storefront import reference
from storefront.local.world import (
    comparisons,
    generation,
    goods,
    paydays,
    people,
    purses,
    seasons,
    transfers,
    waiting,
)
from storefront.local.world.generation import SIZES, Recipe, Size
from storefront.local.world.goods import Lot
from storefront.local.world.logins import DEMO_ACCOUNTS, DEMO_LOGINS, DemoLogin
from storefront.local.world.people import Cast

__all__ = [
    "DEMO_ACCOUNTS",
    "DEMO_LOGINS",
    "SIZES",
    "DemoLogin",
    "Size",
    "bring",
    "demo_logins",
    "generate",
    "load_demo",
]

SEED = 2018
_LOCK = 0x59_69_67_6F_75_64
"""Advisory lock: of two processes that start together one loads, the other finds it done."""
_OPEN_ORDERS = 8


def demo_logins(settings: Settings) -> list[tuple[str, str]]:
    """Label and address of every one-tap login."""
    return [
        (f"{login.label} · {login.label_en}", f"{settings.public_url}/demo-logins/{login.key}") for login in DEMO_LOGINS
    ]


async def load_demo(settings: Settings, *, now: datetime | None = None) -> bool:
    """Load the demo world in one transaction; False, and nothing done, where there are households already."""
    database = open_database(settings)
    try:
        async with database.transaction() as session:
            await run(session, text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            if (await session.exec(select(Household.id).limit(1))).first() is not None:
                return False
            await bring(session, settings, now=now or clock.now())
            return True
    finally:
        await database.close()


async def generate(
    settings: Settings, scale: str, seed: int = SEED, *, now: datetime | None = None, **counts: int | None
) -> bool:
    """Load the demo world where there is none, and a crowd of the scale `village`, `county` or `province` beside it.

    `households`, `listings`, `buyers`, `orders` and `counties` change the scale's numbers. A province takes hours. One
    transaction a county: what a kill leaves is whole counties, and the next run goes on. False when none was missing.
    """
    size = replace(SIZES[scale], **{name: count for name, count in counts.items() if count is not None})
    at = now or clock.now()
    await load_demo(settings, now=at)
    recipe = Recipe(seed, at, open_seal(settings))
    database = open_database(settings)
    made = False
    try:
        for ordinal, (code, share) in enumerate(generation.counties_of(size)):
            async with database.transaction() as session:
                await run(session, text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                made |= await generation.county(session, code, share, recipe, ordinal=ordinal)
        async with database.transaction() as session:
            if made and size.counties > 1:
                await generation.let_see_all(session, now=at)
            await run(session, text("ANALYZE"))
    finally:
        await database.close()
    return made


async def bring(session: AsyncSession, settings: Settings, *, now: datetime) -> None:
    """Write the demo world into an empty database. The same moment gives the same world."""
    rng = Random(SEED)  # noqa: S311  invented, and the same every time
    await reference.bring(session)
    cast = await people.bring(session, rng, now=now)
    lots = await goods.bring(session, rng, cast, now=now)
    seal = open_seal(settings)
    await purses.bring(session, seal, paydays.carded(cast), cast.both_accountants, at=now - timedelta(days=399))
    await seasons.bring(session, rng, cast, lots, now=now)
    await goods.take_down(session, cast, lots)
    await _open_orders(session, settings, cast, lots, now)
    await goods.leave_one(session, cast, lots, now=now)
    await waiting.bring(session, cast, now=now)
    await _hand_in(session, cast, now)
    await comparisons.bring(session, cast, now=now)
    await paydays.bring(session, seal, cast, now=now)
    await transfers.bring(session, settings, cast, lots, now=now)


async def _hand_in(session: AsyncSession, cast: Cast, now: datetime) -> None:
    """Two clerks have said this morning what they bring the accountant; it is not counted yet."""
    for at, clerk in enumerate(list(cast.clerks.values())[:2]):
        held = await cash_books.in_hand(session, clerk)
        giver = await accounts.viewer_of(session, clerk)
        wish = Wish(cast.accountant, max(1, held.spare_fen // (at + 2)), note="上周收的" if at else "")
        if held.spare_fen:
            await hand_ins.declare(session, giver, wish, now=now - timedelta(minutes=90 - at * 50))


async def _open_orders(session: AsyncSession, settings: Settings, cast: Cast, lots: list[Lot], now: datetime) -> None:
    """Orders of this week, to be paid in cash at their stops: placed by the market's own acts."""
    gateway = Gateway(settings)
    live = [lot for lot in lots if lot.is_live]
    members = [buyer for buyer in cast.buyers if not buyer.is_clerk]
    for at in range(_OPEN_ORDERS):
        buyer = members[at * 5 % len(members)]
        handover = stops.next_handover(cast.stops[buyer.work_unit_id], now)
        terms = Terms(
            wallet=Wallet.PERSONAL, stop_id=handover.stop.id or 0, county_code=handover.county_code,
            handover_on=handover.on, cutoff_at=handover.cutoff_at, work_unit_id=buyer.work_unit_id,
        )  # fmt: skip
        items = [Item(live[(at * 3 + more * 7) % len(live)].listing_id, 1 + more) for more in range(1 + at % 2)]
        placed_at = now - timedelta(minutes=10 + at)
        placed = await placing.place(session, buyer.viewer, items, terms, now=placed_at)
        await desk.start(session, gateway, buyer.viewer, placed.no, Method.CASH, return_url="", now=placed_at)
