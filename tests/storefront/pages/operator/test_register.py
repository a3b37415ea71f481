"""The register as a file, and villages given to stations."""

import os
import time
from collections.abc import Awaitable, Callable
from io import BytesIO

from httpx import Response
from openpyxl import Workbook
from sqlmodel import col, select

from market.ground.audit import Trace
from market.ground.db import Database
from market.people.households import Household
from storefront.registers import HOUSEHOLD_COLUMNS
from tests.client import Browser
from tests.storefront.pages.operator.conftest import said
from tests.world import OTHER_VILLAGE, TOWNSHIP, VILLAGE, World

HEADING = ",".join(HOUSEHOLD_COLUMNS)


async def send(browser: Browser, content: bytes, name: str = "register.csv") -> Response:
    return await browser.post("/operator/imports", files={"file": (name, content)})


def table(*lines: str) -> bytes:
    return "\n".join([HEADING, *lines]).encode()


async def homes(database: Database) -> dict[str, tuple[str, int | None]]:
    async with database.transaction() as session:
        return {home.number: (home.head_name, home.station_id) for home in await session.exec(select(Household))}


async def test_a_file_is_looked_at_and_then_taken_once(operator: Browser, database: Database, world: World) -> None:
    was = await homes(database)
    lines = (
        f"0001,{VILLAGE},王样例,5,一般户",
        f"0900,{VILLAGE},冯样例,3,脱贫户",
        f"0901,{OTHER_VILLAGE},韩样例,3,脱贫户",
    )
    answer = await send(operator, table(*lines))
    here = answer.headers["location"]
    seen = said(await operator.get(here))
    for words in ("现在还什么都没有改", "人口： 3 → 5", "类型： 脱贫户 → 一般户", "导入 3 户"):
        assert words in seen
    assert await homes(database) == was
    for _twice in range(2):
        assert (await operator.post(f"{here}/application")).headers["location"] == "/operator/households"
    assert "新增 0，改动 0，没有变化 3" in said(await operator.get("/operator/households"))
    now = await homes(database)
    assert len(now) == len(was) + 2
    # Liangjiayan belongs whole to one station, so its new household does too; Huilongta belongs to none.
    assert (now["0900"], now["0901"]) == (("冯样例", world.station), ("韩样例", None))
    assert "没有要改的" in said(await operator.get(here))
    async with database.transaction() as session:
        traces = (await session.exec(select(Trace).where(Trace.act == "import").order_by(col(Trace.id)))).all()
    assert {trace.account_id for trace in traces} == {world.administrator}
    assert [trace.note for trace in traces if trace.subject == "register"] == ["+2 ~1 =0", "+0 ~0 =3"]


async def test_every_bad_line_is_named_and_nothing_is_taken(operator: Browser, database: Database) -> None:
    was = await homes(database)
    bad = [f"7{n:03},{VILLAGE},样{n},0,脱贫户" for n in range(60)]
    here = (await send(operator, table(f"0900,{VILLAGE},冯样例,3,脱贫户", *bad))).headers["location"]
    first = await operator.get(here)
    assert "有 60 处要改，什么都没有导入" in said(first)
    assert "第 3 行" in said(first)
    assert "第 62 行" in said(await operator.get(here, params={"page": 2}))
    assert (await operator.post(f"{here}/application")).headers["location"] == here
    assert await homes(database) == was


async def test_a_spreadsheet_works_and_what_is_no_table_is_said(operator: Browser) -> None:
    book, file = Workbook(), BytesIO()
    book.worksheets[0].append([*HOUSEHOLD_COLUMNS, "身份证号"])
    book.worksheets[0].append(["0900", int(VILLAGE), "冯样例", 3, "脱贫户", "x"])
    book.save(file)
    answer = await send(operator, file.getvalue(), "register.xlsx")
    seen = said(await operator.get(answer.headers["location"]))
    assert "导入 1 户" in seen
    assert "没有读取的列：身份证号" in seen
    for content in (b"PK\x03\x04 no workbook", b"\xff\xff\x00\x81", b'a,"' + b"x" * 200_000):
        page = said(await operator.get((await send(operator, content)).headers["location"]))
        assert "什么都没有导入" in page, content[:9]


