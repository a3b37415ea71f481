"""A bank's file at the desk: looked at line by line, taken as it was shown and once, kept as table and paper."""

import re
from datetime import timedelta

import pytest

from market.ground.clock import day_of
from market.ground.db import Database
from market.people import accounts
from market.trade import orders
from market.trade.orders import Order
from market.trade.placing import Item
from payments import desk, refunds, remittances, statements
from payments.outcomes import Outcome, RowState, StatementState
from payments.refunds import Claim
from storefront.bank_words import MEANINGS
from tests.client import Browser
from tests.payments.bank import UNIT, Bank, Wire, file
from tests.world import BEGIN, World

HERE = "/desk/statements"


@pytest.fixture
async def bank(client: Browser, database: Database, world: World) -> Bank:
    await client.sign_in(world.accountant)
    return await Bank(database, world).open()


async def sent(client: Browser, bank: Bank, content: bytes, name: str = "明细.csv") -> str:
    """Send the file by the form; where it led."""
    answer = await client.post(HERE, {"payee": str(bank.payee_id)}, files={"file": (name, content)})
    return answer.headers.get("location", "") or answer.text


async def mark(client: Browser, url: str) -> str:
    found = re.search(r'name="mark" value="(\w+)"', (await client.get(url)).text)
    assert found is not None
    return found[1]


async def everything(bank: Bank) -> bytes:
    """A file with a line of every kind a preview can show."""
    world, database = bank.world, bank.database
    made = [await bank.promised(Item(world.pumpkin, count)) for count in (1, 2, 3, 4, 5, 6, 10, 7, 8)]
    refs = [payment.reference or "" for payment in made]
    paid, called_off, late, later = [await bank.promised(Item(world.pumpkin, 9)) for _ in range(4)]
    known = Wire("54.00", paid.reference or "", "路人", "S1")
    await bank.tells(known)
    async with database.transaction() as session:
        clerk = await accounts.viewer_of(session, world.clerk)
        accountant = await accounts.viewer_of(session, world.accountant)
        await desk.cancel_order(
            session, clerk, (await session.get_one(Order, called_off.order_id)).no, why="", now=BEGIN
        )
        for payment in (late, later):
            (await orders.lock(session, payment.order_id)).expires_at = BEGIN
        await session.flush()
        await orders.expire_due(session, now=BEGIN)
        await desk.close_left_over(session, now=BEGIN)
        await refunds.request(session, paid.id, Claim(100, "少了", world.officer), now=BEGIN)
        went = await refunds.request(session, paid.id, Claim(200, "坏了", world.officer), now=BEGIN)
        await remittances.record(session, accountant, went.id, serial="T1", sent_on=day_of(BEGIN), now=BEGIN)
    scattered = f"{refs[1][:3]} {refs[1][3:]}"
    return file(
        known, Wire("6.00", refs[0]), Wire("12.00", scattered), Wire("10.00", refs[2], serial="S2"),
        Wire("8.00", refs[2], serial="S3"), Wire("54.00", f"{refs[3]} {refs[4]}"), Wire("37.00", refs[5]),
        Wire("58.00", refs[6]), Wire("42.00", refs[7][:-1]), Wire("48.00", "货款", UNIT),
        Wire("54.00", paid.reference or "", serial="S4"), Wire("54.00", called_off.reference or ""),
        Wire("54.00", late.reference or ""), Wire("5.00", later.reference or ""), Wire("-1.00", paid.reference or ""),
        Wire("-9.00", "手续费"), Wire("2.00", "退汇"), Wire("7.00", "hello", currency="美元"), Wire("9.99", "谢谢"),
    )  # fmt: skip


async def test_every_outcome_is_named_before_anything_happens(client: Browser, bank: Bank) -> None:
    content = await everything(bank)
    before = await bank.balances()
    url = await sent(client, bank, content)
    page = (await client.get(url)).text
    missing = {outcome for outcome, meaning in MEANINGS.items() if str(meaning.name) not in page}
    assert missing == {Outcome.GOODS_GONE}, "only doing it can show that the goods are gone"
    assert "这是预览" in page
    assert "¥144.00" in page, "what finds its way by itself: 6 + 12 + 10 + 8 + 54 + 54"
    assert await bank.balances() == before
    only = (await client.get(f"{url}?only=over")).text
    assert "¥37.00" in only
    assert "¥58.00" not in only
    taken = await client.post(f"{url}/taking", {"mark": await mark(client, url)})
    again = await client.post(f"{url}/taking", {"mark": "from another window"})
    assert {taken.status_code, again.status_code} == {303}
    statement_id = int(url.rpartition("/")[2])
    await bank.settle(statement_id)
    assert "能自己对上的正在记到订单上" in (await client.get(url)).text
    assert {state for outcome, state in await bank.found(statement_id) if outcome.is_clear} == {RowState.DONE}
    await bank.check()


