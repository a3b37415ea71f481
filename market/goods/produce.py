"""The produce catalogue: what may be sold, how it is counted, and which prices are usual. All of it is data."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import ARRAY, CheckConstraint, SmallInteger
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.clock import month_start
from market.ground.db import choice, fen
from market.ground.errors import Malformed
from market.ground.measure import Measure

_MOST_DAYS_AHEAD = 30
"""Further ahead nobody knows the day of a harvest."""
_MOST_GRAMS = 100_000


class Ready(StrEnum):
    """What makes it ready to sell: the day is asked for in this word."""

    HARVESTED = "harvested"
    SLAUGHTERED = "slaughtered"
    LAID = "laid"
    MADE = "made"


class Produce(SQLModel, table=True):
    """品种: one entry of the catalogue."""

    __tablename__ = "produce"
    __table_args__ = (
        CheckConstraint("storage_days IS NULL OR storage_days > 0", name="storage_days"),
        CheckConstraint("store_low_c <= store_high_c", name="store_c"),
        CheckConstraint("yield_grams IS NULL OR yield_grams > 0 AND means_code IS NOT NULL", name="yield_grams"),
    )

    code: str = Field(primary_key=True, max_length=24)
    name: str = Field(max_length=20)
    name_en: str = Field(max_length=40)
    words: str = Field(default="", max_length=200)
    """Other names people search by, separated by spaces."""
    season_months: list[int] = Field(default_factory=list, sa_type=ARRAY(SmallInteger))
    ready: Ready = choice(Ready, name="ready", default=Ready.HARVESTED)
    storage_days: int | None = None
    """How long it is good from that day on, stored as below. None: not known, so it has no sell-by day."""
    store_low_c: int | None = None
    store_high_c: int | None = None
    """Between these degrees Celsius it keeps that long."""
    cold: bool = False
    gate_code: str | None = Field(default=None, foreign_key="gates.code", max_length=24)
    """Whose papers it needs before buyers see it."""
    means_code: str | None = Field(default=None, foreign_key="means.code", max_length=24)
    """What it comes from: land, sheep, hens."""
    yield_grams: int | None = None
    """What one mu or one animal gives in a good season."""
    rank: int = 0
    """Place in the picture grid."""
    retired: bool = False
    source: str = Field(default="", max_length=120)
    """Where storage life and yield are from."""
    as_of_on: date | None = None

    def in_season(self, on: date) -> bool:
        """Whether it is fresh from the field in the day's month. No months given: all year."""
        return not self.season_months or on.month in self.season_months

    def sell_by(self, ready_on: date | None) -> date | None:
        """The last day it is good; None where nothing is known of its keeping."""
        if ready_on is None or self.storage_days is None:
            return None
        return ready_on + timedelta(days=self.storage_days)

    def usually_ready_on(self, on: date) -> date | None:
        """When what is listed today most likely came in: today in its season, else when that last ended."""
        if self.storage_days is None:
            return on if self.gate_code else None
        last = on
        while not self.in_season(last):
            last = month_start(last) - timedelta(days=1)
        return max(last, on - timedelta(days=self.storage_days // 2))

    def checked_day(self, ready_on: date | None, *, on: date) -> date | None:
        """The day it came in, or usually does. Malformed for one far ahead, or so long ago that it is spoilt."""
        day = ready_on or self.usually_ready_on(on)
        if day is not None and day > on + timedelta(days=_MOST_DAYS_AHEAD):
            raise Malformed("ready_on", "too_far_ahead", day.isoformat())
        last = self.sell_by(day)
        if day is not None and last is not None and last < on:
            raise Malformed("ready_on", "kept_too_long", day.isoformat())
        return day


class ProduceMeasure(SQLModel, table=True):
    """One way to count a produce, with its usual and its possible prices."""

    __tablename__ = "produce_measures"
    __table_args__ = (
        CheckConstraint(
            "0 < least_fen AND least_fen <= low_fen AND low_fen <= high_fen AND high_fen <= most_fen", name="prices"
        ),
        CheckConstraint("most_quantity > 0", name="most_quantity"),
        CheckConstraint("per_grams IS NULL OR per_grams > 0", name="per_grams"),
        CheckConstraint("0 < least_grams AND least_grams <= most_grams", name="grams"),
        CheckConstraint("typical_grams BETWEEN least_grams AND most_grams", name="typical_grams"),
    )

    produce_code: str = Field(primary_key=True, foreign_key="produce.code", max_length=24)
    measure: Measure = choice(Measure, name="measure", primary_key=True)
    per_grams: int | None = None
    """Prices below are for this weight and scale with it; None: they are for one of the measure."""
    least_fen: int = fen()
    """Cheaper than this is a slip of the finger."""
    low_fen: int = fen()
    high_fen: int = fen()
    most_fen: int = fen()
    """Dearer than this is a slip of the finger."""
    most_quantity: int
    """More than this is not one household's."""
    pack_grams_choices: list[int] = Field(default_factory=list, sa_type=ARRAY(SmallInteger))
    least_grams: int | None = None
    """Lighter than this is a slip of the scale or the finger."""
    typical_grams: int | None = None
    """What one usually weighs, where neither its word nor the pack says so."""
    most_grams: int | None = None
    source: str = Field(default="", max_length=80)
    as_of_on: date | None = None

    def grams_of_one(self, grams_each: int | None) -> int | None:
        """What one weighs as far as anything says: its word, its pack, or what is usual."""
        return self.measure.fixed_grams or grams_each or self.typical_grams

    def is_plausible(self, grams: int) -> bool:
        """Whether one can weigh this much. No bounds known: up to what a person lifts."""
        return (self.least_grams or 1) <= grams <= (self.most_grams or _MOST_GRAMS)

    def checked_grams(self, grams_each: int | None) -> int | None:
        """What one weighs, as the offer or its word says. Malformed for a pack without, or an impossible weight."""
        if self.measure.fixed_grams:
            return self.measure.fixed_grams
        if self.measure.is_pack and not grams_each:
            raise Malformed("grams_each", "missing")
        if grams_each is not None and not self.is_plausible(grams_each):
            raise Malformed("grams_each", "impossible", str(grams_each))
        return grams_each


@dataclass(frozen=True)
class Band:
    """Prices of one of a measure, in fen: usual from low to high, possible from least to most."""

    least_fen: int
    low_fen: int
    high_fen: int
    most_fen: int
    source: str = ""
    as_of_on: date | None = None

    def place(self, price_fen: int) -> str:
        """Where a price stands: `low`, `usual` or `high`, quiet within 15 % of the band (domain §4.2)."""
        if price_fen * 100 < self.low_fen * 85:
            return "low"
        if price_fen * 100 > self.high_fen * 115:
            return "high"
        return "usual"


def band(row: ProduceMeasure, pack_grams: int | None) -> Band:
    """The band for one of the measure, which weighs `pack_grams` where weight decides the price."""
    grams = row.measure.fixed_grams or pack_grams
    if row.per_grams is None or grams is None:
        share, whole = 1, 1
    else:
        share, whole = grams, row.per_grams
    return Band(
        least_fen=max(1, row.least_fen * share // whole),
        low_fen=row.low_fen * share // whole,
        high_fen=-(-row.high_fen * share // whole),
        most_fen=-(-row.most_fen * share // whole),
        source=row.source,
        as_of_on=row.as_of_on,
    )


def on_offer() -> SelectOfScalar[Produce]:
    """The picture grid: what may be listed, in its order."""
    return select(Produce).where(col(Produce.retired).is_(False)).order_by(col(Produce.rank), col(Produce.code))


def measures_of(produce_code: str) -> SelectOfScalar[ProduceMeasure]:
    """The ways a produce may be counted."""
    return select(ProduceMeasure).where(ProduceMeasure.produce_code == produce_code)


async def get(session: AsyncSession, code: str) -> Produce:
    """The catalogue entry of that code; Malformed when there is none or it may no longer be listed."""
    found = await session.get(Produce, code)
    if found is None or found.retired:
        raise Malformed("produce", "unknown_produce", code[:24])
    return found


async def counted(session: AsyncSession, produce_code: str, measure: Measure) -> ProduceMeasure:
    """How a produce is counted in a measure; Malformed when it is not (mutton by the box, say)."""
    found = await session.get(ProduceMeasure, (produce_code, measure))
    if found is None:
        raise Malformed("measure", "wrong_measure", measure)
    return found
