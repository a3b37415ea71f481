"""Runs migrations on the connection `storefront.migrations` hands over, or on DATABASE_URL by the same driver."""

import asyncio
import os
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

import market.tables  # noqa: F401  registers every table
import payments.tables  # noqa: F401
from alembic import context
from market.ground.db import driver_url, metadata


def _ours(name: str | None, kind: str, _parents: Any) -> bool:
    """The job library brings its own tables, which the models do not know."""
    return not (name or "").startswith("procrastinate_") or kind not in ("table", "index")


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, include_name=_ours, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


async def _connect() -> None:
    engine = create_async_engine(driver_url(os.environ["DATABASE_URL"]))
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


handed_over: Connection | None = context.config.attributes.get("connection")
if handed_over is not None:
    _run(handed_over)
else:
    asyncio.run(_connect())
