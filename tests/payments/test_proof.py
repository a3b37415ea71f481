"""Every rule between payments and ledger is provoked behind the market's back, and found."""

import pytest
from sqlalchemy import text

from market.ground.db import Database, run
from market.people import accounts
from market.reports import oversight
from market.trade.placing import Item
from payments import bank_slips, desk, hand_ins, proof, refunds
from payments.bank_slips import Slip
from payments.cash_records import SlipKind
from payments.hand_ins import Wish
from payments.records import of_order
from payments.refunds import Claim
from tests import build
from tests.world import BEGIN, World

ONE = "a paid order has exactly one payment that stands, of its total"
ENTRY = "money that arrived is booked once, money that did not is not"
BOUND = "no more goes back than was paid"
RETURNS = "what is owed back to buyers is the refunds not yet finished"
CLEARING = "what a payment left in clearing is what came less what went back"
RAILS = "clearing of a rail is what came less what went back by it"
PAYMENT_MOVES = "a payment is where its last move left it"
REFUND_MOVES = "a refund is where its last move left it"
TAKEN = "cash is in the hand of whoever took it"
IN_HAND = "nobody ever held less than no cash"
HAND_INS = "cash changes hands by a counted hand-in, and each of them once"
SLIPS = "cash comes from and goes to the bank by a slip, and each of them once"
BREAKS = [
    (ONE, "UPDATE payments SET state = 'failed' WHERE state = 'succeeded'"),
    (ONE, "UPDATE orders SET total_fen = total_fen + 1, max_fen = max_fen + 1 WHERE state = 'paid'"),
    (ONE, "UPDATE orders SET state = 'paid' WHERE state = 'placed'"),
    (ONE, "UPDATE entries SET payment_id = NULL WHERE reason = 'sale'"),
    (ENTRY, "DELETE FROM entries WHERE reason = 'sale'"),
    (ENTRY, "UPDATE payments SET state = 'cancelled' WHERE state = 'succeeded'"),
    (
        ENTRY,
        """INSERT INTO entries (at, day_on, reason, county_code, order_id, payment_id)
           SELECT at, day_on, reason, county_code, order_id, payment_id FROM entries WHERE reason = 'sale'""",
    ),
    (BOUND, "UPDATE refunds SET amount_fen = amount_fen + 1000000"),
    (BOUND, "UPDATE payments SET state = 'started' WHERE state = 'succeeded'"),
    (RETURNS, "UPDATE refunds SET amount_fen = amount_fen - 1 WHERE state = 'requested'"),
    (RETURNS, "UPDATE refunds SET state = 'requested' WHERE state = 'succeeded'"),
    (RETURNS, "DELETE FROM postings WHERE book = 'returns' AND reason = 'refund'"),
    (CLEARING, "UPDATE payments SET amount_fen = amount_fen + 1 WHERE state = 'succeeded'"),
    (CLEARING, "UPDATE refunds SET state = 'pending' WHERE state = 'succeeded'"),
    (CLEARING, "UPDATE postings SET rail = 'stripe', holder_id = NULL WHERE book = 'clearing'"),
    (RAILS, "UPDATE postings SET rail = 'stripe', holder_id = NULL WHERE book = 'clearing'"),
    (RAILS, "DELETE FROM postings WHERE book = 'clearing'"),
    (PAYMENT_MOVES, "DELETE FROM payment_moves"),
    (PAYMENT_MOVES, "UPDATE payments SET state = 'failed' WHERE state = 'succeeded'"),
    (REFUND_MOVES, "DELETE FROM refund_moves"),
    (REFUND_MOVES, "UPDATE refunds SET state = 'pending' WHERE state = 'succeeded'"),
    (RAILS, "UPDATE bank_slips SET amount_fen = amount_fen + 1"),
    (TAKEN, "UPDATE postings SET holder_id = (SELECT max(id) FROM accounts) WHERE reason = 'sale' AND rail = 'cash'"),
    (TAKEN, "UPDATE payments SET taken_by = NULL WHERE state = 'succeeded'"),
    (IN_HAND, "UPDATE postings SET amount_fen = amount_fen * 100 WHERE reason = 'handed_in'"),
    (IN_HAND, "DELETE FROM postings WHERE reason = 'sale' AND holder_id IS NOT NULL"),
    (HAND_INS, "UPDATE hand_ins SET counted_fen = counted_fen - 1"),
    (HAND_INS, "DELETE FROM hand_ins"),
    (HAND_INS, "UPDATE postings SET holder_id = (SELECT max(id) FROM accounts) WHERE reason = 'handed_in'"),
    (HAND_INS, "UPDATE hand_ins SET entry_id = (SELECT min(id) FROM entries)"),
    (SLIPS, "UPDATE bank_slips SET kind = 'taken_out'"),
    (SLIPS, "DELETE FROM bank_slips"),
    (SLIPS, "UPDATE postings SET holder_id = (SELECT max(id) FROM accounts) WHERE reason = 'banked' AND rail = 'cash'"),
]


async def lived_in(database: Database, world: World) -> None:
    """A sale refunded in part and waiting, one cancelled and given back, an order that waits, and cash on its way."""
    async with database.transaction() as session:
        sold = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
        cancelled = await build.cash_order(session, world, Item(world.millet, 1))
        await build.order(session, world, Item(world.pumpkin, 4))
        officer = await accounts.viewer_of(session, world.officer)
        payment = (await session.exec(of_order(sold.id))).one()
        await refunds.request(session, payment.id, Claim(500, "少了", officer.account_id), now=BEGIN)
        buyer = await accounts.viewer_of(session, world.buyer)
        await desk.cancel_order(session, buyer, cancelled.no, why="", now=BEGIN)
        given_back = (await session.exec(of_order(cancelled.id))).one()
    async with database.transaction() as session:
        clerk = await accounts.viewer_of(session, world.clerk)
        refund_id = await session.scalar(text("SELECT id FROM refunds WHERE payment_id = :p"), {"p": given_back.id})
        await refunds.hand_back_cash(session, clerk, refund_id, now=BEGIN)
        accountant = await accounts.viewer_of(session, world.accountant)
        hand_in = await hand_ins.declare(session, clerk, Wish(world.accountant, 4000), now=BEGIN)
        await hand_ins.count(session, accountant, hand_in.id or 0, 3900, now=BEGIN)
        await bank_slips.enter(session, accountant, Slip(SlipKind.PAID_IN, 3000, "YS 001", BEGIN.date()), now=BEGIN)


async def test_a_clean_world_has_no_differences(database: Database, world: World) -> None:
    async with database.transaction() as session:
        assert await proof.differences(session) == []
    await lived_in(database, world)
    async with database.transaction() as session:
        assert await proof.differences(session) == []
        assert await oversight.differences(session) == []


@pytest.mark.parametrize(("rule", "harm"), BREAKS)
async def test_what_breaks_a_rule_is_named(database: Database, world: World, rule: str, harm: str) -> None:
    await lived_in(database, world)
    async with database.transaction() as session:
        await run(session, text("SET LOCAL session_replication_role = replica"))
        await run(session, text(harm))
    async with database.transaction() as session:
        found = await proof.differences(session)
    named = [difference for difference in found if difference.rule == rule]
    assert named
    assert all(difference.subject and difference.expected != difference.found for difference in named)
