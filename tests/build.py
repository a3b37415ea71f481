"""Builders with good defaults: what most tests need before the act they are about."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Book, balance
from market.delivery import stops
from market.ground.settings import Settings
from market.people import accounts
from market.people.units import Wallet
from market.trade import placing
from market.trade.placing import Item, Placed, Terms
from payments import desk
from payments.records import Method
from payments.stripe import Gateway
from tests.world import BEGIN, World


async def terms(
    session: AsyncSession, world: World, *, now: datetime = BEGIN, wallet: Wallet = Wallet.PERSONAL
) -> Terms:
    """The usual stop and the buyer's own money."""
    member = await accounts.viewer_of(session, world.buyer)
    handover = await stops.handover_for(session, member, world.stop, now=now)
    return Terms(wallet, world.stop, handover.county_code, handover.on, handover.cutoff_at)


async def order(session: AsyncSession, world: World, *items: Item, buyer: int = 0, now: datetime = BEGIN) -> Placed:
    """A placed order; two 斤 of mutton unless told otherwise."""
    viewer = await accounts.viewer_of(session, buyer or world.buyer)
    wanted = items or (Item(world.mutton, 2),)
    return await placing.place(session, viewer, wanted, await terms(session, world, now=now), now=now)


async def cash_order(session: AsyncSession, world: World, *items: Item, now: datetime = BEGIN) -> Placed:
    """An order paid in cash and taken by the clerk."""
    placed = await order(session, world, *items, now=now)
    buyer = await accounts.viewer_of(session, world.buyer)
    clerk = await accounts.viewer_of(session, world.clerk)
    closed = Gateway(Settings(demo=True))
    payment = await desk.start(session, closed, buyer, placed.no, Method.CASH, return_url="", now=now)
    await desk.take_cash(session, clerk, payment.id, now=now)
    return placed


async def balances(session: AsyncSession) -> dict[str, int]:
    """What stands in each book, those at zero left out."""
    found = {book.value: int((await session.exec(balance(book))).one()) for book in Book}
    return {book: fen for book, fen in found.items() if fen}
