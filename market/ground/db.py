"""The database: one transaction per request, command or message, and the column types every table shares.

This is the only file that commits or rolls back.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any, cast

from sqlalchemy import BigInteger, CursorResult, Executable, MetaData, String
from sqlalchemy import Enum as SaEnum
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.express import LANES, Express
from market.ground.settings import Settings

# Names of constraints must be the same on every machine, or a migration could not drop them.
SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata: MetaData = SQLModel.metadata


class Database:
    """A pool of connections. The web process, the worker and each command own one."""

    def __init__(self, url: str, *, pool: int = 12) -> None:
        """Prepare the pool of at most `pool` connections; nothing is opened yet."""
        asked = {"server_settings": {"application_name": "yigou", "jit": "off", "timezone": "UTC"}}
        swift = min(LANES, max(1, pool // 4))
        self.engine: AsyncEngine = create_async_engine(
            driver_url(url), pool_size=max(1, pool - swift), max_overflow=0, pool_timeout=10, connect_args=asked
        )
        (), where = self.engine.dialect.create_connect_args(self.engine.url)
        self.express = Express({**where, **asked}, connections=swift)
        self._sessions = async_sessionmaker(self.engine, class_=AsyncSession, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """One unit of work: commits when the block ends, rolls back whatever raised."""
        async with self._sessions() as session:
            try:
                yield session
            except BaseException:
                await session.rollback()
                raise
            await session.commit()

    async def close(self) -> None:
        """Close every connection."""
        await self.express.close()
        await self.engine.dispose()


def open_database(settings: Settings) -> Database:
    """The database of these settings. ValueError when no address is set (bin/run sets one for the embedded server)."""
    if settings.database_url is None:
        msg = "DATABASE_URL is not set. Set it, or start with bin/run, which brings its own PostgreSQL."
        raise ValueError(msg)
    return Database(settings.database_url, pool=settings.database_pool)


def driver_url(url: str) -> str:
    """The same address, spoken through asyncpg; `postgres://` and plain `postgresql://` are what people paste."""
    scheme, _, rest = url.partition("://")
    return f"postgresql+asyncpg://{rest}" if scheme.split("+")[0] in ("postgres", "postgresql") else url


def plain_url(url: str) -> str:
    """The same address for tools that take no driver name (psql, pg_dump, the job worker)."""
    return "postgresql://" + url.partition("://")[2]


def new_id() -> Any:
    """A 64-bit primary key the database hands out."""
    return Field(default=None, primary_key=True, sa_type=BigInteger)


def key_of(column: str, **kwargs: Any) -> Any:
    """A 64-bit reference to another table's row, e.g. `key_of("households.id", index=True)`."""
    return Field(sa_type=BigInteger, foreign_key=column, **kwargs)


def fen(**kwargs: Any) -> Any:
    """Money in integer fen, 64 bits."""
    return Field(sa_type=BigInteger, **kwargs)


def place_code(*, references: bool = False, **kwargs: Any) -> Any:
    """A division code; byte order, so that a prefix is an index range whatever the database's locale."""
    if references:
        kwargs["foreign_key"] = "divisions.code"
    return Field(sa_type=cast("type[Any]", String(12, collation="C")), **kwargs)


def choice(kind: type[StrEnum], *, name: str, **kwargs: Any) -> Any:
    """One of an enum's values, stored as its text and held by a CHECK named after the column."""
    column_type = SaEnum(
        kind,
        native_enum=False,
        length=24,
        create_constraint=True,
        name=name,
        values_callable=lambda members: [member.value for member in members],
    )
    return Field(sa_type=cast("type[Any]", column_type), **kwargs)


async def run(
    session: AsyncSession, statement: Executable, values: Mapping[str, Any] | None = None
) -> CursorResult[*tuple[Any, ...]]:
    """Run a set-based statement in the session's transaction, past the ORM; rows added to the session come first."""
    if session.new or session.dirty:
        await session.flush()
    connection = await session.connection()
    return await connection.execute(statement, values)
