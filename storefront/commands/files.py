"""What is brought in: the demo world, the shipped catalogue, places and households."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from market.ground import clock
from storefront.commands.frame import app, embedded, in_transaction
from storefront.findings import Summary

_CROWD = typer.Option(min=1, help="Another number than the scale's.", show_default=False)


@app.command()
def demo(
    scale: Annotated[str, typer.Option(help="small, or made by generation: village, county, province.")] = "small",
    seed: Annotated[int, typer.Option(help="Same seed, same world.")] = 2018,
    *,
    households: Annotated[int | None, _CROWD] = None,
    listings: Annotated[int | None, _CROWD] = None,
    buyers: Annotated[int | None, _CROWD] = None,
    orders: Annotated[int | None, _CROWD] = None,
    counties: Annotated[int | None, _CROWD] = None,
) -> None:
    """Load the invented demo world into an empty database."""
    from storefront.local.world import SIZES, generate, load_demo

    counts: dict[str, Any] = {
        "households": households, "listings": listings, "buyers": buyers, "orders": orders, "counties": counties,
    }  # fmt: skip
    if scale != "small" and scale not in SIZES:
        raise ValueError(f"There is no scale {scale}: use small, {', '.join(SIZES)}.")
    if scale == "small" and any(count is not None for count in counts.values()):
        raise ValueError("The small world is as it is: numbers go with --scale village, county or province.")
    with embedded() as settings:
        loaded = asyncio.run(load_demo(settings) if scale == "small" else generate(settings, scale, seed, **counts))
    typer.echo("Loaded." if loaded else "There are households already: nothing was changed.")


@app.command()
def catalogue() -> None:
    """Write the shipped catalogue: produce with its prices, standings of households, places of Lishi. Repeatable."""
    from storefront import reference

    in_transaction(reference.bring)
    typer.echo("Produce, prices, standings and places are what the shipped files say.")


@app.command("import-divisions")
def import_divisions(file: Path) -> None:
    """Read places from a CSV or XLSX file (code, name, aliases). Exit 1 and every bad line if there is one."""
    from storefront import imports

    _say(in_transaction(lambda session: imports.import_divisions(session, file)))


@app.command("import-households")
def import_households(file: Path) -> None:
    """Read households from a CSV or XLSX file and say what changed. Exit 1 and every bad line if there is one."""
    from storefront import registers

    _say(in_transaction(lambda session: registers.import_households(session, file, now=clock.now())))


def _say(summary: Summary) -> None:
    """What a file brought, or why nothing of it was taken."""
    typer.echo(str(summary))
    if summary.problems:
        sys.exit(1)
