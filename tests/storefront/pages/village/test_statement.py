"""A household's month and season on one sheet: for itself, its agent and an officer, and what a late refund does."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import col, select

from market.books.costs import CostKind, note
from market.books.ledger import Book, balance
from market.ground.audit import Trace
from market.ground.clock import day_of, now
from market.ground.db import Database
from market.people import accounts
from market.reports import statements
from market.trade.placing import Item
from tests import build
from tests import payouts as paying_out
from tests.client import Browser
from tests.world import World


@pytest.fixture
async def told(client: Browser, world: World, database: Database) -> datetime:
    """Wang sold for 350.00 and was paid, 50.00 went back, it sold for 120.00; feed cost 30.00. When that began."""
    at = now() - timedelta(hours=4)
    async with database.transaction() as session:
        first = await build.cash_order(session, world, Item(world.mutton, 10), now=at)
        await build.card(session, world, world.wang, seal=client.state.seal, now=at)
        await paying_out.paid_out(session, world, now=at + timedelta(hours=1))
        await paying_out.refund(session, world, first.id, 5000, now=at + timedelta(hours=2))
        await build.cash_order(session, world, Item(world.pumpkin, 20), now=at + timedelta(hours=3))
        wang = await accounts.viewer_of(session, world.wang_account)
        await note(session, wang, world.wang, CostKind.FEED, 3000, on=day_of(at), now=at)
    return at


async def test_the_sheet_says_what_the_book_says(world: World, database: Database, told: datetime) -> None:
    async with database.transaction() as session:
        for period in (statements.month_of(day_of(now())), statements.season_around(day_of(now()))):
            sheet = await statements.read(session, world.wang, period)
            stands = (await session.exec(balance(Book.PAYABLE, household_id=world.wang))).one()
            assert sheet.waiting_fen == stands
            moved = sheet.net_fen - sum(one.fen for one in sheet.paid)
            assert sheet.opening_fen + moved == sheet.waiting_fen
        assert (sheet.gross_fen, sheet.refunded_fen, sheet.net_fen, sheet.spent_fen) == (47000, 5000, 42000, 3000)
        assert ([one.had_fen for one in sheet.refunds], [one.fen for one in sheet.kept_back]) == ([5000], [5000])
        assert [(one.line.title, one.fen) for one in sheet.waiting] == [("南瓜", 7000)]
        second = await paying_out.paid_out(session, world, now=now())
        assert [row.amount_fen for row in await paying_out.rows(session, second)] == [7000]
        paid = await statements.payouts(session, world.wang, days=None, on=day_of(now()))
    assert [(one.fen, [part.fen for part in one.kept_back]) for one in paid] == [(7000, [5000]), (35000, [])]


async def test_a_household_reads_why_the_next_payout_is_lower(
    client: Browser, world: World, database: Database, told: datetime
) -> None:
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/statement"
    page = (await client.get(f"{here}?month={day_of(told):%Y-%m}")).text
    for said in ("¥470.00", "-¥50.00", "¥420.00", "-¥350.00", "¥70.00", "饲料", "¥390.00", "尾号", "坏了一块"):
        assert said in page, said
    assert "其中 ¥50.00 以前已经给过您家" in page
    assert "少给 ¥50.00：羊肉" in page
    assert build.card_number(world.wang)[:8] not in page
    assert "月到" in (await client.get(f"{here}?season={statements.season_around(day_of(told)).from_on.year}")).text
    assert "这段时间没有卖出" in (await client.get(f"{here}?month=2020-01")).text
    for wrong in ("month=2026-13", "month=x", "season=1999", "season=abc"):
        assert (await client.get(f"{here}?{wrong}")).status_code == 422
    async with database.transaction() as session:
        await paying_out.paid_out(session, world, now=now())
    money = (await client.get(f"/village/{world.wang}/money?show=paid_out")).text
    assert ("少给 ¥50.00" in money, "看是哪些货" in money, here in money) == (True, True, True)


async def test_the_agent_prints_it_and_strangers_do_not(
    client: Browser, world: World, database: Database, told: datetime
) -> None:
    await client.sign_in(world.agent)
    page = (await client.get(f"/village/{world.wang}/statement")).text
    assert ("对账单" in page, "data-print" in page) == (True, True)
    for person in (world.zhao_account, world.accountant, world.officer, world.buyer):
        await client.sign_in(person)
        assert (await client.get(f"/village/{world.wang}/statement")).status_code == 404
        if person != world.officer:
            assert (await client.get(f"/desk/households/{world.wang}/statement")).status_code == 404
    await client.sign_in(world.township_officer)
    assert (await client.get(f"/desk/households/{world.wang}/statement")).status_code == 404
    async with database.transaction() as session:
        assert (await session.exec(select(Trace).where(col(Trace.act) == "look"))).all() == []


async def test_an_officers_look_is_seen_by_the_household(client: Browser, world: World, told: datetime) -> None:
    await client.sign_in(world.officer)
    here = f"/desk/households/{world.wang}/statement"
    assert here in (await client.get(f"/desk/households/{world.wang}")).text
    assert "¥470.00" in (await client.get(f"{here}?month={day_of(told):%Y-%m}")).text
    await client.sign_in(world.wang_account)
    assert (await client.get(f"/village/{world.wang}/looks")).text.count("officer") == 2
