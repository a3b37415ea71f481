"""A simulator run as its own process, the official SDK pointed at it, and a listener that takes its notices."""

import asyncio
import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import stripe

KEY = "sk_test_yigou"
SECRET = "whsec_yigou_tests"
BACK = "http://shop.test/orders/7?lang=zh"


class Listener:
    """A merchant's webhook endpoint on a real port."""

    def __init__(self) -> None:
        self.taken: list[tuple[bytes, str]] = []
        self.answers: list[int] = []
        listener = self

        class Door(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                length = int(self.headers["content-length"])
                body = self.rfile.read(length)
                if len(body) < length:  # its sender was killed in the middle of it
                    self.close_connection = True
                    return
                status = listener.answers.pop(0) if listener.answers else 200
                if status == 200:
                    listener.taken.append((body, str(self.headers["stripe-signature"])))
                self.send_response(status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Says nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks/stripe"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05})
        self.thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def events(self, object_id: str | None = None) -> list[stripe.Event]:
        """The notices taken so far, each verified by the SDK; of one object, if named."""
        known = [stripe.Webhook.construct_event(body, mark, SECRET) for body, mark in list(self.taken)]
        return [event for event in known if object_id in {None, event.data.object.id}]

    async def gather(self, object_id: str, count: int, seconds: float = 30) -> list[stripe.Event]:
        """All notices about this object, once so many came."""
        for _ in range(int(seconds * 100)):
            if len(found := self.events(object_id)) >= count:
                return found
            await asyncio.sleep(0.01)
        raise AssertionError(f"{len(self.events(object_id))} notices about {object_id} instead of {count}")

    async def wait(self, kind: str, object_id: str, seconds: float = 30) -> stripe.Event:
        """The first notice of this kind about this object."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for event in self.events(object_id):
                if event.type == kind:
                    return event
            await asyncio.sleep(0.01)
        raise AssertionError(f"no {kind} of {object_id}: {[(e.type, e.data.object.id) for e in self.events()]}")


class Running:
    """One running simulator."""

    def __init__(self, data: Path, listener: Listener, *options: str) -> None:
        self.data, self.listener = data, listener
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.options = options
        self.process = self.spawn()
        self.http = stripe.HTTPXClient()
        self.stripe = client(self.url, self.http)
        self.api = self.stripe.v1
        self.browser = httpx.AsyncClient(base_url=self.url, trust_env=False)

    def spawn(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "payments.simulator", "--port", str(self.port), "--data", str(self.data)]
        command += ["--webhook-url", self.listener.url, "--webhook-secret", SECRET, "--public-url", self.url]
        command += ["--watch-stdin", *(self.options or ("--refund-seconds", "0.1"))]
        process = subprocess.Popen(command, stdin=subprocess.PIPE)
        for _ in range(400):
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(f"{self.url}/healthz", trust_env=False).text == "ok":
                    return process
            time.sleep(0.025)
        raise AssertionError("the simulator did not start")

    def stop(self) -> None:
        """Closes its standard input, as the death of a parent would."""
        if self.process.stdin:
            self.process.stdin.close()
        self.process.wait(timeout=30)

    def kill(self) -> None:
        """Ends it without warning, as a power cut would."""
        self.process.kill()
        self.process.wait()
        if self.process.stdin:
            self.process.stdin.close()

    async def close(self) -> None:
        self.stop()
        await self.browser.aclose()
        await self.http.close_async()  # type: ignore[no-untyped-call]  # the SDK left it untyped

    async def probe(self, path: str, wishes: dict[str, Any] | None = None) -> dict[str, Any]:
        """Turns a test handle."""
        headers = {"authorization": f"Bearer {KEY}"}
        answer = await self.browser.post(f"/_test/{path}", json=wishes or {}, headers=headers)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def alipay(self, fen: int = 12_345, **more: Any) -> stripe.PaymentIntent:
        """An intent that waits for its payer at Alipay."""
        asked: Any = {
            "amount": fen,
            "currency": "cny",
            "allowed_payment_method_types": ["alipay"],
            "payment_method_data": {"type": "alipay"},
            "confirm": True,
            "return_url": BACK,
        }
        return await self.api.payment_intents.create_async(asked | more)

    async def wechat(self, fen: int = 4_500, **more: Any) -> stripe.PaymentIntent:
        """An intent that waits for its payer to scan the code."""
        asked: Any = {
            "amount": fen,
            "currency": "cny",
            "allowed_payment_method_types": ["wechat_pay"],
            "payment_method_data": {"type": "wechat_pay"},
            "payment_method_options": {"wechat_pay": {"client": "web"}},
            "confirm": True,
        }
        return await self.api.payment_intents.create_async(asked | more)

    async def card(self, fen: int = 10_000, method: str = "pm_card_visa", **more: Any) -> stripe.PaymentIntent:
        """An intent paid by a test card at once."""
        asked: Any = {
            "amount": fen,
            "currency": "cny",
            "allowed_payment_method_types": ["card"],
            "payment_method": method,
            "confirm": True,
        }
        return await self.api.payment_intents.create_async(asked | more)

    async def paid_alipay(self, fen: int = 12_345) -> stripe.PaymentIntent:
        """An intent paid at Alipay."""
        intent = await self.alipay(fen)
        await self.probe(f"intents/{intent.id}/pay")
        return await self.api.payment_intents.retrieve_async(intent.id)


def client(url: str, http: stripe.HTTPXClient, key: str = KEY) -> stripe.StripeClient:
    """The official SDK, as the product uses it."""
    return stripe.StripeClient(key, base_addresses={"api": url}, http_client=http, max_network_retries=2)


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def path_of(url: str) -> str:
    """The path of one of the simulator's own addresses."""
    return urlsplit(url).path


@contextlib.asynccontextmanager
async def running(data: Path, *options: str) -> AsyncIterator[Running]:
    """A simulator with a listener of its own, for as long as the block lasts."""
    listener = Listener()
    simulator = Running(data, listener, *options)
    try:
        yield simulator
    finally:
        await simulator.close()
        listener.close()
