"""Payouts under fire: the naive way is shown to pay twice; ours pays once, and a refund is seen or comes after."""

import asyncio
from collections.abc import Awaitable, Callable

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import approvals, outcomes, proposals
from market.books.ledger import Book, Entry, Rail, Reason, balance
from market.books.payouts import OPEN, BatchState, Payout, PayoutBatch, PayoutMove, PayoutState
from market.books.proposals import Terms
from market.ground.db import Database
from market.ground.errors import MarketError, NothingToPay
from market.people import accounts
from market.people.accounts import Role
from market.reports import oversight
from market.trade.placing import Item
from tests import build
from tests import payouts as paying_out
from tests.world import BEGIN, COUNTY, World

Act = Callable[[AsyncSession], Awaitable[object]]


async def together(database: Database, *acts: Act) -> list[object]:
    """Let all begin at once, each in a transaction of its own; what each came to, refusals included."""

    async def attempt(act: Act) -> object:
        try:
            async with database.transaction() as session:
                return await act(session)
        except MarketError as refused:
            return refused

    return await asyncio.gather(*(attempt(act) for act in acts))


async def sold(database: Database, world: World) -> int:
    """Wang is owed 70.00 and Zhao 45.00, to their cards. The order's id."""
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
        await build.card(session, world, world.wang)
        await build.card(session, world, world.zhao)
        return placed.id


async def third_accountant(database: Database) -> int:
    async with database.transaction() as session:
        account = await accounts.sign_up(session, phone="19900009999", name="third", now=BEGIN)
        await accounts.grant(session, account, Role.ACCOUNTANT, now=BEGIN, division_code=COUNTY)
        return account.id or 0


async def whole(database: Database) -> None:
    async with database.transaction() as session:
        assert await oversight.differences(session) == []


def proposing(who: int) -> Act:
    async def act(session: AsyncSession) -> object:
        by = await accounts.viewer_of(session, who)
        return await proposals.propose(session, by, Terms(COUNTY), now=BEGIN)

    return act


def approving(who: int, batch: PayoutBatch, seen_fen: int = 11500) -> Act:
    async def act(session: AsyncSession) -> object:
        by = await accounts.viewer_of(session, who)
        return await approvals.approve(session, by, batch.id or 0, seen_fen=seen_fen, now=BEGIN)

    return act


def paying(who: int, batch: PayoutBatch) -> Act:
    async def act(session: AsyncSession) -> object:
        return await outcomes.pay(session, await accounts.viewer_of(session, who), batch.id or 0, now=BEGIN)

    return act


async def proposed(database: Database, world: World) -> PayoutBatch:
    async with database.transaction() as session:
        return await paying_out.proposed(session, world)


async def test_looking_then_writing_pays_everyone_twice(database: Database, world: World) -> None:
    """The race is real: two accountants who look first and write after both list the same money."""
    await sold(database, world)
    both_have_looked = asyncio.Barrier(2)

    async def naive(session: AsyncSession) -> object:
        by = await accounts.viewer_of(session, world.accountant)
        seen = await proposals.candidates(session, by, Terms(COUNTY), now=BEGIN)
        await both_have_looked.wait()
        batch = PayoutBatch(division_code=COUNTY, rail=Rail.TRANSFER, proposed_at=BEGIN, proposed_by=by.id)
        session.add(batch)
        await session.flush()
        session.add_all(proposals._rows(batch, seen))
        return batch

    await together(database, naive, naive)
    async with database.transaction() as session:
        spoken_for = await session.scalar(select(func.sum(col(Payout.amount_fen))))
        owed = (await session.exec(balance(Book.PAYABLE))).one()
    assert spoken_for == 2 * owed


async def test_proposals_at_once_list_the_money_once(database: Database, world: World) -> None:
    await sold(database, world)
    came_to = await together(database, *[proposing(world.accountant), proposing(world.second_accountant)] * 5)
    assert sum(isinstance(one, PayoutBatch) for one in came_to) == 1
    assert sum(isinstance(one, NothingToPay) for one in came_to) == 9
    async with database.transaction() as session:
        assert await session.scalar(select(func.sum(col(Payout.amount_fen)))) == 11500


async def test_approving_what_was_read_before_a_refund_sends_more_than_stands(database: Database, world: World) -> None:
    """The race is real: an approval that reads without the households' locks does not see the refund beside it."""
    order = await sold(database, world)
    batch = await proposed(database, world)
    has_looked, is_refunded = asyncio.Event(), asyncio.Event()

    async def naive(session: AsyncSession) -> object:
        found = await approvals.findings(session, await session.get_one(PayoutBatch, batch.id), now=BEGIN)
        has_looked.set()
        await is_refunded.wait()
        await approvals._approve_rows(session, found, by=world.second_accountant, now=BEGIN)
        held = await session.get_one(PayoutBatch, batch.id)
        held.state, held.approved_at, held.approved_by = BatchState.APPROVED, BEGIN, world.second_accountant
        return held

    async def refunding(session: AsyncSession) -> object:
        await has_looked.wait()
        await paying_out.refund(session, world, order, 11500)
        await session.commit()
        is_refunded.set()
        return None

    await together(database, naive, refunding)
    async with database.transaction() as session:
        approved = await session.scalar(select(func.sum(col(Payout.amount_fen))).where(col(Payout.state).in_(OPEN)))
        assert approved == 11500
        assert (await session.exec(balance(Book.PAYABLE))).one() == 0


