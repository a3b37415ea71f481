"""Slips of what to prepare, and sheets to tick: one household a sheet, nobody else's on it."""

from market.ground.clock import now
from market.ground.db import Database
from market.trade.placing import Item
from tests import build
from tests.client import Browser
from tests.world import World


async def test_a_slip_for_each_household_that_has_orders(client: Browser, database: Database, world: World) -> None:
    async with database.transaction() as session:
        await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1), now=now())
    await client.sign_in(world.agent)
    shown = (await client.get("/village/orders/slips")).text
    assert ("王样例家的备货单" in shown, "2 斤" in shown, "人社局门口" in shown) == (True, True, True)
    assert ("刘样例" in shown, "赵样例" in shown, "玉露香梨" in shown) == (False, False, False)
    assert f"/village/{world.wang}/orders/slip" in (await client.get(f"/village/{world.wang}/orders")).text
    await client.sign_in(world.wang_account)
    assert "王样例家的备货单" in (await client.get(f"/village/{world.wang}/orders/slip")).text
    assert (await client.get(f"/village/{world.zhao}/orders/slip")).status_code == 404
    assert (await client.get("/village/orders/slips")).status_code == 404


async def test_a_sheet_of_ones_goods_to_tick(client: Browser, world: World) -> None:
    await client.sign_in(world.agent)
    shown = (await client.get("/village/sheets")).text
    for said in ("王样例家的货", "刘样例家的货", "一斤 ¥35.00", "0001-", "不卖了", "按手印或者签名"):
        assert said in shown
    assert "赵样例" not in shown
    one = (await client.get(f"/village/{world.liu}/goods/sheet")).text
    assert ("小米" in one, "羊肉" in one) == (True, False)
    assert (await client.get("/village/sheets?q=无此人")).text.count('class="paper"') == 0
