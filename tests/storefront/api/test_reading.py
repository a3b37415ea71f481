"""What a program reads before it can order: places, stops, produce, and who it is."""

from datetime import UTC, datetime

from market.delivery.stops import Stop
from market.ground.db import Database
from tests.storefront.api.conftest import Programs
from tests.world import COUNTY, OTHER_VILLAGE, TOWNSHIP, VILLAGE, World


async def test_places_are_found_by_name_alias_pinyin_and_place(api: Programs) -> None:
    program = await api(None)

    async def codes(**asked: object) -> list[str]:
        return [place["code"] for place in (await program.get("/divisions", **asked)).json()["items"]]

    for text in ("梁家墕", "梁家焉", "liangjiayan", "ljy"):
        assert await codes(q=text) == [VILLAGE]
    assert await codes(within=TOWNSHIP) == [TOWNSHIP, VILLAGE]
    assert await codes(q="h", within="141102101") == [OTHER_VILLAGE]
    shown = (await program.get("/divisions", q="离石区")).json()["items"][0]
    assert shown == {"code": COUNTY, "name": "离石区", "pinyin": "lishiqu", "level": "county"}
    for wrong in ({"within": "abc"}, {"cursor": "x"}, {"q": "\x00"}, {"limit": 0}):
        assert (await program.get("/divisions", **wrong)).status_code == 422


async def test_places_come_in_pages(api: Programs) -> None:
    program, seen, cursor, pages = await api(None), [], "", 0
    while pages == 0 or cursor:
        page = (await program.get("/divisions", limit=3, cursor=cursor)).json()
        seen += [place["code"] for place in page["items"]]
        cursor, pages = page["next"] or "", pages + 1
    assert (pages, seen) == (3, sorted(seen))
    assert len(seen) == len(set(seen)) == 7


async def test_stops_say_when_the_next_handover_is(api: Programs, database: Database, world: World) -> None:
    program = await api(None)
    stop = (await program.get("/stops", division=COUNTY)).json()["items"][0]
    assert (stop["id"], stop["name"], stop["handover_from"]) == (world.stop, "人社局门口", "10:00:00")
    assert datetime.fromisoformat(stop["cutoff_at"]) > datetime.now(UTC)
    assert datetime.fromisoformat(stop["handover_on"]).weekday() == 4
    assert (await program.get("/stops", division="1101")).json() == {"items": [], "next": None}
    async with database.transaction() as session:
        (await session.get_one(Stop, world.stop)).closed_on = datetime.now(UTC).date()
    assert (await program.get("/stops")).json()["items"] == []


async def test_the_catalogue_says_how_each_produce_is_counted(api: Programs) -> None:
    items = (await (await api(None)).get("/produce")).json()["items"]
    assert [item["code"] for item in items] == ["mutton", "pumpkin", "millet", "pear"]
    assert {row["measure"] for row in items[0]["measures"]} == {"jin", "kg", "head"}
    assert items[2]["measures"][0]["pack_grams_choices"] == [2500, 5000]
    assert items[1]["season_months"] == [10, 11]


async def test_a_token_says_whom_it_speaks_for(api: Programs, world: World) -> None:
    agent = (await (await api(world.agent)).get("/me")).json()
    assert agent["grants"][0]["role"] == "agent"
    assert [home["id"] for home in agent["households"]] == [world.wang, world.liu]
    assert agent["phone"] == "199****0002"
    clerk = (await (await api(world.clerk)).get("/me")).json()
    assert clerk["wallets"] == ["personal", "canteen", "union"]
    assert [unit["id"] for unit in clerk["work_units"]] == [world.work_unit]
