"""Every rule of the books is provoked behind the market's back, and found."""

import pytest
from sqlalchemy import text

from market.ground.db import Database, run
from market.people import accounts
from market.reports import oversight
from market.trade import orders
from market.trade.placing import Item
from payments import desk
from tests import build
from tests.world import BEGIN, World

BREAKS = [
    (
        "an entry's postings sum to zero",
        "UPDATE postings SET amount_fen = amount_fen - 1 WHERE book = 'clearing'",
    ),
    ("an entry's postings sum to zero", "DELETE FROM postings"),
    ("stock on hand is what came less what was sold", "UPDATE stock SET on_hand = on_hand + 1"),
    ("stock on hand is what came less what was sold", "DELETE FROM stock"),
    ("stock on hand is what came less what was sold", "UPDATE orders SET state = 'placed' WHERE state = 'paid'"),
    ("stock reserved is what unpaid orders hold", "UPDATE stock SET reserved = reserved + 1"),
    ("stock reserved is what unpaid orders hold", "UPDATE orders SET state = 'expired' WHERE state = 'placed'"),
    (
        "stock is never negative",
        "ALTER TABLE stock DROP CONSTRAINT ck_stock_reserved; UPDATE stock SET on_hand = -1, reserved = 0",
    ),
    ("a paid line is posted to its household", "UPDATE orders SET state = 'paid' WHERE state = 'placed'"),
    (
        "a paid line is posted to its household",
        "UPDATE postings SET amount_fen = amount_fen + 1 WHERE book = 'payable'",
    ),
    (
        "a paid line is posted to its household",
        "UPDATE postings SET household_id = household_id + 1 WHERE book = 'payable'",
    ),
    (
        "what stands of a line lies between nothing and its amount",
        "UPDATE orders SET state = 'cancelled' WHERE state = 'paid'",
    ),
    (
        "what stands of a line lies between nothing and its amount",
        """INSERT INTO postings (entry_id, book, amount_fen, reason, day_on, household_id, order_line_id)
           SELECT entry_id, book, -amount_fen - 1, 'refund', day_on, household_id, order_line_id
           FROM postings WHERE book = 'payable'""",
    ),
    (
        "a household stands below zero only by refunds decided after its last approved payout",
        "UPDATE postings SET amount_fen = -1 WHERE book = 'payable'",
    ),
    ("the daily roll-up is the sum of the postings", "UPDATE income_days SET gross_fen = gross_fen + 1"),
    ("the daily roll-up is the sum of the postings", "UPDATE income_days SET refunded_fen = 1"),
    ("the daily roll-up is the sum of the postings", "UPDATE income_days SET paid_out_fen = 1"),
    ("the daily roll-up is the sum of the postings", "UPDATE income_days SET line_count = line_count + 1"),
    ("the daily roll-up is the sum of the postings", "UPDATE income_days SET division_code = '14'"),
    ("the daily roll-up is the sum of the postings", "UPDATE income_days SET work_unit_id = work_unit_id + 1"),
    ("the daily roll-up is the sum of the postings", "UPDATE income_days SET wallet = 'canteen'"),
    ("the daily roll-up is the sum of the postings", "UPDATE income_days SET day_on = day_on - 1"),
    ("the daily roll-up is the sum of the postings", "DELETE FROM income_days"),
]  # fmt: skip


async def lived_in(database: Database, world: World) -> None:
    """A sale, a cancelled sale, and an order that waits."""
    async with database.transaction() as session:
        await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
        cancelled = await build.cash_order(session, world, Item(world.millet, 1))
        buyer = await accounts.viewer_of(session, world.buyer)
        await desk.cancel_order(session, buyer, cancelled.no, why="", now=BEGIN)
        await build.order(session, world, Item(world.pumpkin, 4))


async def test_a_clean_world_has_no_differences(database: Database, world: World) -> None:
    async with database.transaction() as session:
        assert await oversight.differences(session) == []
    await lived_in(database, world)
    async with database.transaction() as session:
        assert await oversight.differences(session) == []


@pytest.mark.parametrize(("rule", "harm"), BREAKS)
async def test_what_breaks_a_rule_is_named(database: Database, world: World, rule: str, harm: str) -> None:
    await lived_in(database, world)
    async with database.transaction() as session:
        await run(session, text("SET LOCAL session_replication_role = replica"))
        for statement in harm.split("; "):
            await run(session, text(statement))
    async with database.transaction() as session:
        found = await oversight.differences(session)
    named = [difference for difference in found if difference.rule == rule]
    assert named
    assert all(difference.subject and difference.expected != difference.found for difference in named)


async def test_an_expired_order_holds_nothing(database: Database, world: World) -> None:
    await lived_in(database, world)
    async with database.transaction() as session:
        await orders.expire_due(session, now=BEGIN + 2 * orders.HOLD)
    async with database.transaction() as session:
        assert await oversight.differences(session) == []
