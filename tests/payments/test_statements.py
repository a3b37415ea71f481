"""A statement is looked at, taken, and worked off: every fen is booked at once, and reaches its order or a person."""

import asyncio

import pytest
import pytest_asyncio
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import Database
from market.ground.errors import Malformed, NotFound, NotMovable
from market.ground.settings import Settings
from market.people import accounts
from market.trade import orders
from market.trade.answers import Gap, Short
from market.trade.orders import Order, OrderState
from market.trade.placing import Item
from payments import desk, settling, shortages, statements
from payments.outcomes import Outcome, PartState, RowState, StatementState
from payments.records import Method, Payment, PaymentState
from payments.stripe import Gateway
from tests import build
from tests.payments.bank import UNIT, Bank, Wire, file
from tests.world import BEGIN, World


@pytest_asyncio.fixture
async def bank(database: Database, world: World) -> Bank:
    return await Bank(database, world).open()


async def state_of(database: Database, payment: Payment) -> tuple[OrderState, PaymentState]:
    async with database.transaction() as session:
        order = await session.get_one(Order, payment.order_id)
        return order.state, (await session.get_one(Payment, payment.id)).state


async def cancel(database: Database, world: World, payment: Payment) -> None:
    async with database.transaction() as session:
        clerk = await accounts.viewer_of(session, world.clerk)
        order = await session.get_one(Order, payment.order_id)
        await desk.cancel_order(session, clerk, order.no, why="", now=BEGIN)


async def short(session: AsyncSession, world: World, line_id: int) -> None:
    """One of what was ordered is missing."""
    seller = await accounts.viewer_of(session, world.wang_account)
    await shortages.say_short(session, seller, line_id, Gap(1, Short.SPOILED), now=BEGIN)


