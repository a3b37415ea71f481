"""What a household cannot bring: nobody pays for it, it does not come back on sale, and it adds up."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import select

from market.goods.stock import Stock
from market.ground.clock import start_of
from market.ground.db import Database, run
from market.ground.errors import Malformed, NotFound, NotMovable, OverLimit
from market.ground.settings import Settings
from market.people import accounts
from market.reports import oversight
from market.trade import answers, orders, sales
from market.trade.answers import Gap, Short
from market.trade.orders import Order, OrderLine, OrderState
from market.trade.placing import Item
from payments import desk, proof, records, refunds, shortages
from payments.records import Method, PaymentState
from payments.refunds import Claim
from payments.stripe import Fate, Gateway, Seen
from tests import build
from tests.world import BEGIN, World

ONE = Gap(1, Short.SPOILED, "摔坏了")


async def line_of(database: Database, order_id: int, listing_id: int) -> OrderLine:
    async with database.transaction() as session:
        lines = await orders.lines_of(session, order_id)
    return next(line for line in lines if line.listing_id == listing_id)


async def say(database: Database, who: int, line_id: int, gap: Gap = ONE, *, later: timedelta = timedelta()) -> None:
    async with database.transaction() as session:
        seller = await accounts.viewer_of(session, who)
        await shortages.say_short(session, seller, line_id, gap, now=BEGIN + later)


async def paid(database: Database, world: World) -> int:
    async with database.transaction() as session:
        return (await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))).id


async def promised(database: Database, world: World, *items: Item) -> int:
    """An order to be paid in cash at the stop."""
    async with database.transaction() as session:
        placed = await build.order(session, world, *items)
        buyer = await accounts.viewer_of(session, world.buyer)
        closed = Gateway(Settings(demo=True))
        await desk.start(session, closed, buyer, placed.no, Method.CASH, return_url="", now=BEGIN)
        return placed.id


async def differences(database: Database) -> list[Any]:
    async with database.transaction() as session:
        return [*await oversight.differences(session), *await proof.differences(session)]


async def stock_of(database: Database, listing_id: int) -> tuple[int, int]:
    async with database.transaction() as session:
        found = (await session.exec(select(Stock).where(Stock.listing_id == listing_id))).one()
        return found.on_hand, found.reserved


async def test_what_was_paid_and_is_missing_goes_back_from_its_household_alone(
    database: Database, world: World
) -> None:
    order_id = await paid(database, world)
    line = await line_of(database, order_id, world.mutton)
    await say(database, world.wang_account, line.id or 0)
    async with database.transaction() as session:
        standing = {part.line.listing_id: part.standing_fen for part in await sales.standing(session, order_id)}
        assert standing == {world.mutton: 3500, world.pear: 4500}
        told = await run(session, text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'announce_short'"))
        assert told.scalar_one() == 1
    assert (await line_of(database, order_id, world.mutton)).to_bring == 1
    assert await stock_of(database, world.mutton) == (58, 0)
    assert await differences(database) == []


async def test_cancelling_afterwards_gives_back_the_rest_and_only_goods_that_exist(
    database: Database, world: World
) -> None:
    order_id = await paid(database, world)
    await say(database, world.wang_account, (await line_of(database, order_id, world.mutton)).id or 0)
    async with database.transaction() as session:
        buyer = await accounts.viewer_of(session, world.buyer)
        order = await session.get_one(Order, order_id)
        await desk.cancel_order(session, buyer, order.no, why="", now=BEGIN)
        assert await build.balances(session) == {"clearing": -11500, "returns": 11500}
    assert await stock_of(database, world.mutton) == (59, 0)
    assert await differences(database) == []


async def test_a_part_already_refunded_is_not_given_back_twice(database: Database, world: World) -> None:
    order_id = await paid(database, world)
    line = await line_of(database, order_id, world.mutton)
    async with database.transaction() as session:
        payment = (await session.exec(records.of_order(order_id))).one()
        await refunds.request(session, payment.id, Claim(5000, "不新鲜", world.officer, line.id), now=BEGIN)
    await say(database, world.wang_account, line.id or 0, Gap(2, Short.SPOILED))
    async with database.transaction() as session:
        assert await records.refunded_fen(session, payment.id) == 7000
    assert await differences(database) == []


async def test_an_order_to_be_paid_in_cash_costs_less(database: Database, world: World) -> None:
    order_id = await promised(database, world, Item(world.mutton, 2), Item(world.pear, 1))
    await say(database, world.wang_account, (await line_of(database, order_id, world.mutton)).id or 0)
    async with database.transaction() as session:
        order = await session.get_one(Order, order_id)
        payment = (await session.exec(records.of_order(order_id))).one()
        assert (order.total_fen, order.max_fen, payment.amount_fen) == (8000, 8000, 8000)
        clerk = await accounts.viewer_of(session, world.clerk)
        await desk.take_cash(session, clerk, payment.id, now=BEGIN)
    assert await stock_of(database, world.mutton) == (58, 0)
    assert await differences(database) == []


async def test_all_of_a_line_may_be_missing_and_all_of_an_order_ends_it(database: Database, world: World) -> None:
    order_id = await promised(database, world, Item(world.mutton, 2), Item(world.pear, 1))
    await say(database, world.zhao_account, (await line_of(database, order_id, world.pear)).id or 0)
    assert (await line_of(database, order_id, world.pear)).quantity == 0
    assert await differences(database) == []
    await say(
        database, world.wang_account, (await line_of(database, order_id, world.mutton)).id or 0, Gap(2, Short.LESS)
    )
    async with database.transaction() as session:
        order = await session.get_one(Order, order_id)
        payment = (await session.exec(records.of_order(order_id))).one()
        assert (order.state, payment.state) == (OrderState.CANCELLED, PaymentState.CANCELLED)
    assert await stock_of(database, world.mutton) == (58, 0)
    assert await stock_of(database, world.pear) == (19, 0)
    assert await differences(database) == []


async def test_money_on_its_way_by_the_old_sum_goes_back_whole(database: Database, world: World) -> None:
    """An online attempt begun before the household fell short: closed, and should it still be paid, returned."""
    order_id = await promised(database, world, Item(world.mutton, 2))
    async with database.transaction() as session:
        online = records.Payment(
            order_id=order_id, method=Method.ALIPAY, rail=Method.ALIPAY.rail, amount_fen=7000, started_at=BEGIN,
            started_by=world.buyer, provider_id="pi_old",
        )  # fmt: skip
        session.add(online)
    await say(database, world.wang_account, (await line_of(database, order_id, world.mutton)).id or 0)
    async with database.transaction() as session:
        assert (await session.get_one(records.Payment, online.id)).state is PaymentState.CANCELLED
        seen = Seen("pi_old", Fate.SUCCEEDED, 7000, "pi_old")
        assert await desk.settle(session, online.id, seen, now=BEGIN) == "goods_gone"
        assert await records.refunded_fen(session, online.id) == 7000
        assert (await session.get_one(Order, order_id)).state is OrderState.CONFIRMED
    assert await differences(database) == []


@pytest.mark.parametrize(("gap", "refusal"), [(Gap(3, Short.LESS), OverLimit), (Gap(0, Short.LESS), Malformed)])
async def test_more_than_was_ordered_cannot_be_missing(
    database: Database, world: World, gap: Gap, refusal: type[Exception]
) -> None:
    order_id = await paid(database, world)
    with pytest.raises(refusal):
        await say(database, world.wang_account, (await line_of(database, order_id, world.mutton)).id or 0, gap)


async def test_only_its_own_household_or_agent_answers_for_a_line(database: Database, world: World) -> None:
    order_id = await paid(database, world)
    mutton, pear = [await line_of(database, order_id, listing) for listing in (world.mutton, world.pear)]
    for who, line in (
        (world.zhao_account, mutton),
        (world.buyer, mutton),
        (world.officer, mutton),
        (world.agent, pear),
    ):
        with pytest.raises(NotFound):
            await say(database, who, line.id or 0)
    await say(database, world.agent, mutton.id or 0)


async def test_after_the_handover_day_nothing_can_be_answered(database: Database, world: World) -> None:
    order_id = await paid(database, world)
    line = await line_of(database, order_id, world.mutton)
    async with database.transaction() as session:
        day = (await session.get_one(Order, order_id)).handover_on
        seller = await accounts.viewer_of(session, world.wang_account)
        with pytest.raises(NotMovable):
            await answers.accept(session, seller, line.id or 0, now=start_of(day) + timedelta(days=1))
    with pytest.raises(NotMovable):
        await say(database, world.wang_account, line.id or 0, later=start_of(day) + timedelta(days=1) - BEGIN)


async def test_a_yes_is_written_once(database: Database, world: World) -> None:
    order_id = await paid(database, world)
    line = await line_of(database, order_id, world.mutton)
    for _ in range(2):
        async with database.transaction() as session:
            seller = await accounts.viewer_of(session, world.wang_account)
            await answers.accept(session, seller, line.id or 0, now=BEGIN)
    async with database.transaction() as session:
        said = (await session.exec(answers.of_lines([line.id or 0]))).all()
        assert [answer.short_quantity for answer in said] == [0]
