"""Cash in people's hands: taken, handed in and counted by two, banked, handed back only from a hand that holds it."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Entry, Reason
from market.ground.db import Database, run
from market.ground.errors import Malformed, NotAllowed, NotFound, NotMovable, OverLimit
from market.people import accounts
from market.people.accounts import Role, Viewer
from market.reports import oversight
from market.trade.placing import Item
from payments import bank_slips, cash_books, cash_keepers, hand_ins, proof, refunds
from payments.bank_slips import Slip
from payments.cash_books import InHand
from payments.cash_records import BankSlip, HandIn, HandInState, SlipKind
from payments.hand_ins import Wish
from payments.refunds import Claim
from tests import build
from tests.world import BEGIN, World

TODAY = BEGIN.date()
LATER = BEGIN + timedelta(hours=1)


async def who(session: AsyncSession, account_id: int) -> Viewer:
    return await accounts.viewer_of(session, account_id)


async def declared(session: AsyncSession, world: World, fen: int, **more: Any) -> HandIn:
    """The clerk declares cash to the accountant."""
    clerk = await who(session, world.clerk)
    return await hand_ins.declare(session, clerk, Wish(world.accountant, fen), now=BEGIN, **more)


async def counted(session: AsyncSession, world: World, fen: int) -> HandIn:
    """The clerk hands cash in and the accountant counts it."""
    hand_in = await declared(session, world, fen)
    accountant = await who(session, world.accountant)
    return await hand_ins.count(session, accountant, hand_in.id or 0, fen, now=LATER)


async def held(session: AsyncSession, *account_ids: int) -> list[int]:
    return [(await cash_books.in_hand(session, account_id)).fen for account_id in account_ids]


@pytest.fixture
async def taken(session: AsyncSession, world: World) -> AsyncSession:
    """The clerk has taken 70.00 in cash."""
    await build.cash_order(session, world)
    return session


async def test_cash_taken_is_in_the_hand_of_who_took_it(taken: AsyncSession, world: World) -> None:
    assert await cash_books.in_hand(taken, world.clerk) == InHand(7000, 0)
    assert await held(taken, world.accountant, world.organiser) == [0, 0]


async def test_nothing_changes_hands_before_it_is_counted(taken: AsyncSession, world: World) -> None:
    hand_in = await declared(taken, world, 5000)
    assert await held(taken, world.clerk, world.accountant) == [7000, 0]
    assert (await cash_books.in_hand(taken, world.clerk)).spare_fen == 2000
    accountant = await who(taken, world.accountant)
    done = await hand_ins.count(taken, accountant, hand_in.id or 0, 5000, now=LATER)
    again = await hand_ins.count(taken, accountant, hand_in.id or 0, 5000, now=LATER)
    assert (done.state, again.entry_id) == (HandInState.COUNTED, done.entry_id)
    assert await held(taken, world.clerk, world.accountant) == [2000, 5000]
    entries = await taken.exec(select(Entry).where(Entry.reason == Reason.HANDED_IN))
    assert len(entries.all()) == 1


async def test_less_counted_leaves_the_rest_with_the_giver(taken: AsyncSession, world: World) -> None:
    hand_in = await declared(taken, world, 7000)
    accountant = await who(taken, world.accountant)
    with pytest.raises(OverLimit) as over:
        await hand_ins.count(taken, accountant, hand_in.id or 0, 7001, now=LATER)
    assert (over.value.name, over.value.limit) == ("counted_fen", 7000)
    await hand_ins.count(taken, accountant, hand_in.id or 0, 6500, remark="少一张五块", now=LATER)
    assert await held(taken, world.clerk, world.accountant) == [500, 6500]
    assert (hand_in.declared_fen, hand_in.counted_fen, hand_in.remark) == (7000, 6500, "少一张五块")


async def test_nobody_hands_in_more_than_their_book_holds(taken: AsyncSession, world: World) -> None:
    clerk = await who(taken, world.clerk)
    for receiver, fen, limit in ((world.accountant, 7001, 7000), (world.organiser, 2001, 2000)):
        with pytest.raises(OverLimit) as over:
            await hand_ins.declare(taken, clerk, Wish(receiver, fen), now=BEGIN)
        assert (over.value.name, over.value.limit) == ("cash_in_hand_fen", limit)
        await hand_ins.declare(taken, clerk, Wish(receiver, min(limit, 5000)), now=BEGIN)
    assert await cash_books.in_hand(taken, world.clerk) == InHand(7000, 7000)


async def test_two_taps_are_one_hand_in(taken: AsyncSession, world: World) -> None:
    first, second = await declared(taken, world, 3000), await declared(taken, world, 3000)
    assert first.id == second.id
    with pytest.raises(NotMovable):
        await declared(taken, world, 1000)


async def test_refused_and_withdrawn_hand_ins_leave_everything_with_the_giver(
    taken: AsyncSession, world: World
) -> None:
    clerk, accountant = await who(taken, world.clerk), await who(taken, world.accountant)
    hand_in = await declared(taken, world, 3000)
    with pytest.raises(Malformed):
        await hand_ins.refuse(taken, accountant, hand_in.id or 0, remark="  ", now=LATER)
    for _ in range(2):
        refused = await hand_ins.refuse(taken, accountant, hand_in.id or 0, remark="袋子里只有一千", now=LATER)
    assert (refused.state, refused.remark) == (HandInState.REFUSED, "袋子里只有一千")
    again = await declared(taken, world, 1000)
    for _ in range(2):
        withdrawn = await hand_ins.withdraw(taken, clerk, again.id or 0, now=LATER)
    assert withdrawn.state is HandInState.WITHDRAWN
    for late in (
        hand_ins.count(taken, accountant, again.id or 0, 1000, now=LATER),
        hand_ins.refuse(taken, accountant, again.id or 0, remark="晚了", now=LATER),
        hand_ins.withdraw(taken, clerk, refused.id or 0, now=LATER),
    ):
        with pytest.raises(NotMovable):
            await late
    assert await cash_books.in_hand(taken, world.clerk) == InHand(7000, 0)


async def test_only_the_receiver_counts_and_only_who_declared_withdraws(taken: AsyncSession, world: World) -> None:
    hand_in = await declared(taken, world, 3000)
    for person in (world.clerk, world.second_accountant, world.officer):
        viewer = await who(taken, person)
        with pytest.raises(NotFound):
            await hand_ins.count(taken, viewer, hand_in.id or 0, 3000, now=LATER)
    for person in (world.accountant, world.organiser):
        viewer = await who(taken, person)
        with pytest.raises(NotFound):
            await hand_ins.withdraw(taken, viewer, hand_in.id or 0, now=LATER)
    with pytest.raises(NotFound):
        await hand_ins.seen_by(taken, await who(taken, world.second_accountant), hand_in.id or 0)


async def test_who_may_receive_from_whom(session: AsyncSession, world: World) -> None:
    async def receivers(person: int) -> set[int]:
        return {keeper.account_id for keeper in await cash_keepers.receivers_for(session, person)}

    collectors = {world.accountant, world.second_accountant, world.organiser}
    assert await receivers(world.clerk) == collectors
    assert await receivers(world.agent) == collectors
    assert await receivers(world.organiser) == collectors - {world.organiser}
    everybody = {*collectors, world.clerk, world.agent, world.township_accountant}
    assert await receivers(world.accountant) == everybody - {world.accountant}
    assert await receivers(world.officer) == set()
    with pytest.raises(NotFound):
        await hand_ins.declare(session, await who(session, world.clerk), Wish(world.agent, 100), now=BEGIN)
    with pytest.raises(NotFound):
        await hand_ins.declare(session, await who(session, world.clerk), Wish(world.clerk, 100), now=BEGIN)


@pytest.mark.parametrize(
    ("giver", "receiver", "by"), [("clerk", "clerk", "clerk"), ("agent", "accountant", "accountant")]
)
async def test_the_database_wants_two_people(
    database: Database, world: World, giver: str, receiver: str, by: str
) -> None:
    alone = HandIn(
        county_code="141102", giver_id=getattr(world, giver), receiver_id=getattr(world, receiver), declared_fen=1,
        declared_at=BEGIN, declared_by=getattr(world, by),
    )  # fmt: skip
    with pytest.raises(DBAPIError, match="ck_hand_ins_two_people"):
        async with database.transaction() as session:
            session.add(alone)


async def test_cash_goes_back_to_a_buyer_only_from_a_hand_that_holds_it(taken: AsyncSession, world: World) -> None:
    """The clerk has handed everything in: the accountant hands some of it on for the refund."""
    clerk, accountant = await who(taken, world.clerk), await who(taken, world.accountant)
    await counted(taken, world, 7000)
    payment_id = (await taken.exec(text("SELECT id FROM payments"))).scalar_one()  # type: ignore[call-overload]
    refund = await refunds.request(taken, payment_id, Claim(2000, "坏了", world.officer), now=LATER)
    with pytest.raises(OverLimit) as empty:
        async with taken.begin_nested():
            await refunds.hand_back_cash(taken, clerk, refund.id, now=LATER)
    assert (empty.value.name, empty.value.limit) == ("cash_in_hand_fen", 0)
    float_ = await hand_ins.declare(taken, accountant, Wish(world.clerk, 2000, "退款用"), now=LATER)
    await hand_ins.count(taken, clerk, float_.id or 0, 2000, now=LATER)
    await refunds.hand_back_cash(taken, clerk, refund.id, now=LATER)
    assert await held(taken, world.clerk, world.accountant) == [0, 5000]
    assert [*await oversight.differences(taken), *await proof.differences(taken)] == []


async def test_promised_cash_is_not_handed_back(taken: AsyncSession, world: World) -> None:
    await declared(taken, world, 6000)
    payment_id = (await taken.exec(text("SELECT id FROM payments"))).scalar_one()  # type: ignore[call-overload]
    refund = await refunds.request(taken, payment_id, Claim(2000, "坏了", world.officer), now=LATER)
    with pytest.raises(OverLimit) as over:
        await refunds.hand_back_cash(taken, await who(taken, world.clerk), refund.id, now=LATER)
    assert over.value.limit == 1000


async def test_paying_in_at_the_bank_and_taking_out(taken: AsyncSession, world: World) -> None:
    await counted(taken, world, 7000)
    accountant = await who(taken, world.accountant)
    paid_in = Slip(SlipKind.PAID_IN, 6000, " YS 001 ", TODAY)
    first = await bank_slips.enter(taken, accountant, paid_in, now=LATER)
    assert (await bank_slips.enter(taken, accountant, paid_in, now=LATER)).id == first.id
    assert await held(taken, world.accountant) == [1000]
    assert await build.balances(taken) == {"payable": 7000, "clearing": -7000}
    await bank_slips.enter(taken, accountant, Slip(SlipKind.TAKEN_OUT, 500, "YS 002", TODAY), now=LATER)
    assert await held(taken, world.accountant) == [1500]
    assert [*await oversight.differences(taken), *await proof.differences(taken)] == []


@pytest.mark.parametrize(
    ("slip", "problem"),
    [
        (Slip(SlipKind.PAID_IN, 0, "1", TODAY), "not_positive"),
        (Slip(SlipKind.PAID_IN, 100, "  ", TODAY), "missing"),
        (Slip(SlipKind.PAID_IN, 100, "1", TODAY + timedelta(days=1)), "not_that_day"),
        (Slip(SlipKind.PAID_IN, 100, "1", date(2025, 1, 1)), "not_that_day"),
        (Slip(SlipKind.TAKEN_OUT, 900, "YS 001", TODAY), "slip_taken"),
    ],
)
async def test_slips_that_cannot_be(taken: AsyncSession, world: World, slip: Slip, problem: str) -> None:
    await counted(taken, world, 7000)
    accountant = await who(taken, world.accountant)
    await bank_slips.enter(taken, accountant, Slip(SlipKind.PAID_IN, 100, "YS 001", TODAY), now=LATER)
    with pytest.raises(Malformed) as refused:
        await bank_slips.enter(taken, accountant, slip, now=LATER)
    assert refused.value.problem == problem


async def test_only_an_accountant_enters_slips_and_no_more_than_is_in_hand(taken: AsyncSession, world: World) -> None:
    slip = Slip(SlipKind.PAID_IN, 100, "1", TODAY)
    with pytest.raises(NotAllowed):
        await bank_slips.enter(taken, await who(taken, world.clerk), slip, now=LATER)
    with pytest.raises(OverLimit):
        await bank_slips.enter(taken, await who(taken, world.accountant), slip, now=LATER)
    assert (await taken.exec(select(BankSlip))).all() == []


async def test_the_book_tells_every_movement_with_what_was_left(taken: AsyncSession, world: World) -> None:
    await counted(taken, world, 3000)
    pages = await cash_books.pages(taken, world.clerk, TODAY.replace(day=1), TODAY)
    said = [(move.reason, move.amount_fen, move.other, move.balance_fen) for move in pages.movements]
    assert said == [(Reason.SALE, 7000, None, 7000), (Reason.HANDED_IN, -3000, "accountant", 4000)]
    assert pages.movements[0].order_no
    assert (pages.opening_fen, pages.in_fen, pages.out_fen, pages.closing_fen) == (0, 7000, 3000, 4000)
    after = await cash_books.pages(taken, world.clerk, TODAY + timedelta(days=1), TODAY + timedelta(days=30))
    assert (after.opening_fen, after.movements, after.closing_fen) == (4000, [], 4000)
    theirs = await cash_books.pages(taken, world.accountant, TODAY, TODAY)
    assert [(move.amount_fen, move.other) for move in theirs.movements] == [(3000, "clerk")]


async def test_the_accountant_sees_who_holds_how_much_since_when(session: AsyncSession, world: World) -> None:
    """What is handed in first came in first: after the first sum is gone, the second one's day counts."""
    accountant = await who(session, world.accountant)
    await build.cash_order(session, world, Item(world.pumpkin, 1), now=BEGIN)
    await build.cash_order(session, world, Item(world.pumpkin, 2), now=BEGIN + timedelta(hours=2))
    (book,) = await cash_keepers.held(session, accountant)
    assert (book.keeper.account_id, book.fen, book.since, book.last_handed_in_at) == (world.clerk, 1800, BEGIN, None)
    await counted(session, world, 600)
    books = {book.keeper.account_id: book for book in await cash_keepers.held(session, accountant)}
    assert (books[world.clerk].fen, books[world.clerk].since) == (1200, BEGIN + timedelta(hours=2))
    assert books[world.clerk].last_handed_in_at == books[world.accountant].since == LATER
    assert [book.keeper.name for book in await cash_keepers.held(session, accountant, q="agen")] == ["agent"]
    assert await cash_keepers.held(session, await who(session, world.township_accountant)) == []
    assert await cash_keepers.held(session, await who(session, world.officer)) == []


