"""Buyers over HTTP: plain sockets, one order after another on each, so that the load itself costs little."""

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

from tests.bench.stage import Stage

Ask = Callable[[int, int], bytes]
"""What the buyer of this connection sends to order one of this listing."""


@dataclass(frozen=True)
class Result:
    """What one run achieved."""

    seconds: float
    milliseconds: list[float]
    failed: int

    @property
    def per_second(self) -> float:
        """Orders acknowledged a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, share: int) -> float:
        """Latency in milliseconds that `share` percent of the orders stayed below."""
        ranked = sorted(self.milliseconds) or [0.0]
        return ranked[min(len(ranked) - 1, len(ranked) * share // 100)]


async def run(stage: Stage, ask: Ask, *, hot: bool, seconds: int, connections: int) -> Result:
    """Place orders for so many seconds over so many connections."""
    began = time.monotonic()
    took = await asyncio.gather(*(_buyer(stage, ask, at, hot, began + seconds) for at in range(connections)))
    spent = time.monotonic() - began
    answers = [answer for buyer in took for answer in buyer]
    return Result(spent, [ms for ms, ok in answers if ok], sum(not ok for _, ok in answers))


async def _buyer(stage: Stage, ask: Ask, at: int, hot: bool, end: float) -> list[tuple[float, bool]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", stage.port)
    answers = []
    while time.monotonic() < end:
        listing_id = stage.listing_ids[0] if hot else random.choice(stage.listing_ids)
        began = time.monotonic()
        writer.write(ask(at, listing_id))
        ok = await _answer(reader)
        answers.append(((time.monotonic() - began) * 1000, ok))
    writer.close()
    await writer.wait_closed()
    return answers


def by_api(stage: Stage) -> Ask:
    """Programs with a token each."""

    def ask(at: int, listing_id: int) -> bytes:
        lines = [{"listing_id": listing_id, "quantity": 1}]
        body = json.dumps({"wallet": "personal", "stop_id": stage.world.stop, "lines": lines}).encode()
        head = (
            f"POST /api/v1/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {stage.tokens[at % len(stage.tokens)]}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {uuid4().hex}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    return ask


async def _answer(reader: asyncio.StreamReader) -> bool:
    head = await reader.readuntil(b"\r\n\r\n")
    lowered = head.lower()
    start = lowered.index(b"content-length:") + 15
    await reader.readexactly(int(lowered[start : lowered.index(b"\r", start)]))
    return lowered.startswith(b"http/1.1 201") or b"\r\nlocation: /orders/" in lowered
