"""Web processes as in production, each a `serve` of its own with its worker: started, killed, and started again."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from market.ground.db import plain_url
from storefront.local.ports import free_near
from storefront.migrations import ROOT
from tests.simulator import WEBHOOK_SECRET, Cashier

_PATIENCE_SECONDS = 60
Starter = Callable[[dict[str, str]], int]
"""Starts a web process with these surroundings; its pid."""


@dataclass
class Web:
    """One web process and its port, which it keeps over restarts."""

    port: int
    surroundings: dict[str, str]
    starter: Starter
    pid: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.pid = self.starter(self.surroundings)

    async def answers(self) -> None:
        """Return once it takes requests."""
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as client:
            for _ in range(_PATIENCE_SECONDS * 20):
                with contextlib.suppress(httpx.TransportError):
                    if (await client.get("/healthz")).is_success:
                        return
                await asyncio.sleep(0.05)
        raise TimeoutError(f"{self.url} did not start; its log lies in {self.surroundings['YIGOU_VAR']}")

    def kill(self) -> None:
        """SIGKILL: no farewell, as when the machine takes memory back or its power fails."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            os.kill(self.pid, how)
            psutil.Process(self.pid).wait(_PATIENCE_SECONDS)


@contextmanager
def _nursery() -> Iterator[Starter]:
    """Web processes are forked from one that has imported everything: a restart takes half a second."""
    command = [sys.executable, "-P", "-m", "tests.nursery"]
    with subprocess.Popen(
        command, cwd=ROOT, env=_kept(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        asking, answering = process.stdin, process.stdout

        def fork(surroundings: dict[str, str]) -> int:
            asking.write(json.dumps(surroundings) + "\n")
            asking.flush()
            return int(answering.readline())

        yield fork
        asking.close()


@asynccontextmanager
async def pool(ports: list[int], folder: Path, known: dict[str, str]) -> AsyncIterator[list[Web]]:
    """A web process on each port, on one database, up for the length of the block."""
    own = {**_kept(), "YIGOU_DEMO": "1", "YIGOU_VAR": str(folder), **known}
    with _nursery() as starter:
        webs = [Web(port, {**own, "PORT": str(port)}, starter) for port in ports]
        try:
            for web in webs:
                web.start()
            await asyncio.gather(*(web.answers() for web in webs))
            yield webs
        finally:
            for web in webs:
                web.stop()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on, apart from each other and from those of other workers."""
    first = 40_000 + os.getpid() * 7 % 20_000
    return [free_near(first + at) for at in range(count)]


def on(database_url: str, redis_url: str, cashier: Cashier | None = None) -> dict[str, str]:
    """What a web process needs to know: its database, its Redis, and who takes payments."""
    known = {"DATABASE_URL": plain_url(database_url), "REDIS_URL": redis_url, "YIGOU_DATABASE_POOL": "6"}
    if cashier is not None:
        known |= {
            "STRIPE_SECRET_KEY": "sk_test_yigou", "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "STRIPE_API_BASE": cashier.url,
        }  # fmt: skip
    return known


def _kept() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("STRIPE_", "YIGOU_"))}
    return {**kept, "PYTHONPATH": str(ROOT)}