async def test_a_book_outside_the_grant_does_not_exist(session: AsyncSession, world: World) -> None:
    for person, owner in ((world.accountant, world.buyer), (world.township_accountant, world.clerk)):
        with pytest.raises(NotFound):
            await cash_keepers.seen_by(session, await who(session, person), owner)
    assert (await cash_keepers.seen_by(session, await who(session, world.accountant), world.clerk)).name == "clerk"


async def test_cash_of_somebody_who_left_is_handed_in_by_two_others(taken: AsyncSession, world: World) -> None:
    accountant, second = await who(taken, world.accountant), await who(taken, world.second_accountant)
    wish = Wish(world.second_accountant, 7000)
    with pytest.raises(NotAllowed):
        await hand_ins.declare(taken, accountant, wish, giver_id=world.clerk, now=LATER)
    grant = next(g for g in (await who(taken, world.clerk)).grants if g.role is Role.CLERK)
    await accounts.end_grant(taken, accountant, grant.id or 0, now=LATER)
    with pytest.raises(NotFound):
        await hand_ins.declare(taken, accountant, Wish(world.accountant, 7000), giver_id=world.clerk, now=LATER)
    officer = await who(taken, world.officer)
    with pytest.raises(NotFound):
        await hand_ins.declare(taken, officer, wish, giver_id=world.clerk, now=LATER)
    hand_in = await hand_ins.declare(taken, accountant, wish, giver_id=world.clerk, now=LATER)
    assert [book.keeper.account_id for book in await cash_keepers.held(taken, accountant)] == [world.clerk]
    await hand_ins.count(taken, second, hand_in.id or 0, 7000, now=LATER)
    assert await held(taken, world.clerk, world.second_accountant) == [0, 7000]


async def test_a_hand_in_can_only_end_once_in_the_database(database: Database, world: World) -> None:
    """A counted hand-in without its entry, or with more than was declared, is refused by the database itself."""
    async with database.transaction() as session:
        await build.cash_order(session, world)
        hand_in = await declared(session, world, 100)
    for harm in (
        "UPDATE hand_ins SET state = 'counted', ended_at = now()",
        "UPDATE hand_ins SET state = 'refused', ended_at = now()",
        "UPDATE hand_ins SET counted_fen = 101",
        "UPDATE hand_ins SET ended_at = now()",
    ):
        with pytest.raises(DBAPIError, match="ck_hand_ins"):
            async with database.transaction() as session:
                await run(session, text(harm))
    async with database.transaction() as session:
        assert (await session.get_one(HandIn, hand_in.id)).state is HandInState.WAITING
