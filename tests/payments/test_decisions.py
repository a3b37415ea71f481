"""What is not clear is a person's: given to orders, owed back, sent, put aside, always with a word, never twice."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from sqlmodel import select

from market.ground.audit import Trace
from market.ground.clock import day_of
from market.ground.db import Database
from market.ground.errors import Malformed, NotFound, NotMovable
from market.people import accounts
from market.trade.orders import Order, OrderState
from market.trade.placing import Item
from payments import asides, bank_rows, decisions, desk, expectations, refunds, remittances
from payments.outcomes import Outcome, PartState, RowState, Use
from payments.records import Payment, PaymentState, Refund, RefundState
from payments.refunds import Claim
from tests import build
from tests.payments.bank import UNIT, Bank, Wire
from tests.world import BEGIN, World


@pytest_asyncio.fixture
async def bank(database: Database, world: World) -> Bank:
    return await Bank(database, world).open()


async def no_of(database: Database, payment: Payment) -> str:
    async with database.transaction() as session:
        return (await session.get_one(Order, payment.order_id)).no


async def order_state(database: Database, payment: Payment) -> OrderState:
    async with database.transaction() as session:
        return (await session.get_one(Order, payment.order_id)).state


async def confirm(bank: Bank, statement_id: int, *, rest_back: bool = False) -> None:
    async with bank.database.transaction() as session:
        await decisions.confirm(
            session, await bank.word(session), await bank.row(statement_id), rest_back=rest_back, now=BEGIN
        )
    await bank.settle(statement_id)


async def give(bank: Bank, statement_id: int, *order_nos: str) -> None:
    async with bank.database.transaction() as session:
        await decisions.give(
            session, await bank.word(session), await bank.row(statement_id), list(order_nos), now=BEGIN
        )
    await bank.settle(statement_id)


async def owed(bank: Bank, fen: int, *, buyer: int = 0) -> tuple[Payment, UUID]:
    """An order paid by transfer of which some goes back; the refund's id."""
    payment = await bank.promised(buyer=buyer)
    await bank.tells(Wire("70.00", payment.reference or "", serial=uuid4().hex))
    async with bank.database.transaction() as session:
        refund = await refunds.request(session, payment.id, Claim(fen, "少了", bank.world.officer), now=BEGIN)
        return payment, refund.id


async def refund_state(database: Database, refund_id: UUID) -> RefundState:
    async with database.transaction() as session:
        return (await session.get_one(Refund, refund_id)).state


async def test_a_slip_in_the_reference_is_confirmed_by_a_person(bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    wrong = (payment.reference or "")[:-1]
    statement_id = await bank.tells(Wire("70.00", wrong))
    assert await bank.found(statement_id) == [(Outcome.MISSPELT, RowState.OPEN)]
    await confirm(bank, statement_id)
    assert await bank.found(statement_id) == [(Outcome.MISSPELT, RowState.DONE)]
    assert await order_state(database, payment) is OrderState.PAID
    (part,) = await bank.parts(await bank.row(statement_id))
    assert (part.state, part.account_id, part.why) == (PartState.DONE, bank.accountant, "查过了")
    with pytest.raises(NotMovable):
        await confirm(bank, statement_id)
    await bank.check()


async def test_more_than_is_due_pays_and_the_rest_is_owed_back(bank: Bank, database: Database, world: World) -> None:
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("100.00", payment.reference or "", UNIT))
    assert await bank.found(statement_id) == [(Outcome.OVER, RowState.OPEN)]
    await confirm(bank, statement_id, rest_back=True)
    assert await bank.found(statement_id) == [(Outcome.OVER, RowState.DONE)]
    assert await bank.balances() == {"clearing": -10000, "payable": 7000, "returns": 3000}
    async with database.transaction() as session:
        accountant = await accounts.viewer_of(session, world.accountant)
        (waiting,) = await remittances.waiting(session, accountant)
        assert (waiting.refund.amount_fen, waiting.refund.reason, waiting.payer) == (3000, "overpaid", "离石区人社局")
    await bank.check()


async def test_more_than_is_due_may_be_for_another_order_too(bank: Bank, world: World, database: Database) -> None:
    first, second = await bank.promised(), await bank.promised(Item(world.pear, 1))
    statement_id = await bank.tells(Wire("115.00", first.reference or ""))
    await confirm(bank, statement_id)
    assert await bank.found(statement_id) == [(Outcome.OVER, RowState.DONE)]
    assert {await order_state(database, each) for each in (first, second)} == {OrderState.PAID}
    await bank.check()


