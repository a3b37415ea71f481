"""The desk's income page and its files, as an officer's browser sees them."""

import csv
import io

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from market.ground.audit import Trace
from market.ground.db import Database
from market.people.accounts import Account
from market.people.households import Household
from market.trade.placing import Item
from tests import build
from tests.client import Browser
from tests.world import OTHER_VILLAGE, TOWNSHIP, VILLAGE, World

NOVEMBER = "from=2026-11&to=2026-11"


@pytest.fixture
async def desk(client: Browser, database: Database, world: World) -> Browser:
    """An officer of the county, after a day on which Wang sold for 88.00 and Zhao for 45.00."""
    async with database.transaction() as session:
        await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pumpkin, 3))
        await build.cash_order(session, world, Item(world.pear, 1))
    await client.sign_in(world.officer)
    return client


def rows_of(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


async def test_the_desk_opens_with_the_income(desk: Browser) -> None:
    page = await desk.get("/desk")
    assert page.url.path == "/desk/income"
    assert page.status_code == 200


async def test_the_page_says_what_is_filtered_and_the_four_figures(desk: Browser) -> None:
    text = (await desk.get(f"/desk/income?{NOVEMBER}&standing=exited")).text
    assert "<strong>2026年11月</strong>，<strong>脱贫户</strong>" in text
    assert "离石区</strong>" in text
    assert text.count("¥133.00") >= 2
    for word in ("销售额", "已退款", "净销售额", "已到户", "没有销售的农户", "王样例", "刘样例", "赵样例"):
        assert word in text


async def test_a_phone_number_is_never_on_the_desk(desk: Browser, database: Database, world: World) -> None:
    async with database.transaction() as session:
        phones = [phone for phone in await session.exec(select(Account.phone)) if phone]
    for url in ("/desk/income", f"/desk/households/{world.wang}", "/desk/payments"):
        text = (await desk.get(url)).text
        assert not [phone for phone in phones if phone in text]


@pytest.mark.parametrize("by", ["household", "village", "township", "month", "produce", "unit"])
async def test_screen_and_files_are_the_same(desk: Browser, by: str) -> None:
    query = f"{NOVEMBER}&by={by}&sort=-gross_fen"
    shown = (await desk.get(f"/desk/income?{query}")).text
    read = rows_of((await desk.get(f"/desk/income.csv?{query}")).text)
    at = next(at for at, row in enumerate(read) if "净销售额" in row)
    net = read[at].index("净销售额")
    assert read[-1][net] == "133.00"
    for row in read[at + 1 : -1]:
        assert f"¥{row[net]}" in shown
    workbook = load_workbook(io.BytesIO((await desk.get(f"/desk/income.xlsx?{query}")).content))
    cells = [
        ["" if cell is None else cell for cell in row] for row in workbook.worksheets[0].iter_rows(values_only=True)
    ]
    assert [row[net] for row in cells[at + 1 :]] == [float(row[net]) for row in read[at + 1 :]]
    assert [row[0] for row in cells[at:]] == [row[0] for row in read[at:]]


async def test_the_file_names_place_period_filter_and_who_made_it(desk: Browser) -> None:
    read = rows_of((await desk.get(f"/desk/income.csv?{NOVEMBER}&division={VILLAGE}&q=王")).text)
    said = {row[0]: row[1] for row in read[1:8]}
    assert said["地方"].endswith("梁家墕")
    assert said["时间"] == "2026年11月"
    assert said["农户范围"] == "全部农户"
    assert "王" in said["表里列的"]
    assert said["生成人"] == "officer"
    assert said["生成时间"]
    assert [row[0] for row in read if "样例" in "".join(row)] == ["王样例"]


async def test_every_download_leaves_a_trace(desk: Browser, database: Database, world: World) -> None:
    await desk.get(f"/desk/income.xlsx?{NOVEMBER}")
    async with database.transaction() as session:
        traces = (await session.exec(select(Trace).where(Trace.act == "download"))).all()
    assert [(trace.account_id, trace.subject) for trace in traces] == [(world.officer, "income:141102")]


async def test_households_without_sales_are_one_tap_away(desk: Browser) -> None:
    text = (await desk.get(f"/desk/income?{NOVEMBER}&sold=none")).text
    assert "刘样例" in text
    assert "王样例" not in text


async def test_a_name_that_is_a_formula_stays_a_name(desk: Browser, database: Database, world: World) -> None:
    async with database.transaction() as session:
        (await session.get_one(Household, world.wang)).head_name = '=HYPERLINK("http://x")<i>'
    assert "<i>" not in (await desk.get("/desk/income")).text
    read = rows_of((await desk.get("/desk/income.csv")).text)
    assert any(row and row[0] == '\'=HYPERLINK("http://x")<i>' for row in read)


async def test_an_officer_of_a_township_sees_nothing_else(desk: Browser, world: World) -> None:
    await desk.sign_in(world.township_officer)
    text = (await desk.get(f"/desk/income?{NOVEMBER}")).text
    assert "赵样例" in text
    assert "王样例" not in text
    assert "¥133.00" not in text
    for code in ("141102", TOWNSHIP, VILLAGE, "14"):
        for address in ("income", "income.csv", "income.xlsx"):
            assert (await desk.get(f"/desk/{address}?division={code}")).status_code == 404
    assert (await desk.get(f"/desk/income?division={OTHER_VILLAGE}")).status_code == 200
    assert (await desk.get(f"/desk/households/{world.wang}")).status_code == 404


@pytest.mark.parametrize("who", ["buyer", "clerk", "agent", "wang_account", "organiser", "administrator"])
async def test_nobody_else_finds_the_desk(client: Browser, world: World, who: str) -> None:
    await client.sign_in(getattr(world, who))
    for url in ("/desk", "/desk/income", "/desk/income.csv", f"/desk/households/{world.wang}", "/desk/payments"):
        assert (await client.http.get(url)).status_code == 404


async def test_a_visitor_is_asked_to_sign_in(client: Browser) -> None:
    answer = await client.http.get("/desk/income?by=village")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/desk/income%3Fby%3Dvillage")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2026-13", 422),
        ("from=abc", 422),
        ("from=0001-01", 422),
        ("from=1990-01&to=2026-11", 422),
        ("from=2001-01&to=2026-11", 409),
        ("division=' OR 1=1", 422),
        ("division=141102999", 404),
        ("by=phone", 422),
        ("sort=phone", 422),
        ("page=0", 422),
        ("page=99999", 200),
        ("q=%25%27%22%3Cscript%3E", 200),
        ("standing=nobody", 200),
        ("from=2026-11&to=2026-01", 200),
        ("from=&to=&standing=&sold=&q=", 200),
    ],
)
async def test_odd_addresses_are_answered_kindly(desk: Browser, query: str, status: int) -> None:
    answer = await desk.get(f"/desk/income?{query}")
    assert answer.status_code == status
    assert "<script>" not in answer.text.partition("<main")[2]


async def test_an_unknown_kind_of_file_is_not_found(desk: Browser) -> None:
    assert (await desk.get("/desk/income.pdf")).status_code == 404


async def test_a_place_and_a_month_lead_inside(desk: Browser) -> None:
    villages = (await desk.get(f"/desk/income?{NOVEMBER}&by=village")).text
    assert f"division={VILLAGE}&amp;from=2026-11&amp;to=2026-11" in villages
    months = (await desk.get("/desk/income?by=month&from=2026-10&to=2026-11")).text
    assert "from=2026-11&amp;to=2026-11" in months


async def test_english_pages_carry_the_same_figures(desk: Browser) -> None:
    desk.http.cookies.set("lang", "en")
    text = (await desk.get(f"/desk/income?{NOVEMBER}&by=produce")).text
    assert "Mutton" in text
    assert "¥133.00" in text
