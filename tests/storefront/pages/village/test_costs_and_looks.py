"""What a household spent, and who looked at its data."""

from datetime import datetime

from market.ground.clock import now
from market.ground.db import Database
from market.people import accounts
from market.reports import sheets
from tests import build
from tests.client import Browser
from tests.world import World


async def sold(database: Database, world: World, at: datetime) -> None:
    async with database.transaction() as session:
        await build.cash_order(session, world, now=at)


async def test_costs_are_noted_once_shown_beside_sales_and_taken_back(
    client: Browser, database: Database, world: World
) -> None:
    await sold(database, world, now())
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/costs"
    assert "还没有记过花费" in (await client.get(here)).text
    assert "饲料" in (await client.get(f"{here}/new")).text
    assert "饲料花了多少钱" in (await client.get(f"{here}/new?kind=feed")).text
    for amount, said in (("", "请填钱数"), ("0", "要大于 0"), ("9999999", "数量太大")):
        refused = await client.post(here, {"kind": "feed", "amount": amount, "key": f"k{amount}"})
        assert (refused.status_code, said in refused.text) == (422, True)
    for _ in range(2):
        assert (await client.post(here, {"kind": "feed", "amount": "20.5", "key": "one"})).status_code == 303
    shown = (await client.get(here)).text
    assert (shown.count("/removal"), "¥49.50" in shown) == (1, True)
    removal = shown.split('action="')[1:]
    url = next(part.split('"')[0] for part in removal if "/removal" in part.split('"')[0])
    for _ in range(2):
        gone = await client.post(url)
        assert gone.status_code == 303
    assert "刚去掉的放回来" in (await client.get(gone.headers["location"])).text
    assert (await client.post(url.replace("removal", "restoration"))).status_code == 303
    assert "¥20.50" in (await client.get(here)).text


async def test_costs_of_another_household_do_not_exist(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    assert (await client.get(f"/village/{world.zhao}/costs")).status_code == 404
    assert (await client.post(f"/village/{world.wang}/costs/77/removal")).status_code == 404
    await client.sign_in(world.officer)
    assert (await client.get(f"/village/{world.wang}/costs")).status_code == 404


async def test_a_household_sees_who_looked(client: Browser, database: Database, world: World) -> None:
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/looks"
    assert "还没有人打开看过" in (await client.get(here)).text
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        at = now()
        for _ in range(31):
            await sheets.open_sheet(session, officer, world.wang, on=at.date(), now=at)
    first = (await client.get(here)).text
    assert "officer" in first
    assert "卖货和收入的明细" in first
    assert f"{here}?start=30" in first
    assert (await client.get(f"{here}?start=30")).text.count("卖货和收入的明细") == 1
    assert (await client.get(f"/village/{world.zhao}/looks")).status_code == 404
