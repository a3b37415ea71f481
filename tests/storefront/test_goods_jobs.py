"""The spoilage clock at work: one message a household, by day, in plain words; and what officers decided is told."""

import json
import logging
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import capacity, decisions, listings
from market.goods.capacity import Share
from market.goods.listings import Listing, ListingState, Offer
from market.ground import queue
from market.ground.clock import SHANGHAI
from market.ground.db import Database, run
from market.ground.measure import Measure
from market.people import accounts, households
from storefront import jobs
from storefront.goods_jobs import stop_and_warn
from storefront.state import State
from tests.client import Browser
from tests.world import BEGIN, World


async def waiting(session: AsyncSession) -> list[tuple[str, dict[str, object], datetime | None]]:
    """Jobs about goods that wait, as task, arguments and when."""
    found = text(
        "SELECT task_name, args, scheduled_at FROM procrastinate_jobs WHERE task_name LIKE 'tell_%' ORDER BY id"
    )
    rows = await run(session, found)
    return [(task, args if isinstance(args, dict) else json.loads(args), at) for task, args, at in rows]


async def test_one_message_a_household_for_all_of_its_goods(session: AsyncSession, world: World) -> None:
    assert await stop_and_warn(session, now=BEGIN + timedelta(days=2))
    assert await waiting(session) == [("tell_spoiling", {"listing_ids": [world.mutton, world.last_leg]}, None)]
    assert not await stop_and_warn(session, now=BEGIN + timedelta(days=2, hours=1))


async def test_what_is_past_its_day_is_stopped_and_said(session: AsyncSession, world: World) -> None:
    await stop_and_warn(session, now=BEGIN + timedelta(days=4))
    assert [(task, args) for task, args, _at in await waiting(session)] == [
        ("tell_spoilt", {"listing_ids": [world.mutton, world.last_leg]})
    ]
    for listing_id in (world.mutton, world.last_leg):
        assert (await session.get_one(Listing, listing_id)).state is ListingState.WITHDRAWN


@pytest.mark.parametrize(("hour", "days", "said_at"), [(3, 2, 8), (22, 2, 8), (20, 2, 8), (8, 2, None)])
async def test_nobody_is_woken_by_pumpkins(
    session: AsyncSession, world: World, hour: int, days: int, said_at: int | None
) -> None:
    here = (BEGIN + timedelta(days=days)).astimezone(SHANGHAI).replace(hour=hour, minute=0)
    await stop_and_warn(session, now=here.astimezone(UTC))
    ((_task, args, at),) = await waiting(session)
    assert world.mutton in args["listing_ids"]  # type: ignore[operator]
    if said_at is None:
        assert at is None
    else:
        assert at is not None
        morning = at.astimezone(SHANGHAI)
        assert (morning.hour, morning.date() - here.date()) == (said_at, timedelta(days=0 if hour < said_at else 1))


async def _drain(state: State) -> None:
    app = jobs.make_app(state)
    async with app.open_async():
        await app.run_worker_async(wait=False, install_signal_handlers=False, queues=["default"], concurrency=1)


async def test_the_words_of_every_message(
    client: Browser, world: World, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Near its day, past it, a no, a yes, a halt and its end: each is one message with the reason in it."""
    caplog.set_level(logging.INFO, "yigou.sms")
    async with database.transaction() as session:
        officer, agent = (
            await accounts.viewer_of(session, world.officer),
            await accounts.viewer_of(session, world.agent),
        )
        await capacity.enter(session, agent, world.wang, {Share("land"): 10}, now=BEGIN)
        home = await households.seller(session, agent, world.wang)
        over = await listings.put_up(session, agent, home, Offer("millet", Measure.JIN, 800, 900), now=BEGIN)
        listing_id = over.id or 0
        await decisions.refuse(session, officer, listing_id, why="地没有那么多", now=BEGIN)
    await _drain(client.state)
    async with database.transaction() as session:
        await decisions.permit(session, officer, listing_id, why="租了地", now=BEGIN + timedelta(hours=1))
    await _drain(client.state)
    async with database.transaction() as session:
        await decisions.halt(session, officer, world.pear, why="照片不对", now=BEGIN)
    await _drain(client.state)
    async with database.transaction() as session:
        await decisions.lift(session, officer, world.pear, now=BEGIN)
        for task in ("tell_spoiling", "tell_spoilt"):
            await queue.enqueue(session, task, listing_ids=[world.pumpkin])
    await _drain(client.state)
    said = [record.getMessage() for record in caplog.records if "【以购】" in record.getMessage()]
    for words in (
        "工作人员没有同意：地没有那么多。把数量改少就能卖", "小米可以卖了", "被工作人员叫停了：照片不对",
        "玉露香梨可以卖了", "您家的货快到日子了：南瓜（", "您家的南瓜放到日子了，已经替您停下不卖",
    ):  # fmt: skip
        assert sum(words in each for each in said) == 1, (words, said)
