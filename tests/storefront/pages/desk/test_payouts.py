"""到户 at the desk: two people, masked numbers, a reason for whole ones, and every tap twice."""

import csv
import io
import logging
from datetime import timedelta
from typing import Any

import pytest
from httpx import Response
from openpyxl import load_workbook
from PIL import Image
from sqlalchemy import text
from sqlmodel import col, select

from market.books.payout_proofs import PayoutProof
from market.books.payouts import BatchState, Payout, PayoutBatch, PayoutState
from market.ground.audit import Trace
from market.ground.clock import now
from market.ground.db import Database, run
from market.people import accounts, card_changes
from market.people.card_changes import NewCard
from market.people.cards import PayoutCard
from market.reports import oversight
from market.trade.placing import Item
from storefront import payout_notices
from storefront.pages.desk import payouts
from tests import build
from tests.client import Browser
from tests.world import COUNTY, World

HERE = "/desk/payouts"


@pytest.fixture
async def accountant(client: Browser, world: World, database: Database) -> Browser:
    """The first accountant; Wang sold for 70.00 and Zhao for 45.00 with cards, Liu for 40.00 without one."""
    async with database.transaction() as session:
        items = (Item(world.mutton, 2), Item(world.pear, 1), Item(world.millet, 1))
        await build.cash_order(session, world, *items, now=now() - timedelta(hours=2))
        for home in (world.wang, world.zhao):
            await build.card(session, world, home, now=now(), seal=client.state.seal)
    await client.sign_in(world.accountant)
    return client


async def proposed(browser: Browser, rail: str = "transfer") -> str:
    answer = await browser.post(HERE, {"division": COUNTY, "rail": rail, "least": ""})
    assert answer.status_code == 303
    return str(answer.headers["location"])


async def approved(browser: Browser, world: World, rail: str = "transfer", fen: int = 11500) -> str:
    url = await proposed(browser, rail)
    await browser.sign_in(world.second_accountant)
    assert (await browser.post(f"{url}/approval", {"seen": fen})).status_code == 303
    await browser.sign_in(world.accountant)
    return url


async def states(database: Database) -> dict[int, PayoutState]:
    async with database.transaction() as session:
        assert await oversight.differences(session) == []
        return {row.household_id: row.state for row in await session.exec(select(Payout))}


async def row_id(database: Database, household: int) -> int:
    async with database.transaction() as session:
        return (await session.exec(select(Payout.id).where(Payout.household_id == household))).one() or 0


async def batch_state(database: Database) -> BatchState:
    async with database.transaction() as session:
        return (await session.exec(select(PayoutBatch))).one().state


def cells(answer: Response) -> list[str]:
    """Everything in a spreadsheet, as text."""
    (sheet,) = load_workbook(io.BytesIO(answer.content)).worksheets
    return [str(cell.value) for row in sheet.iter_rows() for cell in row]


async def test_who_would_get_how_much_and_who_is_left_out(accountant: Browser) -> None:
    page = (await accountant.get(f"{HERE}/new")).text
    for said in ("王样例", "赵样例", "尾号 0", "¥115.00", "刘样例", "还没有登记银行卡", "做成名单"):
        assert said in page, said
    assert build.card_number(1)[:12] not in page
    assert "钱太少" in (await accountant.get(f"{HERE}/new?least=50")).text
    assert "现金，当面给" in (await accountant.get(f"{HERE}/new?rail=cash")).text
    assert (await accountant.get(f"{HERE}/new?least=x")).status_code == 422
    assert (await accountant.get(f"{HERE}/new?division=11")).status_code == 404


async def test_one_proposes_another_approves(accountant: Browser, world: World, database: Database) -> None:
    url = await proposed(accountant)
    assert "没有可以到户的钱" in (await accountant.get((await accountant.post(HERE)).headers["location"])).text
    assert "要请另一位会计来批准" in (await accountant.get(url)).text
    refused = await accountant.post(f"{url}/approval", {"seen": 11500})
    assert "要请另一位会计来批准" in (await accountant.get(refused.headers["location"])).text
    assert await batch_state(database) is BatchState.PROPOSED
    await accountant.sign_in(world.second_accountant)
    assert "批准 ¥115.00" in (await accountant.get(url)).text
    old = await accountant.post(f"{url}/approval", {"seen": 1})
    assert "金额和您看到的不一样" in (await accountant.get(old.headers["location"])).text
    for _ in range(2):
        assert (await accountant.post(f"{url}/approval", {"seen": 11500})).status_code == 303
    assert await batch_state(database) is BatchState.APPROVED
    late = await accountant.post(f"{url}/withdrawal", {"why": "不办了"})
    assert "已经有人办过了" in (await accountant.get(late.headers["location"])).text
    assert "批准了，等到账" in (await accountant.get(HERE)).text
    assert "没有这样的名单" in (await accountant.get(f"{HERE}?only=closed")).text