async def test_a_little_less_is_a_part_or_goes_back(bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("69.50", payment.reference or "", serial="1"))
    assert await bank.found(statement_id) == [(Outcome.UNDER, RowState.OPEN)]
    await confirm(bank, statement_id)
    assert await bank.balances() == {"clearing": -6950, "unassigned": 6950}
    rest = await bank.tells(Wire("0.50", payment.reference or "", serial="2"))
    assert await bank.found(rest) == [(Outcome.REST, RowState.DONE)]
    assert await order_state(database, payment) is OrderState.PAID
    await bank.check()


async def test_money_without_a_reference_is_given_to_orders(bank: Bank, world: World, database: Database) -> None:
    """The second of them chose to pay in cash: it gets its promise now."""
    first = await bank.promised()
    async with database.transaction() as session:
        second = await build.unit_order(session, world, Item(world.pear, 1))
    statement_id = await bank.tells(Wire("120.00", "货款", "过路人"))
    await give(bank, statement_id, await no_of(database, first), second.no)
    assert await bank.found(statement_id) == [(Outcome.NO_REFERENCE, RowState.OPEN)]
    assert await bank.balances() == {"clearing": -12000, "payable": 11500, "unassigned": 500}
    await bank.check()


@pytest.mark.parametrize("no", ["261103-ZZZZ-ZZZZ", ""])
async def test_orders_that_are_not_there(bank: Bank, no: str) -> None:
    statement_id = await bank.tells(Wire("120.00", "货款"))
    with pytest.raises(NotFound):
        await give(bank, statement_id, no)
    with pytest.raises(Malformed):
        await give(bank, statement_id)


async def test_a_cancelled_order_takes_no_money_and_gives_it_back(bank: Bank, world: World, database: Database) -> None:
    payment = await bank.promised(buyer=world.buyer)
    no = await no_of(database, payment)
    async with database.transaction() as session:
        buyer = await accounts.viewer_of(session, world.buyer)
        await desk.cancel_order(session, buyer, no, why="", now=BEGIN)
    statement_id = await bank.tells(Wire("70.00", payment.reference or ""))
    assert await bank.found(statement_id) == [(Outcome.CANCELLED, RowState.OPEN)]
    with pytest.raises(NotMovable):
        await give(bank, statement_id, no)
    async with database.transaction() as session:
        await decisions.send_back(session, await bank.word(session), await bank.row(statement_id), no, now=BEGIN)
    assert await bank.found(statement_id) == [(Outcome.CANCELLED, RowState.DONE)]
    assert await bank.balances() == {"clearing": -7000, "returns": 7000}
    async with database.transaction() as session:
        (refund,) = await session.exec(select(Refund))
        assert (refund.reason, refund.state) == ("order_cancelled", RefundState.REQUESTED)
        kept = await session.get_one(Payment, refund.payment_id)
        assert (kept.state, kept.amount_fen, kept.id != payment.id) == (PaymentState.SUCCEEDED, 7000, True)
    await bank.check()


async def test_freed_parts_go_back_too(bank: Bank, world: World, database: Database) -> None:
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("30.00", payment.reference or ""))
    no = await no_of(database, payment)
    async with database.transaction() as session:
        await desk.cancel_order(session, await accounts.viewer_of(session, world.clerk), no, why="", now=BEGIN)
        await decisions.send_back(session, await bank.word(session), await bank.row(statement_id), no, now=BEGIN)
    assert await bank.balances() == {"clearing": -3000, "returns": 3000}
    await bank.check()


async def test_a_refund_by_transfer_waits_for_the_line_that_tells_of_it(bank: Bank, database: Database) -> None:
    payment, refund_id = await owed(bank, 3000)
    assert await refund_state(database, refund_id) is RefundState.REQUESTED
    statement_id = await bank.tells(Wire("-30.00", f"退款 {payment.reference}", UNIT, "R1"))
    assert await bank.found(statement_id) == [(Outcome.REFUND, RowState.DONE)]
    assert await refund_state(database, refund_id) is RefundState.SUCCEEDED
    assert await bank.balances() == {"clearing": -4000, "payable": 4000}
    await bank.check()


