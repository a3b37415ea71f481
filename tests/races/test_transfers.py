"""Two accountants at one statement, at one line, at one order: the naive way books money twice, ours once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest_asyncio
from sqlmodel import col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Entry, Reason
from market.ground.db import Database
from market.ground.errors import Malformed, NotMovable
from market.people import accounts
from market.trade.orders import Order
from payments import asides, decisions, desk, settling, statements
from payments.bank_rows import BankRow, BankStatement
from payments.decisions import Word
from payments.outcomes import Outcome, RowState, StatementState, Use
from payments.records import PaymentState
from tests.payments.bank import Bank, Wire, file
from tests.world import BEGIN, World

Attempt = Callable[[], Awaitable[bool]]


@pytest_asyncio.fixture
async def bank(database: Database, world: World) -> Bank:
    return await Bank(database, world).open()


async def together(*attempts: Attempt) -> int:
    """Let all begin at once; how many succeeded."""
    return sum(await asyncio.gather(*(attempt() for attempt in attempts)))


async def arrivals(database: Database) -> int:
    async with database.transaction() as session:
        return (await session.exec(select(func.count()).where(Entry.reason == Reason.ARRIVAL))).one()


async def test_looking_at_the_state_and_then_taking_books_the_money_twice(bank: Bank, database: Database) -> None:
    """The race is real: two that look first and act after both believe they are the first."""
    statement_id = await bank.bring(file(Wire("9.99", "谢谢")))
    both_have_looked = asyncio.Barrier(2)

    async def naive() -> bool:
        async with database.transaction() as session:
            state = (await session.exec(select(BankStatement.state).where(BankStatement.id == statement_id))).one()
            await both_have_looked.wait()
            if state is not StatementState.PREVIEWED:
                return False
            rows = list(await session.exec(statements.rows_of(statement_id)))
            await statements.book_arrivals(session, rows, "141102", now=BEGIN)
            taken = update(BankStatement).values(state=StatementState.TAKEN)
            await session.exec(taken.where(col(BankStatement.id) == statement_id))
            return True

    assert await together(naive, naive) == 2
    assert await arrivals(database) == 2


async def test_two_accountants_taking_one_statement_take_it_once(bank: Bank, database: Database, world: World) -> None:
    payment = await bank.promised()
    statement_id = await bank.bring(file(Wire("70.00", payment.reference or ""), Wire("9.99", "谢谢")))

    def taking(who: int) -> Attempt:
        async def attempt() -> bool:
            async with database.transaction() as session:
                await statements.take(session, await accounts.viewer_of(session, who), statement_id, now=BEGIN)
            await bank.settle(statement_id)
            return True

        return attempt

    everyone = [taking(who) for who in (world.accountant, world.second_accountant) * 3]
    assert await together(*everyone) == 6
    assert await arrivals(database) == 2
    assert await bank.balances() == {"clearing": -7999, "payable": 7000, "unassigned": 999}
    await bank.check()


async def test_one_line_in_two_statements_taken_at_once_is_booked_once(bank: Bank, database: Database) -> None:
    line = Wire("9.99", "谢谢", serial="B1")
    both = [await bank.bring(file(line)), await bank.bring(file(line, Wire("1.00", "", serial="B2")))]
    await asyncio.gather(*(bank.take(statement_id) for statement_id in both))
    assert await bank.balances() == {"clearing": -1099, "unassigned": 1099}
    found = [*await bank.found(both[0]), *await bank.found(both[1])]
    assert [outcome for outcome, _state in found].count(Outcome.DUPLICATE) == 1
    await bank.check()


async def test_one_file_sent_twice_at_once_is_one_statement(bank: Bank) -> None:
    async def send() -> bool:
        try:
            await bank.bring(file(Wire("9.99", "谢谢")))
        except Malformed:
            return False
        return True

    assert await together(send, send, send) == 1


async def test_two_workers_do_each_part_once(bank: Bank, database: Database, world: World) -> None:
    payment = await bank.promised()
    statement_id = await bank.bring(file(Wire("70.00", payment.reference or "")))
    await bank.take(statement_id)
    async with database.transaction() as session:
        (part_id,) = await settling.agreed(session, statement_id)

    async def work() -> bool:
        async with database.transaction() as session:
            await settling.settle(session, part_id, now=BEGIN)
        return True

    assert await together(*[work] * 5) == 5
    assert await bank.balances() == {"clearing": -7000, "payable": 7000}
    await bank.check()


async def test_two_people_decide_one_line_differently_and_one_is_told(
    bank: Bank, database: Database, world: World
) -> None:
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("69.90", payment.reference or ""))
    row_id = await bank.row(statement_id)

    def deciding(act: Callable[[AsyncSession, Word], Awaitable[BankRow]]) -> Attempt:
        async def attempt() -> bool:
            try:
                async with database.transaction() as session:
                    await act(session, await bank.word(session))
            except NotMovable:
                return False
            return True

        return attempt

    def confirm(session: AsyncSession, word: Word) -> Awaitable[BankRow]:
        return decisions.confirm(session, word, row_id, now=BEGIN)

    def put_aside(session: AsyncSession, word: Word) -> Awaitable[BankRow]:
        return asides.set_aside(session, word, row_id, Use.FOREIGN, now=BEGIN)

    assert await together(*[deciding(confirm), deciding(put_aside)] * 2) == 1
    await bank.settle(statement_id)
    await bank.check()


async def test_taking_an_order_back_while_its_money_is_settled(bank: Bank, database: Database, world: World) -> None:
    """Whoever is first: the order is paid and its money goes back, or it is cancelled and the money waits."""
    for at in range(6):
        payment = await bank.promised()
        statement_id = await bank.bring(file(Wire("70.00", payment.reference or "", serial=f"{at}")))
        await bank.take(statement_id)

        async def settle(of: int = statement_id) -> bool:
            await bank.settle(of)
            return True

        async def cancel(order_id: int = payment.order_id) -> bool:
            async with database.transaction() as session:
                no = (await session.get_one(Order, order_id)).no
                clerk = await accounts.viewer_of(session, world.clerk)
                await desk.cancel_order(session, clerk, no, why="", now=BEGIN)
            return True

        assert await together(*((settle, cancel) if at % 2 else (cancel, settle))) == 2
        (outcome, state), kept = (await bank.found(statement_id))[0], await bank.payment(payment)
        if kept.state is PaymentState.SUCCEEDED:
            assert (outcome, state) == (Outcome.EXACT, RowState.DONE)
        else:
            assert (outcome, state) == (Outcome.CANCELLED, RowState.OPEN)
        await bank.check()


async def test_two_parts_that_complete_an_order_at_once_pay_it_once(bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    both = [
        await bank.bring(file(Wire("30.00", payment.reference or "", serial="1"))),
        await bank.bring(file(Wire("40.00", payment.reference or "", serial="2"))),
    ]
    for statement_id in both:
        await bank.take(statement_id)
    await asyncio.gather(*(bank.settle(statement_id) for statement_id in both))
    assert (await bank.payment(payment)).state is PaymentState.SUCCEEDED
    assert await bank.balances() == {"clearing": -7000, "payable": 7000}
    await bank.check()


async def test_orders_in_opposite_order_never_wait_for_each_other(bank: Bank, world: World, database: Database) -> None:
    """Two people give money to the same two orders, each the other way round."""
    first, second = await bank.promised(), await bank.promised()
    async with database.transaction() as session:
        nos = [(await session.get_one(Order, each.order_id)).no for each in (first, second)]
    lines = [await bank.tells(Wire("70.00", "货款", f"过路人{at}", f"{at}")) for at in range(4)]

    def giving(statement_id: int, wanted: list[str]) -> Attempt:
        async def attempt() -> bool:
            row_id = await bank.row(statement_id)
            async with database.transaction() as session:
                await decisions.give(session, await bank.word(session), row_id, wanted, now=BEGIN)
            return True

        return attempt

    acts = [giving(each, nos if at % 2 else nos[::-1]) for at, each in enumerate(lines)]
    assert await together(*acts) == 4
    await asyncio.gather(*(bank.settle(each) for each in lines))
    assert {(await bank.payment(each)).state for each in (first, second)} == {PaymentState.SUCCEEDED}
    await bank.check()
