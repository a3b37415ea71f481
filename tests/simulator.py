"""The Stripe simulator for tests: a real process on a free port, spoken to through the real SDK."""

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

from storefront.local.ports import free_near

WEBHOOK_SECRET = "whsec_test"
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


@contextmanager
def running_cashier(webhook_url: str = "http://127.0.0.1:9/hooks/stripe") -> Iterator[Cashier]:
    """Start the simulator and end it with the block."""
    port = free_near(20_000 + os.getpid() % 20_000)
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "payments.simulator", "--port", str(port), "--data", str(Path(folder) / "s.sqlite3"),
                "--webhook-url", webhook_url, "--webhook-secret", WEBHOOK_SECRET,
                "--public-url", f"http://127.0.0.1:{port}", "--watch-stdin",
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
