"""What the households of the demo world sell: listings put up through the market's own act, season by season."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import listings, papers, produce
from market.goods.gates import Gate, Paper, Papers
from market.goods.listings import Listing, Offer
from market.goods.produce import Produce, ProduceMeasure
from market.ground.clock import SHANGHAI, day_of, month_end, month_start
from market.ground.measure import Measure
from market.people.households import Household
from storefront.local.world.people import Cast

_YEAR = timedelta(days=365)
_MOST_KEEPING_MONTHS = 9
_ALL_YEAR = ("mutton", "lamb_whole", "chicken", "eggs")
"""Killed or laid as ordered, in season or not."""
_A_BATCH = timedelta(days=120)
_TALKATIVE, _NEW_THIS_WEEK = 0.7, 0.25
SAMPLE_CERTIFICATE = "0" * 32
_DAYS_A_MONTH = 30

Way = tuple[str, Measure, int | None, tuple[int, int], str]
"""The produce, how it is counted, grams of a pack, how much a household brings, what it says about it."""
WAYS: tuple[Way, ...] = (
    ("mutton", Measure.JIN, None, (60, 160), "山坡上放养的羊，周四现宰，周五送到"),
    ("pumpkin", Measure.PIECE, None, (60, 200), "沙地老南瓜，每个五六斤"),
    ("millet", Measure.BAG, 2500, (40, 120), "今年的新谷，石碾碾的"),
    ("eggs", Measure.PIECE, None, (300, 900), "院里散养的鸡下的"),
    ("sweet_potato", Measure.BOX, 5000, (30, 90), "红瓤，蒸着吃甜"),
    ("pear", Measure.BOX, 5000, (40, 120), "自家果园，没打蜡"),
    ("walnut", Measure.JIN, None, (100, 400), "今年的干核桃，皮薄"),
    ("potato", Measure.BAG, 5000, (40, 120), "沙土地里的，面"),
    ("apple", Measure.BOX, 5000, (30, 90), "红富士，昼夜温差大，脆甜"),
    ("jujube", Measure.JIN, None, (80, 260), "树上自然干的"),
    ("beans", Measure.BAG, 2500, (20, 60), "红豆绿豆都有，可以分开装"),
    ("oat", Measure.BAG, 2500, (20, 60), "莜麦自己种自己磨"),
    ("cabbage", Measure.PIECE, None, (80, 240), "霜打过的，甜"),
    ("lamb_whole", Measure.HEAD, None, (4, 10), "整羊，约四十斤，可以代为分割"),
    ("lamb_whole", Measure.HALF_HEAD, None, (4, 10), "半只，约二十斤"),
    ("honey", Measure.JIN, None, (30, 80), "槐花蜜，自己摇的"),
    ("chicken", Measure.HEAD, None, (20, 60), "散养一年以上"),
    ("buckwheat", Measure.BAG, 2500, (20, 60), "山地荞麦"),
    ("corn", Measure.JIN, None, (200, 600), "粘玉米，当天掰的"),
    ("cherry", Measure.JIN, None, (40, 120), "山地樱桃，早上摘的"),
)
_FIRST_SELLERS = ((0, 13), (1, 4), (2, 6))
"""What the first sellers have for sure: sheep, pumpkins and sweet potatoes, millet and walnuts (facts.md)."""


@dataclass
class Lot:
    """A listing and how long it can be ordered from."""

    listing_id: int
    produce_code: str
    measure: Measure
    household_id: int
    left: int
    from_at: datetime
    to_at: datetime
    is_live: bool


async def bring(session: AsyncSession, rng: Random, cast: Cast, *, now: datetime) -> list[Lot]:
    """Put up what everybody had in the past year and has now."""
    catalogue = {item.code: item for item in await session.exec(select(Produce))}
    prices = {(row.produce_code, row.measure): row for row in await session.exec(select(ProduceMeasure))}
    lots = []
    with session.no_autoflush:  # an act reads nothing that the one before it wrote
        for at, home in enumerate(cast.sellers):
            for way in _ways_of(rng, at):
                for span in _seasons(rng, catalogue[way[0]], now):
                    batches = max(1.0, (min(span[1], now) - span[0]) / _A_BATCH)
                    offer = _offer(rng, prices[way[0], way[1]], way, batches)
                    lots.append(await _put_up(session, cast, home, offer, span, now))
                    await _renew(session, rng, cast, lots[-1], catalogue[way[0]], now=now)
    await session.flush()  # the year that follows is written past the session
    return lots


async def take_down(session: AsyncSession, cast: Cast, lots: list[Lot]) -> None:
    """What is out of season is withdrawn by whoever put it up."""
    for lot in lots:
        if not lot.is_live:
            await listings.withdraw(session, cast.seller_viewers[lot.household_id], lot.listing_id, now=lot.to_at)
    await session.flush()  # what is ordered next is on sale


async def leave_one(session: AsyncSession, cast: Cast, lots: list[Lot], *, now: datetime) -> None:
    """The first seller has one whole sheep left, which everybody wants."""
    for lot in lots:
        if lot.is_live and lot.household_id == cast.sellers[0].id and lot.measure is Measure.HEAD:
            by = cast.seller_viewers[lot.household_id]
            await listings.change_left(session, by, lot.listing_id, 1, now=now - timedelta(minutes=2))


def _ways_of(rng: Random, seller: int) -> list[Way]:
    if seller < len(_FIRST_SELLERS):
        return [WAYS[at] for at in _FIRST_SELLERS[seller]]
    first = seller % len(WAYS) if seller < len(WAYS) else int(len(WAYS) * rng.random() ** 1.6)
    more = [int(len(WAYS) * rng.random() ** 1.6) for _ in range(rng.choice((0, 0, 1, 1, 1, 2)))]
    return [WAYS[at] for at in dict.fromkeys([first, *more])]


def _seasons(rng: Random, item: Produce, now: datetime) -> list[tuple[datetime, datetime]]:
    """From when to when it was on sale in the past year; the last time may be going on."""
    return [_span(rng, begins, ends, now) for begins, ends in _runs(item, now.astimezone(SHANGHAI).date())]


def _runs(item: Produce, today: date) -> list[tuple[date, date]]:
    """When in the past year it is picked or still keeps, as runs of months."""
    keeping = min((item.storage_days or 0) // _DAYS_A_MONTH, _MOST_KEEPING_MONTHS)
    on_sale = {(month + later - 1) % 12 + 1 for month in item.season_months for later in range(keeping + 1)}
    runs: list[tuple[date, date]] = []
    month = month_start(today - _YEAR)
    while month <= today:
        if not on_sale or month.month in on_sale or item.code in _ALL_YEAR:
            if runs and runs[-1][1] + timedelta(days=1) == month:
                runs[-1] = (runs[-1][0], month_end(month))
            else:
                runs.append((month, month_end(month)))
        month = month_end(month) + timedelta(days=1)
    return runs


def _span(rng: Random, begins: date, ends: date, now: datetime) -> tuple[datetime, datetime]:
    """From when to when it can be ordered: most start with the season, some were put up in the last days."""
    first = datetime.combine(begins, time(9), SHANGHAI).astimezone(UTC)
    last = datetime.combine(ends, time(18), SHANGHAI).astimezone(UTC)
    if last < now - timedelta(days=1):
        return first + timedelta(hours=rng.randrange(24, 24 * 12)), last
    fresh = rng.random() < _NEW_THIS_WEEK
    longest = now - timedelta(days=7) if fresh else first
    spread = max(1.0, (now - longest).total_seconds() * (1 if fresh else 0.4))
    return min(longest + timedelta(seconds=rng.random() * spread), now - timedelta(minutes=5)), now + _YEAR


def _offer(rng: Random, row: ProduceMeasure, way: Way, batches: float) -> Offer:
    code, measure, grams, (least, most), note = way
    band = produce.band(row, grams)
    price = rng.randint(band.low_fen, band.high_fen)
    step = 10 if price < 1000 else 50 if price < 10_000 else 1000  # noqa: PLR2004  nobody asks 7.83 yuan
    quantity = min(int(rng.randint(least, most) * batches), row.most_quantity)
    said = note if rng.random() < _TALKATIVE else ""
    return Offer(code, measure, max(step, price // step * step), quantity, grams_each=grams, note=said)


async def papers_of(
    session: AsyncSession, produce_code: str, day: date, number: int, *, point: str = "lishi-1"
) -> Papers | None:
    """Invented papers of one slaughtering or making: those its gate asks for; None where there is no gate."""
    item = await session.get_one(Produce, produce_code)
    if item.gate_code is None:
        return None
    kept: dict[str, Any] = {
        Paper.SLAUGHTER_POINT: point, Paper.CERTIFICATE_NO: f"样例{day:%Y%m%d}{number:05d}",
        Paper.CERTIFICATE_PHOTO: SAMPLE_CERTIFICATE, Paper.LICENCE_NO: f"样例登记{number:05d}",
    }  # fmt: skip
    gate = await session.get_one(Gate, item.gate_code)
    return replace(Papers(issued_on=day), **{paper: kept[Paper(paper)] for paper in gate.needs})


async def _put_up(
    session: AsyncSession, cast: Cast, home: Household, offer: Offer, span: tuple[datetime, datetime], now: datetime
) -> Lot:
    by = cast.seller_viewers[home.id or 0]
    shown = await papers_of(session, offer.produce_code, day_of(span[0]), home.id or 0)
    listing = await listings.put_up(session, by, home, replace(offer, papers=shown), now=span[0])
    return Lot(
        listing.id or 0, offer.produce_code, offer.measure, home.id or 0, offer.quantity, *span, is_live=span[1] > now
    )


async def _renew(session: AsyncSession, rng: Random, cast: Cast, lot: Lot, item: Produce, *, now: datetime) -> None:
    """What was long on sale came in some days before now, or before it was taken down: nothing is sold spoilt."""
    listing = await session.get_one(Listing, lot.listing_id)
    keeps, at = item.storage_days or 0, min(now, lot.to_at) - timedelta(minutes=3)
    if listing.sell_by_on is None or listing.sell_by_on > day_of(at) + timedelta(days=keeps // 2):
        return
    by, day = cast.seller_viewers[lot.household_id], day_of(at) - timedelta(days=rng.randrange(keeps // 2 + 1))
    await papers.change_day(session, by, lot.listing_id, day, now=at)
    shown = await papers_of(session, lot.produce_code, day, lot.household_id)
    if shown is not None:
        await papers.hand_in(session, by, lot.listing_id, shown, now=at)
