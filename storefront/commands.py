"""`bin/yigou COMMAND`: everything a county runs besides the pages. Each command is one short program."""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from sqlalchemy.exc import ProgrammingError
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import audit, clock
from market.ground.db import Database, open_database
from market.ground.errors import MarketError, NotFound
from market.ground.places import Division, parse_code
from market.ground.settings import Settings
from market.people import accounts
from market.people.accounts import Role
from market.people.households import Household
from market.people.stations import Station
from market.people.units import WorkUnit
from storefront.findings import Summary
from storefront.local import LauncherError

_NOT_MIGRATED = ("42P01", "42703")
"""PostgreSQL's codes of a table or column that is not there."""
_CROWD = typer.Option(min=1, help="Another number than the scale's.", show_default=False)
app = typer.Typer(no_args_is_help=True, add_completion=False, help="Yigou 以购: commands for a county.")


@app.command()
def serve(workers: Annotated[int, typer.Option(help="Web processes; more than one needs REDIS_URL.")] = 1) -> None:
    """Serve the pages and the API. bin/run does this and all set-up besides."""
    import uvicorn

    settings = _settings()
    if settings.database_url is None:
        sys.exit("DATABASE_URL is not set. Set it, or start with bin/run, which brings its own PostgreSQL.")
    if workers > 1 and settings.redis_url.startswith("memory://"):
        sys.exit("Several web processes need one Redis between them: set REDIS_URL.")
    uvicorn.run(
        "storefront.commands:web", factory=True, host=settings.host, port=settings.port, workers=workers,
        loop="uvloop", http="httptools", access_log=False, server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
    )  # fmt: skip


@app.command()
def worker() -> None:
    """Run jobs only: any number of these beside the web processes."""
    from storefront.jobs import make_app
    from storefront.state import open_state

    async def work() -> None:
        state = open_state(_settings())
        jobs = make_app(state)
        async with jobs.open_async():
            await jobs.run_worker_async(concurrency=8)
        await state.close()

    asyncio.run(work())


@app.command()
def migrate() -> None:
    """Bring the database to this version's shape."""
    from storefront.migrations import migrate as bring_up

    with _embedded() as settings:
        asyncio.run(bring_up(settings.database_url or ""))
    typer.echo("The database is up to date.")


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
    with _embedded() as settings:
        loaded = asyncio.run(load_demo(settings) if scale == "small" else generate(settings, scale, seed, **counts))
    typer.echo("Loaded." if loaded else "There are households already: nothing was changed.")


@app.command()
def token(phone: Annotated[str, typer.Option(help="Phone number of the account.")]) -> None:
    """Print a new API token for an account. It is shown once."""

    async def give(session: AsyncSession) -> str:
        account = await accounts.sign_up(session, phone=accounts.parse_phone(phone), now=clock.now())
        return await accounts.new_token(session, account, label="command", now=clock.now())

    typer.echo(_in_transaction(give))


@app.command()
def grant(
    phone: Annotated[str, typer.Option(help="Phone number; the account is made if there is none.")],
    role: Annotated[Role, typer.Option()],
    over: Annotated[str, typer.Option(help="Division code, or id of the household, station or work unit.")],
    name: Annotated[str, typer.Option()] = "",
) -> None:
    """Give a role to a person, e.g. the first administrator of a county."""
    fields = {Role.HOUSEHOLD: "household_id", Role.AGENT: "station_id"}
    fields |= {Role.MEMBER: "work_unit_id", Role.CLERK: "work_unit_id"}
    field = fields.get(role, "division_code")
    held: dict[str, Any] = {"household_id": Household, "station_id": Station}
    held |= {"work_unit_id": WorkUnit, "division_code": Division}

    value: Any = parse_code(over) if field == "division_code" else _id(over)

    async def give(session: AsyncSession) -> str:
        if await session.get(held[field], value) is None:
            raise NotFound(field, over)
        account = await accounts.sign_up(session, phone=accounts.parse_phone(phone), name=name, now=clock.now())
        await accounts.grant(session, account, role, now=clock.now(), **{field: value})
        audit.note(session, None, "give_role", subject=f"{role}:{value}", note=account.phone, now=clock.now())
        return f"{account.name} is now {role} over {over}."

    typer.echo(_in_transaction(give))


