"""Real reference data: places of Lishi, the produce catalogue with its prices and papers, the classes of households.

A county edits the CSV files beside this one. Sources: codes of places from the statistics bureau's list of 2021; prices
as dated in the file, those marked as estimates to be set by the county. Storage life and yields marked [K] are general
knowledge that was not checked, those marked [I] are inferred; yields are those of a good year, because they cap what a
household may sell. The slaughter points are placeholders.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path

from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods.capacity import Means
from market.goods.gates import Gate
from market.goods.produce import Produce, ProduceMeasure, Ready
from market.goods.slaughter_points import SlaughterPoint
from market.ground.measure import GRAMS_PER_JIN, parse_measure
from market.ground.money import parse_yuan
from market.people.households import StandingKind
from storefront import imports, sheets

FOLDER = Path(__file__).parent


async def bring(session: AsyncSession) -> None:
    """Write all of it; repeated, it brings what the files say differently."""
    await imports.import_divisions(session, FOLDER / "divisions.csv")
    for rows in (_standing_kinds(), _gates(), _means(), await _new_points(session), _produce(), _measures()):
        for row in rows:
            await session.merge(row)
        await session.flush()  # later rows refer to these, and what follows in this transaction lists by them


def _standing_kinds() -> list[StandingKind]:
    return [
        StandingKind(code=c["code"], name=c["name"], name_en=c["name_en"], counts=c["counts"] == "yes", rank=rank)
        for rank, c in enumerate(_cells("standing_kinds"), start=1)
    ]


def _gates() -> list[Gate]:
    return [
        Gate(
            code=c["code"],
            name=c["name"],
            name_en=c["name_en"],
            needs=c["needs"].split(),
            note=c["note"],
            note_en=c["note_en"],
        )
        for c in _cells("gates")
    ]


def _means() -> list[Means]:
    return [
        Means(code=c["code"], name=c["name"], name_en=c["name_en"], unit=c["unit"], unit_en=c["unit_en"], rank=rank)
        for rank, c in enumerate(_cells("means"), start=1)
    ]


async def _new_points(session: AsyncSession) -> list[SlaughterPoint]:
    """Points nobody has yet: what is there is the administrators', who may have closed it."""
    return [point for point in _slaughter_points() if await session.get(SlaughterPoint, point.code) is None]


def _slaughter_points() -> list[SlaughterPoint]:
    return [
        SlaughterPoint(
            code=c["code"],
            name=c["name"],
            division_code=c["division"],
            address=c["address"],
            source=c["source"],
            closed=c["closed"] == "yes",
        )
        for c in _cells("slaughter_points")
    ]


def _produce() -> list[Produce]:
    return [
        Produce(
            code=c["code"],
            name=c["name"],
            name_en=c["name_en"],
            words=c["words"],
            season_months=[int(month) for month in c["season_months"].split()],
            ready=Ready(c["ready"]),
            storage_days=_whole(c["storage_days"]),
            store_low_c=_whole(c["store_low_c"]),
            store_high_c=_whole(c["store_high_c"]),
            cold=c["cold"] == "yes",
            gate_code=c["gate"] or None,
            means_code=c["means"] or None,
            yield_grams=_grams(c["yield_jin"]),
            rank=rank,
            retired=c["retired"] == "yes",
            source=c["source"],
            as_of_on=_day(c["as_of_on"]),
        )
        for rank, c in enumerate(_cells("produce"), start=1)
    ]


def _measures() -> list[ProduceMeasure]:
    return [
        ProduceMeasure(
            produce_code=c["produce"],
            measure=parse_measure(c["measure"]),
            per_grams=_whole(c["per_grams"]),
            least_fen=parse_yuan(c["least_yuan"]),
            low_fen=parse_yuan(c["low_yuan"]),
            high_fen=parse_yuan(c["high_yuan"]),
            most_fen=parse_yuan(c["most_yuan"]),
            most_quantity=int(c["most_quantity"]),
            pack_grams_choices=[int(jin) * GRAMS_PER_JIN for jin in c["pack_jin"].split()],
            least_grams=_grams(c["least_jin"]),
            typical_grams=_grams(c["typical_jin"]),
            most_grams=_grams(c["most_jin"]),
            source=c["source"],
            as_of_on=_day(c["as_of_on"]),
        )
        for c in _cells("measures")
    ]


def _cells(name: str) -> list[dict[str, str]]:
    return [row.cells for row in sheets.read(FOLDER / f"{name}.csv").rows]


def _whole(text: str) -> int | None:
    return int(text) if text else None


def _grams(jin: str) -> int | None:
    return round(Decimal(jin) * GRAMS_PER_JIN) if jin else None


def _day(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
