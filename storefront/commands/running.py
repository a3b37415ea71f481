"""Serving, working, and what the database needs around it."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from market.ground.settings import Settings
from storefront.commands.frame import app, embedded, opened, settings_of_environment


@app.command()
def serve(workers: Annotated[int, typer.Option(help="Web processes; more than one needs REDIS_URL.")] = 1) -> None:
    """Serve the pages and the API. bin/run does this and all set-up besides."""
    import uvicorn

    settings = settings_of_environment()
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
        state = open_state(settings_of_environment())
        jobs = make_app(state)
        async with jobs.open_async():
            await jobs.run_worker_async(concurrency=8)
        await state.close()

    asyncio.run(work())


@app.command()
def migrate() -> None:
    """Bring the database to this version's shape."""
    from storefront.migrations import migrate as bring_up

    with embedded() as settings:
        asyncio.run(bring_up(settings.database_url or ""))
    typer.echo("The database is up to date.")


@app.command("renew-seals")
def renew_seals() -> None:
    """Seal every card number anew with the first of YIGOU_SEAL_KEYS, so that older keys can be thrown away."""
    from market.ground.seal import open_seal
    from market.people import cards

    async def renew(settings: Settings) -> int:
        async with opened(settings) as database, database.transaction() as session:
            return await cards.renew_seals(session, open_seal(settings))

    with embedded() as settings:
        typer.echo(f"{asyncio.run(renew(settings))} cards are sealed with the first key.")


@app.command()
def backup(file: Path) -> None:
    """Write the whole database into a file (pg_dump's custom format)."""
    from storefront.local import backups

    with embedded() as settings:
        backups.backup(settings, file)
    typer.echo(f"Written to {file}.")


@app.command()
def restore(file: Path) -> None:
    """Put a backup into an empty database."""
    from storefront.local import backups

    with embedded() as settings:
        backups.restore(settings, file)
    typer.echo("Restored.")


def web() -> Any:
    """Factory for web processes started by `serve`."""
    from storefront.app import create_app

    return create_app(settings_of_environment())