async def test_a_refund_beside_an_approval_is_seen_or_comes_after_it(database: Database, world: World) -> None:
    """Whichever has the households first: no row is approved above what stands, and verify knows who came when."""
    for _ in range(6):
        order = await sold(database, world)
        batch = await proposed(database, world)

        async def refunding(session: AsyncSession, order: int = order) -> object:
            return await paying_out.refund(session, world, order, 11500)

        await together(database, approving(world.second_accountant, batch), refunding)
        await together(database, paying(world.accountant, batch))
        await whole(database)
        async with database.transaction() as session:
            rest = await approvals.findings(session, batch, now=BEGIN)
            assert all(row.amount_fen == 0 for row in rest)
            if rest:
                await paying_out.approved(session, world, batch)
        # What was paid out before the refund is owed back by the households: sell until all stand at nothing again.
        async with database.transaction() as session:
            if (await session.exec(balance(Book.PAYABLE))).one() < 0:
                await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
        await whole(database)


async def test_two_who_look_at_the_state_first_both_approve(database: Database, world: World) -> None:
    """The race is real: both see the list proposed, both approve every row of it, and each row is sent twice."""
    await sold(database, world)
    batch = await proposed(database, world)
    both_have_looked = asyncio.Barrier(2)

    def naive(who: int) -> Act:
        async def act(session: AsyncSession) -> object:
            seen = await session.get_one(PayoutBatch, batch.id)
            found = await approvals.findings(session, seen, now=BEGIN)
            await both_have_looked.wait()
            if seen.state is not BatchState.PROPOSED:
                return None
            await approvals._approve_rows(session, found, by=who, now=BEGIN)
            return who

        return act

    third = await third_accountant(database)
    assert await together(database, naive(world.second_accountant), naive(third)) == [world.second_accountant, third]
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(PayoutMove)) == 4


async def test_approvals_at_once_are_one(database: Database, world: World) -> None:
    await sold(database, world)
    batch = await proposed(database, world)
    third = await third_accountant(database)
    acts = [approving(world.second_accountant, batch), approving(third, batch)] * 4
    came_to = await together(database, *acts)
    assert all(isinstance(one, PayoutBatch) for one in came_to)
    async with database.transaction() as session:
        assert await session.scalar(select(func.count()).select_from(PayoutMove)) == 2
        rows = await paying_out.rows(session, batch)
        assert {row.state for row in rows} == {PayoutState.APPROVED}
    await whole(database)


async def test_a_list_is_approved_or_dropped_never_both(database: Database, world: World) -> None:
    for _ in range(4):
        await sold(database, world)
        batch = await proposed(database, world)
        async with database.transaction() as session:
            seen = sum(row.amount_fen for row in await paying_out.rows(session, batch))

        async def dropping(session: AsyncSession, batch: PayoutBatch = batch) -> object:
            by = await accounts.viewer_of(session, world.accountant)
            return await approvals.drop(session, by, batch.id or 0, why="不发了", now=BEGIN)

        came_to = await together(database, approving(world.second_accountant, batch, seen), dropping)
        assert sum(isinstance(one, PayoutBatch) for one in came_to) == 1
        await whole(database)
        await together(database, paying(world.accountant, batch))
        await whole(database)


async def test_money_that_arrived_is_posted_once_however_many_say_so(database: Database, world: World) -> None:
    await sold(database, world)
    async with database.transaction() as session:
        batch = await paying_out.approved(session, world)
    came_to = await together(database, *[paying(world.accountant, batch), paying(world.second_accountant, batch)] * 5)
    assert sorted(came_to, key=str) == [0] * 9 + [2]
    async with database.transaction() as session:
        payouts = select(func.count()).select_from(Entry).where(Entry.reason == Reason.PAYOUT)
        assert await session.scalar(payouts) == 2
        assert (await session.exec(balance(Book.PAYABLE))).one() == 0
    await whole(database)


async def test_a_row_arrived_or_failed_never_both(database: Database, world: World) -> None:
    for _ in range(4):
        await sold(database, world)
        async with database.transaction() as session:
            batch = await paying_out.approved(session, world)
            wang = (await paying_out.rows(session, batch))[0]

        async def failing(session: AsyncSession, batch: PayoutBatch = batch, row: Payout = wang) -> object:
            by = await accounts.viewer_of(session, world.second_accountant)
            return await outcomes.fail(session, by, batch.id or 0, payout_id=row.id, why="退回", now=BEGIN)

        await together(database, paying(world.accountant, batch), failing)
        await whole(database)
        async with database.transaction() as session:
            states = {row.state for row in await paying_out.rows(session, batch)}
            assert states in ({PayoutState.PAID}, {PayoutState.PAID, PayoutState.FAILED})


async def test_payouts_and_refunds_of_many_households_never_wait_in_a_circle(database: Database, world: World) -> None:
    """Lists, approvals, arrivals and refunds of the same households, all at once, again and again."""
    for _ in range(3):
        order = await sold(database, world)
        batch = await proposed(database, world)
        async with database.transaction() as session:
            seen = sum(row.amount_fen for row in await paying_out.rows(session, batch))

        async def refunding(session: AsyncSession, order: int = order) -> object:
            return await paying_out.refund(session, world, order, 1000)

        await together(
            database, approving(world.second_accountant, batch, seen), paying(world.accountant, batch), refunding,
            refunding, proposing(world.accountant), proposing(world.second_accountant), refunding,
        )  # fmt: skip
        await whole(database)
        async with database.transaction() as session:
            await paying_out.approved(session, world, batch)
        await together(database, paying(world.accountant, batch))
        await whole(database)
