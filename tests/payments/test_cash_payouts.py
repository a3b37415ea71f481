"""Cash counted into a household's hand leaves the accountant's, which must hold it."""

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import outcomes
from market.books.ledger import Book, Rail, balance
from market.books.payouts import PayoutBatch
from market.ground.errors import OverLimit
from market.people import accounts
from market.reports import oversight
from market.trade.placing import Item
from payments import cash_books, cash_payouts, hand_ins, proof
from payments.hand_ins import Wish
from tests import build
from tests import payouts as paying_out
from tests.world import BEGIN, World


@pytest.fixture
async def approved(session: AsyncSession, world: World) -> PayoutBatch:
    """80.00 of cash for Liu, who has no card; the clerk took it from the buyer."""
    await build.cash_order(session, world, Item(world.millet, 2))
    batch = await paying_out.proposed(session, world, rail=Rail.CASH)
    return await paying_out.approved(session, world, batch)


async def handed_in(session: AsyncSession, world: World, fen: int) -> None:
    """The clerk hands the accountant this much."""
    clerk = await accounts.viewer_of(session, world.clerk)
    accountant = await accounts.viewer_of(session, world.accountant)
    hand_in = await hand_ins.declare(session, clerk, Wish(world.accountant, fen), now=BEGIN)
    await hand_ins.count(session, accountant, hand_in.id or 0, fen, now=BEGIN)


async def whole(session: AsyncSession) -> None:
    await session.flush()
    assert await oversight.differences(session) == []
    assert await proof.differences(session) == []


async def test_it_needs_no_card_and_leaves_the_accountants_hand(
    session: AsyncSession, world: World, approved: PayoutBatch
) -> None:
    await handed_in(session, world, 8000)
    by = await accounts.viewer_of(session, world.accountant)
    paid = [await cash_payouts.pay(session, by, approved.id or 0, now=BEGIN) for _ in range(2)]
    assert paid == [1, 0]
    assert (await cash_books.in_hand(session, world.accountant)).fen == 0
    assert (await session.exec(balance(Book.PAID_OUT, rail=Rail.CASH))).one() == 8000
    book = await cash_books.pages(session, world.accountant, BEGIN.date(), BEGIN.date())
    move = book.movements[-1]
    assert (move.amount_fen, move.balance_fen) == (-8000, 0)
    await whole(session)


async def test_nobody_pays_out_of_an_empty_hand(session: AsyncSession, world: World, approved: PayoutBatch) -> None:
    await handed_in(session, world, 7999)
    by = await accounts.viewer_of(session, world.accountant)
    with pytest.raises(OverLimit) as refused:
        await cash_payouts.pay(session, by, approved.id or 0, now=BEGIN)
    assert (refused.value.limit, refused.value.given) == (7999, 8000)
    await whole(session)


async def test_what_comes_back_is_in_the_hand_of_whoever_took_it(
    session: AsyncSession, world: World, approved: PayoutBatch
) -> None:
    await handed_in(session, world, 8000)
    by = await accounts.viewer_of(session, world.accountant)
    await cash_payouts.pay(session, by, approved.id or 0, now=BEGIN)
    (row,) = await paying_out.rows(session, approved)
    await outcomes.take_back(session, by, approved.id or 0, row.id or 0, why="人不在家", now=BEGIN)
    assert (await cash_books.in_hand(session, world.accountant)).fen == 8000
    assert (await session.exec(balance(Book.PAYABLE, household_id=world.liu))).one() == 8000
    await whole(session)


async def test_transfers_ask_no_hand(session: AsyncSession, world: World) -> None:
    await build.cash_order(session, world, Item(world.mutton, 2))
    await build.card(session, world, world.wang)
    batch = await paying_out.approved(session, world)
    by = await accounts.viewer_of(session, world.accountant)
    assert await cash_payouts.pay(session, by, batch.id or 0, now=BEGIN) == 1
    await whole(session)
