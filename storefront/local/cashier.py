"""The test cashier beside the market: payments/simulator in a process of its own, which ends when we do."""

import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from urllib.parse import urlsplit

from market.ground.settings import Settings
from storefront.local import LauncherError, cannot_be_used

_PATIENCE_SECONDS = 20


@contextmanager
def running(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    """The cashier's process for the length of the block. It watches its standard input, so a killed parent ends it."""
    address = urlsplit(settings.stripe_api_base or "")
    market = urlsplit(settings.public_url)
    secret = settings.stripe_webhook_secret
    with _log(settings.var) as log:
        process = subprocess.Popen(  # noqa: S603  our own program
            [
                *(sys.executable, "-P", "-m", "payments.simulator", "--watch-stdin"),
                *("--host", _host(settings), "--port", str(address.port)),
                *("--data", str(settings.var / "stripe.sqlite3")),
                *("--webhook-url", f"http://{_market_host(settings)}:{settings.port}/hooks/stripe"),
                *("--webhook-secret", secret.get_secret_value() if secret else ""),
                *("--public-url", f"http://{market.hostname}:{address.port}"),
            ],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


@contextmanager
def at_hand(settings: Settings) -> Iterator[None]:
    """The cashier answers for the length of the block: the one that runs beside the market, or one of our own."""
    if _answers(settings):
        yield
        return
    with running(settings) as process:
        wait_until_open(process, settings)
        yield


def wait_until_open(process: "subprocess.Popen[bytes]", settings: Settings) -> None:
    """Return once the cashier answers. Raises LauncherError when it ended or stays silent."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if _answers(settings):
            return
        time.sleep(0.02)
    raise LauncherError(f"The test cashier does not open: {settings.var / 'cashier.log'} tells why.")


def _log(var: Path) -> IO[bytes]:
    try:
        return (var / "cashier.log").open("wb")
    except OSError as error:
        raise cannot_be_used(var, error.strerror) from error


def _host(settings: Settings) -> str:
    """Where the cashier listens: as far as the market is heard, and always where the market itself asks."""
    return "127.0.0.1" if settings.host in {"127.0.0.1", "localhost"} else "0.0.0.0"  # noqa: S104  the operator chose it


def _market_host(settings: Settings) -> str:
    return "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104  compared, not bound


def _answers(settings: Settings) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(settings.stripe_api_base or "").port, timeout=2)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
