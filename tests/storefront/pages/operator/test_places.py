"""Stations, work units and stops: added, changed, refused kindly, and never outside the division."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from market.delivery.stops import Stop
from market.ground.audit import Trace
from market.ground.db import Database
from market.people.stations import Station
from market.people.units import WorkUnit
from tests.client import Browser
from tests.storefront.pages.operator.conftest import OTHER_COUNTY, said
from tests.world import COUNTY, TOWNSHIP, VILLAGE, World

STATION = {"name": "样例服务站", "place": VILLAGE, "phone": "0358-8220000"}
UNIT = {"name": "离石区样例学校", "short_name": "样例学校", "place": TOWNSHIP}
STOP = {
    "name": "样例门口", "place": COUNTY, "address": "样例路 1 号", "work_unit_id": "", "cutoff_weekday": "3",
    "cutoff_time": "18:00", "handover_weekday": "5", "handover_from": "9:30", "handover_to": "11:00",
}  # fmt: skip
FORMS: list[tuple[str, dict[str, str]]] = [("stations", STATION), ("units", UNIT), ("stops", STOP)]
TABLES: dict[str, type[SQLModel]] = {"stations": Station, "units": WorkUnit, "stops": Stop}


async def named(database: Database, table: type[SQLModel], name: str) -> list[Any]:
    async with database.transaction() as session:
        return list(await session.exec(select(table).where(table.name == name)))  # type: ignore[attr-defined]


@pytest.mark.parametrize(("noun", "form"), FORMS)
async def test_added_once_and_the_second_time_refused_kindly(
    operator: Browser, database: Database, noun: str, form: dict[str, str]
) -> None:
    assert (await operator.post(f"/operator/{noun}", form)).status_code == 303
    again = await operator.post(f"/operator/{noun}", form)
    assert again.status_code == 422
    assert "已经有同名的" in said(again)
    assert form["name"] in said(await operator.get(f"/operator/{noun}"))
    (made,) = await named(database, TABLES[noun], form["name"])
    assert made.division_code == form["place"]
    assert (await operator.get(f"/operator/{noun}/{made.id}")).status_code == 200
    async with database.transaction() as session:
        traces = (await session.exec(select(Trace.act, Trace.note))).all()
    assert len([act for act, _note in traces if act.startswith("add_")]) == 1


@pytest.mark.parametrize(
    ("noun", "form", "sentence"),
    [
        ("stations", STATION | {"name": ""}, "请填写这一项"),
        ("stations", STATION | {"place": "990101"}, "请选一个"),
        ("stations", STATION | {"phone": "打给我"}, "请填电话号码"),
        ("units", UNIT | {"short_name": " "}, "请填写这一项"),
        ("units", UNIT | {"place": ""}, "请选一个"),
        ("stops", STOP | {"handover_to": "09:30"}, "结束的时间要比开始的晚"),
        ("stops", STOP | {"cutoff_time": "25:00"}, "请填时间"),
        ("stops", STOP | {"handover_from": ""}, "请填写这一项"),
        ("stops", STOP | {"handover_weekday": "7"}, "请选一个"),
        ("stops", STOP | {"work_unit_id": "999"}, "请选一个"),
        ("stops", STOP | {"work_unit_id": "²"}, "请选一个"),
        ("stops", STOP | {"address": ""}, "请填写这一项"),
    ],
)
async def test_wrong_input_is_asked_again(
    operator: Browser, database: Database, noun: str, form: dict[str, str], sentence: str
) -> None:
    answer = await operator.post(f"/operator/{noun}", form)
    assert answer.status_code == 422
    assert sentence in said(answer)
    for table in TABLES.values():
        assert await named(database, table, form["name"]) == []


async def test_a_station_and_a_unit_get_other_names(operator: Browser, database: Database, world: World) -> None:
    change = {"name": "交口新服务站", "phone": "13900000000"}
    assert (await operator.post(f"/operator/stations/{world.station}", change)).status_code == 303
    names = {"name": "离石区新人社局", "short_name": "新人社"}
    assert (await operator.post(f"/operator/units/{world.work_unit}", names)).status_code == 303
    assert (await operator.post(f"/operator/units/{world.work_unit}", names)).status_code == 303
    await operator.post("/operator/stations", STATION | {"place": TOWNSHIP})
    taken = await operator.post(f"/operator/stations/{world.station}", change | {"name": STATION["name"]})
    assert (taken.status_code, "已经有同名的" in said(taken)) == (422, True)
    async with database.transaction() as session:
        station = await session.get_one(Station, world.station)
        unit = await session.get_one(WorkUnit, world.work_unit)
        assert (station.name, station.phone, unit.short_name) == ("交口新服务站", "13900000000", "新人社")
        acts = list(await session.exec(select(Trace.act)))
    assert acts.count("rename_work_unit") == 1


async def test_a_stop_is_read_as_buyers_will_and_closed_and_opened(
    operator: Browser, database: Database, world: World
) -> None:
    here = f"/operator/stops/{world.stop}"
    assert "（周五）上午10:00–11:30来取" in said(await operator.get(here))
    change = STOP | {"name": "人社局南门", "work_unit_id": str(world.work_unit)}
    assert (await operator.post(here, change)).status_code == 303
    assert "（周六）上午9:30–11:00来取" in said(await operator.get("/operator/stops"))
    wrong = await operator.post(here, change | {"handover_to": "8:00"})
    assert (wrong.status_code, "结束的时间要比开始的晚" in said(wrong)) == (422, True)
    for path, closed in (("closure", True), ("closure", True), ("reopening", False), ("reopening", False)):
        assert (await operator.post(f"{here}/{path}")).status_code == 303
        async with database.transaction() as session:
            assert ((await session.get_one(Stop, world.stop)).closed_on is not None) is closed
        assert ("停用了" in said(await operator.get("/operator/stops"))) is closed
    async with database.transaction() as session:
        acts = list(await session.exec(select(Trace.act).where(Trace.subject == f"stop:{world.stop}")))
    assert sorted(acts) == ["change_stop", "close_stop", "reopen_stop"]


async def test_places_of_another_county_are_not_there(
    stranger: Callable[[], Awaitable[Browser]], database: Database, world: World
) -> None:
    other = await stranger()
    ids = {"stations": world.station, "units": world.work_unit, "stops": world.stop}
    for noun, form in FORMS:
        assert "还没有" in said(await other.get(f"/operator/{noun}"))
        assert (await other.get(f"/operator/{noun}/{ids[noun]}")).status_code == 404
        assert (await other.post(f"/operator/{noun}/{ids[noun]}", form)).status_code == 404
        assert (await other.post(f"/operator/{noun}", form)).status_code == 422
    for act in ("closure", "reopening"):
        assert (await other.post(f"/operator/stops/{world.stop}/{act}")).status_code == 404
    theirs = STOP | {"place": OTHER_COUNTY}
    assert (await other.post("/operator/stops", theirs | {"work_unit_id": str(world.work_unit)})).status_code == 422
    assert (await other.post("/operator/stops", theirs)).status_code == 303
