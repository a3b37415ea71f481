"""The provider's door: only signed notices, each once, and a word that makes the provider try again."""

from httpx import Response
from sqlmodel import select

from payments.records import Notice
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


async def test_a_success_we_do_not_know_yet_is_sent_again(paying_client: Browser, world: World) -> None:
    early = (
        b'{"id": "evt_8", "object": "event", "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1", '
        b'"metadata": {"payment_id": "00000000-0000-0000-0000-000000000007"}}}}'
    )
    assert (await send(paying_client, *signed(early))).status_code == 503
