"""Builders with good defaults: what most tests need before the act they are about."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Book, balance
from market.delivery import stops
from market.ground.clock import now as this_instant
from market.ground.db import Database
from market.ground.seal import Seal
from market.ground.settings import Settings
from market.people import accounts, card_changes
from market.people.card_changes import NewCard
from market.people.cards import PayoutCard
from market.people.units import Wallet
from market.trade import placing
from market.trade.placing import Item, Placed, Terms
from payments import desk, payees, refunds
from payments.payees import Details, Payee
from payments.records import Method, Payment
from payments.refunds import Claim
from payments.stripe import Gateway
from tests.world import BEGIN, COUNTY, World


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


async def unit_order(session: AsyncSession, world: World, *items: Item, now: datetime = BEGIN) -> Placed:
    """A placed order of the work unit's canteen; two 斤 of mutton unless told otherwise."""
    clerk = await accounts.viewer_of(session, world.clerk)
    of_unit = replace(await terms(session, world, now=now, wallet=Wallet.CANTEEN), work_unit_id=world.work_unit)
    return await placing.place(session, clerk, items or (Item(world.mutton, 2),), of_unit, now=now)


async def payee(session: AsyncSession, world: World, *, now: datetime = BEGIN) -> Payee:
    """The county's payee, confirmed."""
    administrator = await accounts.viewer_of(session, world.administrator)
    accountant = await accounts.viewer_of(session, world.accountant)
    details = Details("样例村股份经济合作社", "样例农村信用合作联社", "100200300400")
    entered = await payees.enter(session, administrator, COUNTY, details, now=now)
    return await payees.confirm(session, accountant, entered.id or 0, now=now)


async def cash_order(session: AsyncSession, world: World, *items: Item, now: datetime = BEGIN) -> Placed:
    """An order paid in cash and taken by the clerk."""
    placed = await order(session, world, *items, now=now)
    buyer = await accounts.viewer_of(session, world.buyer)
    clerk = await accounts.viewer_of(session, world.clerk)
    closed = Gateway(Settings(demo=True))
    payment = await desk.start(session, closed, buyer, placed.no, Method.CASH, return_url="", now=now)
    await desk.take_cash(session, clerk, payment.id, now=now)
    return placed


def card_number(n: int = 1) -> str:
    """An invented card number whose digits add up."""
    body = f"62000000000000{n:04d}"
    doubled = [int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(body))]
    return f"{body}{-sum(value - 9 if value > 9 else value for value in doubled) % 10}"


SEAL = Seal(["a secret of the tests, which is long enough"])


async def card(
    session: AsyncSession, world: World, household: int, *, number: str = "", seal: Seal = SEAL, now: datetime = BEGIN
) -> PayoutCard:
    """A card in use since long before `now`: asked for by one accountant, confirmed by the other."""
    asked_at = now - timedelta(days=9)
    wanted = NewCard("演示信用社", number or card_number(household))
    first = await accounts.viewer_of(session, world.accountant)
    second = await accounts.viewer_of(session, world.second_accountant)
    made = await card_changes.ask(session, seal, first, household, wanted, now=asked_at)
    return await card_changes.confirm(session, seal, second, made.id or 0, number=wanted.number, now=asked_at)


async def balances(session: AsyncSession) -> dict[str, int]:
    """What stands in each book, those at zero left out."""
    found = {book.value: int((await session.exec(balance(book))).one()) for book in Book}
    return {book: fen for book, fen in found.items() if fen}


async def refund(database: Database, world: World, amount_fen: int) -> UUID:
    """An officer sends a part of the only payment back."""
    async with database.transaction() as session:
        payment_id = (await session.exec(select(Payment.id))).one()
        claim = Claim(amount_fen, "有一块不新鲜", world.officer)
        return (await refunds.request(session, payment_id, claim, now=this_instant())).id
