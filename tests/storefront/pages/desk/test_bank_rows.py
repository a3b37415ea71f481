"""Lines that wait for a person: what the page offers, what each decision does, and that each says who and why."""

import pytest
from sqlmodel import select

from market.ground.clock import now
from market.ground.db import Database
from market.people import accounts
from market.trade.orders import Order, OrderState
from market.trade.placing import Item
from payments import refunds
from payments.outcomes import Outcome, RowState
from payments.records import Payment, Refund, RefundState
from payments.refunds import Claim
from tests.client import Browser
from tests.payments.bank import UNIT, Bank, Wire
from tests.world import World

HERE = "/desk/bank-rows"


@pytest.fixture
async def bank(client: Browser, database: Database, world: World) -> Bank:
    await client.sign_in(world.accountant)
    return await Bank(database, world).open()


async def order_of(bank: Bank, payment: Payment) -> Order:
    async with bank.database.transaction() as session:
        return await session.get_one(Order, payment.order_id)


async def decide(client: Browser, bank: Bank, statement_id: int, act: str, **fields: object) -> str:
    """Send one of the page's forms; the page that answers, after the worker has done its part."""
    url = f"{HERE}/{await bank.row(statement_id)}"
    why = {f"why-{act}": "问过付款单位"} | fields
    answer = await client.post(f"{url}/{act}", why)
    if answer.status_code == 422:
        return answer.text
    assert answer.headers["location"] == url
    page = (await client.get(url)).text
    await bank.settle(statement_id)
    return page + (await client.get(url)).text


async def test_money_over_a_proposal_goes_back_to_the_payer(client: Browser, bank: Bank) -> None:
    payment = await bank.promised()
    order = await order_of(bank, payment)
    statement_id = await bank.tells(Wire("80.00", payment.reference or "", UNIT))
    page = (await client.get(f"{HERE}/{await bank.row(statement_id)}")).text
    for said in ("多付了", f"付订单 {order.no}", "离石区人社局", "多出来的 ¥10.00", "¥70.00", "正好"):
        assert said in page or said == "正好", said
    page = await decide(client, bank, statement_id, "confirmation", rest="back")
    assert "正在记" in page
    assert "accountant" in page
    assert "问过付款单位" in page
    assert await bank.found(statement_id) == [(Outcome.OVER, RowState.DONE)]
    assert (await order_of(bank, payment)).state is OrderState.PAID
    (refund,) = await owed(bank)
    listed = (await client.get("/desk/remittances")).text
    assert "离石区人社局" in listed
    assert "¥10.00" in listed
    one = f"/desk/remittances/{refund.id}"
    page = (await client.get(one)).text
    assert UNIT in page
    assert f'data-text="{order.no}"' in page
    assert (await client.post(one, {"serial": "", "sent_on": "never"})).status_code == 422
    form = {"serial": "T 1", "sent_on": "2026-11-20"}
    assert (await client.post(one, form)).headers["location"] == "/desk/remittances"
    assert (await client.post(one, form)).headers["location"] == "/desk/remittances"
    assert (await owed(bank))[0].state is RefundState.SUCCEEDED
    await bank.check()


async def owed(bank: Bank) -> list[Refund]:
    async with bank.database.transaction() as session:
        return list(await session.exec(select(Refund)))


async def test_a_person_finds_the_orders(client: Browser, bank: Bank) -> None:
    """By the list, by typing, or with a sentence why not."""
    first, second = await bank.promised(Item(bank.world.pumpkin, 1)), await bank.promised(Item(bank.world.pumpkin, 2))
    nos = [(await order_of(bank, payment)).no for payment in (first, second)]
    statement_id = await bank.tells(Wire("18.00", "货款", "某某食堂"))
    url = f"{HERE}/{await bank.row(statement_id)}"
    page = (await client.get(f"{url}?q={second.reference}")).text
    assert nos[1] in page
    assert nos[0] not in page
    assert "这笔多 ¥6.00" in page
    assert "请勾选订单" in await decide(client, bank, statement_id, "orders")
    assert "请填写这一项" in await decide(client, bank, statement_id, "orders", **{"order": nos[0], "why-orders": ""})
    assert "没有找到订单 260101-AAAA-BBBB" in await decide(
        client, bank, statement_id, "orders", orders="260101-AAAA-BBBB"
    )
    await decide(client, bank, statement_id, "orders", order=nos[0], orders=f"，{nos[1].lower()}")
    assert await bank.found(statement_id) == [(Outcome.NO_REFERENCE, RowState.DONE)]
    assert {(await order_of(bank, payment)).state for payment in (first, second)} == {OrderState.PAID}
    assert "现在不等钱了" in await decide(client, bank, statement_id, "orders", order=nos[0])
    await bank.check()


