"""`bin/run`: everything the market needs on this machine, started together, served, and ended together.

The first page of a second start is to be two seconds away, so what takes long begins first, and what is large to import
is imported meanwhile.
"""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from types import FrameType

import uvicorn
from pydantic import ValidationError

from market.ground.settings import Settings
from storefront.local import LauncherError, cashier, defaults, ports


def main() -> None:
    """Serve until Ctrl-C. What keeps the market from running is said in one sentence, with exit code 1."""
    signal.signal(signal.SIGTERM, _end)
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("yigou").setLevel(logging.INFO)
    try:
        with ExitStack() as stack:
            _run(stack)
    except LauncherError as error:
        sys.exit(str(error))
    except ValidationError as error:
        sys.exit(_sentence(error))
    except KeyboardInterrupt:
        sys.exit(0)


def _run(stack: ExitStack) -> None:
    asked = defaults.complete()
    door = stack.enter_context(ports.take(asked.host, asked.port))
    port: int = door.getsockname()[1]
    settings = defaults.complete(port=port, cashier_port=ports.free_near(port + 1))
    wait = _open_cashier(stack, settings)
    with ThreadPoolExecutor(1) as beside:
        database = beside.submit(stack.enter_context, defaults.database(settings))
        _import_the_market()
        settings = settings.model_copy(update={"database_url": database.result()})
    asyncio.run(_prepare(settings))
    wait()
    _serve(settings, door)


def _open_cashier(stack: ExitStack, settings: Settings) -> Callable[[], None]:
    """Start the test cashier where no provider is set; what is returned waits until it is open."""
    if not defaults.uses_test_cashier(settings):
        return lambda: None
    process = stack.enter_context(cashier.running(settings))
    return lambda: cashier.wait_until_open(process, settings)


def _import_the_market() -> None:
    """Nothing imported is ever thrown away, so the collector need not look at it meanwhile."""
    gc.disable()
    import storefront.app
    import storefront.migrations  # noqa: F401

    gc.enable()


async def _prepare(settings: Settings) -> None:
    from storefront.local.world import load_demo
    from storefront.migrations import migrate

    await migrate(settings.database_url or "")
    if settings.demo and await load_demo(settings):
        print("Loaded the demo world.", flush=True)


def _serve(settings: Settings, door: socket.socket) -> None:
    from storefront.app import create_app

    config = uvicorn.Config(
        create_app(settings),
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_graceful_shutdown=5,
    )
    _Server(config, settings).run(sockets=[door])


class _Server(uvicorn.Server):
    """Uvicorn, which tells the address once it listens."""

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._settings = settings

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(_greeting(self._settings), flush=True)


def _greeting(settings: Settings) -> str:
    lines = ["", f"Yigou 以购 is open: {settings.public_url}", ""]
    if settings.demo:
        from storefront.local.world import demo_logins

        logins = demo_logins(settings)
        lines += ["Sign in with one tap as", *(f"  {url}  {label}" for label, url in logins), ""]
    return "\n".join([*lines, "Ctrl-C ends it."])


def _sentence(error: ValidationError) -> str:
    """The first setting that cannot be, as the person who set it knows it."""
    first = error.errors()[0]
    name = str(first["loc"][0]) if first["loc"] else "the settings"
    return f"The setting {name} cannot be {first['input']!r}: {first['msg']}."


def _end(_number: int, _frame: FrameType | None) -> None:
    """A polite kill ends us as Ctrl-C does, with everything we started."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
