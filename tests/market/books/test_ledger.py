"""The books balance, nobody rewrites them, and shares add up to the fen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from market.books import ledger
from market.books.ledger import Book, IncomeDay, Leg, Occasion, Posting, Rail, Reason
from market.ground.db import Database, run
from market.trade.placing import Item
from market.trade.sales import split
from tests import build
from tests.world import BEGIN, COUNTY, World

AMOUNTS = st.lists(st.integers(0, 10_000_000), min_size=1, max_size=20)


@given(AMOUNTS, st.data())
def test_shares_sum_to_the_amount_and_none_is_above_its_weight(weights: list[int], data: st.DataObject) -> None:
    amount = data.draw(st.integers(0, sum(weights)))
    parts = split(amount, weights)
    assert sum(parts) == amount
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))


@given(AMOUNTS, st.lists(st.integers(1, 5_000_000), max_size=6))
def test_repeated_partial_refunds_end_exactly_at_nothing(weights: list[int], wishes: list[int]) -> None:
    left = list(weights)
    for wish in [*wishes, sum(weights)]:
        amount = min(wish, sum(left))
        left = [had - gone for had, gone in zip(left, split(amount, left), strict=True)]
    assert left == [0] * len(weights)


async def test_a_paid_order_is_posted_and_rolled_up(database: Database, world: World) -> None:
    async with database.transaction() as session:
        await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
    async with database.transaction() as session:
        assert await build.balances(session) == {"payable": 11_500, "clearing": -11_500}
        days = (await session.exec(select(IncomeDay).order_by(IncomeDay.household_id))).all()  # type: ignore[arg-type]
        assert [(day.household_id, day.gross_fen, day.line_count) for day in days] == [
            (world.wang, 7000, 1),
            (world.zhao, 4500, 1),
        ]


@pytest.mark.parametrize("act", ["UPDATE postings SET amount_fen = 1", "DELETE FROM entries", "TRUNCATE postings"])
async def test_the_books_cannot_be_rewritten(database: Database, world: World, act: str) -> None:
    async with database.transaction() as session:
        await build.cash_order(session, world)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.transaction() as session:
            await run(session, text(act))


async def test_an_entry_that_does_not_balance_is_refused_at_commit(database: Database, world: World) -> None:
    unbalanced = text("""
        WITH e AS (INSERT INTO entries (at, day_on, reason, county_code)
                   VALUES (now(), current_date, 'sale', '141102') RETURNING id)
        INSERT INTO postings (entry_id, book, amount_fen, reason, day_on)
        SELECT id, 'fees', 5, 'sale', current_date FROM e
    """)
    with pytest.raises(DBAPIError, match="is off by 5 fen"):
        async with database.transaction() as session:
            await run(session, unbalanced)


async def test_an_entry_without_postings_is_refused_at_commit(database: Database, world: World) -> None:
    alone = text("INSERT INTO entries (at, day_on, reason, county_code) VALUES (now(), current_date, 'sale', '14')")
    with pytest.raises(DBAPIError, match="no postings"):
        async with database.transaction() as session:
            await run(session, alone)


async def test_unbalanced_legs_are_a_bug_found_before_the_database(database: Database, world: World) -> None:
    with pytest.raises(ValueError, match="off by 7 fen"):
        async with database.transaction() as session:
            await ledger.post(session, Occasion(Reason.SALE, COUNTY), [Leg(Book.FEES, 7)], at=BEGIN)


async def test_cash_always_says_in_whose_hand_it_is(database: Database, world: World) -> None:
    """Clearing of cash names its holder; no other posting may."""
    async with database.transaction() as session:
        await build.cash_order(session, world)
    async with database.transaction() as session:
        hands = (await session.exec(select(Posting.holder_id).where(Posting.book == Book.CLEARING))).all()
        assert hands == [world.clerk]
        assert (await session.exec(select(Posting.holder_id).where(Posting.book == Book.PAYABLE))).all() == [None]
    for wrong in (Leg(Book.CLEARING, -5, rail=Rail.CASH), Leg(Book.CLEARING, -5, rail=Rail.STRIPE, holder_id=1)):
        with pytest.raises(DBAPIError, match="ck_postings_holder_id"):
            async with database.transaction() as session:
                await ledger.post(session, Occasion(Reason.SALE, COUNTY), [wrong, Leg(Book.FEES, 5)], at=BEGIN)
