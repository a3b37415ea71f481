"""Placing over the API on what was remembered: the same answers, and nothing that was taken back since still counts."""

import asyncio
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import col, select, update

from market.delivery import calling_off
from market.delivery.stops import Stop
from market.ground import clock
from market.ground.clock import day_of
from market.ground.db import Database
from market.ground.express import Statement
from market.people import accounts
from market.people.accounts import Account, ApiToken, Grant, Role
from market.trade import placing
from tests.client import Browser
from tests.storefront.api.conftest import Program, Programs
from tests.storefront.api.test_orders import ordered, wish
from tests.world import World


@pytest.fixture
def whole_way(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A line for each order that was not placed at once."""
    taken: list[str] = []
    place = placing.place

    async def noted(*args: object, **kwargs: object) -> object:
        taken.append("order")
        return await place(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(placing, "place", noted)
    return taken


async def known(api: Programs, world: World, account_id: int) -> Program:
    """A program that has placed an order before."""
    program = await api(account_id)
    await ordered(program, world, (world.pear, 1))
    return program


async def test_the_second_order_takes_the_short_way_and_looks_the_same(
    api: Programs, world: World, whole_way: list[str]
) -> None:
    buyer = await known(api, world, world.buyer)
    lines = ((world.mutton, 2), (world.pumpkin, 1))
    first = (await buyer.post("/orders", wish(world, *lines, note=" 放门口 "), key="k")).json()
    assert whole_way == ["order"]
    assert (await buyer.get(f"/orders/{first['no']}")).json() == first
    assert first["note"] == "放门口"
    again = await buyer.post("/orders", wish(world, *lines, note=" 放门口 "), key="k")
    assert (again.status_code, again.json(), again.headers["Idempotency-Replayed"]) == (201, first, "true")
    other = await buyer.post("/orders", wish(world, (world.mutton, 1)), key="k")
    assert (other.status_code, other.json()["detail"]["problem"]) == (422, "key_used_for_another_request")
    assert (await buyer.get(f"/listings/{world.mutton}")).json()["left"] == 58


async def test_a_known_callers_order_is_one_statement(
    api: Programs, client: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    buyer, database = await known(api, world, world.buyer), client.state.database
    said: list[str] = []
    fetch = database.express.fetch

    async def counted(statement: Statement, values: Mapping[str, Any]) -> Any:
        said.append("express")
        return await fetch(statement, values)

    monkeypatch.setattr(database.express, "fetch", counted)
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *_: said.append("session"))
    event.listen(database.engine.sync_engine, "begin", lambda *_: said.append("begin"))
    await ordered(buyer, world, (world.mutton, 1))
    assert said == ["express"]


async def test_answers_are_the_same_bytes_whichever_way_they_came(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    for key in ("whole way", "short way"):
        first = await buyer.post("/orders", wish(world, (world.mutton, 1)), key=key)
        again = await buyer.post("/orders", wish(world, (world.mutton, 1)), key=key)
        assert first.content == again.content
        assert again.headers["Idempotency-Replayed"] == "true"


async def test_a_revoked_token_ends_at_the_next_order(api: Programs, database: Database, world: World) -> None:
    buyer = await known(api, world, world.buyer)
    async with database.transaction() as session:
        await session.exec(update(ApiToken).values(revoked_at=clock.now()))
    for body in (wish(world, (world.pear, 1)), {"lines": 5}):
        answer = await buyer.post("/orders", body)
        assert (answer.status_code, answer.json()["error"]) == (401, "TokenNeeded")


async def test_a_known_token_counts_as_a_bearers_only(api: Programs, world: World) -> None:
    buyer = await known(api, world, world.buyer)
    token = buyer.headers["Authorization"].removeprefix("Bearer ")
    for strange in (token, f"Basic {token}", f"Bearer {token}x", "Bearer ", ""):
        buyer.headers["Authorization"] = strange
        assert (await buyer.post("/orders", wish(world, (world.pear, 1)))).status_code == 401, strange


async def test_grants_count_from_the_next_order_on(api: Programs, database: Database, world: World) -> None:
    clerk, buyer = await known(api, world, world.clerk), await known(api, world, world.buyer)
    canteen = wish(world, (world.pear, 1), wallet="canteen", work_unit_id=world.work_unit)
    assert (await clerk.post("/orders", canteen)).status_code == 201
    async with database.transaction() as session:
        await session.exec(update(Grant).where(col(Grant.account_id) == world.clerk).values(ended_at=clock.now()))
        account = await session.get_one(Account, world.buyer)
        await accounts.grant(session, account, Role.CLERK, work_unit_id=world.work_unit, now=clock.now())
    refused = await clerk.post("/orders", canteen)
    assert refused.status_code in {403, 404}
    assert (await buyer.post("/orders", canteen)).status_code == 201


async def test_a_closed_stop_takes_no_more_orders(api: Programs, database: Database, world: World) -> None:
    buyer = await known(api, world, world.buyer)
    async with database.transaction() as session:
        stop = (await session.exec(select(Stop).where(col(Stop.id) == world.stop))).one()
        stop.closed_on = day_of(clock.now()) - timedelta(days=1)
    answer = await buyer.post("/orders", wish(world, (world.pear, 1)))
    assert (answer.status_code, answer.json()["detail"]["what"]) == (404, "stop")


async def test_a_round_called_off_since_is_passed_over(
    api: Programs, database: Database, world: World, whole_way: list[str]
) -> None:
    buyer = await known(api, world, world.buyer)
    first = (await buyer.post("/orders", wish(world, (world.pear, 1)))).json()
    on = date.fromisoformat(first["handover_on"])
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        await calling_off.call_off(session, officer, world.stop, on, why="大雪封路", now=clock.now())
    for _ in range(2):
        answer = await buyer.post("/orders", wish(world, (world.pear, 1)))
        assert (answer.status_code, answer.json()["handover_on"]) == (201, (on + timedelta(days=7)).isoformat())
    assert len(whole_way) == 2  # the very first, and the first after it was called off


async def test_what_the_short_way_cannot_do_the_whole_way_says(
    api: Programs, world: World, whole_way: list[str]
) -> None:
    buyer = await known(api, world, world.buyer)
    short = await buyer.post("/orders", wish(world, (world.last_leg, 2)), key="a")
    assert short.json()["detail"]["lines"] == [
        {"listing_id": world.last_leg, "title": short.json()["detail"]["lines"][0]["title"], "wanted": 2, "left": 1}
    ]
    malformed = await buyer.post("/orders", wish(world, (world.pear, 0)))
    assert (malformed.status_code, malformed.json()["detail"]["field"]) == (422, "quantity")
    assert len(whole_way) == 2  # the first order, and the malformed one: a shortage is said at once


async def test_ones_own_abandoned_attempt_never_blocks(api: Programs, world: World) -> None:
    buyer, other = await known(api, world, world.buyer), await known(api, world, world.second_buyer)
    first = await ordered(buyer, world, (world.last_leg, 1))
    assert (await other.post("/orders", wish(world, (world.last_leg, 1)))).status_code == 409
    await ordered(buyer, world, (world.last_leg, 1))
    assert (await buyer.get(f"/orders/{first}")).json()["state"] == "expired"


async def test_a_storm_under_one_key_is_one_order(api: Programs, world: World) -> None:
    buyer, body = await known(api, world, world.buyer), wish(world, (world.mutton, 1))
    answers = await asyncio.gather(*(buyer.post("/orders", body, key="storm") for _ in range(12)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in answers if answer.status_code == 201}) == 1
    assert len((await buyer.get("/orders")).json()["items"]) == 2
