"""The simulator as one web application: API, cashier, test handles, and what it does by itself."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from payments.simulator.api import Desk
from payments.simulator.cashier import Cashier
from payments.simulator.faults import ApiError
from payments.simulator.notices import deliver_forever
from payments.simulator.probes import Probes
from payments.simulator.refunds import settle_refund
from payments.simulator.sessions import expire_session
from payments.simulator.world import World

PAUSE_SECONDS = 0.05


def build(world: World) -> Starlette:
    """The application for this world; its own work starts and ends with it."""

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(deliver_forever(world)), asyncio.create_task(do_chores_forever(world))]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        world.store.close()

    routes = [Route("/healthz", _healthy), *Cashier(world).routes(), *Probes(world).routes(), *Desk(world).routes()]
    return Starlette(routes=routes, lifespan=lifespan)


async def do_chores_forever(world: World) -> None:
    """Settles refunds and closes checkout pages when their time has come."""
    while True:
        for act, target in _due_chores(world):
            _do(world, act, target)
        await asyncio.sleep(PAUSE_SECONDS)


def _due_chores(world: World) -> list[tuple[str, str]]:
    due_at = world.store.next_chore_at()
    if due_at is None or due_at > time.time():
        return []
    return world.store.due_chores(time.time())


def _do(world: World, act: str, target: str) -> None:
    world.request = None
    with world.store.transaction():
        world.store.drop_chores(act, target)
        if act == "expire_session":
            # Paid or closed in the meantime: nothing to do.
            with suppress(ApiError):
                expire_session(world, target)
        else:
            settle_refund(world, target, fails=act == "fail_refund")


async def _healthy(_: Request) -> Response:
    return PlainTextResponse("ok")
