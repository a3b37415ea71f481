"""Statements that are a transaction of their own."""

import asyncio

import pytest
from sqlalchemy import text

from market.ground.db import Database, run
from market.ground.express import RolledBack, Statement

_TABLE = "CREATE TABLE promises (number int)"
_LOOK = """
    CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN IF NEW.number < 0 THEN RAISE EXCEPTION 'broken'; END IF; RETURN NULL; END
    $$
"""
_KEPT = """
    CREATE CONSTRAINT TRIGGER kept AFTER INSERT ON promises DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION look()
"""
_TWO = Statement("WITH one AS (INSERT INTO promises VALUES (:number)) SELECT :number * 2 AS twice")


async def _promises(database: Database) -> None:
    """A table whose rows are looked at only when they are committed."""
    async with database.transaction() as session:
        for part in (_TABLE, _LOOK, _KEPT):
            await run(session, text(part))


async def _kept(database: Database) -> list[int]:
    async with database.transaction() as session:
        return list((await run(session, text("SELECT number FROM promises ORDER BY number"))).scalars())


async def test_rows_are_handed_out_after_the_commit(database: Database) -> None:
    await _promises(database)
    rows = await asyncio.gather(*(database.express.fetch(_TWO, {"number": number}) for number in range(20)))
    assert [row[0]["twice"] for row in rows] == [number * 2 for number in range(20)]
    assert await _kept(database) == list(range(20))


async def test_what_fails_at_the_commit_is_no_answer(database: Database) -> None:
    await _promises(database)
    with pytest.raises(RolledBack):
        await database.express.fetch(_TWO, {"number": -1})
    assert await _kept(database) == []
    assert await database.express.fetch(_TWO, {"number": 1})


async def test_a_connection_that_was_cut_is_replaced(database: Database) -> None:
    await _promises(database)
    await database.express.fetch(_TWO, {"number": 1})
    async with database.transaction() as session:
        await run(session, text(
            "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ))  # fmt: skip
    await asyncio.sleep(0.2)
    assert await database.express.fetch(_TWO, {"number": 2})


async def test_whoever_stops_waiting_leaves_a_sound_line_behind(database: Database) -> None:
    sleep = Statement("SELECT pg_sleep(:seconds)")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(database.express.fetch(sleep, {"seconds": 5.0}), 0.2)
    assert await database.express.fetch(sleep, {"seconds": 0.0})
