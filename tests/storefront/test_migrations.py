"""Migrations and models say the same: what one has and the other has not would be found on somebody's server."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

import market.tables
import payments.tables  # noqa: F401
from market.ground.db import Database


def ours(name: str | None, kind: str, _parents: object) -> bool:
    """The job library brings its own tables."""
    return not (name or "").startswith("procrastinate_") or kind not in ("table", "index")


def differences(connection: Connection) -> list[object]:
    options = {"compare_type": True, "include_name": ours}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), market.tables.metadata))


async def test_migrated_tables_are_those_of_the_models(database: Database) -> None:
    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []
