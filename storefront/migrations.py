"""Brings the database to this version's shape. Safe to run at every start, and by several processes at once."""

from pathlib import Path

from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from alembic import command
from market.ground.db import driver_url

ROOT = Path(__file__).resolve().parent.parent
_LOCK = 0x59_69_67_6F_75
"""Advisory lock: the second process waits and then finds nothing to do."""


async def migrate(database_url: str) -> None:
    """Apply every migration that is missing."""
    engine = create_async_engine(driver_url(database_url))
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()


def is_migrated(connection: Connection) -> bool:
    """Whether the database bears the newest migration's number."""
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == newest()


def newest() -> str:
    """Number of the newest migration there is."""
    return max(path.name for path in (ROOT / "alembic" / "versions").glob("[0-9]*.py")).split("_")[0]


def _upgrade(connection: Connection) -> None:
    config = Config(str(ROOT / "alembic.ini"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