async def test_a_refund_recorded_by_hand_meets_its_line_later(bank: Bank, database: Database, world: World) -> None:
    _payment, refund_id = await owed(bank, 3000)
    async with database.transaction() as session:
        accountant = await accounts.viewer_of(session, world.accountant)
        for _ in range(2):
            await remittances.record(
                session, accountant, refund_id, serial="R7", sent_on=day_of(BEGIN), now=BEGIN
            )  # fmt: skip
        with pytest.raises(Malformed):
            await remittances.record(session, accountant, refund_id, serial=" ", sent_on=day_of(BEGIN), now=BEGIN)
        later = day_of(BEGIN) + timedelta(days=1)
        with pytest.raises(Malformed):
            await remittances.record(session, accountant, refund_id, serial="R8", sent_on=later, now=BEGIN)
        township = await accounts.viewer_of(session, world.township_accountant)
        with pytest.raises(NotFound):
            await remittances.record(session, township, refund_id, serial="R7", sent_on=day_of(BEGIN), now=BEGIN)
    assert await bank.balances() == {"clearing": -4000, "payable": 4000}
    statement_id = await bank.tells(Wire("-30.00", "退款", "", "R7"))
    assert await bank.found(statement_id) == [(Outcome.REFUND, RowState.DONE)]
    assert await bank.balances() == {"clearing": -4000, "payable": 4000}
    async with database.transaction() as session:
        went = await remittances.of_refund(session, refund_id)
        assert went is not None
        assert went.row_id == await bank.row(statement_id)
    await bank.check()


async def test_one_transfer_may_send_two_refunds_back(bank: Bank, database: Database) -> None:
    (_first, one), (_second, other) = await owed(bank, 3000), await owed(bank, 1000)
    statement_id = await bank.tells(Wire("-40.00", "两笔退款", UNIT))
    assert await bank.found(statement_id) == [(Outcome.OUTGOING, RowState.OPEN)]
    row_id = await bank.row(statement_id)
    async with database.transaction() as session:
        with pytest.raises(Malformed):
            await decisions.give_refunds(session, await bank.word(session), row_id, [uuid4()], now=BEGIN)
        await decisions.give_refunds(session, await bank.word(session), row_id, [one, other], now=BEGIN)
    await bank.settle(statement_id)
    assert {await refund_state(database, each) for each in (one, other)} == {RefundState.SUCCEEDED}
    await bank.check()


async def test_a_refund_the_bank_sent_back_is_owed_again_and_goes_again(bank: Bank, database: Database) -> None:
    payment, refund_id = await owed(bank, 3000)
    await bank.tells(Wire("-30.00", payment.reference or "", UNIT, "R1"))
    back = await bank.tells(Wire("30.00", "退汇", UNIT, "R2"))
    assert await bank.found(back) == [(Outcome.BOUNCED, RowState.OPEN)]
    await bank.check()
    await confirm(bank, back)
    assert await refund_state(database, refund_id) is RefundState.FAILED
    assert await bank.balances() == {"clearing": -7000, "payable": 4000, "returns": 3000}
    await bank.check()
    await bank.tells(Wire("-30.00", payment.reference or "", UNIT, "R3"))
    assert await refund_state(database, refund_id) is RefundState.SUCCEEDED
    assert await bank.balances() == {"clearing": -4000, "payable": 4000}
    await bank.check()


@pytest.mark.parametrize("use", asides.OF_CAME)
async def test_money_that_is_not_the_markets_is_put_aside_and_taken_up_again(
    bank: Bank, database: Database, use: Use
) -> None:
    statement_id = await bank.tells(Wire("9.99", "谢谢"))
    row_id = await bank.row(statement_id)
    async with database.transaction() as session:
        with pytest.raises(Malformed):
            await asides.set_aside(session, await bank.word(session, " "), row_id, use, now=BEGIN)
        with pytest.raises(Malformed):
            await asides.set_aside(session, await bank.word(session), row_id, Use.PAYOUT, now=BEGIN)
        await asides.set_aside(session, await bank.word(session, "卖废品的钱"), row_id, use, now=BEGIN)
    assert await bank.balances() == {}
    assert (await bank.found(statement_id))[0][1] is RowState.DONE
    await bank.check()
    async with database.transaction() as session:
        await asides.take_up_again(session, await bank.word(session, "弄错了"), row_id, now=BEGIN)
        with pytest.raises(NotMovable):
            await asides.take_up_again(session, await bank.word(session), row_id, now=BEGIN)
        acts = (await session.exec(select(Trace.act).where(Trace.subject == f"bank_row:{row_id}"))).all()
        assert sorted(acts) == ["set_aside", "take_up_again"]
    assert await bank.balances() == {"clearing": -999, "unassigned": 999}
    await bank.check()


