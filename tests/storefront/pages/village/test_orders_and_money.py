"""What a household has to get ready, and what became of its money."""

from datetime import timedelta

from sqlmodel import select

from market.books import ledger
from market.books.ledger import Book, Leg, Occasion, Rail, Reason
from market.ground.clock import day_of, now
from market.ground.db import Database
from market.people import accounts
from market.reports import household as reports
from market.reports import statements
from market.reports.household import Part
from market.trade.placing import Item
from payments import refunds
from payments.records import Payment
from payments.refunds import Claim
from tests import build
from tests.client import Browser
from tests.world import COUNTY, VILLAGE, World


async def test_the_picking_list_sums_up_and_names_nobody(client: Browser, world: World, database: Database) -> None:
    async with database.transaction() as session:
        first = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pumpkin, 5), now=now())
        await build.cash_order(session, world, Item(world.mutton, 3), now=now())
        await build.order(session, world, Item(world.mutton, 4), now=now())
    await client.sign_in(world.wang_account)
    page = await client.get(f"/village/{world.wang}/orders")
    assert "5 斤" in page.text
    assert "5 个" in page.text
    assert "人社局门口" in page.text
    assert "个人" in page.text
    assert "¥175.00" in page.text
    assert "¥30.00" in page.text
    assert first.no[-4:] in page.text
    assert "buyer" not in page.text
    assert "4 斤" not in page.text
    assert "有人订了 5 斤" in (await client.get(f"/village/{world.wang}/goods")).text


async def test_nothing_to_prepare_and_nothing_sold(client: Browser, world: World) -> None:
    await client.sign_in(world.zhao_account)
    assert "现在没有要备的货" in (await client.get(f"/village/{world.zhao}/orders")).text
    assert "前两周没有交货" in (await client.get(f"/village/{world.zhao}/orders?past=1")).text
    assert "还没有卖出去的" in (await client.get(f"/village/{world.zhao}/money")).text


async def test_what_was_handed_over_lately(client: Browser, world: World, database: Database) -> None:
    async with database.transaction() as session:
        await build.cash_order(session, world, Item(world.mutton, 7), now=now() - timedelta(days=10))
    await client.sign_in(world.wang_account)
    assert "7 斤" in (await client.get(f"/village/{world.wang}/orders?past=1")).text
    assert "7 斤" not in (await client.get(f"/village/{world.wang}/orders")).text


async def _trade(database: Database, world: World) -> None:
    """Sold 35 x 10 + 6 x 20 = 470; 50 went back; 300 reached the card."""
    at = now()
    async with database.transaction() as session:
        await build.cash_order(session, world, Item(world.mutton, 10), now=at)
        await build.cash_order(session, world, Item(world.pumpkin, 20), now=at)
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        payment = (await session.exec(select(Payment).where(Payment.amount_fen == 35000))).one()
        await refunds.request(session, payment.id, Claim(5000, "坏了一块", officer.account_id), now=at)
        legs = [
            Leg(Book.PAYABLE, -30000, household_id=world.wang, division_code=VILLAGE),
            Leg(Book.PAID_OUT, 30000, rail=Rail.TRANSFER),
        ]
        await ledger.post(session, Occasion(Reason.PAYOUT, COUNTY), legs, at=at)


async def test_four_figures_each_with_its_orders(client: Browser, world: World, database: Database) -> None:
    await _trade(database, world)
    async with database.transaction() as session:
        sums = await reports.sums(session, world.wang)
        assert sums == (47000, 5000, 30000)
        assert (sums.net_fen, sums.waiting_fen) == (42000, 12000)
        lines = {part: await reports.sold_lines(session, world.wang, part) for part in Part}
        assert sum(line.gross_fen for line in lines[Part.SOLD]) == sums.gross_fen
        assert sum(line.refunded_fen for line in lines[Part.REFUNDED]) == sums.refunded_fen
        assert sum(line.waiting_fen for line in lines[Part.WAITING]) == sums.waiting_fen
        paid = await statements.payouts(session, world.wang, days=None, on=day_of(now()))
        assert [(one.fen, one.on, [sale.fen for sale in one.sales]) for one in paid] == [
            (30000, day_of(now()), [30000])
        ]
        assert [month for month, _sums in await reports.months(session, world.wang)] == [f"{day_of(now()):%Y-%m}"]
    await client.sign_in(world.wang_account)
    page = await client.get(f"/village/{world.wang}/money")
    for amount in ("¥470.00", "¥50.00", "¥300.00", "¥120.00"):
        assert amount in page.text
    waiting = await client.get(f"/village/{world.wang}/money?show=waiting")
    assert "南瓜" in waiting.text
    assert "¥300.00" in (await client.get(f"/village/{world.wang}/money?show=paid_out")).text
    assert "坏了一块" not in page.text
    month = f"{day_of(now()):%Y-%m}"
    assert "羊肉" in (await client.get(f"/village/{world.wang}/money?show=refunded&month={month}")).text
    assert "羊肉" not in (await client.get(f"/village/{world.wang}/money?month=2020-01")).text


async def test_odd_questions_about_money(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    for query in ("month=2026-13", "month=x", "show=everything", "start=-1"):
        assert (await client.get(f"/village/{world.wang}/money?{query}")).status_code in (200, 422)
    assert (await client.get(f"/village/{world.wang}/money?start=60")).status_code == 200
