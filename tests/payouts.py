"""Builders of payouts: lists proposed, approved and paid by the small world's accountants, and refunds beside them."""

from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import approvals, outcomes, proposals
from market.books.ledger import Rail
from market.books.payouts import Payout, PayoutBatch
from market.books.proposals import Terms
from market.people import accounts
from payments import refunds
from payments.records import Refund, of_order
from payments.refunds import Claim
from tests.world import BEGIN, COUNTY, World


async def proposed(
    session: AsyncSession, world: World, *, rail: Rail = Rail.TRANSFER, least_fen: int = 0, now: datetime = BEGIN
) -> PayoutBatch:
    """A list of payouts of the whole county, proposed by the first accountant."""
    first = await accounts.viewer_of(session, world.accountant)
    return await proposals.propose(session, first, Terms(COUNTY, rail, least_fen), now=now)


async def approved(
    session: AsyncSession, world: World, batch: PayoutBatch | None = None, *, now: datetime = BEGIN
) -> PayoutBatch:
    """The same, or this one, approved by the second accountant as it stands."""
    batch = batch or await proposed(session, world, now=now)
    second = await accounts.viewer_of(session, world.second_accountant)
    seen = sum(row.amount_fen for row in await approvals.findings(session, batch, now=now))
    return await approvals.approve(session, second, batch.id or 0, seen_fen=seen, now=now)


async def paid_out(session: AsyncSession, world: World, *, now: datetime = BEGIN) -> PayoutBatch:
    """The same, and the money arrived."""
    batch = await approved(session, world, now=now)
    first = await accounts.viewer_of(session, world.accountant)
    await outcomes.pay(session, first, batch.id or 0, now=now)
    return batch


async def rows(session: AsyncSession, batch: PayoutBatch) -> list[Payout]:
    """The rows of a list, by household."""
    found = select(Payout).where(Payout.batch_id == batch.id).order_by(col(Payout.household_id))
    return list(await session.exec(found.execution_options(populate_existing=True)))


async def refund(
    session: AsyncSession, world: World, order_id: int, amount_fen: int, *, now: datetime = BEGIN
) -> Refund:
    """The officer sends some of an order's money back."""
    payment = (await session.exec(of_order(order_id))).one()
    return await refunds.request(session, payment.id, Claim(amount_fen, "坏了一块", by=world.officer), now=now)
