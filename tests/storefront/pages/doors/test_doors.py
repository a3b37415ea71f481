"""A household's card from the press to the goods page, and everybody who must not come in by it."""

import re
from datetime import timedelta
from html import unescape

import pytest
from httpx import Response
from sqlmodel import col, select

from market.ground.clock import now
from market.ground.db import Database
from market.people import door_cards
from market.people.accounts import Account, Grant
from market.people.cards import PayoutCard
from market.people.door_cards import DoorCard
from market.people.door_devices import DoorDevice
from storefront.pages.doors.entering import kind_of
from storefront.sessions import COOKIE
from tests import build
from tests.client import Browser
from tests.storefront.test_jobs import counts, drain
from tests.world import World

WECHAT = "Mozilla/5.0 (Linux; Android 13; V2230A) AppleWebKit/537.36 MicroMessenger/8.0.44"


def said(answer: Response) -> str:
    return unescape(answer.text)


async def as_agent(client: Browser, world: World) -> Browser:
    agent = client.another()
    await agent.sign_in(world.agent)
    return agent


async def secret_of(database: Database, world: World, home: int = 0) -> str:
    """A card printed straight from the press; what its code says."""
    from market.people import accounts  # noqa: PLC0415

    async with database.transaction() as session:
        by = await accounts.viewer_of(session, world.agent)
        return (await door_cards.print_for(session, by, [home or world.liu], now=now()))[0].secret


async def device(database: Database) -> DoorDevice:
    async with database.transaction() as session:
        return (await session.exec(select(DoorDevice).order_by(col(DoorDevice.id).desc()).limit(1))).one()


async def come_in(client: Browser, agent: Browser, database: Database, secret: str) -> Response:
    """Knock, have the phone confirmed after a call, and knock again."""
    await client.get(f"/card/{secret}")
    await client.post(f"/card/{secret}")
    waiting = await device(database)
    form = {"number": waiting.number, "heard": "call", "number_end": "0001"}
    assert (await agent.post(f"/cards/devices/{waiting.id}/confirmation", form)).status_code == 303
    return await client.post(f"/card/{secret}")


async def test_the_whole_way(client: Browser, world: World, database: Database) -> None:
    agent = await as_agent(client, world)
    sheet = await agent.post("/cards/sheets", {"household": [world.liu, world.wang], "key": "one"})
    assert sheet.status_code == 200
    assert sheet.headers["cache-control"] == "no-store"
    assert sheet.text.count("door-card__code") == 2
    assert "刘样例" not in said(sheet)
    assert "0002" in said(sheet)
    secret = await secret_of(database, world)
    client.http.headers["user-agent"] = WECHAT
    page = await client.get(f"/card/{secret}")
    assert "我是这家人，进去" in said(page)
    assert "刘某家" in said(page)
    assert (await client.post(f"/card/{secret}")).headers["location"] == f"/card/{secret}"
    waiting = await device(database)
    page = await client.get(f"/card/{secret}")
    assert waiting.number in said(page)
    assert waiting.kind == "android wechat"
    assert (await client.post(f"/card/{secret}")).headers["location"] == f"/card/{secret}"
    listed = said(await agent.get("/cards"))
    assert "等您打电话确认" in listed
    assert waiting.number not in said(await agent.get(f"/cards/devices/{waiting.id}"))
    form = {"number": waiting.number, "heard": "call", "number_end": "0001"}
    assert (await agent.post(f"/cards/devices/{waiting.id}/confirmation", form)).status_code == 303
    assert "这台手机站里确认过" in said(await client.get(f"/card/{secret}/state"))
    assert (await client.post(f"/card/{secret}")).headers["location"] == "/village"
    page = await client.get("/village")
    assert str(page.url).endswith(f"/village/{world.liu}/goods")
    assert "您在替" not in said(page)


async def test_opening_the_address_changes_nothing(client: Browser, world: World, database: Database) -> None:
    """Chat programs open the addresses people send, to show what is behind them."""
    secret = await secret_of(database, world)
    for path in (f"/card/{secret}", f"/card/{secret}/state"):
        answer = await client.get(path)
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
    async with database.transaction() as session:
        assert (await session.exec(select(DoorDevice))).all() == []
    assert str((await client.get("/village")).url).startswith("http://shop.test/sign-in")


async def test_a_confirmed_phone_comes_in_again_and_another_one_does_not(
    client: Browser, world: World, database: Database
) -> None:
    secret, agent = await secret_of(database, world), await as_agent(client, world)
    assert (await come_in(client, agent, database, secret)).headers["location"] == "/village"
    await client.post("/sign-out")
    assert "sign-in" in str((await client.get("/village")).url)
    assert (await client.post(f"/card/{secret}")).headers["location"] == "/village"
    stranger = client.another()
    await stranger.get(f"/card/{secret}")
    assert (await stranger.post(f"/card/{secret}")).headers["location"] == f"/card/{secret}"
    assert (await stranger.http.get(f"/village/{world.liu}/goods")).status_code == 303