async def test_no_file_and_too_large_a_file(operator: Browser) -> None:
    assert "请选一个 CSV 或 XLSX 文件" in said(await operator.post("/operator/imports"))
    assert "请选一个 CSV 或 XLSX 文件" in said(await send(operator, b""))
    answer = await send(operator, b"0" * (12 * 1024 * 1024 + 1))
    assert (answer.status_code, "太大了" in said(answer)) == (422, True)


async def test_a_file_is_its_senders_and_is_gone_after_an_hour(
    operator: Browser, stranger: Callable[[], Awaitable[Browser]]
) -> None:
    here = (await send(operator, table(f"0900,{VILLAGE},冯样例,3,脱贫户"))).headers["location"]
    other = await stranger()
    assert (await other.http.get(here)).headers["location"] == "/operator/imports/new"
    assert (await other.post(f"{here}/application")).headers["location"] == "/operator/imports/new"
    (kept,) = (operator.state.settings.var / "imports").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    hour_ago = time.time() - 3700
    os.utime(kept, (hour_ago, hour_ago))
    assert "请再选一次文件" in said(await operator.get(here))
    assert not kept.exists()
    for odd in ("x", "..", "0" * 32):
        assert (await operator.http.get(f"/operator/imports/{odd}")).status_code in {303, 307, 404}


async def test_a_register_of_another_county_is_refused(
    stranger: Callable[[], Awaitable[Browser]], database: Database
) -> None:
    other, was = await stranger(), await homes(database)
    lines = (f"0001,{VILLAGE},改名,5,一般户", f"0900,{VILLAGE},冯样例,3,脱贫户")
    here = (await send(other, table(*lines))).headers["location"]
    assert "不在您管的地方" in said(await other.get(here))
    await other.post(f"{here}/application")
    assert await homes(database) == was


async def test_villages_are_given_to_a_station(operator: Browser, database: Database, world: World) -> None:
    assert "梁家墕" in said(await operator.get("/operator/villages", params={"township": TOWNSHIP}))
    form = {"township": "141102101", "station_id": str(world.station), f"village-{OTHER_VILLAGE}": "1"}
    for _twice in range(2):
        assert (await operator.post("/operator/villages/assignments", form)).status_code == 303
    assert (await homes(database))["0003"][1] == world.station
    agent = operator.another()
    await agent.sign_in(world.agent)
    assert "赵样例" in said(await agent.get("/village"))
    assert (await operator.post("/operator/villages/assignments", form | {"station_id": "none"})).status_code == 303
    assert (await homes(database))["0003"][1] is None
    async with database.transaction() as session:
        traces = (await session.exec(select(Trace).where(Trace.act == "assign_village"))).all()
    assert [(trace.subject, trace.account_id) for trace in traces] == [
        (f"village:{OTHER_VILLAGE}", world.administrator)
    ] * 2


async def test_villages_chosen_wrongly(
    operator: Browser, stranger: Callable[[], Awaitable[Browser]], database: Database, world: World
) -> None:
    was = await homes(database)
    form = {"township": "141102101", "station_id": str(world.station), f"village-{OTHER_VILLAGE}": "1"}
    wrong = [
        ({"township": TOWNSHIP}, "请至少选一个村"),
        ({"station_id": ""}, "请选一个"),
        ({"station_id": "9"}, "请选一个"),
    ]
    for change, sentence in wrong:
        answer = await operator.post("/operator/villages/assignments", form | change)
        assert (answer.status_code, sentence in said(answer)) == (422, True), change
    for odd in ("990101001", "14", "x"):
        assert (await operator.get("/operator/villages", params={"township": odd})).status_code == 404
    other = await stranger()
    assert (await other.post("/operator/villages/assignments", form)).status_code == 404
    assert "还没有乡镇" in said(await other.get("/operator/villages"))
    assert await homes(database) == was
