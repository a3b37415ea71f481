"""The last unit across a pool of web processes: what one process guards by itself, another does not know of."""

import asyncio
from collections import Counter
from pathlib import Path
from random import Random

import httpx
from sqlalchemy import text
from sqlmodel import func, select

from market.goods.stock import Stock
from market.ground.db import Database, run
from market.trade.orders import Order
from tests.crashes import crowd
from tests.webs import free_ports, on, pool
from tests.world import World

PROCESSES, BUYERS = 3, 12


async def test_a_lock_inside_each_process_sells_the_last_unit_once_a_process(
    database: Database, database_url: str, world: World
) -> None:
    """The race is real: two processes, each careful for itself, both sell it."""
    both_have_looked = asyncio.Barrier(2)

    async def process(own: Database) -> bool:
        careful = asyncio.Lock()

        async def buy() -> bool:
            async with careful, own.transaction() as session:
                left = (await session.exec(select(Stock.on_hand).where(Stock.listing_id == world.last_leg))).one()
                if left < 1:
                    return False
                await both_have_looked.wait()
                taken = text("UPDATE stock SET on_hand = :left WHERE listing_id = :id")
                await run(session, taken, {"left": left - 1, "id": world.last_leg})
                return True

        sold = await asyncio.gather(buy(), buy())
        await own.close()
        return sum(sold) == 1  # each process sells it once

    both = (process(Database(database_url, pool=2)) for _ in range(2))
    assert await asyncio.gather(*both) == [True, True]


async def test_a_pool_of_processes_sells_the_last_unit_once_and_takes_one_wish_once(
    database: Database, database_url: str, redis_url: str, world: World, tmp_path: Path
) -> None:
    await crowd.fresh_goods(database)
    async with pool(free_ports(PROCESSES), tmp_path, on(database_url, redis_url)) as webs:
        buyers = await crowd.gathered(database, world, webs, buyers=BUYERS, chance=Random(1))

        async def want(at: int, listing_id: int, *, token: str, key: str) -> str:
            wish = {
                "wallet": "personal", "stop_id": world.stop, "lines": [{"listing_id": listing_id, "quantity": 1}],
            }  # fmt: skip
            headers = {"authorization": f"Bearer {token}", "idempotency-key": key}
            url = f"{webs[at % PROCESSES].url}/api/v1/orders"
            answer = await buyers.http.post(url, json=wish, headers=headers)
            return _said(answer)

        everyone = (
            want(at, world.last_leg, token=token, key=f"last-{at}") for at, token in enumerate(buyers.tokens)
        )  # fmt: skip
        assert Counter(await asyncio.gather(*everyone)) == {"201": 1, "OutOfStock": BUYERS - 1}
        # The same wish sent to every process at once, as a phone does that got no answer.
        again = [want(at, world.pear, token=buyers.tokens[0], key="pears") for at in range(6)]
        answers = await asyncio.gather(*again)
        assert set(answers) <= {"201", "StillRunning"}
        assert "201" in answers
        await buyers.http.aclose()
    async with database.transaction() as session:
        stock = (await session.exec(select(Stock).where(Stock.listing_id == world.last_leg))).one()
        assert (stock.on_hand, stock.reserved) == (1, 1)
        assert (await session.exec(select(func.count()).select_from(Order))).one() == 2


def _said(answer: httpx.Response) -> str:
    return str(answer.json()["error"]) if answer.is_error else str(answer.status_code)
