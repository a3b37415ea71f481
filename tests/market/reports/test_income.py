"""The income report: what it counts, whom it lists, and that every way of summing gives the same."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import ledger
from market.books.ledger import Book, Leg, Occasion, Reason
from market.ground.errors import Malformed, NotFound, OverLimit
from market.people import accounts, households
from market.people.households import Household
from market.reports import income, overview, scopes, sheets
from market.reports.income import By, Sold, Wanted
from market.reports.scopes import COUNTED, Scope, scope_for
from market.trade import orders, sales
from market.trade.placing import Item
from market.trade.sales import Return
from payments import refunds
from payments.records import of_order
from payments.refunds import Claim
from tests import build
from tests.world import BEGIN, COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, World

NOVEMBER = Scope(COUNTY, date(2026, 11, 1), date(2026, 11, 30))
YEAR = Scope(COUNTY, date(2025, 12, 1), date(2026, 11, 30))


async def sell(session: AsyncSession, world: World) -> None:
    """Wang sells 2 斤 of mutton (70.00) and 3 pumpkins (18.00), Zhao a box of pears (45.00)."""
    await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pumpkin, 3))
    await build.cash_order(session, world, Item(world.pear, 1))


async def refund(session: AsyncSession, world: World, no: str, amount_fen: int) -> None:
    officer = await accounts.viewer_of(session, world.officer)
    order = await orders.seen_by(session, await accounts.viewer_of(session, world.buyer), no)
    payment = (await session.exec(of_order(order.id or 0))).one()
    await refunds.request(session, payment.id, Claim(amount_fen, "坏了", officer.account_id), now=BEGIN)


async def pay_out(session: AsyncSession, household_id: int, amount_fen: int) -> None:
    legs = [
        Leg(Book.PAYABLE, -amount_fen, household_id=household_id, division_code=VILLAGE),
        Leg(Book.PAID_OUT, amount_fen),
    ]
    await ledger.post(session, Occasion(Reason.PAYOUT, COUNTY), legs, at=BEGIN + timedelta(days=3))


async def test_gross_refunded_net_and_paid_out_are_four_figures(session: AsyncSession, world: World) -> None:
    placed = await build.cash_order(session, world, Item(world.mutton, 2))
    await refund(session, world, placed.no, 1500)
    await pay_out(session, world.wang, 2000)
    rows = await income.figures(session, NOVEMBER, By.HOUSEHOLD)
    assert rows[0] == income.Figure(
        str(world.wang), "王样例", "梁家墕", 7000, 1500, 5500, 2000, 1, number="0001", standing="exited"
    )


async def test_households_without_sales_are_listed_with_zeros(session: AsyncSession, world: World) -> None:
    await sell(session, world)
    rows = await income.figures(session, NOVEMBER, By.HOUSEHOLD)
    assert [(row.name, row.net_fen) for row in rows] == [("王样例", 8800), ("赵样例", 4500), ("刘样例", 0)]
    silent = await income.figures(session, NOVEMBER, By.HOUSEHOLD, wanted=Wanted(sold=Sold.NONE))
    assert [row.name for row in silent] == ["刘样例"]


async def test_overview_counts_every_household(session: AsyncSession, world: World) -> None:
    await sell(session, world)
    seen = await overview.overview(session, NOVEMBER)
    assert seen.sums == overview.Sums(13300, 0, 13300, 0, 3)
    assert (seen.household_count, seen.silent_count, seen.seller_count) == (3, 1, 2)
    assert seen.median_net_fen == 4500
    assert [band.household_count for band in seen.bands] == [2, 0, 0, 0, 0, 0]


async def test_an_empty_place_has_no_median_and_no_rows(session: AsyncSession, world: World) -> None:
    nowhere = Scope("141102999", NOVEMBER.from_on, NOVEMBER.to_on)
    assert await income.figures(session, nowhere, By.HOUSEHOLD) == []
    assert (await overview.overview(session, nowhere)).median_net_fen == 0


@pytest.mark.parametrize("by", list(By))
async def test_every_grouping_sums_to_the_same(session: AsyncSession, world: World, by: By) -> None:
    placed = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pear, 1))
    await refund(session, world, placed.no, 3333)
    await pay_out(session, world.wang, 1000)
    whole = await income.whole(session, YEAR, by, wanted=Wanted())
    rows = await income.figures(session, YEAR, by)
    assert whole.sums == (await overview.overview(session, YEAR)).sums
    assert whole.count == len(rows)
    assert [row async for row in income.streamed(session, YEAR, by, wanted=Wanted())] == rows


@pytest.mark.parametrize("by", list(By))
@pytest.mark.parametrize("column", ["name", "place", *overview.Sums._fields])
async def test_every_grouping_sorts_by_every_column(session: AsyncSession, world: World, by: By, column: str) -> None:
    await sell(session, world)
    up = await income.figures(session, YEAR, by, wanted=Wanted(sort=column))
    down = await income.figures(session, YEAR, by, wanted=Wanted(sort=f"-{column}"))
    assert sorted(row.key for row in up) == sorted(row.key for row in down)
    if column in overview.Sums._fields:
        assert [getattr(row, column) for row in up] == sorted(getattr(row, column) for row in up)


async def test_months_without_sales_stand_with_zeros(session: AsyncSession, world: World) -> None:
    await sell(session, world)
    months = await overview.by_month(session, YEAR)
    assert (len(months), months[0], months[-1][1].net_fen) == (12, ("2025-12", overview.Sums(0, 0, 0, 0, 0)), 13300)
    assert [row.key for row in await income.figures(session, YEAR, By.MONTH)] == [key for key, _sums in months]


async def test_places_without_sales_are_listed(session: AsyncSession, world: World) -> None:
    await build.cash_order(session, world, Item(world.pear, 1))
    rows = await income.figures(session, NOVEMBER, By.VILLAGE)
    assert {(row.name, row.net_fen) for row in rows} == {("回龙塔", 4500), ("梁家墕", 0)}


async def test_a_place_inside_shows_only_itself(session: AsyncSession, world: World) -> None:
    await sell(session, world)
    there = Scope(OTHER_VILLAGE, NOVEMBER.from_on, NOVEMBER.to_on)
    assert [row.name for row in await income.figures(session, there, By.HOUSEHOLD)] == ["赵样例"]
    assert [row.key for row in await income.figures(session, there, By.VILLAGE)] == [OTHER_VILLAGE]
    assert (await overview.overview(session, there)).sums.net_fen == 4500


@pytest.mark.parametrize(
    ("by", "q", "found"),
    [
        (By.HOUSEHOLD, "王", ["王样例"]),
        (By.HOUSEHOLD, "0003", ["赵样例"]),
        (By.HOUSEHOLD, "梁家焉", ["王样例", "刘样例"]),
        (By.HOUSEHOLD, "huilong", ["赵样例"]),
        (By.HOUSEHOLD, "%", []),
        (By.VILLAGE, "ljy", ["梁家墕"]),
        (By.PRODUCE, "羊", ["羊肉"]),
        (By.MONTH, "2026-11", ["2026-11"]),
        (By.WORK_UNIT, "人社", []),
    ],
)
async def test_search_finds_names_numbers_and_places(
    session: AsyncSession, world: World, by: By, q: str, found: list[str]
) -> None:
    await sell(session, world)
    wanted = Wanted(q=q)
    rows = await income.figures(session, NOVEMBER, by, wanted=wanted)
    assert [row.name for row in rows] == found
    assert (await income.whole(session, NOVEMBER, by, wanted=wanted)).count == len(found)


async def test_standing_is_the_one_of_the_periods_last_day(session: AsyncSession, world: World) -> None:
    await sell(session, world)
    wang = await session.get_one(Household, world.wang)
    await households.set_standing(session, wang, "ordinary", from_on=date(2026, 11, 20))

    async def names(standing: str, to_on: date) -> set[str]:
        scope = Scope(COUNTY, date(2026, 10, 1), to_on, standing)
        return {row.name for row in await income.figures(session, scope, By.HOUSEHOLD)}

    assert await names("ordinary", date(2026, 11, 30)) == {"王样例"}
    assert await names(COUNTED, date(2026, 11, 30)) == {"刘样例", "赵样例"}
    counted = Scope(COUNTY, NOVEMBER.from_on, NOVEMBER.to_on, COUNTED)
    assert (await overview.overview(session, counted)).sums.net_fen == 4500
    assert await names(COUNTED, date(2026, 11, 10)) == {"王样例", "刘样例", "赵样例"}


async def test_a_household_that_moved_away_keeps_what_it_sold_here(session: AsyncSession, world: World) -> None:
    await sell(session, world)
    (await session.get_one(Household, world.wang)).division_code = OTHER_VILLAGE
    await session.flush()
    old_home = Scope(VILLAGE, NOVEMBER.from_on, NOVEMBER.to_on)
    rows = await income.figures(session, old_home, By.HOUSEHOLD)
    assert [(row.name, row.net_fen) for row in rows] == [("王样例", 8800), ("刘样例", 0)]


async def test_who_left_before_the_period_or_came_after_it_is_not_silent(session: AsyncSession, world: World) -> None:
    (await session.get_one(Household, world.liu)).left_on = date(2026, 11, 1)
    await session.flush()
    assert (await overview.overview(session, NOVEMBER)).household_count == 2
    before = Scope(COUNTY, date(2026, 9, 1), date(2026, 9, 30))
    assert (await overview.overview(session, before)).household_count == 0


async def test_an_officer_reads_nothing_outside_the_grant(session: AsyncSession, world: World) -> None:
    officer = await accounts.viewer_of(session, world.township_officer)
    first, last = NOVEMBER.from_on, NOVEMBER.to_on
    assert scope_for(officer, division="", from_on=first, to_on=last).division == "141102101"
    assert scope_for(officer, division=OTHER_VILLAGE, from_on=first, to_on=last).division == OTHER_VILLAGE
    for outside in (COUNTY, TOWNSHIP, VILLAGE, "14"):
        with pytest.raises(NotFound):
            scope_for(officer, division=outside, from_on=first, to_on=last)
    buyer = await accounts.viewer_of(session, world.buyer)
    with pytest.raises(NotFound):
        scope_for(buyer, division=None, from_on=first, to_on=last)
    with pytest.raises(Malformed):
        scope_for(officer, division="1411 OR 1=1", from_on=first, to_on=last)


async def test_months_must_make_sense(session: AsyncSession, world: World) -> None:
    officer = await accounts.viewer_of(session, world.officer)
    with pytest.raises(Malformed):
        scope_for(officer, division=None, from_on=date(2026, 11, 1), to_on=date(2026, 10, 1))
    with pytest.raises(OverLimit):
        scope_for(officer, division=None, from_on=date(2010, 1, 1), to_on=date(2026, 10, 1))


async def test_places_to_choose_from_are_those_inside(session: AsyncSession, world: World) -> None:
    officer = await accounts.viewer_of(session, world.officer)
    found = [place.code for place in await scopes.reachable(session, officer, VILLAGE)]
    assert found == [COUNTY, TOWNSHIP, VILLAGE, "141102101"]
    narrow = await accounts.viewer_of(session, world.township_officer)
    assert [p.code for p in await scopes.reachable(session, narrow, "141102101")] == ["141102101", OTHER_VILLAGE]


async def test_a_sheet_adds_up_to_the_households_row(session: AsyncSession, world: World) -> None:
    placed = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pumpkin, 3))
    await refund(session, world, placed.no, 4400)
    await pay_out(session, world.wang, 1000)
    row = (await income.figures(session, NOVEMBER, By.HOUSEHOLD))[0]
    days = {"from_on": NOVEMBER.from_on, "to_on": NOVEMBER.to_on}
    assert await sheets.sums(session, world.wang, **days) == row[3:8]
    lines = await sheets.lines(session, world.wang, from_on=NOVEMBER.from_on, to_on=NOVEMBER.to_on)
    assert (sum(line.gross_fen for line in lines), sum(line.refunded_fen for line in lines)) == (8800, 4400)
    assert {line.state for line in lines} == {"refunded"}
    assert {line.payment_id for line in lines} != {None}
    assert [paid.amount_fen for paid in await sheets.reached(session, world.wang, **days)] == [1000]


async def test_a_refund_of_an_earlier_sale_stands_in_its_own_month(session: AsyncSession, world: World) -> None:
    placed = await build.cash_order(session, world, Item(world.mutton, 2))
    order = await orders.lock(session, placed.id)
    payment = (await session.exec(of_order(placed.id))).one()
    later = BEGIN + timedelta(days=31)
    await sales.take_back(session, order, Return(payment.id, payment.id, 7000), now=later)
    december = Scope(COUNTY, date(2026, 12, 1), date(2026, 12, 31))
    row = (await income.figures(session, december, By.HOUSEHOLD, wanted=Wanted(sort="net_fen")))[0]
    assert (row.gross_fen, row.refunded_fen, row.net_fen) == (0, 7000, -7000)
    assert (await overview.overview(session, december)).silent_count == 3
    lines = await sheets.lines(session, world.wang, from_on=december.from_on, to_on=december.to_on)
    assert [line.state for line in lines] == ["earlier"]


@given(st.dates(date(2000, 1, 1), date(2190, 1, 1)), st.integers(0, 119))
def test_a_scopes_months_run_without_gaps(first: date, count: int) -> None:
    last = date(first.year + (first.month - 1 + count) // 12, (first.month - 1 + count) % 12 + 1, 1)
    months = scopes.months(Scope("14", first.replace(day=1), last))
    assert len(months) == count + 1
    assert all((b - a).days in range(28, 32) for a, b in pairwise(months))
    assert (months[0], months[-1]) == (first.replace(day=1), last)
