"""What the merchant is told: events, signed at the moment of sending, sent at once, and again until they are taken."""

import asyncio
import hashlib
import hmac
import json
import secrets
import time
from contextlib import suppress

import httpx

from payments.simulator.faults import Json
from payments.simulator.store import Delivery
from payments.simulator.world import API_VERSION, World, new_id, now, public

RANDOM = secrets.SystemRandom()
SENDING_AT_ONCE = 8
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 600.0
GIVE_UP_AFTER_SECONDS = 3 * 86400
"""Stripe tries for up to three days (docs, Webhooks)."""


def tell(world: World, kind: str, thing: Json, previous: Json | None = None) -> Json:
    """Writes an event about the object as it is now, and puts its notice on the way in the same transaction."""
    data: Json = {"object": public(thing)}
    if previous is not None:
        data["previous_attributes"] = previous
    event: Json = {
        "id": new_id("evt"),
        "object": "event",
        "api_version": API_VERSION,
        "created": now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": 1 if world.webhook_url else 0,
        "request": world.request or {"id": None, "idempotency_key": None},
        "type": kind,
    }
    world.store.put(event)
    if world.webhook_url:
        for _ in range(world.switches.copy_count):
            world.store.send_later(event["id"], _first_moment(world))
        world.stirred.set()
    return event


def signature(secret: str, body: str, at: int) -> str:
    """The `Stripe-Signature` header: HMAC-SHA256 over the moment and the body (Stripe, Verify webhook signatures)."""
    mark = hmac.new(secret.encode(), f"{at}.{body}".encode(), hashlib.sha256).hexdigest()
    return f"t={at},v1={mark}"


async def attempt(world: World, client: httpx.AsyncClient, delivery: Delivery) -> int | None:
    """Sends one notice once and writes down how it went. Returns the HTTP status, or None where nobody answered."""
    event = world.store.get(delivery.event, "event")
    status = await _post(world, client, event) if event and world.webhook_url else None
    taken = status is not None and httpx.codes.is_success(status)
    count = delivery.attempt_count + 1
    pause = min(FIRST_PAUSE_SECONDS * 2 ** min(count - 1, 20), LONGEST_PAUSE_SECONDS)
    with world.store.transaction():
        too_old = event is None or now() - event["created"] > GIVE_UP_AFTER_SECONDS
        state = "taken" if taken else "given_up" if too_old else "waiting"
        world.store.note_delivery(delivery.seq, state=state, status=status, due_at=time.time() + pause)
        if taken and event:
            world.store.put(event | {"pending_webhooks": 0})
    return status


async def deliver_forever(world: World) -> None:
    """Sends what is due, many at once, until cancelled."""
    world.store.release_claims()
    limits = httpx.Limits(max_connections=SENDING_AT_ONCE, max_keepalive_connections=SENDING_AT_ONCE)
    sending: set[asyncio.Task[int | None]] = set()
    async with httpx.AsyncClient(timeout=10, limits=limits, trust_env=False) as client:
        try:
            while True:
                world.stirred.clear()
                for delivery in claim_due(world, SENDING_AT_ONCE - len(sending)):
                    task = asyncio.create_task(attempt(world, client, delivery))
                    sending.add(task)
                    task.add_done_callback(sending.discard)
                    task.add_done_callback(lambda _: world.stirred.set())
                await _until_stirred(world, full=len(sending) >= SENDING_AT_ONCE)
        finally:
            # What is cut off here is still claimed, and is sent again after the next start.
            for task in sending:
                task.cancel()


def claim_due(world: World, most: int) -> list[Delivery]:
    """Takes up to `most` notices that are due, so that nobody else sends them meanwhile; none while they are held."""
    held = most < 1 or world.switches.hold_notices
    due = [] if held else world.store.deliveries(until=time.time(), most=most)
    if due:
        with world.store.transaction():
            for delivery in due:
                world.store.claim(delivery.seq)
    return due


async def _post(world: World, client: httpx.AsyncClient, event: Json) -> int | None:
    body = json.dumps(public(event), ensure_ascii=False, indent=2)
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        "Stripe-Signature": signature(world.webhook_secret, body, int(time.time())),
    }
    try:
        answer = await client.post(str(world.webhook_url), content=body.encode(), headers=headers)
    except (httpx.HTTPError, AttributeError):
        return None  # AttributeError: the HTTP library looks at a connection that was taken and cut in the same moment
    return answer.status_code


async def _until_stirred(world: World, *, full: bool) -> None:
    due_at = world.store.next_delivery_at()
    pause = 1.0 if due_at is None or full or world.switches.hold_notices else due_at - time.time()
    # Not wait_for: on Python 3.11 it may swallow a cancellation that meets the event.
    with suppress(TimeoutError):
        async with asyncio.timeout(min(max(pause, 0.001), 1.0)):
            await world.stirred.wait()


def _first_moment(world: World) -> float:
    turned = world.switches
    jitter = RANDOM.uniform(0, turned.shuffle_seconds) if turned.shuffle_seconds else 0.0
    return time.time() + turned.delay_seconds + jitter