async def test_a_list_taken_back_frees_its_money(accountant: Browser, world: World, database: Database) -> None:
    url = await proposed(accountant)
    empty = await accountant.post(f"{url}/withdrawal", {"why": " "})
    assert "为什么不办" in (await accountant.get(empty.headers["location"])).text
    for _ in range(2):
        assert (await accountant.post(f"{url}/withdrawal", {"why": "下周一起办"})).status_code == 303
    assert "下周一起办" in (await accountant.get(url)).text
    assert set((await states(database)).values()) == {PayoutState.DROPPED}
    assert await proposed(accountant) != url


async def test_all_arrived_at_once_and_each_household_is_told(
    accountant: Browser, world: World, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    url = await approved(accountant, world)
    assert "还有 2 户等到账" in (await accountant.get(url)).text
    for _ in range(2):
        answer = await accountant.post(f"{url}/arrivals")
    assert "早就记过了" in (await accountant.get(answer.headers["location"])).text
    assert set((await states(database)).values()) == {PayoutState.PAID}
    assert await batch_state(database) is BatchState.CLOSED
    async with database.transaction() as session:
        queued = text("SELECT args->>'news' FROM procrastinate_jobs WHERE task_name = 'announce_payout'")
        assert list((await run(session, queued)).scalars()) == ["paid", "paid"]
    caplog.set_level(logging.INFO, "yigou.sms")
    paid = await row_id(database, world.wang)
    async with database.transaction() as session:
        await payout_notices.tell_payout(session, accountant.state.settings, paid, PayoutState.PAID)
        await payout_notices.tell_payout(session, accountant.state.settings, paid, PayoutState.FAILED)
    assert [record.getMessage().count("¥70.00打到您家的卡上了") for record in caplog.records] == [1]


async def test_a_row_that_failed_waits_for_the_next_list(
    accountant: Browser, world: World, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    url = await approved(accountant, world)
    wang, zhao = await row_id(database, world.wang), await row_id(database, world.zhao)
    assert "卡已经注销" in (await accountant.get(f"{url}/rows/{wang}")).text
    nothing = await accountant.post(f"{url}/rows/{wang}/failure", {"why": ""})
    assert "请选一个原因" in (await accountant.get(nothing.headers["location"])).text
    for _ in range(2):
        assert (await accountant.post(f"{url}/rows/{wang}/failure", {"why": "card_closed"})).status_code == 303
        assert (await accountant.post(f"{url}/rows/{zhao}/arrival")).status_code == 303
    assert await states(database) == {world.wang: PayoutState.FAILED, world.zhao: PayoutState.PAID}
    assert (
        "已经有人办过了"
        in (await accountant.get((await accountant.post(f"{url}/rows/{wang}/arrival")).headers["location"])).text
    )
    assert "卡已经注销" in (await accountant.get(url)).text
    assert "¥70.00" in (await accountant.get(f"{HERE}/new")).text
    back = await accountant.post(f"{url}/rows/{zhao}/return", {"why": "", "other": "户名错一个字"})
    assert "退回来了" in (await accountant.get(back.headers["location"])).text
    assert "户名错一个字" in (await accountant.get(f"{url}/rows/{zhao}")).text
    assert "¥115.00" in (await accountant.get(f"{HERE}/new")).text
    caplog.set_level(logging.INFO, "yigou.sms")
    async with database.transaction() as session:
        for one, news in ((wang, PayoutState.FAILED), (zhao, PayoutState.RETURNED)):
            await payout_notices.tell_payout(session, accountant.state.settings, one, news)
    told = [record.getMessage() for record in caplog.records]
    assert ["卡已经注销" in told[0], "被银行退回了" in told[1]] == [True, True]


async def test_a_long_list_is_turned_over(accountant: Browser, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(payouts, "ROWS", 1)
    url = await proposed(accountant)
    first, second = (await accountant.get(url)).text, (await accountant.get(f"{url}?page=2")).text
    assert ("王样例" in first, "赵样例" in first, f"{url}?page=2#rows" in first) == (True, False, True)
    assert ("王样例" in second, "赵样例" in second, "¥115.00" in second) == (False, True, True)
    await accountant.post(f"{url}/withdrawal", {"why": "再看看"})
    assert "这里只列 1 户，名单里会有全部" in (await accountant.get(f"{HERE}/new")).text


async def test_nothing_could_be_sent(accountant: Browser, world: World, database: Database) -> None:
    url = await approved(accountant, world)
    assert (await accountant.post(f"{url}/failures", {"other": "银行系统停了"})).status_code == 303
    assert set((await states(database)).values()) == {PayoutState.FAILED}
    assert (await accountant.get(url)).text.count("银行系统停了") == 2


async def test_cash_must_be_in_the_hand_that_pays(accountant: Browser, world: World, database: Database) -> None:
    url = await approved(accountant, world, "cash", 15500)
    assert "签字或手印" in (await accountant.get(f"{url}/sheet")).text
    poor = await accountant.post(f"{url}/arrivals")
    assert "不够发" in (await accountant.get(poor.headers["location"])).text
    assert set((await states(database)).values()) == {PayoutState.APPROVED}
    assert "现在不用完整卡号" in (await accountant.get(f"{url}/sealed/new")).text


async def test_files_and_paper_show_the_last_four_digits_only(accountant: Browser, world: World) -> None:
    url = await approved(accountant, world)
    number = build.card_number(world.wang)
    pages = [(await accountant.get(f"{url}{part}")).text for part in ("", "/sheet", "/list.csv")]
    for shown in pages:
        assert (number[-4:] in shown, number[-8:] in shown.replace(" ", "")) == (True, False)
    found = list(csv.reader(io.StringIO(pages[2].removeprefix("\ufeff"))))
    assert ["梁家墕", "0001", "王样例", f"演示信用社 尾号 {number[-4:]}", "王样例", "70.00", "等到账"] in found
    values = cells(await accountant.get(f"{url}/list.xlsx"))
    assert ("王样例" in values, any(number in value for value in values)) == (True, False)
    assert (await accountant.get(f"{url}/list.pdf")).status_code == 404


@pytest.mark.parametrize("kind", ["paper", "csv", "xlsx"])
async def test_whole_numbers_ask_for_a_reason_that_stays(
    accountant: Browser, world: World, database: Database, kind: str
) -> None:
    url = await approved(accountant, world)
    number = build.card_number(world.wang)
    assert (await accountant.post(f"{url}/sealed", {"as": kind, "why": ""})).status_code == 422
    async with database.transaction() as session:
        assert (await session.exec(select(Trace).where(col(Trace.act) == "open_card"))).all() == []
    opened = await accountant.post(f"{url}/sealed", {"as": kind, "why": "去信用社代发"})
    assert (opened.status_code, "no-store" in opened.headers["cache-control"]) == (200, True)
    if kind == "xlsx":
        values = cells(opened)
        assert (number in values, "王样例" in values) == (True, True)
    else:
        assert number in opened.text.replace(" ", "")
    async with database.transaction() as session:
        traces = (await session.exec(select(Trace).where(col(Trace.act).in_(("open_card", "open_payouts"))))).all()
    assert sorted((trace.act, trace.household_id or 0, trace.account_id) for trace in traces) == [
        ("open_card", world.wang, world.accountant), ("open_card", world.zhao, world.accountant),
        ("open_payouts", 0, world.accountant),
    ]  # fmt: skip
    assert "去信用社代发" in (await accountant.get(url)).text
    await accountant.sign_in(world.wang_account)
    assert "银行卡号" in (await accountant.get(f"/village/{world.wang}/looks")).text


def _photo() -> bytes:
    packed = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(packed, "JPEG")
    return packed.getvalue()


async def test_proofs_are_kept_once_and_shown_to_who_may_look(
    accountant: Browser, world: World, database: Database
) -> None:
    url = await proposed(accountant)
    paper: dict[str, Any] = {"files": {"paper": ("a.jpg", _photo(), "image/jpeg")}}
    early = await accountant.post(f"{url}/proofs", **paper)
    assert "已经有人办过了" in (await accountant.get(early.headers["location"])).text
    await accountant.sign_in(world.second_accountant)
    await accountant.post(f"{url}/approval", {"seen": 11500})
    for _ in range(2):
        assert (await accountant.post(f"{url}/proofs", **paper)).status_code == 303
    wang = await row_id(database, world.wang)
    pdf = {"files": {"paper": ("b.pdf", b"%PDF-1.4\n%%EOF", "application/pdf")}}
    assert (await accountant.post(f"{url}/proofs", {"row": wang}, **pdf)).status_code == 303
    for name, data, said in (("c.txt", b"hello", "要一张照片"), ("", b"", "请先拍一张")):
        wrong = await accountant.post(f"{url}/proofs", files={"paper": (name, data)} if name else None)
        assert said in (await accountant.get(wrong.headers["location"])).text
    async with database.transaction() as session:
        photo, letter = (await session.exec(select(PayoutProof).order_by(col(PayoutProof.id)))).all()
    assert (await accountant.get(f"{url}/proofs/{photo.id}")).headers["content-type"] == "image/webp"
    shown = await accountant.get(f"{url}/proofs/{letter.id}")
    assert shown.headers["content-disposition"].startswith("attachment")
    assert "PDF 文件" in (await accountant.get(f"{url}/rows/{wang}")).text
    assert (await accountant.post(f"{url}/proofs", {"row": 77}, **pdf)).status_code == 404
    await accountant.sign_in(world.officer)
    assert (await accountant.get(f"{url}/proofs/{letter.id}")).status_code == 200
    await accountant.sign_in(world.wang_account)
    assert (await accountant.get(f"{url}/proofs/{letter.id}")).status_code == 404


async def test_others_see_what_is_theirs(accountant: Browser, world: World, database: Database) -> None:
    url = await approved(accountant, world)
    wang = await row_id(database, world.wang)
    await accountant.sign_in(world.officer)
    page = (await accountant.get(url)).text
    assert ("王样例" in page, "都到账了" in page) == (True, False)
    acts = ("/arrivals", "/failures", "/approval", "/withdrawal", "/sealed", "/proofs", f"/rows/{wang}/arrival")
    assert {(await accountant.post(f"{url}{act}")).status_code for act in acts} == {404}
    assert (await accountant.get(f"{url}/sealed/new")).status_code == 404
    reads = ("", "/sheet", "/list.csv", f"/rows/{wang}", "/sealed/new", "/proofs/1")
    for person in (world.wang_account, world.buyer, world.township_accountant):
        await accountant.sign_in(person)
        assert {(await accountant.get(f"{url}{part}")).status_code for part in reads} == {404}
    assert {(await accountant.post(f"{url}{act}", {"why": "x", "other": "x"})).status_code for act in acts} == {404}


async def test_a_card_is_confirmed_by_another_with_the_card_in_hand(
    accountant: Browser, world: World, database: Database
) -> None:
    number = build.card_number(7000)
    async with database.transaction() as session:
        wang = await accounts.viewer_of(session, world.wang_account)
        seal = accountant.state.seal
        card = await card_changes.ask(session, seal, wang, world.wang, NewCard("演示银行", number), now=now())
    here = f"/desk/cards/{card.id}"
    listed = (await accountant.get("/desk/cards")).text
    assert (here in listed, listed.index(here) < listed.index("正在用"), number[:8] in listed) == (True, True, False)
    assert "没有找到" in (await accountant.get("/desk/cards?q=zzz")).text
    assert here in (await accountant.get(f"/desk/cards?q={number[-4:]}")).text
    page = (await accountant.get(here)).text
    assert ("王**" in page, number[:8] in page) == (True, False)
    wrong = await accountant.post(f"{here}/confirmation", {"number": build.card_number(7001)})
    assert (wrong.status_code, "不一样" in wrong.text, build.card_number(7001) in wrong.text) == (422, True, False)
    for _ in range(2):
        assert (await accountant.post(f"{here}/confirmation", {"number": number})).status_code == 303
    assert "等满一天" in (await accountant.get(here)).text
    assert "为什么停用" in (await accountant.get((await accountant.post(f"{here}/stop")).headers["location"])).text
    for _ in range(2):
        assert (await accountant.post(f"{here}/stop", {"why": "不是本人的意思"})).status_code == 303
    assert "不是本人的意思" in (await accountant.get(here)).text
    for person in (world.township_accountant, world.officer, world.wang_account):
        await accountant.sign_in(person)
        assert (await accountant.get(here)).status_code == 404
        assert (await accountant.post(f"{here}/confirmation", {"number": number})).status_code == 404
        assert (await accountant.post(f"{here}/stop", {"why": "x"})).status_code == 404


async def test_whoever_asked_does_not_confirm(accountant: Browser, world: World, database: Database) -> None:
    number = build.card_number(8000)
    async with database.transaction() as session:
        first = await accounts.viewer_of(session, world.accountant)
        seal = accountant.state.seal
        card = await card_changes.ask(session, seal, first, world.liu, NewCard("演示银行", number), now=now())
    answer = await accountant.post(f"/desk/cards/{card.id}/confirmation", {"number": number})
    assert "要请另一位会计来核对" in (await accountant.get(answer.headers["location"])).text
    async with database.transaction() as session:
        assert (await session.get_one(PayoutCard, card.id)).confirmed_at is None
