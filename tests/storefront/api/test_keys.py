"""Who may call, and that a repeated call does its work once."""

import asyncio
from datetime import UTC, datetime

from sqlmodel import col, select, update

from market.goods.stock import Stock
from market.ground.db import Database
from market.people.accounts import ApiToken
from market.trade.orders import Order
from tests.client import Browser
from tests.storefront.api.conftest import Programs
from tests.storefront.api.test_orders import wish
from tests.world import World

CLOSED = [
    ("GET", "/orders"),
    ("GET", "/orders/261123-XXXX-XXXX"),
    ("GET", "/me"),
    ("GET", "/payments/00000000-0000-4000-8000-000000000000"),
    ("GET", "/reports/income"),
    ("POST", "/orders"),
    ("POST", "/orders/261123-XXXX-XXXX/cancellation"),
    ("POST", "/orders/261123-XXXX-XXXX/payments"),
    ("POST", "/payments/00000000-0000-4000-8000-000000000000/refunds"),
    ("POST", "/listings"),
    ("PATCH", "/listings/1"),
    ("POST", "/listings/1/withdrawal"),
]


async def test_without_a_good_token_nothing_closed_opens(api: Programs) -> None:
    nobody = await api(None)
    strange = ["Bearer yg_wrong", "Bearer ", "Basic eWc6eWc=", "yg_wrong", "Bearer yg\xe4", ""]
    for verb, path in CLOSED:
        answer = await nobody.send(verb, path)
        assert (answer.status_code, answer.json()["error"]) == (401, "TokenNeeded"), (verb, path)
        assert answer.headers["www-authenticate"] == 'Bearer realm="yigou"'
    for given in strange:
        answer = await nobody.http.get("/api/v1/me", headers=[(b"Authorization", given.encode("latin-1"))])
        assert answer.status_code == 401, given


async def test_a_revoked_token_is_worth_nothing(api: Programs, database: Database, world: World) -> None:
    buyer = await api(world.buyer)
    assert (await buyer.get("/me")).status_code == 200
    async with database.transaction() as session:
        await session.exec(update(ApiToken).values(revoked_at=datetime.now(UTC)))
    assert (await buyer.get("/me")).status_code == 401


async def test_a_browsers_cookie_opens_no_api(client: Browser, world: World) -> None:
    await client.sign_in(world.buyer)
    for verb, path in CLOSED:
        assert (await client.http.request(verb, f"/api/v1{path}", json={})).status_code == 401


async def test_the_refusal_speaks_the_callers_language(api: Programs) -> None:
    nobody = await api(None)
    nobody.headers["Accept-Language"] = "zh-CN,zh;q=0.9"
    assert "令牌" in (await nobody.get("/me")).json()["message"]


async def test_the_same_key_and_body_get_the_same_answer(api: Programs, world: World) -> None:
    buyer, body = await api(world.buyer), wish(world, (world.mutton, 2))
    first = await buyer.post("/orders", body, key="one wish")
    again = await buyer.post("/orders", body, key="one wish")
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await buyer.get(f"/listings/{world.mutton}")).json()["left"] == 58
    assert len((await buyer.get("/orders")).json()["items"]) == 1


async def test_every_change_honours_its_key(api: Programs, world: World) -> None:
    wang = await api(world.wang_account)
    listing = {"produce": "pumpkin", "measure": "piece", "price_fen": 500, "quantity": 3}
    changes: list[tuple[str, str, object]] = [
        ("POST", "/listings", listing),
        ("PATCH", f"/listings/{world.mutton}", {"left": 7}),
        ("POST", f"/listings/{world.mutton}/withdrawal", None),
    ]
    for verb, path, body in changes:
        first = await wang.send(verb, path, body, key=f"{verb} {path}")
        again = await wang.send(verb, path, body, key=f"{verb} {path}")
        assert first.is_success
        assert (first.status_code, first.content) == (again.status_code, again.content)
        assert again.headers["Idempotency-Replayed"] == "true"
    buyer = await api(world.buyer)
    no = (await buyer.post("/orders", wish(world, (world.pear, 1)))).json()["no"]
    paths = [(f"/orders/{no}/payments", {"method": "cash"}), (f"/orders/{no}/cancellation", {"why": ""})]
    for path, asked in paths:
        first, again = await buyer.post(path, asked, key=path), await buyer.post(path, asked, key=path)
        assert first.is_success
        assert (first.status_code, first.content) == (again.status_code, again.content)


async def test_a_key_serves_one_request_only(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    no = (await buyer.post("/orders", wish(world, (world.mutton, 2)), key="k")).json()["no"]
    other_body = await buyer.post("/orders", wish(world, (world.mutton, 3)), key="k")
    other_path = await buyer.post(f"/orders/{no}/cancellation", wish(world, (world.mutton, 2)), key="k")
    for refused in (other_body, other_path):
        assert refused.status_code == 422
        assert refused.json()["detail"]["problem"] == "key_used_for_another_request"
    assert (await buyer.get(f"/orders/{no}")).json()["state"] == "placed"
    for bad in ("", "x" * 81):
        assert (await buyer.post("/orders", wish(world, (world.mutton, 1)), key=bad)).status_code == 422


async def test_keys_belong_to_their_caller(api: Programs, world: World) -> None:
    one, other = await api(world.buyer), await api(world.second_buyer)
    body = wish(world, (world.mutton, 1))
    first, second = await one.post("/orders", body, key="same"), await other.post("/orders", body, key="same")
    assert first.status_code == second.status_code == 201
    assert first.json()["no"] != second.json()["no"]


async def test_a_refused_call_may_be_tried_again_under_its_key(api: Programs, world: World) -> None:
    buyer, body = await api(world.buyer), wish(world, (world.last_leg, 2))
    assert (await buyer.post("/orders", body, key="later")).status_code == 409
    await (await api(world.wang_account)).patch(f"/listings/{world.last_leg}", {"left": 2})
    assert (await buyer.post("/orders", body, key="later")).status_code == 201


async def test_while_the_first_call_runs_the_second_waits_its_turn(
    api: Programs, database: Database, world: World
) -> None:
    buyer, body = await api(world.buyer), wish(world, (world.mutton, 1))
    async with database.transaction() as session:
        # Somebody holds the stock row: the first call stands still in the middle of its work.
        await session.exec(select(Stock).where(col(Stock.listing_id) == world.mutton).with_for_update())
        first = asyncio.create_task(buyer.post("/orders", body, key="twice"))
        await _standing_still(database)
        second = await buyer.post("/orders", body, key="twice")
        assert (second.status_code, second.json()["error"]) == (409, "StillRunning")
    assert (await first).status_code == 201
    third = await buyer.post("/orders", body, key="twice")
    assert (third.status_code, third.content) == (201, (await first).content)


async def test_ten_calls_at_once_under_one_key_place_one_order(api: Programs, database: Database, world: World) -> None:
    buyer, body = await api(world.buyer), wish(world, (world.mutton, 1))
    answers = await asyncio.gather(*(buyer.post("/orders", body, key="storm") for _ in range(10)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    async with database.transaction() as session:
        assert len((await session.exec(select(Order))).all()) == 1


async def _standing_still(database: Database) -> None:
    """Wait until a request waits for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(10):
        while True:
            async with database.engine.connect() as connection:
                if (await connection.exec_driver_sql(waiting)).scalar():
                    return
            await asyncio.sleep(0.02)