async def test_looking_changes_nothing(bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    await bank.bring(file(Wire("70.00", payment.reference or ""), Wire("9.99", "谢谢")))
    assert await state_of(database, payment) == (OrderState.CONFIRMED, PaymentState.STARTED)
    assert await bank.balances() == {}
    await bank.check()


async def test_what_is_clear_pays_and_what_is_not_waits_in_the_books(bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    statement_id = await bank.bring(file(Wire("70.00", f"以购{payment.reference}"), Wire("9.99", "谢谢")))
    await bank.take(statement_id)
    assert await bank.balances() == {"clearing": -7999, "unassigned": 7999}
    await bank.check()
    await bank.settle(statement_id)
    assert await bank.found(statement_id) == [
        (Outcome.EXACT, RowState.DONE), (Outcome.NO_REFERENCE, RowState.OPEN),
    ]  # fmt: skip
    assert await state_of(database, payment) == (OrderState.PAID, PaymentState.SUCCEEDED)
    assert await bank.balances() == {"clearing": -7999, "payable": 7000, "unassigned": 999}
    await bank.check()


async def test_taking_and_working_off_again_changes_nothing(bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("70.00", payment.reference or ""))
    for _ in range(2):
        await bank.take(statement_id)
        (part,) = await bank.parts(await bank.row(statement_id))
        async with database.transaction() as session:
            assert await settling.settle(session, part.id or 0, now=BEGIN) is PartState.DONE
    assert await bank.balances() == {"clearing": -7000, "payable": 7000}
    await bank.check()


async def test_it_ends_the_way_it_began_after_a_crash(bank: Bank, world: World, database: Database) -> None:
    """The worker dies after the first of three parts; what follows does the rest, and nothing twice."""
    made = [await bank.promised(Item(world.pumpkin, count)) for count in (1, 2, 3)]
    memo = " ".join(payment.reference or "" for payment in made)
    statement_id = await bank.bring(file(Wire("36.00", memo)))
    await bank.take(statement_id)
    async with database.transaction() as session:
        first, *_rest = await settling.agreed(session, statement_id)
    async with database.transaction() as session:
        await settling.settle(session, first, now=BEGIN)
        assert await settling.unsettled(session) == [statement_id]
    assert (await bank.found(statement_id))[0] == (Outcome.SEVERAL, RowState.SETTLING)
    await bank.check()
    await bank.settle(statement_id)
    assert (await bank.found(statement_id))[0] == (Outcome.SEVERAL, RowState.DONE)
    assert {await state_of(database, payment) for payment in made} == {(OrderState.PAID, PaymentState.SUCCEEDED)}
    await bank.check()


async def test_parts_pay_once_they_add_up(bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    first = await bank.tells(Wire("30.00", payment.reference or "", serial="1"))
    assert await bank.found(first) == [(Outcome.PARTIAL, RowState.DONE)]
    assert await state_of(database, payment) == (OrderState.CONFIRMED, PaymentState.STARTED)
    assert await bank.balances() == {"clearing": -3000, "unassigned": 3000}
    await bank.check()
    second = await bank.tells(Wire("40.00", payment.reference or "", serial="2"))
    assert await bank.found(second) == [(Outcome.REST, RowState.DONE)]
    assert await state_of(database, payment) == (OrderState.PAID, PaymentState.SUCCEEDED)
    assert await bank.balances() == {"clearing": -7000, "payable": 7000}
    await bank.check()


async def test_parts_of_an_order_taken_back_are_free_again(bank: Bank, world: World, database: Database) -> None:
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("30.00", payment.reference or ""))
    await cancel(database, world, payment)
    assert await bank.found(statement_id) == [(Outcome.FREED, RowState.OPEN)]
    assert await bank.balances() == {"clearing": -3000, "unassigned": 3000}
    await bank.check()


async def test_parts_of_an_order_paid_otherwise_are_free_again(bank: Bank, world: World, database: Database) -> None:
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("30.00", payment.reference or ""))
    async with database.transaction() as session:
        clerk = await accounts.viewer_of(session, world.clerk)
        order = await session.get_one(Order, payment.order_id)
        closed = Gateway(Settings(demo=True))
        cash = await desk.start(session, closed, clerk, order.no, Method.CASH, return_url="", now=BEGIN)
        await desk.take_cash(session, clerk, cash.id, now=BEGIN)
    assert await bank.found(statement_id) == [(Outcome.FREED, RowState.OPEN)]
    await bank.check()


async def test_what_changed_after_the_preview_waits_for_a_person(bank: Bank, world: World, database: Database) -> None:
    """The plan that was shown is carried out or not at all."""
    payment = await bank.promised()
    statement_id = await bank.bring(file(Wire("70.00", payment.reference or "")))
    await cancel(database, world, payment)
    await bank.take(statement_id)
    await bank.settle(statement_id)
    assert await bank.found(statement_id) == [(Outcome.CANCELLED, RowState.OPEN)]
    assert await bank.balances() == {"clearing": -7000, "unassigned": 7000}
    await bank.check()


async def test_looking_again_finds_what_came_since(bank: Bank, database: Database, world: World) -> None:
    payment = await bank.promised()
    async with database.transaction() as session:
        kept = await session.get_one(Payment, payment.id)
        reference, kept.reference = kept.reference, "A234567"
    statement_id = await bank.bring(file(Wire("70.00", reference or "", "过路人")))
    assert (await bank.found(statement_id))[0][0] is Outcome.NO_REFERENCE
    async with database.transaction() as session:
        (await session.get_one(Payment, payment.id)).reference = reference
    async with database.transaction() as session:
        accountant = await accounts.viewer_of(session, world.accountant)
        await statements.look_again(session, accountant, statement_id, now=BEGIN)
    assert (await bank.found(statement_id))[0][0] is Outcome.EXACT
    await bank.take(statement_id)
    async with database.transaction() as session:
        with pytest.raises(NotMovable):
            await statements.look_again(session, accountant, statement_id, now=BEGIN)


@pytest.mark.parametrize("goods_left", [True, False])
async def test_late_money_holds_if_the_goods_are_there(
    bank: Bank, world: World, database: Database, goods_left: bool
) -> None:
    payment = await bank.promised(Item(world.last_leg, 1), buyer=world.buyer)
    async with database.transaction() as session:
        order = await orders.lock(session, payment.order_id)
        order.expires_at = BEGIN
        await session.flush()
        await orders.expire_due(session, now=BEGIN)
        await desk.close_left_over(session, now=BEGIN)
        if not goods_left:
            await build.order(session, world, Item(world.last_leg, 1), buyer=world.second_buyer)
    statement_id = await bank.tells(Wire("1200.00", payment.reference or ""))
    if goods_left:
        assert await bank.found(statement_id) == [(Outcome.LATE, RowState.DONE)]
        assert await state_of(database, payment) == (OrderState.PAID, PaymentState.SUCCEEDED)
    else:
        assert await bank.found(statement_id) == [(Outcome.GOODS_GONE, RowState.OPEN)]
        assert await bank.balances() == {"clearing": -120000, "unassigned": 120000}
    await bank.check()


async def test_money_after_the_price_fell_is_for_a_person(bank: Bank, world: World, database: Database) -> None:
    payment = await bank.promised()
    statement_id = await bank.bring(file(Wire("70.00", payment.reference or "")))
    async with database.transaction() as session:
        kept, order = await session.get_one(Payment, payment.id), await orders.lock(session, payment.order_id)
        line = (await orders.lines_of(session, payment.order_id))[0]
        await short(session, world, line.id or 0)
        assert (order.total_fen, kept.amount_fen) == (3500, 3500)
    await bank.take(statement_id)
    await bank.settle(statement_id)
    assert await bank.found(statement_id) == [(Outcome.OVER, RowState.OPEN)]
    await bank.check()


async def test_more_than_a_lowered_order_costs_is_free_again(bank: Bank, world: World, database: Database) -> None:
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("50.00", payment.reference or ""))
    async with database.transaction() as session:
        line = (await orders.lines_of(session, payment.order_id))[0]
        await short(session, world, line.id or 0)
    assert await bank.found(statement_id) == [(Outcome.FREED, RowState.OPEN)]
    await bank.check()


