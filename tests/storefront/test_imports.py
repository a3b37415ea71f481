from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import Workbook
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground import places
from market.ground.places import Division, DivisionName
from market.people.households import Household, HouseholdStanding
from storefront import imports, reference, registers
from storefront.registers import HOUSEHOLD_COLUMNS
from tests.world import BEGIN, OTHER_VILLAGE, VILLAGE, World

NEXT_DAY = BEGIN + timedelta(days=1)
HEADING = ",".join(HOUSEHOLD_COLUMNS)


def write(folder: Path, *lines: str, encoding: str = "utf-8", name: str = "table.csv") -> Path:
    path = folder / name
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


async def homes(session: AsyncSession) -> dict[str, tuple[str, str, int]]:
    rows = await session.exec(select(Household))
    return {home.number: (home.head_name, home.division_code, home.people_count) for home in rows}


async def test_divisions_are_brought_in_once_and_found_by_alias_and_pinyin(
    session: AsyncSession, world: World, tmp_path: Path
) -> None:
    file = write(tmp_path, "code,name,aliases", "141102102,演示镇,", "141102102201,样沟,样儿沟 样家沟")
    first = await imports.import_divisions(session, file)
    assert (first.added, first.changed, first.same, first.applied) == (2, 0, 0, True)
    again = await imports.import_divisions(session, file)
    assert (again.added, again.changed, again.same) == (0, 0, 2)
    for text in ("样沟", "样家沟", "yanggou", "样儿"):
        assert [place.code for place in await session.exec(places.called(text))] == ["141102102201"]


async def test_a_renamed_place_keeps_its_old_name(session: AsyncSession, world: World) -> None:
    rows = [{"code": VILLAGE, "name": "新梁家墕"}]
    seen = await imports.import_divisions(session, rows, preview=True)
    assert (seen.changed, seen.applied) == (1, False)
    assert (await session.get_one(Division, VILLAGE)).name == "梁家墕"
    await imports.import_divisions(session, rows, on=NEXT_DAY.date())
    place = await session.get_one(Division, VILLAGE)
    assert (place.name, place.pinyin) == ("新梁家墕", "xinliangjiayan")
    old = await session.get_one(DivisionName, (VILLAGE, "梁家墕"))
    assert old.to_on == NEXT_DAY.date()


async def test_full_length_codes_are_the_same_places(session: AsyncSession, world: World) -> None:
    summary = await imports.import_divisions(session, [{"code": "141102000000", "name": "离石区"}])
    assert (summary.added, summary.same) == (0, 1)


async def test_a_file_of_divisions_with_bad_lines_changes_nothing(
    session: AsyncSession, world: World, tmp_path: Path
) -> None:
    before = len((await session.exec(select(Division))).all())
    file = write(
        tmp_path,
        "code,name",
        "141102102,演示镇",
        "12,",
        "x41102,坏",
        "990101001,无上级",
        "141102102,又一个",
        "141102103," + "长" * 61,
    )
    summary = await imports.import_divisions(session, file)
    assert not summary.applied
    assert [(problem.line, problem.reason) for problem in summary.problems] == [
        (3, "missing"), (4, "not_a_division_code"), (5, "unknown_parent"), (6, "twice"), (7, "too_long"),
    ]  # fmt: skip
    assert len((await session.exec(select(Division))).all()) == before
    assert "第 4 行 code x41102" in str(summary)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"code,name,population\n14,a,3", "unknown_column"),
        (b"code\n14", "missing"),
        (b"", "no_heading"),
        (b"\n\n14,a", "no_heading"),
        (b"PK\x03\x04 not a workbook", "not_a_table"),
        (b"\xff\xff\xff\x00\x81", "not_a_table"),
    ],
)
async def test_a_file_that_is_no_such_table_is_refused_in_a_sentence(
    session: AsyncSession, world: World, tmp_path: Path, content: bytes, reason: str
) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    summary = await imports.import_divisions(session, path)
    assert [(problem.line, problem.reason) for problem in summary.problems] == [(1, reason)]
    assert "第 1 行" in str(summary)


async def test_a_file_that_is_not_there(session: AsyncSession, world: World, tmp_path: Path) -> None:
    summary = await registers.import_households(session, tmp_path / "none.csv", now=BEGIN)
    assert [problem.reason for problem in summary.problems] == ["missing"]


