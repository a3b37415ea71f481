"""Money to households: proposed by one, approved by another, posted when it arrived, and never more than stood."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import approvals, outcomes, payouts, proposals
from market.books.approvals import Change
from market.books.ledger import Book, Entry, IncomeDay, Rail, balance
from market.books.payouts import BatchState, Payout, PayoutBatch, PayoutMove, PayoutState
from market.books.proposals import Hindrance, Terms
from market.ground.db import Database, run
from market.ground.errors import Malformed, NotFound, NothingToPay, NotMovable, SamePerson, TotalMoved
from market.people import accounts, card_changes
from market.people.accounts import Viewer
from market.people.card_changes import NewCard
from market.people.cards import WAITING_DAY
from market.reports import oversight
from market.trade.placing import Item
from payments import proof
from tests import build
from tests import payouts as paying_out
from tests.build import SEAL
from tests.world import BEGIN, COUNTY, OTHER_VILLAGE, VILLAGE, World

LATER = BEGIN + timedelta(days=3)


async def sold(session: AsyncSession, world: World) -> int:
    """Wang sold for 70.00, Zhao for 45.00, both with a card; Liu for 40.00 without one. The order's id."""
    placed = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1), Item(world.millet, 1))
    await build.card(session, world, world.wang)
    await build.card(session, world, world.zhao)
    return placed.id


async def viewer(session: AsyncSession, account: int) -> Viewer:
    return await accounts.viewer_of(session, account)


async def payable(session: AsyncSession, household: int) -> int:
    return int((await session.exec(balance(Book.PAYABLE, household_id=household))).one())


async def state_of(session: AsyncSession, batch: PayoutBatch) -> BatchState:
    return (await session.get_one(PayoutBatch, batch.id)).state


async def whole(session: AsyncSession) -> None:
    """Nothing is wrong anywhere."""
    await session.flush()
    assert await oversight.differences(session) == []
    assert await proof.differences(session) == []