async def test_the_same_file_is_refused_with_the_earlier_one(bank: Bank) -> None:
    content = file(Wire("9.99", "谢谢"))
    first = await bank.bring(content)
    with pytest.raises(Malformed) as caught:
        await bank.bring(content, "别的名字.csv")
    assert (caught.value.problem, caught.value.given) == ("sent_before", str(first))


async def test_a_discarded_file_may_come_again(bank: Bank, world: World, database: Database) -> None:
    content = file(Wire("9.99", "谢谢"))
    first = await bank.bring(content)
    async with database.transaction() as session:
        accountant = await accounts.viewer_of(session, world.accountant)
        await statements.discard(session, accountant, first, now=BEGIN)
    assert await bank.rows(first) == []
    second = await bank.bring(content)
    await bank.take(second)
    async with database.transaction() as session:
        with pytest.raises(NotMovable):
            await statements.discard(session, accountant, second, now=BEGIN)
        with pytest.raises(NotFound):
            await statements.take(session, accountant, first, now=BEGIN)
    await bank.check()


@pytest.mark.parametrize("serial", ["B0001", ""])
async def test_the_same_line_in_two_files_is_one(bank: Bank, serial: str) -> None:
    payment = await bank.promised()
    line = Wire("70.00", payment.reference or "", UNIT, serial)
    await bank.tells(line)
    second = await bank.tells(line, Wire("9.99", "谢谢"))
    assert await bank.found(second) == [(Outcome.DUPLICATE, RowState.DONE), (Outcome.NO_REFERENCE, RowState.OPEN)]
    assert await bank.balances() == {"clearing": -7999, "payable": 7000, "unassigned": 999}
    await bank.check()


