"""Carts of several goods while the last of each is going: every buyer gets an order or hears what is short."""

import asyncio
import random
from collections import Counter

from sqlalchemy import text

from market.ground.db import Database, run
from market.ground.errors import OutOfStock
from market.trade.placing import Item
from tests import build
from tests.races.test_last_unit import many_buyers
from tests.world import World

_ROUNDS, _LEFT = 20, 7
_BRING = text("UPDATE stock SET on_hand = reserved + :left WHERE listing_id = ANY(:ids)")
_LEFT_NOW = text("SELECT min(on_hand - reserved) FROM stock WHERE listing_id = ANY(:ids)")


async def test_a_cart_that_comes_too_late_hears_so(database: Database, world: World) -> None:
    buyers = await many_buyers(database, 20)
    goods = [world.mutton, world.pumpkin]
    heard: Counter[str] = Counter()
    chance = random.Random(7)

    async def buy(buyer: int) -> None:
        items = [Item(listing_id, chance.randint(1, 2)) for listing_id in goods]
        chance.shuffle(items)
        await asyncio.sleep(chance.random() * 0.02)  # who all begin at one instant rarely meet in the middle
        try:
            async with database.transaction() as session:
                await build.order(session, world, *items, buyer=buyer)
        except OutOfStock:
            heard["short"] += 1
        else:
            heard["ordered"] += 1

    for _ in range(_ROUNDS):
        async with database.transaction() as session:
            await run(session, _BRING, {"left": _LEFT, "ids": goods})
        await asyncio.gather(*(buy(buyer) for buyer in buyers))
        async with database.transaction() as session:
            assert (await run(session, _LEFT_NOW, {"ids": goods})).scalar_one() >= 0
    assert heard.total() == _ROUNDS * len(buyers)
    assert heard["ordered"] >= _ROUNDS
    assert heard["short"] > 0