async def test_households_come_changed_and_stay(session: AsyncSession, world: World, tmp_path: Path) -> None:
    file = write(
        tmp_path, f"序号,{HEADING},身份证号", f"1,0001,{VILLAGE},王样例,4,一般户,1423000000000000",
        f"2,0002,{VILLAGE},刘新样,2,exited,",
        f"3,0900,{OTHER_VILLAGE},冯样例,3,脱贫户,", "", encoding="gb18030",
    )  # fmt: skip
    was = await homes(session)
    seen = await registers.import_households(session, file, now=NEXT_DAY, preview=True)
    assert (seen.added, seen.changed, seen.same, seen.absent, seen.applied) == (1, 2, 0, 1, False)
    assert seen.ignored == ["序号", "身份证号"]
    assert await homes(session) == was
    done = await registers.import_households(session, file, now=NEXT_DAY)
    assert (done.added, done.changed, done.absent, done.applied) == (1, 2, 1, True)
    now = await homes(session)
    assert now["0002"] == ("刘新样", VILLAGE, 2)
    assert now["0900"] == ("冯样例", OTHER_VILLAGE, 3)
    assert now["0003"] == was["0003"]
    wang = (
        select(HouseholdStanding)
        .where(HouseholdStanding.household_id == world.wang)
        .order_by(col(HouseholdStanding.from_on))
    )
    standings = (await session.exec(wang)).all()
    assert [(row.standing_code, row.to_on) for row in standings] == [
        ("exited", standings[1].from_on), ("ordinary", None),
    ]  # fmt: skip
    again = await registers.import_households(session, file, now=NEXT_DAY)
    assert (again.added, again.changed, again.same) == (0, 0, 3)


async def test_a_standing_changed_twice_in_a_day_is_corrected(session: AsyncSession, world: World) -> None:
    def row(standing: str) -> list[dict[str, str]]:
        return [dict(zip(HOUSEHOLD_COLUMNS, ("0950", VILLAGE, "任样例", "2", standing), strict=True))]

    await registers.import_households(session, row("一般户"), now=BEGIN)
    await registers.import_households(session, row("脱贫户"), now=BEGIN + timedelta(hours=2))
    found = await session.exec(
        select(HouseholdStanding.standing_code)
        .join(Household, col(Household.id) == col(HouseholdStanding.household_id))
        .where(Household.number == "0950")
    )
    assert list(found) == ["exited"]


async def test_a_spreadsheet_with_numbers_for_codes(session: AsyncSession, world: World, tmp_path: Path) -> None:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append([*HOUSEHOLD_COLUMNS, None])
    sheet.append([1411020001, float(VILLAGE), "高样例", 3.0, "脱贫户"])
    book.save(tmp_path / "register.xlsx")
    summary = await registers.import_households(session, tmp_path / "register.xlsx", now=datetime.now(UTC))
    assert (summary.added, summary.problems) == (1, [])
    assert (await homes(session))["1411020001"] == ("高样例", VILLAGE, 3)


async def test_a_register_with_bad_lines_changes_nothing(session: AsyncSession, world: World, tmp_path: Path) -> None:
    was = await homes(session)
    file = write(
        tmp_path, HEADING, f"0801,{VILLAGE},甲样例,3,脱贫户", f"0801,{VILLAGE},乙样例,3,脱贫户",
        "0803,141102006999,丙样例,3,脱贫户",
        f"0804,{VILLAGE},丁样例,0,脱贫户", f"0805,{VILLAGE},戊样例,三,脱贫户", f"0806,{VILLAGE},己样例,3,贫困户",
        f"0807,{VILLAGE},,3,脱贫户", f"{'9' * 33},{VILLAGE},庚样例,3,脱贫户",
    )  # fmt: skip
    summary = await registers.import_households(session, file, now=BEGIN)
    assert [(problem.line, problem.reason) for problem in summary.problems] == [
        (3, "twice"), (4, "unknown_village"), (5, "not_a_head_count"), (6, "not_a_head_count"),
        (7, "unknown_standing"), (8, "missing"), (9, "too_long"),
    ]  # fmt: skip
    assert not summary.applied
    assert await homes(session) == was


async def test_reference_data_is_brought_in_over_what_is_there(session: AsyncSession, world: World) -> None:
    await reference.bring(session)
    await reference.bring(session)
    townships = (await session.exec(places.below("141102", places.Level.TOWNSHIP))).all()
    villages = (await session.exec(places.below("141102", places.Level.VILLAGE))).all()
    assert len(townships) == 11
    assert len(villages) >= 16
    assert [place.code for place in await session.exec(places.called("梁家焉"))] == [VILLAGE]
    assert {place.code for place in await session.exec(places.called("王营庄"))} == {"141102101210", "141102101211"}