async def test_it_waits_is_put_aside_and_taken_up_again(client: Browser, bank: Bank) -> None:
    statement_id = await bank.tells(Wire("9.99", "谢谢", "过路人"))
    assert "请填写这一项" in await decide(client, bank, statement_id, "remarks", **{"why-remarks": " "})
    assert "先放着" in await decide(client, bank, statement_id, "remarks", **{"why-remarks": "打过电话了"})
    listed = (await client.get(HERE)).text
    for said in ("打过电话了", "过路人", "¥9.99", "认不出是哪一单", "一共 1 笔"):
        assert said in listed, said
    for q, found in (("过路", True), ("9.99", True), ("8.88", False)):
        assert ("打过电话了" in (await client.get(f"{HERE}?q={q}")).text) is found
    assert "请选一个" in await decide(client, bank, statement_id, "purpose")
    assert "请选一个" in await decide(client, bank, statement_id, "purpose", use="payout")
    assert "和市场没有关系" in await decide(client, bank, statement_id, "purpose", use="foreign")
    assert "都办完了" in (await client.get(HERE)).text
    assert await bank.balances() == {}
    assert "重新拿出来" in await decide(client, bank, statement_id, "resumption")
    assert await bank.balances() == {"clearing": -999, "unassigned": 999}
    await bank.check()


async def test_money_that_went_was_a_refund_or_given_back(client: Browser, bank: Bank, database: Database) -> None:
    payment = await bank.promised()
    await bank.tells(Wire("70.00", payment.reference or "", serial="1"))
    async with database.transaction() as session:
        refund = await refunds.request(session, payment.id, Claim(500, "少了", bank.world.officer), now=now())
    went = await bank.tells(Wire("-5.00", "转账", "谁知道"))
    assert "离石区人社局" in (await client.get(f"{HERE}/{await bank.row(went)}")).text
    assert "请勾选退款" in await decide(client, bank, went, "refunds", refund="x")
    await decide(client, bank, went, "refunds", refund=str(refund.id))
    assert (await owed(bank))[0].state is RefundState.SUCCEEDED
    came = await bank.tells(Wire("9.99", "谢谢", "过路人", "2"))
    back = await bank.tells(Wire("-9.99", "退", "过路人", "3"))
    page = (await client.get(f"{HERE}/{await bank.row(back)}")).text
    assert "是把来的钱原样转回去" in page
    assert "原样转回去" in await decide(client, bank, back, "counterpart", came=await bank.row(came))
    assert await bank.found(came) == [(Outcome.NO_REFERENCE, RowState.DONE)]
    await bank.check()


async def test_what_is_left_goes_back_and_others_see_nothing(client: Browser, bank: Bank, world: World) -> None:
    payment = await bank.promised()
    no = (await order_of(bank, payment)).no
    first = await bank.tells(Wire("70.00", payment.reference or "", serial="1"))
    second = await bank.tells(Wire("70.00", payment.reference or "", serial="2"))
    assert await bank.found(second) == [(Outcome.ALREADY_PAID, RowState.OPEN)]
    assert "没有找到订单" in await decide(client, bank, second, "repayment", order_no="x")
    assert "这笔钱要退回" in await decide(client, bank, second, "repayment", order_no=no)
    assert [refund.amount_fen for refund in await owed(bank)] == [7000]
    url = f"{HERE}/{await bank.row(first)}"
    assert f"付订单 {no}" in (await client.get(url)).text
    await client.sign_in(world.officer)
    assert (await client.get(url)).status_code == 404
    behind = (await client.get(f"/desk/payments/{payment.id}")).text
    assert "银行流水" in behind
    assert url not in behind
    async with bank.database.transaction() as session:
        assert (await accounts.viewer_of(session, world.township_accountant)).signed_in
    await client.sign_in(world.township_accountant)
    assert (await client.get(url)).status_code == 404
    assert (await client.post(f"{url}/remarks", {"why-remarks": "x"})).status_code == 404
    await bank.check()
