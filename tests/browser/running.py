"""The whole product for browser tests: embedded database, simulator, web process and worker, as bin/run starts them."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Browser, BrowserContext, Playwright

from storefront.local.ports import free_near
from storefront.migrations import ROOT

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESKTOP = (390, 844), (1280, 800)
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Market:
    """The running product."""

    url: str
    var: Path

    def command(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run `bin/yigou` on the same data."""
        return subprocess.run(
            [sys.executable, "-m", "storefront.commands", *words],
            cwd=ROOT,
            env=_environment(self.var, 0),
            capture_output=True,
            text=True,
            check=False,
        )


@contextmanager
def running_market(var: Path) -> Iterator[Market]:
    """Start everything on a free port with the demo world, and end it with the block."""
    port = free_near(24_000 + os.getpid() % 10_000)
    log = var / "run.log"
    var.mkdir(parents=True, exist_ok=True)
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "storefront.local.run"], cwd=ROOT, env=_environment(var, port), stdout=out, stderr=out
        )
        try:
            url = f"http://localhost:{port}"
            _wait(url, process, log)
            yield Market(url, var)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def _environment(var: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not re.match(r"DATABASE_URL|REDIS_URL|STRIPE_", name)}
    kept["PYTHONPATH"] = str(ROOT)
    return {**kept, "YIGOU_VAR": str(var), **({"PORT": str(port)} if port else {})}


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/readyz").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(log.read_text())


def open_browser(playwright: Playwright) -> Browser:
    """Chromium of the system."""
    return playwright.chromium.launch(
        executable_path=os.environ.get("YIGOU_CHROMIUM", "/usr/bin/chromium"), args=FLAGS
    )


def open_context(browser: Browser, size: tuple[int, int], *, language: str = "zh") -> BrowserContext:
    """A fresh person's browser of that size."""
    width, height = size
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
    )
    context.set_default_timeout(15_000)
    context.add_cookies([{"name": "lang", "value": language, "domain": "localhost", "path": "/"}])
    return context


def sign_in_as(context: BrowserContext, market: Market, key: str) -> None:
    """Be this invented person, by the one-tap login."""
    page = context.new_page()
    page.goto(f"{market.url}/demo-logins/{key}")
    page.get_by_role("main").get_by_role("button").click()
    page.wait_for_load_state()
    page.close()
