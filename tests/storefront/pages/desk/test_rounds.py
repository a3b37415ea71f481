"""Calling a round off at the desk: seen before it is done, done once, followed to its end, said to all it touches."""

import pytest
from sqlalchemy import text

from market.ground.clock import now
from market.ground.db import Database, run
from market.trade.orders import Order
from market.trade.placing import Item
from payments import called_off
from storefront.round_notices import tell_order_off, tell_round_off
from tests import build
from tests.client import Browser
from tests.world import World


@pytest.fixture
async def bought(database: Database, world: World) -> Order:
    """Mutton of Wang's and pears of Zhao's, 115.00 paid in cash, for the next round."""
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1), now=now())
        return await session.get_one(Order, placed.id)


async def cancellations(database: Database) -> list[int]:
    async with database.transaction() as session:
        return list((await run(session, text("SELECT id FROM round_cancellations"))).scalars())


async def test_it_is_looked_at_first_then_done_once_and_followed(
    client: Browser, database: Database, world: World, bought: Order
) -> None:
    await client.sign_in(world.officer)
    here = f"/desk/rounds/{world.stop}/{bought.handover_on}"
    assert here in (await client.get("/desk/rounds")).text
    shown = (await client.get(here)).text
    for word in ("人社局门口", "¥115.00", "取货时付现金", "牵涉的农户", "不能撤回"):
        assert word in shown
    assert (await client.post(f"{here}/cancellation", {"why": " "})).status_code == 422
    assert await cancellations(database) == []
    for said in ("大雪封路", "车坏了"):
        assert (await client.post(f"{here}/cancellation", {"why": said})).status_code == 303
    shown = (await client.get(here)).text
    for word in ("大雪封路", "正在取消", "0 / 1", "hx-get", "不能恢复"):
        assert word in shown
    [cancellation] = await cancellations(database)
    await called_off.work_off(database, cancellation)
    shown = (await client.get(here)).text
    for word in ("取消了", "1 / 1", "¥115.00", "等人到取货点领"):
        assert word in shown
    assert "hx-get" not in shown


async def test_what_could_not_be_sent_back_is_listed(
    client: Browser, database: Database, world: World, bought: Order
) -> None:
    await client.sign_in(world.officer)
    here = f"/desk/rounds/{world.stop}/{bought.handover_on}"
    await client.post(f"{here}/cancellation", {"why": "大雪封路"})
    [cancellation] = await cancellations(database)
    await called_off.work_off(database, cancellation)
    async with database.transaction() as session:
        await run(session, text("UPDATE refunds SET state = 'failed', failure = 'lost_or_stolen_card'"))
    shown = (await client.get(here)).text
    for word in ("没有退成的，要人处理", bought.no, "卡已挂失", "/desk/payments/"):
        assert word in shown


async def test_whose_it_is_not_does_not_find_it(client: Browser, world: World, bought: Order) -> None:
    here = f"/desk/rounds/{world.stop}/{bought.handover_on}"
    await client.sign_in(world.township_officer)
    assert "由县区办理" in (await client.get("/desk/rounds")).text
    assert (await client.get(here)).status_code == 404
    assert (await client.post(f"{here}/cancellation", {"why": "雪"})).status_code == 404
    await client.sign_in(world.officer)
    for wrong in ("2026-13-01", "1999-01-01", "x"):
        assert (await client.get(f"/desk/rounds/{world.stop}/{wrong}")).status_code == 404


async def test_buyer_and_household_read_it_plainly(
    client: Browser, database: Database, world: World, bought: Order, caplog: pytest.LogCaptureFixture
) -> None:
    await client.sign_in(world.officer)
    await client.post(f"/desk/rounds/{world.stop}/{bought.handover_on}/cancellation", {"why": "大雪封路"})
    await client.sign_in(world.wang_account)
    shown = (await client.get(f"/village/{world.wang}/orders")).text
    for word in ("那一趟取消了", "大雪封路", "不用备"):
        assert word in shown
    assert "羊肉" not in shown.split("<main", 1)[1].split("那一趟取消了")[0]
    await client.sign_in(world.buyer)
    assert "这一趟取消了" in (await client.get(f"/orders/{bought.no}")).text  # before its turn has come, too
    [cancellation] = await cancellations(database)
    await called_off.work_off(database, cancellation)
    shown = (await client.get(f"/orders/{bought.no}")).text
    for word in ("这一趟取消了", "大雪封路", "退款 ¥115.00", "请到取货点领回现金"):
        assert word in shown
    caplog.set_level("INFO")
    async with database.transaction() as session:
        await tell_order_off(session, client.state.settings, bought.id or 0)
        await tell_round_off(session, client.state.settings, cancellation, world.wang)
    for word in ("¥115.00现金请到取货点领回", "那一趟的货不用备了"):
        assert word in caplog.text
