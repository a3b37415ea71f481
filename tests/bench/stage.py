"""What a bench runs on: a durable database of its own, a thousand listings, two hundred buyers, one web process."""

import asyncio
import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from sqlalchemy import text

from market.ground.db import Database, plain_url, run
from market.reports import oversight
from payments import proof
from storefront.local import postgres
from storefront.local.ports import free_near
from storefront.migrations import ROOT, migrate
from tests.world import World, build_world

LISTINGS, BUYERS = 1000, 200
_STOCK = 1_000_000_000


@dataclass(frozen=True)
class Stage:
    """Addresses of everything, and who may buy what."""

    url: str
    database_url: str
    port: int
    tokens: list[str]
    buyer_ids: list[int]
    listing_ids: list[int]
    world: World


@asynccontextmanager
async def standing() -> AsyncIterator[Stage]:
    """Everything up for the length of the block, fsync on as in production."""
    with tempfile.TemporaryDirectory() as folder, postgres.serving(Path(folder) / "postgres") as server:
        async with contextlib.AsyncExitStack() as stack:
            url = await _new_database(plain_url(server))
            stage = await _populate(url)
            process = _web(stage, Path(folder))
            stack.callback(process.wait, 20)
            stack.callback(process.terminate)
            await _wait(stage.port)
            yield stage


async def differences(stage: Stage) -> list[Any]:
    """What the invariants say after the load."""
    database = Database(stage.database_url)
    async with database.transaction() as session:
        found = [*await oversight.differences(session), *await proof.differences(session)]
    await database.close()
    return found


async def _new_database(server: str) -> str:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server)
    await connection.execute("CREATE DATABASE bench")
    await connection.close()
    url = server.replace("/postgres?", "/bench?")
    await migrate(url)
    return url


async def _populate(url: str) -> Stage:
    database = Database(url)
    tokens = [f"yg_bench_{at}" for at in range(BUYERS)]
    async with database.transaction() as session:
        world = await build_world(session)
        await run(session, text("""
            INSERT INTO listings (household_id, division_code, produce_code, measure, grams_each, price_fen, title,
                                  note, state, listed_at, changed_at, search_text, words)
            SELECT l.household_id, l.division_code, l.produce_code, l.measure, l.grams_each, l.price_fen, l.title,
                   '', 'live', l.listed_at, l.changed_at, '', '{}'
            FROM listings l, generate_series(1, :count) WHERE l.id = :pattern
        """), {"count": LISTINGS, "pattern": world.mutton})  # fmt: skip
        await run(session, text("""
            INSERT INTO stock (listing_id, on_hand, reserved)
            SELECT id, :stock, 0 FROM listings WHERE id NOT IN (SELECT listing_id FROM stock)
        """), {"stock": _STOCK})  # fmt: skip
        await run(session, text("""
            INSERT INTO stock_moves (listing_id, at, kind, quantity)
            SELECT listing_id, now(), 'listed', on_hand FROM stock WHERE on_hand = :stock
        """), {"stock": _STOCK})  # fmt: skip
        await run(session, text("""
            INSERT INTO accounts (phone, name, created_at)
            SELECT '198' || lpad(n::text, 8, '0'), 'buyer ' || n, now() FROM generate_series(0, :last) n
        """), {"last": BUYERS - 1})  # fmt: skip
        found = await run(session, text("SELECT id FROM accounts WHERE phone LIKE '198%' ORDER BY phone"))
        buyer_ids = [int(account_id) for account_id in found.scalars()]
        await run(session, text("""
            INSERT INTO grants (account_id, role, work_unit_id, given_at)
            SELECT unnest(CAST(:buyer_ids AS bigint[])), 'member', :work_unit, now()
        """), {"buyer_ids": buyer_ids, "work_unit": world.work_unit})  # fmt: skip
        for account_id, token in zip(buyer_ids, tokens, strict=True):
            digest = hashlib.sha256(token.encode()).hexdigest()
            values = {"digest": digest, "account_id": account_id}
            await run(session, text("""
                INSERT INTO api_tokens (token_hash, account_id, label, created_at)
                VALUES (:digest, :account_id, '', now())
            """), values)  # fmt: skip
        found = await run(session, text("SELECT listing_id FROM stock WHERE on_hand = :stock"), {"stock": _STOCK})
        listing_ids = [int(listing_id) for listing_id in found.scalars()]
    await database.close()
    port = free_near(23_000 + os.getpid() % 10_000)
    return Stage(f"http://127.0.0.1:{port}", url, port, tokens, buyer_ids, listing_ids, world)


def _web(stage: Stage, folder: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "storefront.commands", "serve"],
        cwd=ROOT,
        env={
            **os.environ, "DATABASE_URL": stage.database_url, "PORT": str(stage.port), "YIGOU_VAR": str(folder),
            "YIGOU_DEMO": "1", "YIGOU_WORKER_IN_WEB": "0", "YIGOU_DATABASE_POOL": "16", "PYTHONPATH": str(ROOT),
        },
    )  # fmt: skip


async def _wait(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        for _ in range(1200):
            with contextlib.suppress(httpx.TransportError):
                if (await client.get("/healthz")).is_success:
                    return
            await asyncio.sleep(0.05)
    raise TimeoutError("the web process did not start")
