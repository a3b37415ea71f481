"""The Stripe simulator for tests: a real process on a free port, spoken to through the real SDK."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from market.ground.settings import Settings
from payments.records import Payment
from payments.stripe import Gateway
from storefront.local.ports import free_near

WEBHOOK_SECRET = "whsec_test"
_KEY = {"Authorization": "Bearer sk_test_yigou"}
_PATIENCE_SECONDS = 20


@dataclass
class Cashier:
    """The running simulator."""

    url: str

    def settings(self) -> dict[str, Any]:
        """What a web process needs to take payments here."""
        return {
            "stripe_secret_key": SecretStr("sk_test_yigou"),
            "stripe_webhook_secret": SecretStr(WEBHOOK_SECRET),
            "stripe_api_base": self.url,
        }

    def gateway(self) -> Gateway:
        """A client of this simulator."""
        return Gateway(Settings(demo=True, **self.settings()))

    async def act(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Turn a test handle: `intents/ID/pay`, `sessions/ID/pay`, `refunds/ID/fail`, `switches`."""
        async with httpx.AsyncClient(base_url=f"{self.url}/_test/", headers=_KEY) as client:
            answer = await client.post(path, json=body or {})
            answer.raise_for_status()
            return answer.json()

    async def call(self, path: str, **fields: Any) -> Any:
        """A call of the provider's API the market knows nothing of, as from the provider's own dashboard."""
        async with httpx.AsyncClient(base_url=f"{self.url}/v1/", headers=_KEY) as client:
            answer = await client.post(path, data=fields)
            answer.raise_for_status()
            return answer.json()

    async def charge(self, fen: int) -> str:
        """Somebody's money, paid without the market; the payment intent's id."""
        fields = {"amount": fen, "currency": "cny", "confirm": "true", "return_url": "http://shop.test/"}
        made = await self.call("payment_intents", **fields, **{"payment_method_data[type]": "alipay"})
        await self.act(f"intents/{made['id']}/pay")
        return str(made["id"])

    async def pay(self, payment: Payment) -> None:
        """Be the payer of this payment."""
        kind = "sessions" if (payment.provider_id or "").startswith("cs_") else "intents"
        await self.act(f"{kind}/{payment.provider_id}/pay")

    async def notices_about(self, *words: str) -> list[tuple[bytes, str]]:
        """Signed notices whose text names any of these words, oldest first: what the provider would send us."""
        async with httpx.AsyncClient(base_url=self.url, headers=_KEY) as client:
            answer = await client.get("/v1/events", params={"limit": 100})
        found = [json.dumps(event) for event in reversed(answer.json()["data"])]
        return [signed(text.encode()) for text in found if any(word in text for word in words)]


@contextmanager
def running_cashier(
    webhook_url: str = "http://127.0.0.1:9/hooks/stripe", *, refund_seconds: float = 1.0
) -> Iterator[Cashier]:
    """Start the simulator and end it with the block."""
    port = free_near(20_000 + os.getpid() % 20_000)
    with tempfile.TemporaryDirectory() as folder:
        data = str(Path(folder) / "stripe.sqlite3")
        process = subprocess.Popen(
            [
                sys.executable, "-m", "payments.simulator", "--port", str(port), "--data", data,
                "--webhook-url", webhook_url, "--webhook-secret", WEBHOOK_SECRET,
                "--public-url", f"http://127.0.0.1:{port}", "--watch-stdin",
                "--refund-seconds", str(refund_seconds),
            ],
            stdin=subprocess.PIPE,
        )  # fmt: skip
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(url)
            yield Cashier(url)
        finally:
            process.terminate()
            process.wait(10)
            if process.stdin:
                process.stdin.close()


def signed(body: bytes, *, secret: str = WEBHOOK_SECRET, at: float | None = None) -> tuple[bytes, str]:
    """A message and its signature header, as the provider makes it."""
    moment = int(at or time.time())
    mac = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return body, f"t={moment},v1={mac}"


def _wait(url: str) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            if httpx.get(f"{url}/healthz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    msg = "the simulator did not start"
    raise TimeoutError(msg)
