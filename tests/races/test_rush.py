"""Many buyers at one counter: they share transactions, nothing is sold twice, nobody suffers for another's order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlmodel import col, select, update

from market.goods.stock import Stock
from market.ground import express, idempotency
from market.ground.db import Database, run
from market.ground.errors import OutOfStock
from market.people import accounts, bearers
from market.people.accounts import Account, ApiToken, Viewer
from market.people.bearers import Bearer
from market.reports import oversight
from market.trade import placing
from market.trade.placements import Item, Placed, Proof, Terms, Wish
from market.trade.rush import Rush
from payments import proof
from tests import build
from tests.races.test_last_unit import many_buyers
from tests.world import BEGIN, World

Outcome = Placed | None | BaseException
"""An order, OutOfStock, None for whoever has to take the whole way, or a failure."""


@dataclass
class Counter:
    """Buyers with tokens, and wishes of theirs."""

    database: Database
    buyers: list[Bearer]
    terms: Terms
    stop_version: str

    def wish(self, at: int, *items: Item, key: str | None = None) -> Wish:
        """What buyer number `at` wants."""
        bearer = self.buyers[at]
        claim = idempotency.wanted(bearer.viewer.id, key=key or f"wish {at}", body=b"")
        seen = Proof(bearer, self.stop_version)
        return placing.wish_of(bearer.viewer, items, self.terms, now=BEGIN, claim=claim, proof=seen)

    async def count(self, sql: str) -> int:
        """One number out of the database."""
        async with self.database.transaction() as session:
            return int((await run(session, text(sql))).scalar_one())

    async def transactions(self) -> int:
        """In how many transactions the orders were placed."""
        return await self.count("SELECT count(DISTINCT xmin::text) FROM orders")

    async def stock(self, listing_id: int) -> tuple[int, int]:
        async with self.database.transaction() as session:
            row = (await session.exec(select(Stock).where(Stock.listing_id == listing_id))).one()
            return row.on_hand, row.reserved


@pytest_asyncio.fixture
async def counter(database: Database, world: World) -> AsyncIterator[Counter]:
    """Forty buyers. Afterwards every invariant holds, whatever happened."""
    ids = await many_buyers(database, 40)
    async with database.transaction() as session:
        buyers = []
        for account_id in ids:
            account = await session.get_one(Account, account_id)
            token = await accounts.new_token(session, account, now=BEGIN)
            buyers.append(bearers.bearing(token, Viewer(account_id, account.name)))
        terms = await build.terms(session, world)
        version = (await run(session, text("SELECT xmin::text FROM stops"))).scalar_one()
    yield Counter(database, buyers, terms, str(version))
    async with database.transaction() as session:
        assert [*await oversight.differences(session), *await proof.differences(session)] == []


async def together(*calls: Coroutine[Any, Any, Placed | None]) -> list[Outcome]:
    return list(await asyncio.gather(*calls, return_exceptions=True))


async def test_those_who_wait_share_a_transaction_and_each_gets_their_own(counter: Counter, world: World) -> None:
    rush = Rush(counter.database, lanes=1)
    placed = await together(*(rush.place(counter.wish(at, Item(world.mutton, 1))) for at in range(30)))
    assert [one.lines[0].quantity for one in placed if isinstance(one, Placed)] == [1] * 30
    assert len({one.no for one in placed if isinstance(one, Placed)}) == 30
    assert await counter.transactions() == 2
    assert await counter.stock(world.mutton) == (60, 30)
    assert await counter.count("SELECT count(*) FROM kept_answers k JOIN orders o ON k.answer->>'no' = o.no") == 30


async def test_whoever_finds_nobody_goes_alone(counter: Counter, world: World) -> None:
    rush = Rush(counter.database)
    for at in range(3):
        assert await rush.place(counter.wish(at, Item(world.mutton, 1)))
    assert await counter.transactions() == 3


@pytest.mark.parametrize("lanes", [1, 2])
async def test_the_last_units_go_to_those_who_came_first(counter: Counter, world: World, lanes: int) -> None:
    rush = Rush(counter.database, lanes=lanes)
    placed = await together(*(rush.place(counter.wish(at, Item(world.mutton, 4))) for at in range(40)))
    got = [at for at, one in enumerate(placed) if isinstance(one, Placed)]
    assert len(got) == 15
    refused = [one for one in placed if isinstance(one, OutOfStock)]
    assert len(refused) == 25
    assert {(line.wanted, line.left) for one in refused for line in one.lines} == {(4, 0)}
    assert lanes > 1 or got == list(range(15))
    assert await counter.stock(world.mutton) == (60, 60)


@pytest_asyncio.fixture
async def processes(database_url: str) -> AsyncIterator[list[Rush]]:
    """Four, each with connections of its own."""
    databases = [Database(database_url, pool=8) for _ in range(4)]
    yield [Rush(database) for database in databases]
    for database in databases:
        await database.close()


async def test_the_last_one_is_sold_once_by_several_processes(
    counter: Counter, world: World, processes: list[Rush]
) -> None:
    placed = await together(*(processes[at % 4].place(counter.wish(at, Item(world.last_leg, 1))) for at in range(40)))
    assert sum(isinstance(one, Placed) for one in placed) == 1
    assert sum(isinstance(one, OutOfStock) for one in placed) == 39
    assert await counter.stock(world.last_leg) == (1, 1)


async def test_mixed_carts_in_any_order_never_wait_in_a_circle(
    counter: Counter, world: World, processes: list[Rush]
) -> None:
    goods = [Item(world.mutton, 2), Item(world.pear, 1), Item(world.millet, 1), Item(world.pumpkin, 1)]
    carts = [[goods[at % 4], goods[(at + 1 + at // 4 % 3) % 4]] if at % 3 else [goods[at % 4]] for at in range(40)]
    placed = await together(*(processes[at % 4].place(counter.wish(at, *cart)) for at, cart in enumerate(carts)))
    assert all(isinstance(one, Placed | OutOfStock) for one in placed)
    for item in goods:
        held = sum(
            line.quantity for one in placed if isinstance(one, Placed) for line in one.lines
            if line.listing_id == item.listing_id
        )  # fmt: skip
        on_hand, reserved = await counter.stock(item.listing_id)
        assert held == reserved <= on_hand


async def test_short_goods_hold_up_nobody_who_wants_others(counter: Counter, world: World) -> None:
    rush = Rush(counter.database, lanes=1)
    wishes = [counter.wish(at, Item(world.last_leg if at % 2 else world.mutton, 1)) for at in range(20)]
    placed = await together(*(rush.place(wish) for wish in wishes))
    assert all(isinstance(one, Placed) for one in placed[::2])
    assert sum(isinstance(one, Placed) for one in placed[1::2]) == 1


async def test_ones_own_attempt_is_no_shortage(counter: Counter, world: World) -> None:
    rush = Rush(counter.database)
    assert await rush.place(counter.wish(0, Item(world.last_leg, 1), key="first"))
    assert await rush.place(counter.wish(0, Item(world.last_leg, 1), key="again")) is None
    with pytest.raises(OutOfStock) as refused:
        await rush.place(counter.wish(1, Item(world.mutton, 1), Item(world.last_leg, 1)))
    assert [(line.listing_id, line.wanted, line.left) for line in refused.value.lines] == [(world.last_leg, 1, 0)]


Spoil = Callable[[Counter, Wish], Awaitable[Wish]]


async def revoked(counter: Counter, wish: Wish) -> Wish:
    assert wish.proof
    async with counter.database.transaction() as session:
        hashed = wish.proof.bearer.token_hash
        await session.exec(update(ApiToken).where(col(ApiToken.token_hash) == hashed).values(revoked_at=BEGIN))
    return wish


async def another_price(_counter: Counter, wish: Wish) -> Wish:
    return replace(wish, items=[replace(wish.items[0], seen_fen=1)])


async def refused_by_the_database(_counter: Counter, wish: Wish) -> Wish:
    return replace(wish, terms=replace(wish.terms, work_unit_id=987_654))


async def answered_before(counter: Counter, wish: Wish) -> Wish:
    assert await Rush(counter.database).place(replace(wish, no="261102-AAAA-AAAA"))
    return wish


@pytest.mark.parametrize("spoil", [revoked, another_price, refused_by_the_database, answered_before])
async def test_one_that_cannot_be_placed_fails_alone(counter: Counter, world: World, spoil: Spoil) -> None:
    rush = Rush(counter.database, lanes=1)
    wishes = [counter.wish(at, Item(world.mutton, 1)) for at in range(12)]
    wishes[5] = await spoil(counter, wishes[5])
    placed = await together(*(rush.place(wish) for wish in wishes))
    assert [at for at, one in enumerate(placed) if not isinstance(one, Placed)] == [5]
    assert placed[5] is None


async def test_the_same_key_twice_in_one_transaction_is_one_order(counter: Counter, world: World) -> None:
    rush = Rush(counter.database, lanes=1)
    twice = [counter.wish(7, Item(world.mutton, 1), key="storm") for _ in range(6)]
    placed = await together(*(rush.place(wish) for wish in [counter.wish(1, Item(world.mutton, 1)), *twice]))
    assert sum(isinstance(one, Placed) for one in placed) == 2
    assert not [one for one in placed if isinstance(one, BaseException)]


async def standing_still(counter: Counter, calls: int) -> None:
    """Wait until so many statements wait for a lock."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(10):
        while await counter.count(waiting) < calls:  # noqa: ASYNC110  the server knows, and tells nobody
            await asyncio.sleep(0.01)


