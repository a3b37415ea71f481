"""The produce catalogue: what may be sold, how it is counted, and which prices are usual. All of it is data."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ARRAY, CheckConstraint, SmallInteger
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import choice, fen
from market.ground.errors import Malformed
from market.ground.measure import Measure


class Produce(SQLModel, table=True):
    """品种: one entry of the catalogue."""

    __tablename__ = "produce"

    code: str = Field(primary_key=True, max_length=24)
    name: str = Field(max_length=20)
    name_en: str = Field(max_length=40)
    words: str = Field(default="", max_length=200)
    """Other names people search by, separated by spaces."""
    season_months: list[int] = Field(default_factory=list, sa_type=ARRAY(SmallInteger))
    storage_days: int | None = None
    cold: bool = False
    rank: int = 0
    """Place in the picture grid."""
    retired: bool = False

    def in_season(self, on: date) -> bool:
        """Whether it is fresh from the field in the day's month. No months given: all year."""
        return not self.season_months or on.month in self.season_months


class ProduceMeasure(SQLModel, table=True):
    """One way to count a produce, with its usual and its possible prices."""

    __tablename__ = "produce_measures"
    __table_args__ = (
        CheckConstraint(
            "0 < least_fen AND least_fen <= low_fen AND low_fen <= high_fen AND high_fen <= most_fen", name="prices"
        ),
        CheckConstraint("most_quantity > 0", name="most_quantity"),
        CheckConstraint("per_grams IS NULL OR per_grams > 0", name="per_grams"),
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
    source: str = Field(default="", max_length=80)
    as_of_on: date | None = None


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
