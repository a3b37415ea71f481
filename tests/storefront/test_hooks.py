"""The provider's door: only signed notices, each once, and a word that makes the provider try again."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from httpx import Response
from sqlmodel import select

from payments.records import Notice
from payments.stripe import MOST_BYTES
from tests.client import Browser
from tests.simulator import signed
from tests.world import World

BODY = b'{"id": "evt_7", "object": "event", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}'


async def send(client: Browser, body: bytes, signature: str) -> Response:
    return await client.http.post("/hooks/stripe", content=body, headers={"Stripe-Signature": signature})


async def test_a_signed_notice_is_recorded_once(paying_client: Browser, world: World) -> None:
    outcomes = [(await send(paying_client, *signed(BODY))).json()["outcome"] for _ in range(3)]
    assert outcomes == ["ignored", "duplicate", "duplicate"]
    async with paying_client.state.database.transaction() as session:
        assert (await session.exec(select(Notice.id))).all() == ["evt_7"]


async def test_a_wrong_signature_is_refused_and_leaves_nothing(paying_client: Browser, world: World) -> None:
    for body, signature in (signed(BODY, secret="whsec_other"), (BODY, ""), (b"\xff\x00", "t=1,v1=0")):
        answer = await send(paying_client, body, signature)
        assert answer.status_code == 422
    async with paying_client.state.database.transaction() as session:
        assert (await session.exec(select(Notice.id))).all() == []


async def test_without_a_secret_the_door_is_closed(client: Browser, world: World) -> None:
    assert (await send(client, *signed(BODY))).status_code == 404


async def notices(client: Browser) -> list[Notice]:
    async with client.state.database.transaction() as session:
        return list(await session.exec(select(Notice)))


def about(**changes: Any) -> bytes:
    """A notice as the provider writes it, with something about it unusual."""
    usual = {"id": "evt_odd", "object": "event", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}
    return json.dumps({**usual, **changes}).encode()


LONG = "x" * 4000
HARMLESSLY = {(200, "ignored"), (200, "foreign"), (200, "unknown")}
HARMLESS = {
    "a kind nobody knows": about(type="galaxy.collided"),
    "another API version": about(api_version="2013-02-13", data={"object": {"id": "ch_1", "refunds": [{"id": 1}]}}),
    "no object": about(data={}),
    "no data": about(data=None),
    "an object that is a list": about(data={"object": [1, 2]}),
    "an object that is a word": about(data={"object": "cus_1"}),
    "an object without id": about(data={"object": {"metadata": {}}}),
    "an object with a number for an id": about(data={"object": {"id": 7}}),
    "an object with an endless id": about(data={"object": {"id": LONG}}),
    "notes that are a list": about(type="payment_intent.succeeded", data={"object": {"id": "pi_1", "metadata": [1]}}),
    "notes that are a word": about(type="refund.updated", data={"object": {"id": "re_1", "metadata": "x"}}),
    "notes that name nonsense": about(
        type="payment_intent.succeeded", data={"object": {"id": "pi_1", "metadata": {"payment_id": {"a": 1}}}}
    ),
    "a thin event": json.dumps({
        "id": "evt_thin", "object": "v2.core.event", "type": "v1.billing.meter.error_report_triggered",
        "created": "2026-11-24T08:00:00Z", "related_object": {"id": "mtr_1", "type": "billing.meter"},
    }).encode(),
    "a time that is none": about(created="yesterday"),
    "a time beyond time": about(created=10**30),
    "signs no text holds": about(note="a\x00b \ud800"),
    "a refund of another market": about(
        type="refund.updated", data={"object": {"id": "re_1", "metadata": {"refund_id": str(UUID(int=5))}}}
    ),
    "a failure of another market": about(
        type="payment_intent.payment_failed",
        data={"object": {"id": "pi_1", "metadata": {"payment_id": str(UUID(int=5))}}},
    ),
}  # fmt: skip
NO_NOTICES = {
    "nothing": b"",
    "no JSON": b"<xml/>",
    "half of one": b'{"id": "evt_',
    "a list": b"[]",
    "a number": b"7",
    "nothing in JSON": b"null",
    "not a number": b'{"id": "evt_1", "type": "a.b", "n": NaN}',
    "a number beyond numbers": b'{"id": "evt_1", "type": "a.b", "n": 1e999}',
    "an integer of ten thousand digits": b'{"id": "evt_1", "type": "a.b", "n": ' + b"9" * 10_000 + b"}",
    "no id": about(id=None),
    "an empty id": about(id=""),
    "an endless id": about(id=LONG),
    "an id of other signs": about(id="事件"),
    "no kind": about(type=None),
    "a kind that is a list": about(type=["a"]),
    "an endless kind": about(type=LONG),
    "a pit": b'{"id": "evt_1", "type": "a.b", "deep": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "a hole": b'{"id": "evt_1", "type": "a.b", "deep": ' + b"[" * 150 + b"]" * 150 + b"}",
}


async def test_unusual_notices_are_recorded_and_harmless(
    paying_client: Browser, world: World, subtests: pytest.Subtests
) -> None:
    for number, (what, body) in enumerate(HARMLESS.items()):
        with subtests.test(what):
            told = body.replace(b"evt_odd", f"evt_{number}".encode())
            answer = await send(paying_client, *signed(told))
            assert (answer.status_code, answer.json()["outcome"]) in HARMLESSLY
            assert (await send(paying_client, *signed(told))).json() == {"outcome": "duplicate"}
    assert len(await notices(paying_client)) == len(HARMLESS)


async def test_what_is_no_notice_is_refused_and_leaves_nothing(
    paying_client: Browser, world: World, subtests: pytest.Subtests
) -> None:
    for what, body in NO_NOTICES.items():
        with subtests.test(what):
            assert (await send(paying_client, *signed(body))).status_code == 422
    assert await notices(paying_client) == []


async def test_bytes_that_are_no_text_are_refused(paying_client: Browser, world: World) -> None:
    for body in (b"\xff\xfe{}", BODY + b"\xff", "通知".encode("gb18030")):
        assert (await send(paying_client, *signed(body))).status_code == 422


async def test_a_signature_that_cannot_be_read_is_refused(paying_client: Browser, world: World) -> None:
    for signature in ("t=1", "v1=0", "t=x,v1=0", "t=,v1=", ",,,=", "t=99999999999999999999999,v1=0"):
        assert (await send(paying_client, BODY, signature)).status_code == 422


async def test_a_stale_signature_is_refused_because_the_provider_signs_each_time_anew(
    paying_client: Browser, world: World
) -> None:
    """A notice sent again days later carries a fresh signature over its old content; an old one is a copy."""
    old = about(id="evt_old", created=int((datetime.now(UTC) - timedelta(days=3)).timestamp()))
    an_hour_ago = (datetime.now(UTC) - timedelta(hours=1)).timestamp()
    assert (await send(paying_client, *signed(old, at=an_hour_ago))).status_code == 422
    assert (await send(paying_client, *signed(old))).json() == {"outcome": "ignored"}


async def test_more_than_any_notice_is_not_even_read(paying_client: Browser, world: World) -> None:
    fits = about(padding="x" * (MOST_BYTES - 200))
    assert (await send(paying_client, *signed(fits))).status_code == 200
    huge = about(id="evt_huge", padding="x" * MOST_BYTES)
    assert (await send(paying_client, *signed(huge))).status_code == 413

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MOST_BYTES // 1000 + 5):
            yield b"x" * 1000

    answer = await paying_client.http.post("/hooks/stripe", content=endless(), headers={"Stripe-Signature": "t=1"})
    assert answer.status_code == 413


async def test_a_success_nobody_here_asked_for_is_only_sent_again_while_it_is_new(
    paying_client: Browser, world: World
) -> None:
    """Our own row may be a moment late; money of another market in the same account stays theirs."""
    unknown = {"object": {"id": "pi_1", "metadata": {"payment_id": str(UUID(int=7))}}}
    for minutes, status in ((0, 503), (60, 200)):
        at = int((datetime.now(UTC) - timedelta(minutes=minutes)).timestamp())
        body = about(type="payment_intent.succeeded", created=at, data=unknown)
        assert (await send(paying_client, *signed(body))).status_code == status
    assert [notice.outcome for notice in await notices(paying_client)] == ["unknown"]


async def test_a_success_we_do_not_know_yet_is_sent_again(paying_client: Browser, world: World) -> None:
    early = (
        b'{"id": "evt_8", "object": "event", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1", '
        b'"metadata": {"payment_id": "00000000-0000-0000-0000-000000000007"}}}}'
    )
    assert (await send(paying_client, *signed(early))).status_code == 503