async def test_a_voided_card_ends_its_sessions_at_once(client: Browser, world: World, database: Database) -> None:
    secret, agent = await secret_of(database, world), await as_agent(client, world)
    await come_in(client, agent, database, secret)
    here = f"/village/{world.liu}/goods"
    assert (await client.http.get(here)).status_code == 200
    card_id = (await device(database)).card_id
    assert (await agent.post(f"/cards/{card_id}/revocation", {"why": "no"})).status_code == 422
    assert (await agent.post(f"/cards/{card_id}/revocation", {"why": "lost"})).status_code == 303
    assert (await client.http.get(here)).headers["location"].startswith("/sign-in")
    page = await client.get(f"/card/{secret}")
    assert (page.status_code, "这张卡不能用了" in said(page)) == (404, True)
    assert (await client.post(f"/card/{secret}")).status_code == 404
    assert (await client.get(f"/card/{secret}/state")).headers["hx-refresh"] == "true"
    assert "已作废" in said(await agent.get(f"/cards/{card_id}"))


async def test_a_phone_taken_off_is_out_and_so_is_an_old_card(
    client: Browser, world: World, database: Database
) -> None:
    secret, agent = await secret_of(database, world), await as_agent(client, world)
    await come_in(client, agent, database, secret)
    here = f"/village/{world.liu}/goods"
    await agent.post(f"/cards/devices/{(await device(database)).id}/ending")
    assert (await client.http.get(here)).status_code == 303
    await come_in(client, agent, database, secret)
    assert (await client.http.get(here)).status_code == 200
    async with database.transaction() as session:
        card = (await session.exec(select(DoorCard))).one()
        card.good_until_on -= door_cards.GOOD_FOR + timedelta(days=1)
    assert (await client.http.get(here)).status_code == 303
    assert (await client.get(f"/card/{secret}")).status_code == 404


async def test_a_grant_that_ends_ends_the_card(client: Browser, world: World, database: Database) -> None:
    secret, agent = await secret_of(database, world), await as_agent(client, world)
    await come_in(client, agent, database, secret)
    async with database.transaction() as session:
        card = (await session.exec(select(DoorCard))).one()
        held = (await session.exec(select(Grant).where(Grant.account_id == card.account_id))).one()
        held.ended_at = now()
    assert (await client.http.get(f"/village/{world.liu}/goods")).status_code == 303


async def test_a_card_is_less_than_a_phone(client: Browser, world: World, database: Database) -> None:
    secret, agent = await secret_of(database, world), await as_agent(client, world)
    await come_in(client, agent, database, secret)
    assert (await client.get(f"/village/{world.liu}/money")).status_code == 200
    assert "进门卡进来的" in said(await client.get("/account"))
    refused = await client.post("/account/name", {"name": "别人"})
    assert (refused.status_code, "请用手机号登录" in said(refused)) == (403, True)
    assert (await client.get("/checkout")).status_code == 403
    assert (await client.post("/checkout", {"key": "k"})).status_code == 403
    assert (await client.get("/cards")).status_code == 404
    async with database.transaction() as session:
        names = (await session.exec(select(Account.name).where(col(Account.phone).is_(None)))).all()
        assert names == ["刘样例"]


async def test_whoever_came_in_by_a_card_neither_asks_for_nor_stops_where_the_money_goes(
    client: Browser, world: World, database: Database
) -> None:
    async with database.transaction() as session:
        card = await build.card(session, world, world.liu, seal=client.state.seal, now=now())
    await come_in(client, await as_agent(client, world), database, await secret_of(database, world))
    here = f"/village/{world.liu}/card"
    assert (await client.get(here)).status_code == 200
    wanted = {"bank": "演示信用社", "whose": "own", "number": build.card_number(7), "again": build.card_number(7)}
    for answer in (
        await client.get(f"{here}/new"), await client.post(here, wanted),
        await client.post(f"{here}/{card.id}/stop", {"why": "lost"}),
    ):  # fmt: skip
        assert (answer.status_code, "请用手机号登录" in said(answer)) == (403, True)
    async with database.transaction() as session:
        (held,) = (await session.exec(select(PayoutCard))).all()
    assert (held.id, held.ended_at) == (card.id, None)


async def test_staff_never_come_in_by_a_household_s_card(client: Browser, world: World, database: Database) -> None:
    secret, agent = await secret_of(database, world), await as_agent(client, world)
    assert "用自己的名字" in said(await agent.get(f"/card/{secret}"))
    assert (await agent.post(f"/card/{secret}")).status_code == 403
    async with database.transaction() as session:
        assert (await session.exec(select(DoorDevice))).all() == []


