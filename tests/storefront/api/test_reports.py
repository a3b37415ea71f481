"""The bureau's report over the API: the pages' figures, inside the caller's division."""

import csv
import io
from datetime import UTC, datetime

from openpyxl import load_workbook

from market.ground.clock import day_of
from tests.storefront.api.conftest import Programs
from tests.storefront.api.test_payments import paid_in_cash
from tests.world import COUNTY, OTHER_VILLAGE, VILLAGE, World

FIGURES = ("gross_fen", "refunded_fen", "net_fen", "paid_out_fen")
MONTH = f"{day_of(datetime.now(UTC)):%Y-%m}"


async def test_figures_per_household_place_month_produce_and_unit(api: Programs, world: World) -> None:
    payment = await paid_in_cash(api, world, (world.mutton, 2), (world.pear, 1))
    officer = await api(world.officer)
    await officer.post(f"/payments/{payment['id']}/refunds", {"amount_fen": 1150, "reason": "少了一点"})
    report = (await officer.get("/reports/income", **{"from": MONTH, "to": MONTH, "division": COUNTY})).json()
    assert (report["division"], report["from"], report["to"], report["by"]) == (COUNTY, MONTH, MONTH, "household")
    assert report["sums"] == {
        "gross_fen": 11500, "refunded_fen": 1150, "net_fen": 10350, "paid_out_fen": 0, "line_count": 2,
    }  # fmt: skip
    columns = ("key", "name", "gross_fen", "refunded_fen", "net_fen")
    assert [tuple(row[name] for name in columns) for row in report["items"]] == [
        (str(world.wang), "王样例", 7000, 700, 6300),
        (str(world.zhao), "赵样例", 4500, 450, 4050),
        (str(world.liu), "刘样例", 0, 0, 0),
    ]
    keys = {
        "village": {VILLAGE, OTHER_VILLAGE}, "township": {"141102006", "141102101"}, "county": {COUNTY},
        "month": {MONTH}, "produce": {"mutton", "pear"},
    }  # fmt: skip
    for by, expected in keys.items():
        rows = (await officer.get("/reports/income", **{"by": by, "from": MONTH, "to": MONTH})).json()
        assert {row["key"] for row in rows["items"]} == expected
        assert sum(row["net_fen"] for row in rows["items"]) == rows["sums"]["net_fen"] == 10350
    by_unit = (await officer.get("/reports/income", by="unit")).json()
    assert by_unit["sums"]["gross_fen"] == 11500


async def test_three_pages_of_the_report(api: Programs, world: World) -> None:
    officer, seen, cursor, pages = await api(world.officer), [], "", 0
    while pages == 0 or cursor:
        page = (await officer.get("/reports/income", limit=1, cursor=cursor)).json()
        seen += [row["key"] for row in page["items"]]
        cursor, pages = page["next"] or "", pages + 1
    assert pages == page["row_count"] == 3
    assert sorted(seen) == sorted(str(home) for home in (world.wang, world.liu, world.zhao))


async def test_the_files_hold_the_same_figures(api: Programs, world: World) -> None:
    await paid_in_cash(api, world, (world.mutton, 2), (world.pear, 1))
    officer = await api(world.officer)
    rows = (await officer.get("/reports/income", by="household")).json()["items"]
    csv_file = await officer.get("/reports/income", by="household", format="csv")
    assert (csv_file.status_code, csv_file.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    table = list(csv.reader(io.StringIO(csv_file.content.decode("utf-8-sig"))))
    found = {line[0]: line[4:] for line in table if len(line) == 9}
    for row in rows:
        assert found[row["name"]] == [*(f"{row[name] / 100:.2f}" for name in FIGURES), str(row["line_count"])]
    xlsx_file = await officer.get("/reports/income", by="household", format="xlsx")
    assert xlsx_file.status_code == 200
    sheet = load_workbook(io.BytesIO(xlsx_file.content)).worksheets[0]
    values = {line[0]: line[4:] for line in sheet.iter_rows(values_only=True)}
    for row in rows:
        assert values[row["name"]] == (*(row[name] / 100 for name in FIGURES), row["line_count"])
    for kind in ("csv", "xlsx"):
        assert (await (await api(world.buyer)).get("/reports/income", format=kind)).status_code == 404


async def test_nobody_reads_outside_the_own_division(api: Programs, world: World) -> None:
    township = await api(world.township_officer)
    own = (await township.get("/reports/income")).json()
    assert [row["key"] for row in own["items"]] == [str(world.zhao)]
    for outside in (COUNTY, VILLAGE, "14", "999999"):
        assert (await township.get("/reports/income", division=outside)).status_code == 404
    for other in (world.buyer, world.wang_account, world.agent, world.clerk, world.administrator):
        assert (await (await api(other)).get("/reports/income")).status_code == 404


async def test_malformed_questions(api: Programs, world: World) -> None:
    officer = await api(world.officer)
    wrong_ones: list[dict[str, str]] = [
        {"from": "2026-13"}, {"from": "2026"}, {"from": "0000-01"}, {"to": "2026-1"}, {"to": "2999-01"},
        {"from": "2026-03", "to": "2026-02"}, {"by": "moon"}, {"format": "pdf"}, {"division": "abc"}, {"sort": "money"},
        {"cursor": "-1"}, {"cursor": "9" * 30}, {"limit": "1001"}, {"q": "\x00"}, {"standing": "\x00"}, {"sold": "all"},
    ]  # fmt: skip
    for wrong in wrong_ones:
        answer = await officer.get("/reports/income", **wrong)
        assert (answer.status_code, answer.json()["error"]) == (422, "Malformed"), wrong
