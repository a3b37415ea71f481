"""Real reference data: places of Lishi, the produce catalogue with its prices, the classes of households.

A county edits the CSV files beside this one. Sources: codes of places from the statistics bureau's list of 2021; prices
as dated in the file, those marked as estimates to be set by the county. Processed goods (peony-seed oil) are retired
until a small workshop's licence is shown.
"""

from datetime import date
from pathlib import Path

from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods.produce import Produce, ProduceMeasure
from market.ground.measure import GRAMS_PER_JIN, parse_measure
from market.ground.money import parse_yuan
from market.people.households import StandingKind
from storefront import imports, sheets

FOLDER = Path(__file__).parent


async def bring(session: AsyncSession) -> None:
    """Write all of it; repeated, it brings what the files say differently."""
    await imports.import_divisions(session, FOLDER / "divisions.csv")
    for kind in _standing_kinds():
        await session.merge(kind)
    for item in _produce():
        await session.merge(item)
    await session.flush()  # prices refer to what they are of
    for row in _measures():
        await session.merge(row)
    await session.flush()  # what follows in this transaction lists by them


def _standing_kinds() -> list[StandingKind]:
    return [
        StandingKind(code=c["code"], name=c["name"], name_en=c["name_en"], counts=c["counts"] == "yes", rank=rank)
        for rank, c in enumerate(_cells("standing_kinds"), start=1)
    ]


def _produce() -> list[Produce]:
    return [
        Produce(
            code=c["code"],
            name=c["name"],
            name_en=c["name_en"],
            words=c["words"],
            season_months=[int(month) for month in c["season_months"].split()],
            storage_days=int(c["storage_days"]) if c["storage_days"] else None,
            cold=c["cold"] == "yes",
            rank=rank,
            retired=c["retired"] == "yes",
        )
        for rank, c in enumerate(_cells("produce"), start=1)
    ]


def _measures() -> list[ProduceMeasure]:
    return [
        ProduceMeasure(
            produce_code=c["produce"],
            measure=parse_measure(c["measure"]),
            per_grams=int(c["per_grams"]) if c["per_grams"] else None,
            least_fen=parse_yuan(c["least_yuan"]),
            low_fen=parse_yuan(c["low_yuan"]),
            high_fen=parse_yuan(c["high_yuan"]),
            most_fen=parse_yuan(c["most_yuan"]),
            most_quantity=int(c["most_quantity"]),
            pack_grams_choices=[int(jin) * GRAMS_PER_JIN for jin in c["pack_jin"].split()],
            source=c["source"],
            as_of_on=date.fromisoformat(c["as_of_on"]) if c["as_of_on"] else None,
        )
        for c in _cells("measures")
    ]


def _cells(name: str) -> list[dict[str, str]]:
    return [row.cells for row in sheets.read(FOLDER / f"{name}.csv").rows]
