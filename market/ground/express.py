"""Statements that are a transaction of their own, past SQLAlchemy: one round trip to the database and nothing besides.

The server commits such a statement when it ends, before its rows are handed out here. It is for hot paths that are one
statement; everything else uses `Database.transaction`.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from sqlalchemy import TextClause, text
from sqlalchemy.dialects.postgresql import asyncpg as dialect

# Each statement here is short, finds its rows by key and is run very often: it is planned once in a while for all
# values, and never by reading a whole table, however small the tables were when it was planned.
_SETTINGS = {
    "plan_cache_mode": "force_generic_plan",
    "enable_seqscan": "off",
    "enable_hashjoin": "off",
    "enable_mergejoin": "off",
    # There are few connections: one row that is held too long must not stand in everybody's way.
    "lock_timeout": "5s",
}
_REFUSED = "ERROR"
_SECONDS = 30.0
"""Longer than any statement here can wait for a row that is held as it should be."""
LANES = 2
"""How many connections there are at most: while one works, the next statement is made up."""


class RolledBack(Exception):
    """The database refused the statement: nothing of it happened. The cause says why."""


class Busy(RolledBack):
    """Somebody holds a row of it for longer than anybody should."""


class Statement:
    """One SQL text with :named values, for a session's transaction (`clause`) and for the express."""

    def __init__(self, sql: str) -> None:
        """Prepare both ways of saying it."""
        self.clause: TextClause = text(sql)
        compiled = self.clause.compile(dialect=dialect.dialect())  # type: ignore[no-untyped-call]
        self.sql = str(compiled)
        self._names: Sequence[str] = compiled.positiontup or ()

    def ordered(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order the driver wants them."""
        return [values[name] for name in self._names]


class Express:
    """A few connections that run one statement each and are never kept by anybody."""

    def __init__(self, connect_args: Mapping[str, Any], *, connections: int) -> None:
        """Prepare for at most so many connections; nothing is opened yet."""
        settings = {**connect_args.get("server_settings", {}), **_SETTINGS}
        self._connect_args = {**connect_args, "server_settings": settings, "command_timeout": _SECONDS}
        self._idle: list[asyncpg.Connection[Any]] = []
        self._free = asyncio.Semaphore(connections)

    async def fetch(self, statement: Statement, values: Mapping[str, Any]) -> list[Any]:
        """Run the statement; its rows, once it is committed.

        Raises RolledBack when nothing of it happened. After any other error nobody knows whether it did.
        """
        async with self._free:
            connection = await self._connection()
            try:
                rows = await connection.fetch(statement.sql, *statement.ordered(values))
            except asyncpg.PostgresError as error:
                if getattr(error, "severity_en", None) != _REFUSED:
                    connection.terminate()  # shut down, or cut off: the driver has errors of this family for that too
                    raise
                self._idle.append(connection)
                raise (Busy if isinstance(error, asyncpg.LockNotAvailableError) else RolledBack) from error
            except BaseException:
                connection.terminate()  # what it is doing at this moment is nobody's any more
                raise
            self._idle.append(connection)
            return rows

    async def close(self) -> None:
        """Close every connection."""
        while self._idle:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._idle.pop().close(timeout=2)

    async def _connection(self) -> "asyncpg.Connection[Any]":
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        fresh: asyncpg.Connection[Any] = await asyncpg.connect(**self._connect_args)
        return fresh