async def test_without_the_banks_number_twins_are_two(bank: Bank) -> None:
    """Two people may send the same on one day; in a later file that holds both, both are known."""
    twin = Wire("9.99", "谢谢", "过路人")
    first = await bank.tells(twin, twin)
    assert [outcome for outcome, _state in await bank.found(first)] == [Outcome.NO_REFERENCE] * 2
    second = await bank.tells(twin, twin, twin)
    assert [outcome for outcome, _state in await bank.found(second)] == [
        Outcome.DUPLICATE, Outcome.DUPLICATE, Outcome.NO_REFERENCE,
    ]  # fmt: skip
    assert await bank.balances() == {"clearing": -2997, "unassigned": 2997}
    await bank.check()


async def test_two_previews_of_one_line_book_it_once(bank: Bank) -> None:
    line = Wire("9.99", "谢谢", serial="B1")
    both = [await bank.bring(file(line)), await bank.bring(file(line, Wire("1.00", "", serial="B2")))]
    for statement_id in both:
        await bank.take(statement_id)
    assert await bank.balances() == {"clearing": -1099, "unassigned": 1099}
    await bank.check()


async def test_another_currency_is_kept_out_of_the_books(bank: Bank) -> None:
    statement_id = await bank.tells(Wire("70.00", "hello", currency="美元"))
    assert await bank.found(statement_id) == [(Outcome.WRONG_CURRENCY, RowState.OPEN)]
    assert await bank.balances() == {}
    await bank.check()


async def test_a_file_about_another_account_is_refused(bank: Bank) -> None:
    content = "账号：622200001111999\n".encode() + file(Wire("9.99", "谢谢"))
    with pytest.raises(Malformed, match="other_account"):
        await bank.bring(content)
    await bank.bring("账号：**** 0400\n".encode() + file(Wire("9.99", "谢谢")))


async def test_nobody_else_sees_or_takes_it(bank: Bank, world: World, database: Database) -> None:
    statement_id = await bank.bring(file(Wire("9.99", "谢谢")))
    for stranger in (world.township_accountant, world.officer, world.clerk, world.administrator):
        async with database.transaction() as session:
            viewer = await accounts.viewer_of(session, stranger)
            assert (await session.exec(statements.visible_to(viewer))).all() == []
            for act in (statements.take, statements.discard, statements.look_again):
                with pytest.raises(NotFound):
                    await act(session, viewer, statement_id, now=BEGIN)
    async with database.transaction() as session:
        second = await accounts.viewer_of(session, world.second_accountant)
        assert (await statements.seen_by(session, second, statement_id)).state is StatementState.PREVIEWED


async def test_another_countys_reference_is_not_known_here(bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    async with database.transaction() as session:
        (await session.get_one(Order, payment.order_id)).county_code = "141124"
    statement_id = await bank.bring(file(Wire("70.00", payment.reference or "", "过路人")))
    assert (await bank.found(statement_id))[0][0] is Outcome.NO_REFERENCE
    async with database.transaction() as session:
        (await session.get_one(Order, payment.order_id)).county_code = "141102"


async def test_a_long_statement_is_one_transaction_a_part(bank: Bank, world: World, database: Database) -> None:
    """Ten orders of one household in one file, worked off by two workers at once."""
    made = [await bank.promised(Item(world.pumpkin, 1)) for _ in range(10)]
    wires = [Wire("6.00", each.reference or "", serial=f"{at}") for at, each in enumerate(made)]
    statement_id = await bank.bring(file(*wires))
    await bank.take(statement_id)
    await asyncio.gather(bank.settle(statement_id), bank.settle(statement_id))
    assert set(await bank.found(statement_id)) == {(Outcome.EXACT, RowState.DONE)}
    assert await bank.balances() == {"clearing": -6000, "payable": 6000}
    async with database.transaction() as session:
        paid = await session.exec(select(Order.state).where(Order.state == OrderState.PAID))
        assert len(paid.all()) == 10
    await bank.check()