async def test_what_is_taken_is_what_was_shown(client: Browser, bank: Bank, database: Database, world: World) -> None:
    """A colleague had it matched anew in between: nothing is taken until it was looked at again."""
    payment = await bank.promised()
    url = await sent(client, bank, file(Wire("70.00", payment.reference or "")))
    seen = await mark(client, url)
    async with database.transaction() as session:
        clerk = await accounts.viewer_of(session, world.clerk)
        await desk.cancel_order(session, clerk, (await session.get_one(Order, payment.order_id)).no, why="", now=BEGIN)
    assert (await client.post(f"{url}/comparison")).status_code == 303
    refused = await client.post(f"{url}/taking", {"mark": seen})
    assert refused.headers["location"] == url
    page = (await client.get(url)).text
    assert "和您看到的不一样了" in page
    assert "订单已经取消" in page
    async with database.transaction() as session:
        viewer = await accounts.viewer_of(session, world.accountant)
        found = await statements.seen_by(session, viewer, int(url.rpartition("/")[2]))
        assert found.state is StatementState.PREVIEWED


NONSENSE = [
    ("空.csv", b"\n", "文件是空的"),
    ("照片.jpg", b"\xff\xd8\xff\xe0" + b"\x00\xff" * 300, "这不是表格"),
    ("名单.csv", "姓名,电话\n王样例,1".encode(), "没有找到日期和金额这两列"),
    ("旧.xls", b"\xd0\xcf\x11\xe0" + b"0" * 100, "另存为 .xlsx"),
    ("明细.csv", file(Wire("一百", "")), "第 2 行的金额看不懂：一百"),
    ("明细.csv", file(Wire("1.00", day="昨天")), "第 2 行的日期看不懂：昨天"),
    ("大.csv", b"1" * (5 * 1024 * 1024 + 1), "最多 5 MB"),
    ("别人的.csv", "账号：622200001111999\n".encode() + file(Wire("1.00")), "尾号 1999 的账户"),
]


async def test_what_is_no_statement_is_told_why(client: Browser, bank: Bank) -> None:
    for name, content, said in NONSENSE:
        assert said in await sent(client, bank, content, name), name
    assert "请填写这一项" in (await client.post(HERE, {"payee": str(bank.payee_id)})).text
    assert "还没有对账单" in (await client.get(HERE)).text


async def test_the_same_file_leads_to_the_first(client: Browser, bank: Bank) -> None:
    content = file(Wire("9.99", "谢谢"))
    first = await sent(client, bank, content)
    assert await sent(client, bank, content, "改了名字.csv") == first
    assert "就是这一份" in (await client.get(first)).text
    assert (await client.post(f"{first}/removal")).headers["location"] == HERE
    assert await sent(client, bank, content) != first


async def test_a_long_statement_has_pages_a_file_and_a_sheet(client: Browser, bank: Bank) -> None:
    wires = [Wire("9.99", f"第{at}笔谢谢", "过路人", f"S{at}") for at in range(60)]
    url = await sent(client, bank, file(*wires))
    assert "第59笔谢谢" not in (await client.get(url)).text
    assert "第59笔谢谢" in (await client.get(f"{url}?page=2")).text
    table = (await client.get(f"{url}/file")).text
    assert len(re.findall(r"第\d+笔谢谢,S\d+,认不出是哪一单", table)) == 60
    assert (await client.get(f"{url}/file?kind=xlsx")).content.startswith(b"PK")
    assert "第59笔谢谢" in (await client.get(f"{url}/sheet")).text
    assert "60" in (await client.get(HERE)).text


async def test_others_find_nothing(client: Browser, bank: Bank, world: World) -> None:
    url = await sent(client, bank, file(Wire("9.99", "谢谢")))
    for stranger in (world.township_accountant, world.officer, world.clerk):
        await client.sign_in(stranger)
        for path in (url, f"{url}/sheet", f"{url}/file", f"{url}/state"):
            assert (await client.get(path)).status_code == 404
        assert (await client.post(f"{url}/taking", {"mark": "x"})).status_code == 404
    await client.sign_in(world.second_accountant)
    assert (await client.get(url)).status_code == 200


async def test_the_page_asks_until_all_is_done(client: Browser, bank: Bank) -> None:
    payment = await bank.promised()
    url = await sent(client, bank, file(Wire("70.00", payment.reference or "")))
    await bank.take(int(url.rpartition("/")[2]))
    page = (await client.get(url)).text
    assert "还有 1 笔正在记到订单上" in page
    assert (await client.get(f"{url}/state?seen=1")).status_code == 204
    await bank.settle(int(url.rpartition("/")[2]), BEGIN + timedelta(seconds=1))
    assert (await client.get(f"{url}/state?seen=1")).headers["hx-refresh"] == "true"
