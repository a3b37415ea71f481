"""What every command stands on: the program they are entered in, the settings, and a transaction of its own."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import typer
from pydantic import ValidationError
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import Database, open_database
from market.ground.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Yigou 以购: commands for a county.")


def settings_of_environment() -> Settings:
    """The settings, or one sentence about the one that cannot be."""
    try:
        return Settings()
    except ValidationError as error:
        sys.exit(str(error.errors()[0]["msg"]))


def in_transaction(work: Callable[[AsyncSession], Awaitable[Any]]) -> Any:
    """Do this in one transaction, with the embedded server up where no DATABASE_URL is set."""

    async def inside(settings: Settings) -> Any:
        async with opened(settings) as database, database.transaction() as session:
            return await work(session)

    with embedded() as settings:
        return asyncio.run(inside(settings))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Database]:
    """The database of these settings for the length of the block."""
    database = open_database(settings)
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def embedded() -> Iterator[Settings]:
    """The settings, with the embedded server up for the length of the block where no DATABASE_URL is set."""
    if os.environ.get("DATABASE_URL"):
        yield settings_of_environment()
        return
    from storefront.local import defaults

    settings = defaults.complete()
    with defaults.database(settings) as url:
        yield settings.model_copy(update={"database_url": url})
