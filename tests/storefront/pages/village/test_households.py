"""Whose goods: one's own, one of the station's, or nobody's."""

from market.goods.listings import Listing, ListingState
from market.ground.clock import day_of, now
from market.ground.db import Database
from market.people import accounts
from market.people.accounts import Account, Role
from market.trade.placing import Item
from tests import build
from tests.client import Browser
from tests.world import BEGIN, World


async def test_one_household_goes_straight_in(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    for path, end in (("/village", "goods"), ("/village/orders", "orders"), ("/village/money", "money")):
        answer = await client.http.get(path)
        assert answer.headers["location"] == f"/village/{world.wang}/{end}"
    page = await client.get("/village")
    assert "我家的货" in page.text
    assert "还剩 60 斤" in page.text
    assert "您在替" not in page.text


async def test_a_visitor_signs_in_first(client: Browser, world: World) -> None:
    answer = await client.http.get(f"/village/{world.wang}/goods")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/village/")


async def test_without_a_household_a_kind_page(client: Browser, world: World) -> None:
    await client.sign_in(world.buyer)
    for path in ("/village", "/village/orders", "/village/money"):
        page = await client.get(path)
        assert page.status_code == 200
        assert "还没有登记农户" in page.text


async def test_an_agent_chooses_from_the_stations_households(client: Browser, world: World, database: Database) -> None:
    async with database.transaction() as session:
        await build.cash_order(session, world, Item(world.mutton, 2), now=now())
    await client.sign_in(world.agent)
    page = await client.get("/village")
    assert "王样例" in page.text
    assert "刘样例" in page.text
    assert "赵样例" not in page.text
    assert "1 单要备" in page.text
    assert "在卖 3 样" in page.text
    assert f"/village/{world.wang}/orders" in (await client.get("/village/orders")).text


async def test_an_agent_searches(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.agent)
    for q, found in (("王", True), ("梁家", True), ("liangjia", True), ("0001", True), ("%", False), ("无此人", False)):
        page = await client.get("/village", params={"q": q})
        assert page.status_code == 200
        assert ("王样例" in page.text) is found
    assert "刘样例" not in (await client.get("/village", params={"only": "ordered"})).text
    assert "没有找到" in (await client.get("/village", params={"only": "silent"})).text


async def test_the_list_says_what_waits_at_each_household(client: Browser, world: World, database: Database) -> None:
    async with database.transaction() as session:
        await build.cash_order(session, world, Item(world.mutton, 2), now=now())
        listing = await session.get_one(Listing, world.pumpkin)
        listing.sell_by_on = day_of(now())
        held = await session.get_one(Listing, world.millet)
        held.state = ListingState.WAITING
    await client.sign_in(world.agent)
    await client.post(f"/village/{world.liu}/costs", {"kind": "feed", "amount": "12"})
    shown = (await client.get("/village")).text
    for said in ("1 单要备", "1 样没回话", "样快放坏", "1 样还没放出来", "1 件事等点头", "今年没卖出过"):
        assert said in shown
    parts = {
        "ordered": {"王"}, "unanswered": {"王"}, "spoiling": {"王"}, "held": {"刘"}, "unasked": {"刘"},
        "silent": {"刘"}, "unsold": {"刘"},
    }  # fmt: skip
    for only, expected in parts.items():
        page = (await client.get("/village", params={"only": only})).text
        assert {name for name in ("王", "刘") if f"{name}样例" in page} == expected, only
    assert f"/village/{world.liu}/acts" in (await client.get("/village?only=unasked")).text


async def test_a_person_of_several_households_chooses(client: Browser, world: World, database: Database) -> None:
    async with database.transaction() as session:
        account = await session.get_one(Account, world.wang_account)
        await accounts.grant(session, account, Role.HOUSEHOLD, now=BEGIN, household_id=world.liu)
    await client.sign_in(world.wang_account)
    page = await client.get("/village")
    assert "替哪一户" in page.text
    assert page.text.count("我家") == 2
    assert "您在替" not in (await client.get(f"/village/{world.liu}/goods")).text


async def test_households_outside_the_grant_do_not_exist(client: Browser, world: World) -> None:
    for person, home in ((world.zhao_account, world.wang), (world.agent, world.zhao), (world.officer, world.wang)):
        await client.sign_in(person)
        for page in ("goods", "goods/new", "orders", "money"):
            assert (await client.get(f"/village/{home}/{page}")).status_code == 404
    assert (await client.get("/village/99999999999999999999/goods")).status_code in (404, 422)
    assert (await client.get("/village/x/goods")).status_code == 404
