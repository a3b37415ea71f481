"""Every rule between bank statements, payments and ledger is provoked behind the market's back, and found."""

import pytest
from sqlalchemy import text

from market.ground.clock import day_of
from market.ground.db import Database, run
from market.people import accounts
from market.trade.placing import Item
from payments import asides, decisions, proof, refunds, remittances
from payments.outcomes import Use
from payments.refunds import Claim
from tests.payments.bank import Bank, Wire
from tests.world import BEGIN, World

ROWS = "a line's money is booked as far as it was not put aside"
PARTS = "no more of a line is used than moved, and all of one that is done"
COVERED = "a payment by transfer is covered by lines to the fen"
UNASSIGNED = "what stands unassigned is what came and has no use yet"
REMITTED = "a refund by transfer went once"
BREAKS = [
    (ROWS, "DELETE FROM entries WHERE reason = 'arrival' AND id = (SELECT min(id) FROM entries)"),
    (ROWS, "UPDATE entries SET bank_row_id = NULL WHERE reason = 'aside'"),
    (ROWS, "UPDATE bank_rows SET currency = 'USD' WHERE outcome = 'exact'"),
    (ROWS, "UPDATE bank_parts SET state = 'void' WHERE use = 'foreign'"),
    (PARTS, "UPDATE bank_parts SET amount_fen = amount_fen + 1000000 WHERE use = 'payment'"),
    (PARTS, "UPDATE bank_parts SET state = 'agreed' WHERE use = 'payment'"),
    (PARTS, "UPDATE bank_rows SET state = 'done' WHERE state = 'open'"),
    (PARTS, "UPDATE bank_rows SET state = 'open' WHERE outcome = 'exact'"),
    (PARTS, "UPDATE bank_rows SET state = 'settling' WHERE outcome = 'exact'"),
    (COVERED, "UPDATE bank_parts SET state = 'void' WHERE use = 'payment'"),
    (COVERED, "UPDATE payments SET amount_fen = 1 WHERE state = 'started'"),
    (COVERED, "UPDATE payments SET state = 'cancelled' WHERE state = 'started'"),
    (UNASSIGNED, "UPDATE postings SET amount_fen = amount_fen + 1 WHERE book = 'unassigned' AND reason = 'sale'"),
    (UNASSIGNED, "UPDATE payments SET state = 'succeeded' WHERE state = 'started'"),
    (REMITTED, "DELETE FROM remittances"),
    (REMITTED, "UPDATE remittances SET came_back_at = at"),
    (REMITTED, "UPDATE refunds SET state = 'failed' WHERE provider_id LIKE 'transfer-%'"),
]


async def lived_in(database: Database, world: World) -> None:
    """A paid order with a refund that went, a part, money over, money aside, money nobody knows, another currency."""
    bank = await Bank(database, world).open()
    paid, part = await bank.promised(), await bank.promised(Item(world.pear, 1))
    over = await bank.promised(Item(world.pumpkin, 2))
    await bank.tells(
        Wire("70.00", paid.reference or ""), Wire("20.00", part.reference or ""), Wire("9.99", "谢谢"),
        Wire("8.88", "hello", currency="USD"), Wire("-5.00", "手续费"),
    )  # fmt: skip
    too_much = await bank.tells(Wire("15.00", over.reference or ""))
    aside = await bank.tells(Wire("3.33", "卖废品"))
    async with database.transaction() as session:
        word = await bank.word(session)
        await decisions.confirm(session, word, await bank.row(too_much), rest_back=True, now=BEGIN)
        await asides.set_aside(session, word, await bank.row(aside), Use.FOREIGN, now=BEGIN)
    await bank.settle(too_much)
    async with database.transaction() as session:
        refund = await refunds.request(session, paid.id, Claim(500, "少了", world.officer), now=BEGIN)
        accountant = await accounts.viewer_of(session, world.accountant)
        await remittances.record(session, accountant, refund.id, serial="R1", sent_on=day_of(BEGIN), now=BEGIN)
    await bank.check()


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
