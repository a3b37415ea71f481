"""The whole product for browser tests: embedded database, simulator, web process and worker, as bin/run starts them."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which

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
    "--disable-features=PreloadTopChromeWebUI,WebUIPreloading",
]
PHONE, DESKTOP = (390, 844), (1280, 800)
PATIENCE_MS = 20_000
_PATIENCE_SECONDS = 240
_TOKEN = re.compile(r'name="csrf_token"\s+value="([0-9a-f]+)"')


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
            [sys.executable, "-m", "storefront.local.run"],
            cwd=ROOT,
            env=_environment(var, port),
            stdout=out,
            stderr=out,
        )
        try:
            url = f"http://localhost:{port}"
            _wait(url, process, log)
            yield Market(url, var)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)


def _environment(var: Path, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not re.match(r"DATABASE_URL|REDIS_URL|STRIPE_", name)}
    kept["PYTHONPATH"] = str(ROOT)
    return {**kept, "YIGOU_VAR": str(var), **({"PORT": str(port)} if port else {})}


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz").is_success:
                return
        time.sleep(0.1)
    raise RuntimeError(log.read_text())


def open_browser(playwright: Playwright) -> Browser:
    """Chromium of the system, as `bin/test` found it."""
    found = os.environ.get("YIGOU_CHROMIUM") or which("chromium-headless-shell") or which("chromium")
    return playwright.chromium.launch(executable_path=found, args=FLAGS)


def open_context(
    browser: Browser, market: Market, size: tuple[int, int], *, scripts: bool = True, keeps: bool = True
) -> BrowserContext:
    """A fresh person's browser of that size; `keeps`: with a service worker, which hides what the network brings."""
    width, height = size
    context = browser.new_context(
        base_url=market.url,
        viewport={"width": width, "height": height},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        has_touch=size == PHONE,
        is_mobile=size == PHONE,
        java_script_enabled=scripts,
        service_workers="allow" if keeps else "block",
    )
    context.set_default_timeout(PATIENCE_MS)
    prefer(context)
    return context


def prefer(context: BrowserContext, *, language: str = "zh", size: str = "normal", contrast: str = "normal") -> None:
    """From the next page on, show pages to this person like that."""
    kept = {"lang": language, "prefs": f"size.{size}-contrast.{contrast}"}
    context.add_cookies(
        [{"name": name, "value": value, "domain": "localhost", "path": "/"} for name, value in kept.items()]
    )


def sign_in_as(context: BrowserContext, key: str) -> None:
    """Be this invented person, by the one-tap login."""
    token = _TOKEN.search(context.request.get("/sign-in").text())
    assert token is not None, "the sign-in page has no form"
    answer = context.request.post(f"/demo-logins/{key}", form={"csrf_token": token[1]})
    assert answer.ok, f"{key} could not sign in: {answer.status}"