async def test_from_sale_to_card(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    batch = await paying_out.proposed(session, world)
    assert [(row.household_id, row.amount_fen, row.state) for row in await paying_out.rows(session, batch)] == [
        (world.wang, 7000, PayoutState.PROPOSED),
        (world.zhao, 4500, PayoutState.PROPOSED),
    ]
    await paying_out.approved(session, world, batch)
    assert [(row.amount_fen, row.payable_fen) for row in await paying_out.rows(session, batch)] == [
        (7000, 7000), (4500, 4500),
    ]  # fmt: skip
    assert await payable(session, world.wang) == 7000
    assert await outcomes.pay(session, await viewer(session, world.accountant), batch.id or 0, now=LATER) == 2
    assert (await payable(session, world.wang), await payable(session, world.liu)) == (0, 4000)
    assert await build.balances(session) == {"payable": 4000, "clearing": -15500, "paid_out": 11500}
    assert (batch.state, batch.ended_by) == (BatchState.CLOSED, world.accountant)
    days = await session.exec(
        select(IncomeDay).where(col(IncomeDay.paid_out_fen) > 0).order_by(col(IncomeDay.household_id))
    )
    assert [(day.household_id, day.paid_out_fen) for day in days] == [(world.wang, 7000), (world.zhao, 4500)]
    await whole(session)


async def test_who_is_left_out_and_why(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    by = await viewer(session, world.accountant)

    async def hindrances(now: object = BEGIN, least_fen: int = 0, rail: Rail = Rail.TRANSFER) -> dict[int, object]:
        found = await proposals.candidates(session, by, Terms(COUNTY, rail, least_fen), now=now)  # type: ignore[arg-type]
        return {one.household.id or 0: one.hindrance for one in found}

    assert await hindrances() == {world.wang: None, world.zhao: None, world.liu: Hindrance.NO_CARD}
    assert await hindrances(rail=Rail.CASH) == {world.wang: None, world.zhao: None, world.liu: None}
    assert (await hindrances(least_fen=4501))[world.zhao] is Hindrance.BELOW_LEAST
    asked = await card_changes.ask(
        session,
        SEAL,
        await viewer(session, world.agent),
        world.liu,
        NewCard("演示银行", build.card_number(3)),
        now=BEGIN,
    )
    assert (await hindrances())[world.liu] is Hindrance.CARD_ASKED
    await card_changes.confirm(session, SEAL, by, asked.id or 0, number=build.card_number(3), now=BEGIN)
    assert (await hindrances())[world.liu] is Hindrance.CARD_WAITING
    assert (await hindrances(BEGIN + WAITING_DAY))[world.liu] is None
    await paying_out.proposed(session, world)
    assert await hindrances() == {
        world.wang: Hindrance.ON_A_LIST, world.zhao: Hindrance.ON_A_LIST, world.liu: Hindrance.CARD_WAITING,
    }  # fmt: skip


async def test_nothing_is_proposed_twice(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    await paying_out.proposed(session, world)
    with pytest.raises(NothingToPay):
        await paying_out.proposed(session, world)
    await build.cash_order(session, world, Item(world.mutton, 1))
    again = await paying_out.proposed(session, world)
    assert [(row.household_id, row.amount_fen) for row in await paying_out.rows(session, again)] == [(world.wang, 3500)]


async def test_a_place_inside_the_grant_and_nothing_else(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    township = await viewer(session, world.township_accountant)
    for code in (COUNTY, VILLAGE, "14"):
        with pytest.raises(NotFound):
            await proposals.propose(session, township, Terms(code), now=BEGIN)
    with pytest.raises(NotFound):
        await proposals.propose(session, await viewer(session, world.officer), Terms(COUNTY), now=BEGIN)
    with pytest.raises(Malformed):
        await proposals.propose(session, township, Terms(OTHER_VILLAGE, Rail.STRIPE), now=BEGIN)
    batch = await proposals.propose(session, township, Terms(OTHER_VILLAGE), now=BEGIN)
    assert [row.household_id for row in await paying_out.rows(session, batch)] == [world.zhao]
    county = await paying_out.proposed(session, world)
    for who, seen in ((township, [batch.id]), (await viewer(session, world.officer), [county.id, batch.id])):
        assert [one.id for one in await session.exec(payouts.visible_to(who))] == seen
    with pytest.raises(NotFound):
        await approvals.approve(session, township, county.id or 0, seen_fen=7000, now=BEGIN)
    with pytest.raises(NotFound):
        await approvals.drop(session, await viewer(session, world.officer), county.id or 0, why="x", now=BEGIN)
    with pytest.raises(NotFound):
        await payouts.seen_by(session, await viewer(session, world.wang_account), county.id or 0)


async def test_whoever_proposed_does_not_approve_not_even_past_the_act(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    batch = await paying_out.proposed(session, world)
    first = await viewer(session, world.accountant)
    with pytest.raises(SamePerson):
        await approvals.approve(session, first, batch.id or 0, seen_fen=11500, now=BEGIN)
    alone = text("UPDATE payout_batches SET state = 'approved', approved_at = now(), approved_by = proposed_by")
    with pytest.raises(DBAPIError, match="second_person"):
        await run(session, alone)
    await session.rollback()


@pytest.mark.parametrize(
    ("past_the_act", "promise"),
    [
        ("UPDATE payouts SET amount_fen = amount_fen + 1", "amount_fen"),
        ("UPDATE payouts SET amount_fen = 0", "amount_fen"),
        ("UPDATE payouts SET payable_fen = amount_fen - 1", "payable_fen"),
        ("UPDATE payouts SET payable_fen = NULL, book_entry_id = NULL", "approved"),
        ("UPDATE payouts SET card_id = NULL", "card_id"),
        ("UPDATE payouts SET rail = 'cash'", "card_id"),
        ("UPDATE payout_batches SET rail = 'stripe'", "way"),
        ("UPDATE payout_batches SET approved_at = NULL, approved_by = NULL", "approved"),
        ("UPDATE payout_batches SET state = 'closed'", "ended"),
    ],
)
async def test_the_database_keeps_its_word(
    session: AsyncSession, world: World, past_the_act: str, promise: str
) -> None:
    await sold(session, world)
    await paying_out.approved(session, world)
    await session.flush()
    with pytest.raises(DBAPIError, match=promise):
        await run(session, text(past_the_act))
    await session.rollback()


async def test_a_refund_before_the_approval_lowers_the_row_and_the_approver_sees_it(
    session: AsyncSession, world: World
) -> None:
    order = await sold(session, world)
    batch = await paying_out.proposed(session, world)
    await paying_out.refund(session, world, order, 1550)  # a tenth of all three: 7.00, 4.50 and 4.00
    found = await approvals.findings(session, batch, now=BEGIN)
    assert [(row.amount_fen, row.change) for row in found] == [(6300, Change.LOWERED), (4050, Change.LOWERED)]
    second = await viewer(session, world.second_accountant)
    with pytest.raises(TotalMoved) as moved:
        await approvals.approve(session, second, batch.id or 0, seen_fen=11500, now=BEGIN)
    assert (moved.value.seen_fen, moved.value.total_fen) == (11500, 10350)
    await paying_out.approved(session, world, batch)
    rows = await paying_out.rows(session, batch)
    assert [(row.proposed_fen, row.amount_fen, row.payable_fen) for row in rows] == [
        (7000, 6300, 6300), (4500, 4050, 4050),
    ]  # fmt: skip
    moves = (await session.exec(select(PayoutMove).order_by(col(PayoutMove.id)))).all()
    assert {(move.to_state, move.why, move.account_id) for move in moves} == {
        (PayoutState.APPROVED, "lowered", world.second_accountant)
    }
    await whole(session)


async def test_a_household_refunded_to_nothing_is_taken_out(session: AsyncSession, world: World) -> None:
    order = await sold(session, world)
    batch = await paying_out.proposed(session, world)
    await paying_out.refund(session, world, order, 15500)
    await paying_out.approved(session, world, batch)
    assert {row.state for row in await paying_out.rows(session, batch)} == {PayoutState.DROPPED}
    assert (batch.state, batch.end_why) == (BatchState.DROPPED, approvals.NOTHING_LEFT)
    await whole(session)


async def test_a_card_that_was_stopped_takes_its_row_out(session: AsyncSession, world: World) -> None:
    await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
    card = await build.card(session, world, world.wang)
    await build.card(session, world, world.zhao)
    batch = await paying_out.proposed(session, world)
    own = await viewer(session, world.wang_account)
    await card_changes.stop(session, own, card.id or 0, why="丢了", now=BEGIN)
    await paying_out.approved(session, world, batch)
    rows = await paying_out.rows(session, batch)
    assert [row.state for row in rows] == [PayoutState.DROPPED, PayoutState.APPROVED]
    by = await viewer(session, world.accountant)
    found = await proposals.candidates(session, by, Terms(COUNTY), now=BEGIN)
    assert {one.household.id: one.hindrance for one in found}[world.wang] is Hindrance.NO_CARD
    await whole(session)


async def test_two_open_lists_never_have_the_same_money(session: AsyncSession, world: World) -> None:
    """A list of 70, then one of 35 for later sales; a refund of 40 comes out of whichever is approved first."""
    first_order = await build.cash_order(session, world, Item(world.mutton, 2))
    await build.card(session, world, world.wang)
    first = await paying_out.proposed(session, world)
    await build.cash_order(session, world, Item(world.mutton, 1))
    second = await paying_out.proposed(session, world)
    await paying_out.refund(session, world, first_order.id, 4000)
    await paying_out.approved(session, world, first)
    await paying_out.approved(session, world, second)
    amounts = [row.amount_fen for batch in (first, second) for row in await paying_out.rows(session, batch)]
    assert amounts == [3000, 3500]
    assert sum(amounts) == await payable(session, world.wang)
    await whole(session)


async def test_what_failed_waits_for_the_next_list(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    batch = await paying_out.approved(session, world)
    by = await viewer(session, world.accountant)
    wang, zhao = await paying_out.rows(session, batch)
    with pytest.raises(Malformed):
        await outcomes.fail(session, by, batch.id or 0, payout_id=wang.id, why=" ", now=LATER)
    for _ in range(2):
        await outcomes.fail(session, by, batch.id or 0, payout_id=wang.id, why="卡号和户名不符", now=LATER)
    assert await state_of(session, batch) is BatchState.APPROVED
    assert await outcomes.pay(session, by, batch.id or 0, payout_id=zhao.id, now=LATER) == 1
    assert await state_of(session, batch) is BatchState.CLOSED
    with pytest.raises(NotMovable):
        await outcomes.pay(session, by, batch.id or 0, payout_id=wang.id, now=LATER)
    again = await paying_out.proposed(session, world, now=LATER)
    assert [(row.household_id, row.amount_fen) for row in await paying_out.rows(session, again)] == [(world.wang, 7000)]
    await whole(session)


async def test_what_the_bank_sends_back_is_taken_back_by_a_counter_entry(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    batch = await paying_out.paid_out(session, world)
    wang = (await paying_out.rows(session, batch))[0]
    by = await viewer(session, world.second_accountant)
    back = [
        await outcomes.take_back(session, by, batch.id or 0, wang.id or 0, why="账户已销", now=LATER) for _ in range(3)
    ]
    assert back == [True, False, False]
    assert await payable(session, world.wang) == 7000
    entries = await session.exec(select(Entry.id).where(Entry.payout_id == wang.id))
    assert len(entries.all()) == 2
    await whole(session)
    again = await paying_out.paid_out(session, world, now=LATER)
    assert [row.household_id for row in await paying_out.rows(session, again)] == [world.wang]
    assert await payable(session, world.wang) == 0
    await whole(session)


async def test_repeating_an_act_changes_nothing(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    batch = await paying_out.approved(session, world)
    by, second = await viewer(session, world.accountant), await viewer(session, world.second_accountant)
    await approvals.approve(session, second, batch.id or 0, seen_fen=1, now=LATER)
    assert batch.approved_at == BEGIN
    assert [await outcomes.pay(session, by, batch.id or 0, now=LATER) for _ in range(3)] == [2, 0, 0]
    assert await outcomes.fail(session, by, batch.id or 0, why="晚了", now=LATER) == 0
    moves = (await session.exec(select(PayoutMove))).all()
    assert len(moves) == 4
    await whole(session)


async def test_a_dropped_list_frees_its_money(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    batch = await paying_out.proposed(session, world)
    by = await viewer(session, world.accountant)
    for _ in range(2):
        await approvals.drop(session, by, batch.id or 0, why="日子不对", now=BEGIN)
    assert {row.state for row in await paying_out.rows(session, batch)} == {PayoutState.DROPPED}
    with pytest.raises(NotMovable):
        await paying_out.approved(session, world, batch)
    with pytest.raises(NotMovable):
        await outcomes.pay(session, by, batch.id or 0, now=LATER)
    again = await paying_out.approved(session, world)
    with pytest.raises(NotMovable):
        await approvals.drop(session, by, again.id or 0, why="晚了", now=LATER)
    await whole(session)


async def test_rows_of_one_list_are_not_reached_through_another(session: AsyncSession, world: World) -> None:
    await sold(session, world)
    batch = await paying_out.approved(session, world)
    township = await viewer(session, world.township_accountant)
    await build.cash_order(session, world, Item(world.pear, 1))
    own = await proposals.propose(session, township, Terms(OTHER_VILLAGE), now=BEGIN)
    by = await viewer(session, world.second_accountant)
    wang = (await paying_out.rows(session, batch))[0]
    with pytest.raises(NotFound):
        await outcomes.take_back(session, by, own.id or 0, wang.id or 0, why="x", now=BEGIN)
    with pytest.raises(NotFound):
        await outcomes.pay(session, township, batch.id or 0, now=BEGIN)


async def test_a_refund_after_the_payout_lowers_the_next_one_and_never_below_zero(
    session: AsyncSession, world: World
) -> None:
    order = await build.cash_order(session, world, Item(world.mutton, 2))
    await build.card(session, world, world.wang)
    await paying_out.paid_out(session, world)
    await paying_out.refund(session, world, order.id, 5000, now=LATER)
    assert await payable(session, world.wang) == -5000
    await whole(session)
    await build.cash_order(session, world, Item(world.mutton, 1), now=LATER)
    assert await payable(session, world.wang) == -1500
    by = await viewer(session, world.accountant)
    found = await proposals.candidates(session, by, Terms(COUNTY), now=LATER)
    assert [(one.household.id, one.payable_fen, one.hindrance) for one in found] == [
        (world.wang, -1500, Hindrance.BELOW_ZERO)
    ]
    with pytest.raises(NothingToPay):
        await paying_out.proposed(session, world, now=LATER)
    await build.cash_order(session, world, Item(world.mutton, 1), now=LATER)
    again = await paying_out.paid_out(session, world, now=LATER)
    assert [row.amount_fen for row in await paying_out.rows(session, again)] == [2000]
    assert await payable(session, world.wang) == 0
    await whole(session)


async def test_a_refund_between_approval_and_arrival_is_known_to_come_after(
    session: AsyncSession, world: World
) -> None:
    order = await build.cash_order(session, world, Item(world.mutton, 2))
    await build.card(session, world, world.wang)
    batch = await paying_out.approved(session, world)
    await paying_out.refund(session, world, order.id, 3000, now=LATER)
    await outcomes.pay(session, await viewer(session, world.accountant), batch.id or 0, now=LATER)
    assert await payable(session, world.wang) == -3000
    await whole(session)


BREAKS = [
    ("a payout that arrived", "DELETE FROM entries WHERE reason = 'payout'"),
    ("a payout that arrived", "UPDATE payouts SET amount_fen = amount_fen - 1"),
    ("a payout that arrived", "UPDATE postings SET household_id = household_id + 1 WHERE reason = 'payout'"),
    ("a payout that arrived", "UPDATE postings SET rail = 'stripe' WHERE book = 'paid_out'"),
    ("a payout that arrived", "UPDATE payouts SET state = 'returned' WHERE state = 'paid'"),
    ("a payout that arrived", "UPDATE payouts SET state = 'failed' WHERE state = 'paid'"),
    ("an entry of a payout names it", "UPDATE entries SET payout_id = NULL"),
    ("an entry of a payout names it", "UPDATE entries SET payout_id = 1 WHERE reason = 'sale'"),
    ("no payout is above what stood", "UPDATE payouts SET payable_fen = payable_fen + 1"),
    ("no payout is above what stood", "UPDATE payouts SET book_entry_id = 0"),
    ("a household stands below zero", "UPDATE payouts SET book_entry_id = 1000000 WHERE state = 'paid'"),
    ("a household stands below zero", "UPDATE postings SET amount_fen = amount_fen - 1 WHERE reason = 'payout'"),
    ("a payout is where", "UPDATE payouts SET state = 'approved' WHERE state = 'paid'"),
    ("a payout is where", "DELETE FROM payout_moves"),
    ("a list of payouts is where", "UPDATE payout_batches SET state = 'approved', ended_at = NULL, ended_by = NULL"),
    ("a list of payouts is where", "DELETE FROM payouts WHERE state = 'paid'"),
    ("money goes only to", "UPDATE payouts SET card_id = (SELECT max(id) FROM payout_cards)"),
    ("money goes only to", "UPDATE payout_cards SET usable_from_at = '2030-01-01'"),
]


@pytest.mark.parametrize(("rule", "harm"), BREAKS)
async def test_what_breaks_a_rule_is_named(database: Database, world: World, rule: str, harm: str) -> None:
    async with database.transaction() as session:
        order = await build.cash_order(session, world, Item(world.mutton, 2))
        await build.card(session, world, world.wang)
        await build.card(session, world, world.zhao)
        await paying_out.paid_out(session, world)
        await paying_out.refund(session, world, order.id, 7000, now=LATER)
    async with database.transaction() as session:
        await whole(session)
        await run(session, text("SET LOCAL session_replication_role = replica"))
        await run(session, text(harm))
    async with database.transaction() as session:
        named = [found for found in await oversight.differences(session) if found.rule.startswith(rule)]
    assert named
    assert all(found.subject and found.expected != found.found for found in named)


async def test_a_list_of_nobody_is_not_kept(session: AsyncSession, world: World) -> None:
    with pytest.raises(NothingToPay):
        await paying_out.proposed(session, world)
    assert (await session.exec(select(PayoutBatch))).all() == []
    assert (await session.exec(select(Payout))).all() == []