async def test_a_client_who_went_away_is_not_served_and_holds_up_nobody(counter: Counter, world: World) -> None:
    rush = Rush(counter.database, lanes=1)
    async with counter.database.transaction() as session:
        await session.exec(select(Stock).where(col(Stock.listing_id) == world.mutton).with_for_update())
        calls = [asyncio.create_task(rush.place(counter.wish(at, Item(world.mutton, 1)))) for at in range(6)]
        await standing_still(counter, 1)
        calls[3].cancel()
    placed = await asyncio.gather(*calls, return_exceptions=True)
    assert [at for at, one in enumerate(placed) if not isinstance(one, Placed)] == [3]
    assert await counter.stock(world.mutton) == (60, 5)


async def test_goods_somebody_holds_too_long_hold_up_nobody_who_wants_others(
    counter: Counter, world: World, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(express._SETTINGS, "lock_timeout", "100ms")
    database = Database(database_url, pool=4)
    rush = Rush(database, lanes=1)
    async with counter.database.transaction() as session:
        await session.exec(select(Stock).where(col(Stock.listing_id) == world.mutton).with_for_update())
        wanted = [world.mutton, world.mutton, world.pear, world.mutton, world.pear]
        first = await together(*(rush.place(counter.wish(at, Item(wanted[at], 1))) for at in range(5)))
        assert first == [None] * 5
        assert await rush.place(counter.wish(5, Item(world.pear, 1)))
    assert await rush.place(counter.wish(6, Item(world.mutton, 1)))
    await database.close()


async def _end_of(call: "asyncio.Task[Placed | None]") -> Outcome:
    return (await asyncio.gather(call, return_exceptions=True))[0]


async def test_a_transaction_that_is_killed_leaves_nothing_and_the_next_goes_on(counter: Counter, world: World) -> None:
    rush = Rush(counter.database, lanes=1)
    async with counter.database.transaction() as session:
        await session.exec(select(Stock).where(col(Stock.listing_id) == world.mutton).with_for_update())
        calls = [asyncio.create_task(rush.place(counter.wish(at, Item(world.mutton, 1)))) for at in range(6)]
        await standing_still(counter, 1)
        await counter.count(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = current_database()"
        )
        assert isinstance(await asyncio.wait_for(_end_of(calls[0]), 10), Exception)
        await standing_still(counter, 1)  # the other five, together
        await counter.count(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = current_database()"
        )
        assert all([isinstance(await _end_of(call), Exception) for call in calls])
    assert await counter.count("SELECT count(*) FROM orders") == 0
    assert await rush.place(counter.wish(0, Item(world.mutton, 1)))
