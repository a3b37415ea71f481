"""Every test gets a database of its own: a copy of one migrated template that already holds the small world."""

import asyncio
import gc
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from fakeredis import TcpFakeServer
from fastapi import FastAPI
from filelock import FileLock
from httpx import ASGITransport, AsyncClient
from redis import Redis
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.routing import Mount

from market.ground.db import Database, plain_url
from market.ground.settings import Settings
from market.trade.rush import Rush
from storefront.app import create_app
from storefront.local import postgres
from storefront.migrations import migrate
from storefront.state import State, open_state
from storefront.static_files import HashedFiles
from tests.client import Browser
from tests.simulator import Cashier, running_cashier
from tests.world import World, build_world

_TEMPLATE = "yigou_template"
_MEMORY, _ROOM = Path("/dev/shm"), 2_000_000_000  # noqa: S108 - pytest makes a folder of its own there

# A database a test is hundreds of small files each; where memory serves as a disk, making them takes no time.
if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK) and shutil.disk_usage(_MEMORY).free > _ROOM:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))

# What was imported stays: nobody need look through it again and again for what could be thrown away.
gc.freeze()


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder all workers of this run share, and no other run."""
    mine = tmp_path_factory.getbasetemp()
    return mine.parent if os.environ.get("PYTEST_XDIST_WORKER") else mine


@pytest.fixture(scope="session")
def server(shared: Path) -> Iterator[str]:
    """Address of the run's own server, started by the first worker and stopped by the last."""
    with postgres.serving(shared / "postgres", fast=True) as url:
        yield plain_url(url)


@pytest.fixture(scope="session")
def template(server: str, shared: Path) -> tuple[str, World]:
    """The migrated template with the small world, made once a run by whichever worker comes first."""
    kept = shared / "world.json"
    with FileLock(shared / "world.lock"):
        if not kept.exists():
            world = asyncio.run(_make_template(server))
            kept.write_text(world.to_json())
    return _TEMPLATE, World.from_json(kept.read_text())


async def _make_template(server: str) -> World:
    async with maintenance(server) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{_TEMPLATE}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{_TEMPLATE}"')
    url = address_of(server, _TEMPLATE)
    await migrate(url)
    database = Database(url, pool=1)
    async with database.transaction() as session:
        world = await build_world(session)
    await database.close()
    return world


@asynccontextmanager
async def maintenance(server: str) -> AsyncIterator["asyncpg.Connection[Any]"]:
    connection: asyncpg.Connection[Any] = await asyncpg.connect(server)
    try:
        yield connection
    finally:
        await connection.close()


def address_of(server: str, name: str) -> str:
    """The same server, another database."""
    head, _, query = server.partition("?")
    return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


@pytest.fixture
def world(template: tuple[str, World]) -> World:
    """Names and ids of the people, places and goods in the small world."""
    return template[1]


@pytest_asyncio.fixture
async def database_url(server: str, template: tuple[str, World]) -> AsyncIterator[str]:
    """A fresh copy of the template, dropped afterwards. One after another has the same name: see `_pool`."""
    name = f"t_{os.getpid()}"
    async with maintenance(server) as connection:
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template[0]}" STRATEGY FILE_COPY')
    yield address_of(server, name)
    async with maintenance(server) as connection:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest_asyncio.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The fresh copy with a pool; transactions on it really commit, so every deferred promise is checked."""
    opened = _pool(database_url, 24)
    yield opened
    await opened.close()


@cache
def _pool(database_url: str, size: int) -> Database:
    """Closed after each test and opened anew by the next: a pool remembers how its statements are said in SQL."""
    return Database(database_url, pool=size)


@pytest_asyncio.fixture
async def session(database: Database) -> AsyncIterator[AsyncSession]:
    """One transaction on the fresh copy, committed when the test ends well."""
    async with database.transaction() as opened:
        yield opened


@pytest.fixture(scope="session")
def cashier() -> Iterator[Cashier]:
    """The Stripe simulator in its own process."""
    with running_cashier() as running:
        yield running


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """A Redis spoken to over TCP: the machine's own by REDIS_URL, else the stand-in behind a real socket."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
        return
    server = TcpFakeServer(("127.0.0.1", 0), server_type="redis")
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"redis://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """The same Redis, emptied."""
    Redis.from_url(redis_server).flushdb()
    return redis_server


@pytest.fixture
def settings(database_url: str, redis_url: str, tmp_path: Path) -> Settings:
    """Settings of a web process on the fresh copy, without online payment."""
    return Settings(
        database_url=database_url,
        redis_url=redis_url,
        demo=True,
        var=tmp_path,
        worker_in_web=False,
        public_url="http://shop.test",
    )


@pytest_asyncio.fixture
async def client(settings: Settings) -> AsyncIterator[Browser]:
    """A browser without scripts that speaks to the real application."""
    async with browser(settings) as opened:
        yield opened


@pytest_asyncio.fixture
async def paying_client(settings: Settings, cashier: Cashier) -> AsyncIterator[Browser]:
    """The same with online payment at the simulator. Notices are carried by `cashier.carry_notices(client)`."""
    async with browser(settings.model_copy(update=cashier.settings())) as opened:
        yield opened


@asynccontextmanager
async def browser(settings: Settings) -> AsyncIterator[Browser]:
    """A browser on an application of these settings."""
    app = _application(settings)
    transport = ASGITransport(app=app, raise_app_exceptions=False)
    async with AsyncClient(transport=transport, base_url="http://shop.test", follow_redirects=False) as http:
        yield Browser(http, app)
    await app.state.yigou.close()


_applications: dict[bool, FastAPI] = {}


def _application(settings: Settings) -> FastAPI:
    """The one application of this worker, with and without online payment, on this test's connections.

    Building routes, compiling templates and putting statements into SQL takes longer than most tests; none of them
    knows anything of a test.
    """
    pays_online = settings.stripe_secret_key is not None
    known = _applications.get(pays_online)
    if known is None:
        return _applications.setdefault(pays_online, create_app(settings))
    before: State = known.state.yigou
    database = _pool(settings.database_url or "", settings.database_pool)
    known.state.yigou = replace(open_state(settings), pages=before.pages, database=database, rush=Rush(database))
    photos = next(route for route in known.routes if isinstance(route, Mount) and route.name == "photos")
    photos.app = HashedFiles(directory=settings.photos)
    return known
