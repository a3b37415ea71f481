"""A household answers its orders: all will be there, or some falls short and the buyer is told."""

import pytest
from sqlmodel import select

from market.ground.clock import day_of, now
from market.ground.db import Database
from market.reports import household as reports
from market.trade.answers import LineAnswer
from market.trade.orders import OrderLine
from market.trade.placing import Item, Placed
from payments.records import Refund
from storefront.jobs import make_app
from tests import build
from tests.client import Browser
from tests.world import World


@pytest.fixture
async def placed(database: Database, world: World) -> Placed:
    """Two jin of Wang's mutton and one box of Zhao's pears, paid in cash today."""
    async with database.transaction() as session:
        return await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1), now=now())


async def line_of(database: Database, placed: Placed, listing_id: int) -> OrderLine:
    async with database.transaction() as session:
        found = select(OrderLine).where(OrderLine.order_id == placed.id, OrderLine.listing_id == listing_id)
        return (await session.exec(found)).one()


async def answers_to(database: Database, line: OrderLine) -> list[int]:
    async with database.transaction() as session:
        found = await session.exec(select(LineAnswer.short_quantity).where(LineAnswer.order_line_id == line.id))
        return list(found)


async def test_one_tap_answers_for_all_of_a_day(
    client: Browser, database: Database, world: World, placed: Placed
) -> None:
    line = await line_of(database, placed, world.mutton)
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/orders"
    assert "都能备齐" in (await client.get(here)).text
    for _ in range(2):
        assert (await client.post(f"{here}/acceptances", {"lines": f"{line.id},x,-1,99999"})).status_code == 303
    assert "已答应备齐" in (await client.get(here)).text
    assert await answers_to(database, line) == [0]


async def test_falling_short_asks_how_much_then_why_and_tells_the_buyer(
    client: Browser, database: Database, world: World, placed: Placed
) -> None:
    line = await line_of(database, placed, world.mutton)
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/orders/{line.id}/shortage"
    assert "能备多少" in (await client.get(here)).text
    for bring, said in (("2", "要比订的少"), ("x", "请填数字"), ("-1", "要大于")):
        refused = await client.get(f"{here}?bring={bring}")
        assert (refused.status_code, said in refused.text) == (422, True)
    assert "¥35.00" in (await client.get(f"{here}?bring=1")).text
    nothing_chosen = await client.post(here, {"bring": "1", "of": "2"})
    assert (nothing_chosen.status_code, "请选一个" in nothing_chosen.text) == (422, True)
    for _ in range(2):
        assert (await client.post(here, {"bring": "1", "of": "2", "why": "spoiled"})).status_code == 303
    assert await answers_to(database, line) == [1]
    async with database.transaction() as session:
        assert [refund.amount_fen for refund in await session.exec(select(Refund))] == [3500]
    await client.sign_in(world.buyer)
    order_page = (await client.get(f"/orders/{placed.no}")).text
    assert "少了1 斤" in order_page or "少了1斤" in order_page
    assert "坏了一些" in order_page


async def test_all_of_it_missing_leaves_the_list(
    client: Browser, database: Database, world: World, placed: Placed
) -> None:
    line = await line_of(database, placed, world.mutton)
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/orders/{line.id}/shortage"
    assert (await client.post(here, {"bring": "0", "of": "2", "why": "sold"})).status_code == 303
    assert (await client.post(here, {"bring": "0", "of": "2", "why": "sold"})).status_code == 303
    assert (await client.get(here)).status_code == 404
    assert "现在没有要备的货" in (await client.get(f"/village/{world.wang}/orders")).text


async def test_another_households_line_does_not_exist(
    client: Browser, database: Database, world: World, placed: Placed
) -> None:
    pear = await line_of(database, placed, world.pear)
    await client.sign_in(world.wang_account)
    for url in (f"/village/{world.wang}/orders/{pear.id}/shortage", f"/village/{world.zhao}/orders/{pear.id}/shortage"):
        assert (await client.get(url)).status_code == 404
        assert (await client.post(url, {"bring": "0", "of": "1", "why": "sold"})).status_code == 404
    assert await answers_to(database, pear) == []


async def test_messages_reach_household_and_buyer(
    client: Browser, database: Database, world: World, placed: Placed, caplog: pytest.LogCaptureFixture
) -> None:
    line = await line_of(database, placed, world.mutton)
    await client.sign_in(world.agent)
    with caplog.at_level("INFO", logger="yigou.sms"):
        url = f"/village/{world.wang}/orders/{line.id}/shortage"
        await client.post(url, {"bring": "1", "of": "2", "why": "weather"})
        app = make_app(client.state)
        async with app.open_async():
            await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
    said = [record.getMessage() for record in caplog.records]
    assert any("有人买了您的羊肉" in text for text in said)
    assert any("羊肉少了" in text and "天气不好" in text for text in said)
    async with database.transaction() as session:
        today = day_of(now())
        wishes = await reports.to_prepare(session, world.wang, from_on=today, until_on=today + reports.AHEAD)
    assert [(wish.quantity, wish.amount_fen, wish.is_answered) for wish in wishes] == [(1, 3500, True)]


async def test_a_yes_said_too_early_is_taken_back_and_a_shortage_is_not(
    client: Browser, database: Database, world: World, placed: Placed
) -> None:
    line = await line_of(database, placed, world.mutton)
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/orders"
    await client.post(f"{here}/acceptances", {"lines": line.id})
    assert "点错了，收回" in (await client.get(here)).text
    for said in ("收回了", "没有可以收回的"):
        assert (await client.post(f"{here}/acceptances/removal", {"lines": line.id})).status_code == 303
        assert said in (await client.get(here)).text
    assert "都能备齐" in (await client.get(here)).text
    async with database.transaction() as session:
        (answer,) = (await session.exec(select(LineAnswer))).all()
        assert (answer.taken_back_by, answer.taken_back_at is not None) == (world.wang_account, True)
    await client.post(f"{here}/{line.id}/shortage", {"bring": "1", "of": "2", "why": "less"})
    await client.post(f"{here}/acceptances/removal", {"lines": line.id})
    assert "已答应备齐" in (await client.get(here)).text