@app.command()
def verify() -> None:
    """Prove every invariant of stock and money. Exit 1 and a list of differences if any fails."""
    from market.reports import oversight
    from payments import proof

    async def look(session: AsyncSession) -> list[Any]:
        return [*await oversight.differences(session), *await proof.differences(session)]

    found = _in_transaction(look)
    for difference in found:
        typer.echo(f"{difference.rule}: {difference.subject}: expected {difference.expected}, found {difference.found}")
    if found:
        sys.exit(1)
    typer.echo("Everything adds up.")


@app.command()
def catalogue() -> None:
    """Write the shipped catalogue: produce with its prices, standings of households, places of Lishi. Repeatable."""
    from storefront import reference

    _in_transaction(reference.bring)
    typer.echo("Produce, prices, standings and places are what the shipped files say.")


@app.command("import-divisions")
def import_divisions(file: Path) -> None:
    """Read places from a CSV or XLSX file (code, name, aliases). Exit 1 and every bad line if there is one."""
    from storefront import imports

    _say(_in_transaction(lambda session: imports.import_divisions(session, file)))


@app.command("import-households")
def import_households(file: Path) -> None:
    """Read households from a CSV or XLSX file and say what changed. Exit 1 and every bad line if there is one."""
    from storefront import registers

    _say(_in_transaction(lambda session: registers.import_households(session, file, now=clock.now())))


@app.command()
def backup(file: Path) -> None:
    """Write the whole database into a file (pg_dump's custom format)."""
    from storefront.local import backups

    with _embedded() as settings:
        backups.backup(settings, file)
    typer.echo(f"Written to {file}.")


@app.command()
def restore(file: Path) -> None:
    """Put a backup into an empty database."""
    from storefront.local import backups

    with _embedded() as settings:
        backups.restore(settings, file)
    typer.echo("Restored.")


def web() -> Any:
    """Factory for web processes started by `serve`."""
    from storefront.app import create_app

    return create_app(_settings())


def main() -> None:
    """Run a command; what the market or the machine refuses is one sentence, not a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("yigou").setLevel(logging.INFO)
    try:
        app()
    except MarketError as error:
        sys.exit(f"{type(error).__name__}: {error.detail}")
    except (LauncherError, ValueError) as error:
        sys.exit(str(error))
    except ProgrammingError as error:
        if getattr(error.orig, "sqlstate", "") not in _NOT_MIGRATED:
            raise
        sys.exit("The database is not of this version: run bin/yigou migrate first.")


def _say(summary: Summary) -> None:
    """What a file brought, or why nothing of it was taken."""
    typer.echo(str(summary))
    if summary.problems:
        sys.exit(1)


def _settings() -> Settings:
    try:
        return Settings()
    except ValidationError as error:
        sys.exit(str(error.errors()[0]["msg"]))


def _id(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:  # noqa: PLR2004  as long as an id can be
        raise ValueError(f"--over takes the id of a household, station or work unit, a number: not {text}.")
    return int(text)


def _in_transaction(work: Callable[[AsyncSession], Awaitable[Any]]) -> Any:
    async def inside(settings: Settings) -> Any:
        async with _database(settings) as database, database.transaction() as session:
            return await work(session)

    with _embedded() as settings:
        return asyncio.run(inside(settings))


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = open_database(settings)
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def _embedded() -> Iterator[Settings]:
    """The settings, with the embedded server up for the length of the block where no DATABASE_URL is set."""
    if os.environ.get("DATABASE_URL"):
        yield _settings()
        return
    from storefront.local import defaults

    settings = defaults.complete()
    with defaults.database(settings) as url:
        yield settings.model_copy(update={"database_url": url})


if __name__ == "__main__":
    main()
