"""The catalogue: what may be listed, how it is counted, and which prices are usual."""

from collections import defaultdict
from datetime import date
from typing import Annotated, Self

from pydantic import BaseModel, Field
from sqlmodel import col, select

from market.goods import produce
from market.goods.produce import Produce, ProduceMeasure
from market.ground.measure import Measure
from storefront.api.fields import Page
from storefront.api.routes import noun
from storefront.deps import SessionDep

router = noun("produce")


class MeasureShown(BaseModel):
    """One way to count a produce. Outside least_fen to most_fen a price is refused as a slip of the finger."""

    measure: Measure
    per_grams: Annotated[int | None, Field(description="The prices are for this weight; null: for one of the measure.")]
    least_fen: int
    low_fen: Annotated[int, Field(description="Usual prices lie from here …")]
    high_fen: Annotated[int, Field(description="… to here.")]
    most_fen: int
    most_quantity: Annotated[int, Field(description="More than this is not one household's.")]
    pack_grams_choices: list[int]
    source: Annotated[str, Field(description="Where the usual prices come from.")]
    as_of_on: date | None

    @classmethod
    def of(cls, row: ProduceMeasure) -> Self:
        """The measure for a machine."""
        return cls(
            measure=row.measure, per_grams=row.per_grams, least_fen=row.least_fen, low_fen=row.low_fen,
            high_fen=row.high_fen, most_fen=row.most_fen, most_quantity=row.most_quantity,
            pack_grams_choices=row.pack_grams_choices, source=row.source, as_of_on=row.as_of_on,
        )  # fmt: skip


class ProduceShown(BaseModel):
    """An entry of the catalogue."""

    code: str
    name: str
    name_en: str
    season_months: Annotated[list[int], Field(description="Months it comes fresh from the field; empty: all year.")]
    storage_days: int | None
    cold: bool
    measures: list[MeasureShown]

    @classmethod
    def of(cls, item: Produce, rows: list[ProduceMeasure]) -> Self:
        """The entry for a machine."""
        return cls(
            code=item.code, name=item.name, name_en=item.name_en, season_months=item.season_months,
            storage_days=item.storage_days, cold=item.cold, measures=[MeasureShown.of(row) for row in rows],
        )  # fmt: skip


class ProduceList(Page[ProduceShown]):
    """The whole catalogue; there is only one page."""


@router.get("/produce")
async def list_produce(session: SessionDep) -> ProduceList:
    """Everything that may be listed, in the order of the picture grid. No token needed."""
    ways: defaultdict[str, list[ProduceMeasure]] = defaultdict(list)
    for row in await session.exec(select(ProduceMeasure).order_by(col(ProduceMeasure.measure))):
        ways[row.produce_code].append(row)
    found = await session.exec(produce.on_offer())
    return ProduceList(items=[ProduceShown.of(item, ways[item.code]) for item in found], next=None)
