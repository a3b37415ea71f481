"""Whether all is well: stock and money against themselves, and against the provider."""

import sys
from typing import Any

import typer
from sqlmodel.ext.asyncio.session import AsyncSession

from storefront.commands.frame import app, in_transaction


@app.command()
def verify() -> None:
    """Prove every invariant of stock and money. Exit 1 and a list of differences if any fails."""
    from market.reports import oversight
    from payments import proof

    async def look(session: AsyncSession) -> list[Any]:
        return [*await oversight.differences(session), *await proof.differences(session)]

    found = in_transaction(look)
    for difference in found:
        typer.echo(f"{difference.rule}: {difference.subject}: expected {difference.expected}, found {difference.found}")
    if found:
        sys.exit(1)
    typer.echo("Everything adds up.")