@pytest.mark.parametrize("use", asides.OF_WENT)
async def test_money_that_went_for_other_things_is_put_aside(bank: Bank, database: Database, use: Use) -> None:
    statement_id = await bank.tells(Wire("-12.00", "手续费"))
    async with database.transaction() as session:
        await asides.set_aside(session, await bank.word(session), await bank.row(statement_id), use, now=BEGIN)
    assert await bank.balances() == {}
    assert (await bank.found(statement_id))[0][1] is RowState.DONE
    await bank.check()


async def test_only_what_is_left_of_a_line_is_put_aside(bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("100.00", payment.reference or ""))
    await confirm(bank, statement_id)
    assert await bank.found(statement_id) == [(Outcome.OVER, RowState.OPEN)]
    async with database.transaction() as session:
        await asides.set_aside(session, await bank.word(session), await bank.row(statement_id), Use.FOREIGN, now=BEGIN)
    assert await bank.balances() == {"clearing": -7000, "payable": 7000}
    await bank.check()


async def test_another_currency_is_put_aside_without_touching_the_books(bank: Bank, database: Database) -> None:
    statement_id = await bank.tells(Wire("9.99", "hello", currency="USD"))
    row_id = await bank.row(statement_id)
    with pytest.raises(Malformed):
        await give(bank, statement_id, await no_of(database, await bank.promised()))
    async with database.transaction() as session:
        await asides.set_aside(session, await bank.word(session), row_id, Use.FOREIGN, now=BEGIN)
    assert await bank.balances() == {}
    await bank.check()


async def test_what_nobody_knew_went_back_to_where_it_came_from(bank: Bank, database: Database) -> None:
    came = await bank.tells(Wire("9.99", "转错了", "过路人", "1"))
    other = await bank.tells(Wire("-5.00", "退回", "过路人", "2"))
    went = await bank.tells(Wire("-9.99", "退回", "过路人", "3"))
    async with database.transaction() as session:
        word = await bank.word(session)
        with pytest.raises(Malformed):
            await asides.return_to(session, word, await bank.row(other), await bank.row(came), now=BEGIN)
        await asides.return_to(session, word, await bank.row(went), await bank.row(came), now=BEGIN)
    assert await bank.balances() == {}
    assert (await bank.found(came))[0][1] is (await bank.found(went))[0][1] is RowState.DONE
    await bank.check()


async def test_another_countys_lines_are_not_there(bank: Bank, world: World, database: Database) -> None:
    statement_id = await bank.tells(Wire("9.99", "谢谢"))
    row_id = await bank.row(statement_id)
    bank.accountant = world.township_accountant
    async with database.transaction() as session:
        word = await bank.word(session)
        assert (await session.exec(bank_rows.visible_to(word.by))).all() == []
        for act in (
            decisions.confirm(session, word, row_id, now=BEGIN),
            decisions.give(session, word, row_id, ["x"], now=BEGIN),
            decisions.send_back(session, word, row_id, "x", now=BEGIN),
            decisions.give_refunds(session, word, row_id, [uuid4()], now=BEGIN),
            asides.set_aside(session, word, row_id, Use.FOREIGN, now=BEGIN),
            asides.take_up_again(session, word, row_id, now=BEGIN),
        ):
            with pytest.raises(NotFound):
                await act


async def test_what_is_waited_for_is_found_by_any_of_its_names(bank: Bank, database: Database, world: World) -> None:
    payment = await bank.promised()
    own = await bank.promised(Item(world.pear, 1), buyer=world.buyer)
    await bank.tells(Wire("30.00", payment.reference or ""))
    no = await no_of(database, payment)
    async with database.transaction() as session:
        everything = await expectations.waiting(session, "141102")
        assert {each.payment.id: each.due_fen for each in everything} == {payment.id: 4000, own.id: 4500}
        for q in (payment.reference or "", no, no[-4:].lower(), "人社局"):
            (found,) = await expectations.waiting(session, "141102", q=q)
            assert (found.payment.id, found.payer) == (payment.id, "离石区人社局")
        assert await expectations.waiting(session, "141102", q="没有") == []
        assert await expectations.waiting(session, "141124") == []


async def test_money_over_that_went_back_is_known_by_its_orders_number(bank: Bank, database: Database) -> None:
    """Its payment has no reference of its own: the remark names the order."""
    payment = await bank.promised()
    statement_id = await bank.tells(Wire("80.00", payment.reference or "", serial="1"))
    await confirm(bank, statement_id, rest_back=True)
    no = (await no_of(database, payment)).replace("-", "").lower()
    went = await bank.tells(Wire("-10.00", f"退款{no}", "谁知道", serial="2"))
    assert await bank.found(went) == [(Outcome.REFUND, RowState.DONE)]
    await bank.check()
