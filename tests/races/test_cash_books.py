"""The same cash handed to two people at once. The naive way is shown to give it twice; ours gives it once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from sqlmodel import select

from market.books import ledger
from market.books.ledger import Book, Leg, Occasion, Rail, Reason
from market.ground.db import Database
from market.ground.errors import Malformed, NotMovable, OverLimit
from market.ground.settings import Settings
from market.people import accounts
from market.trade.placing import Item
from payments import bank_slips, cash_books, desk, hand_ins, proof, refunds
from payments.bank_slips import Slip
from payments.cash_records import BankSlip, HandIn, HandInState, SlipKind
from payments.hand_ins import Wish
from payments.records import Method, Payment
from payments.refunds import Claim
from payments.stripe import Gateway
from tests import build
from tests.world import BEGIN, COUNTY, World

Attempt = Callable[[], Awaitable[bool]]
HELD = 7000


async def together(*attempts: Attempt) -> int:
    """Let all begin at once; how many succeeded."""
    return sum(await asyncio.gather(*(attempt() for attempt in attempts)))


@pytest.fixture
async def taken(database: Database, world: World) -> Database:
    """The clerk holds 70.00."""
    async with database.transaction() as session:
        await build.cash_order(session, world)
    return database


def handing_in(database: Database, giver: int, receiver: int, fen: int) -> Attempt:
    async def attempt() -> bool:
        try:
            async with database.transaction() as session:
                await hand_ins.declare(
                    session, await accounts.viewer_of(session, giver), Wish(receiver, fen), now=BEGIN
                )
        except (OverLimit, NotMovable):
            return False
        return True

    return attempt


async def held(database: Database, *account_ids: int) -> list[int]:
    async with database.transaction() as session:
        return [(await cash_books.in_hand(session, account_id)).fen for account_id in account_ids]


async def test_looking_first_gives_the_same_money_twice(taken: Database, world: World) -> None:
    """The race is real: two sessions that look into the book first both find it full, and it falls below zero."""
    both_have_looked = asyncio.Barrier(2)

    def naive(receiver: int) -> Attempt:
        async def attempt() -> bool:
            async with taken.transaction() as session:
                fen = (await cash_books.in_hand(session, world.clerk)).fen
                await both_have_looked.wait()
                legs = [
                    Leg(Book.CLEARING, fen, rail=Rail.CASH, holder_id=world.clerk),
                    Leg(Book.CLEARING, -fen, rail=Rail.CASH, holder_id=receiver),
                ]
                await ledger.post(session, Occasion(Reason.HANDED_IN, COUNTY), legs, at=BEGIN)
                return fen == HELD

        return attempt

    assert await together(naive(world.accountant), naive(world.organiser)) == 2
    assert await held(taken, world.clerk) == [-HELD]
    async with taken.transaction() as session:
        found = {difference.rule for difference in await proof.differences(session)}
    assert "nobody ever held less than no cash" in found


async def test_the_same_money_is_promised_once(taken: Database, world: World) -> None:
    receivers = (world.accountant, world.second_accountant, world.organiser)
    assert await together(*(handing_in(taken, world.clerk, receiver, HELD) for receiver in receivers)) == 1


async def test_many_taps_are_one_hand_in(taken: Database, world: World) -> None:
    assert await together(*[handing_in(taken, world.clerk, world.accountant, 1000)] * 8) == 8
    async with taken.transaction() as session:
        assert len((await session.exec(select(HandIn))).all()) == 1


async def test_counting_and_withdrawing_at_once_ends_it_one_way(taken: Database, world: World) -> None:
    async with taken.transaction() as session:
        clerk = await accounts.viewer_of(session, world.clerk)
        hand_in = await hand_ins.declare(session, clerk, Wish(world.accountant, HELD), now=BEGIN)

    async def count() -> bool:
        try:
            async with taken.transaction() as session:
                accountant = await accounts.viewer_of(session, world.accountant)
                await hand_ins.count(session, accountant, hand_in.id or 0, HELD, now=BEGIN)
        except NotMovable:
            return False
        return True

    async def withdraw() -> bool:
        try:
            async with taken.transaction() as session:
                await hand_ins.withdraw(session, clerk, hand_in.id or 0, now=BEGIN)
        except NotMovable:
            return False
        return True

    # However often it is counted it moves once; either every count succeeds or the withdrawal does.
    assert await together(count, withdraw, count, count) in (1, 3)
    async with taken.transaction() as session:
        ended = await session.get_one(HandIn, hand_in.id)
        assert await proof.differences(session) == []
    assert await held(taken, world.clerk) == [0 if ended.state is HandInState.COUNTED else HELD]


async def test_a_refund_and_a_hand_in_share_one_hand(taken: Database, world: World) -> None:
    """Everything is handed in and given back to the buyer at once: one of them finds the hand empty."""
    async with taken.transaction() as session:
        payment = (await session.exec(select(Payment))).one()
        refund = await refunds.request(session, payment.id, Claim(HELD, "坏了", world.officer), now=BEGIN)

    async def hand_back() -> bool:
        try:
            async with taken.transaction() as session:
                clerk = await accounts.viewer_of(session, world.clerk)
                await refunds.hand_back_cash(session, clerk, refund.id, now=BEGIN)
        except OverLimit:
            return False
        return True

    assert await together(hand_back, handing_in(taken, world.clerk, world.accountant, HELD)) == 1


async def test_taking_cash_does_not_wait_for_a_hand_in(taken: Database, world: World) -> None:
    """A long queue at the stop is served while the clerk's own hand-in is under way in another transaction."""
    async with taken.transaction() as session:
        placed = await build.order(session, world, Item(world.pumpkin, 1))
        buyer = await accounts.viewer_of(session, world.buyer)
        gateway = Gateway(Settings(demo=True))
        payment = await desk.start(session, gateway, buyer, placed.no, Method.CASH, return_url="", now=BEGIN)
    async with taken.transaction() as handing:
        clerk = await accounts.viewer_of(handing, world.clerk)
        await hand_ins.declare(handing, clerk, Wish(world.accountant, HELD), now=BEGIN)
        async with asyncio.timeout(30), taken.transaction() as session:
            await desk.take_cash(session, clerk, payment.id, now=BEGIN)
        assert await held(taken, world.clerk) == [HELD + 600]


async def test_one_slip_is_entered_once_whoever_enters_it(taken: Database, world: World) -> None:
    async with taken.transaction() as session:
        clerk = await accounts.viewer_of(session, world.clerk)
        for receiver in (world.accountant, world.second_accountant):
            hand_in = await hand_ins.declare(session, clerk, Wish(receiver, 2000), now=BEGIN)
            counts = await accounts.viewer_of(session, receiver)
            await hand_ins.count(session, counts, hand_in.id or 0, 2000, now=BEGIN)

    def entering(accountant: int) -> Attempt:
        async def attempt() -> bool:
            try:
                async with taken.transaction() as session:
                    slip = Slip(SlipKind.PAID_IN, 2000, "YS 001", BEGIN.date())
                    await bank_slips.enter(session, await accounts.viewer_of(session, accountant), slip, now=BEGIN)
            except Malformed:
                return False
            return True

        return attempt

    first, second = entering(world.accountant), entering(world.second_accountant)
    assert await together(first, second, first, second) == 2
    async with taken.transaction() as session:
        assert len((await session.exec(select(BankSlip))).all()) == 1
        assert await proof.differences(session) == []