async def test_nobody_vouches_for_the_phone_in_their_own_hand(
    client: Browser, world: World, database: Database
) -> None:
    """Knocked while nobody was signed in, confirmed after signing in as the agent in the same browser."""
    secret = await secret_of(database, world)
    await client.get(f"/card/{secret}")
    await client.post(f"/card/{secret}")
    waiting = await device(database)
    client.http.cookies.delete(COOKIE)
    await client.sign_in(world.agent)
    form = {"number": waiting.number, "heard": "present"}
    answer = await client.post(f"/cards/devices/{waiting.id}/confirmation", form)
    assert answer.headers["location"] == f"/cards/{waiting.card_id}"
    assert (await device(database)).confirmed_at is None


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"heard": "call", "number_end": "0001", "number": "x"}, "对不上"),
        ({"heard": "call", "number_end": "1"}, "后四位"),
        ({"heard": "sheet"}, "请填写这一项"),
        ({"heard": "own"}, "请选一个"),
        ({}, "请选一个"),
    ],
)
async def test_a_slip_in_a_confirmation_loses_nothing(
    client: Browser, world: World, database: Database, form: dict[str, str], sentence: str
) -> None:
    secret, agent = await secret_of(database, world), await as_agent(client, world)
    await client.get(f"/card/{secret}")
    await client.post(f"/card/{secret}")
    waiting = await device(database)
    sent = {"number": waiting.number, **form}
    answer = await agent.post(f"/cards/devices/{waiting.id}/confirmation", sent)
    assert answer.status_code == 422
    assert sentence in said(answer)
    assert f'value="{sent["number"]}"' in answer.text
    assert (await device(database)).confirmed_at is None


async def test_a_sheet_is_shown_once(client: Browser, world: World, database: Database) -> None:
    agent = await as_agent(client, world)
    form = {"household": [world.liu], "key": "one"}
    assert (await agent.post("/cards/sheets", form)).status_code == 200
    again = await agent.post("/cards/sheets", form)
    assert again.headers["location"] == "/cards"
    for nothing in ({"key": "two"}, {"key": "two", "household": "x"}):
        assert (await agent.post("/cards/sheets", nothing)).headers["location"] == "/cards"
    assert (await agent.post("/cards/sheets", {"household": [world.zhao], "key": "three"})).status_code == 404
    async with database.transaction() as session:
        assert len((await session.exec(select(DoorCard))).all()) == 1


async def test_the_keepers_door_is_for_those_who_keep(client: Browser, world: World, database: Database) -> None:
    await secret_of(database, world)
    async with database.transaction() as session:
        card_id = (await session.exec(select(DoorCard.id))).one()
    assert (await client.http.get("/cards")).headers["location"].startswith("/sign-in")
    for person in (world.buyer, world.wang_account, world.officer, world.clerk):
        await client.sign_in(person)
        for path in ("/cards", f"/cards/{card_id}"):
            assert (await client.get(path)).status_code == 404
    for person in (world.agent, world.administrator):
        await client.sign_in(person)
        for path in ("/cards", "/cards?only=with&q=刘", f"/cards/{card_id}"):
            assert (await client.get(path)).status_code == 200
    assert "赵样例" in said(await client.get("/cards"))
    assert (await client.get("/cards/99999")).status_code == 404
    assert (await client.get("/cards/devices/99999")).status_code == 404


async def test_guessing_is_slowed_down(client: Browser, world: World, database: Database) -> None:
    answers = [(await client.get(f"/card/guess{at}")).status_code for at in range(32)]
    assert answers[:30] == [404] * 30
    assert answers[30:] == [429, 429]
    secret = await secret_of(database, world)
    assert (await client.get(f"/card/{secret}")).status_code == 200
    knocks = [(await client.post(f"/card/{secret}")).status_code for _ in range(21)]
    assert knocks == [303] * 20 + [429]


async def test_the_household_is_told_that_a_phone_came_in(client: Browser, world: World, database: Database) -> None:
    secret, agent = await secret_of(database, world, world.wang), await as_agent(client, world)
    await come_in(client, agent, database, secret)
    assert await counts(database) == {"todo": 1}
    await drain(client.state)
    assert (await counts(database))["succeeded"] >= 1


@pytest.mark.parametrize(
    ("agent", "kind"),
    [
        (WECHAT, "android wechat"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X)", "iphone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64)", "windows"),
        ("curl/8", "other"),
        ("", "other"),
    ],
)
def test_what_kind_of_phone(agent: str, kind: str) -> None:
    assert kind_of(agent) == kind


async def test_logins_by_phone_and_by_card_are_listed_apart(client: Browser, world: World, database: Database) -> None:
    await secret_of(database, world)
    await client.sign_in(world.administrator)
    page = await client.get(f"/operator/households/{world.liu}")
    assert page.status_code == 200
    assert re.search(r"/cards\?q=0002", page.text)
    assert (await client.get("/operator/people")).status_code == 200
