"""localstripe in a process of its own: a Stripe other people wrote. Nothing of the product imports or ships it.

Its own start would listen to the whole network and read a pickle from the temporary folder; here it does neither.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
import stripe
from pydantic import SecretStr

from market.ground.settings import Settings
from tests.payments.simulator.runs import free_port
from tests.simulator import WEBHOOK_SECRET

KEY = "sk_test_yigou"
_PROGRAM = """
import sys
from aiohttp import web
from localstripe import resources
resources.Store.dump_to_disk = lambda store: None
from localstripe.server import app
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None, access_log=None)
"""
_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Provider:
    """Somebody who takes cards, spoken to by the product's own client and, as the payer's page would, by the SDK."""

    name: str
    url: str

    @property
    def by_card(self) -> dict[str, Any]:
        """Fields of an intent for cards: localstripe knows nothing else and refuses the newer name."""
        return {} if self.name == "localstripe" else {"allowed_payment_method_types": ["card"]}

    async def charge(self, payer: stripe.StripeClient, intent: str, card: str) -> None:
        """The payer gives a card; CardError where the bank says no."""
        intents = payer.v1.payment_intents
        if self.name == "localstripe":  # it knows no card at confirming
            await intents.update_async(intent, {"payment_method": card})
            await intents.confirm_async(intent)
        else:
            await intents.confirm_async(intent, {"payment_method": card})

    def settings(self) -> Settings:
        return Settings(
            demo=True, stripe_secret_key=SecretStr(KEY), stripe_webhook_secret=SecretStr(WEBHOOK_SECRET),
            stripe_api_base=self.url,
        )  # fmt: skip

    def client(self, http: stripe.HTTPXClient) -> stripe.StripeClient:
        return stripe.StripeClient(KEY, base_addresses={"api": self.url}, http_client=http)


@contextmanager
def running() -> Iterator[Provider]:
    """localstripe on a free port of the loopback, for the length of the block."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-W", "ignore", "-c", _PROGRAM, str(port)], stdin=subprocess.DEVNULL)
    try:
        provider = Provider("localstripe", f"http://127.0.0.1:{port}")
        _wait(provider.url, process)
        yield provider
    finally:
        process.terminate()
        process.wait(10)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(httpx.TransportError):
            httpx.get(f"{url}/v1/charges", auth=(KEY, ""), trust_env=False)
            return
        time.sleep(0.05)
    raise TimeoutError("localstripe did not start")
