"""Listings over the API: what everyone may read, what households and agents may change."""

from tests.storefront.api.conftest import Programs
from tests.world import COUNTY, OTHER_VILLAGE, VILLAGE, World

MILLET = {"produce": "millet", "measure": "bag", "price_fen": 4200, "quantity": 8, "grams_each": 2500}


async def test_anyone_may_read_what_is_on_sale(api: Programs, world: World) -> None:
    found = await (await api(None)).get("/listings")
    assert found.status_code == 200
    items = found.json()["items"]
    assert {item["id"] for item in items} == {world.mutton, world.pumpkin, world.millet, world.pear, world.last_leg}
    mutton = next(item for item in items if item["id"] == world.mutton)
    assert (mutton["produce"], mutton["measure"], mutton["price_fen"], mutton["left"]) == ("mutton", "jin", 3500, 60)
    assert (mutton["jin_fen"], mutton["kg_fen"], mutton["grower"], mutton["village"]) == (3500, 7000, "王某", "梁家墕")
    assert not {"household_id", "head_name", "phone"} & mutton.keys()


async def test_listings_are_searched_filtered_and_sorted(api: Programs, world: World) -> None:
    program = await api(None)

    async def ids(**asked: object) -> list[int]:
        return [item["id"] for item in (await program.get("/listings", **asked)).json()["items"]]

    assert await ids(q="南瓜") == [world.pumpkin]
    assert await ids(q="nangua") == [world.pumpkin]
    assert set(await ids(q="梁家焉")) == {world.mutton, world.pumpkin, world.millet, world.last_leg}
    assert await ids(produce="pear") == [world.pear]
    assert await ids(division=OTHER_VILLAGE) == [world.pear]
    assert await ids(division=f"{COUNTY}000000", sort="price") == [
        world.pumpkin, world.mutton, world.millet, world.pear, world.last_leg,
    ]  # fmt: skip
    assert await ids(min_fen=4000, max_fen=4500, sort="-price") == [world.pear, world.millet]
    assert await ids(q="", produce="", division="", min_fen="", max_fen="", sort="", cursor="", limit="") != []
    assert await ids(division="1101") == []


async def test_pages_follow_each_other_without_gap_or_repeat(api: Programs, world: World) -> None:
    program = await api(None)
    whole = {world.mutton, world.pumpkin, world.millet, world.pear, world.last_leg}
    for sort in ("new", "price", "-price"):
        seen: list[int] = []
        sizes: list[int] = []
        cursor = ""
        while not sizes or cursor:
            page = (await program.get("/listings", sort=sort, limit=2, cursor=cursor)).json()
            seen += [item["id"] for item in page["items"]]
            sizes.append(len(page["items"]))
            cursor = page["next"] or ""
        assert sizes == [2, 2, 1]
        assert sorted(seen) == sorted(whole)


async def test_one_listing_is_shown_and_a_strange_id_is_not_found(api: Programs, world: World) -> None:
    program = await api(None)
    assert (await program.get(f"/listings/{world.pear}")).json()["title"] == "玉露香梨"
    missing = await program.get("/listings/999999")
    assert (missing.status_code, missing.json()["error"]) == (404, "NotFound")
    assert missing.json()["detail"] == {"what": "listing", "key": "999999"}


async def test_a_household_lists_and_everyone_sees_it(api: Programs, world: World) -> None:
    made = await (await api(world.wang_account)).post("/listings", {**MILLET, "title": "新小米", "note": "今年的"})
    assert made.status_code == 201, made.text
    assert (made.json()["left"], made.json()["title"], made.json()["division"]) == (8, "新小米", VILLAGE)
    assert made.json()["jin_fen"] == 840
    first = (await (await api(None)).get("/listings")).json()["items"][0]
    assert first == made.json()


async def test_an_agent_lists_for_a_household_of_the_station_only(api: Programs, world: World) -> None:
    agent = await api(world.agent)
    assert (await agent.post("/listings", {**MILLET, "household_id": world.liu})).status_code == 201
    foreign = await agent.post("/listings", {**MILLET, "household_id": world.zhao})
    assert (foreign.status_code, foreign.json()["detail"]["what"]) == (404, "household")
    unsaid = await agent.post("/listings", MILLET)
    assert (unsaid.status_code, unsaid.json()["detail"]["field"]) == (422, "household_id")


async def test_a_buyer_and_an_officer_sell_nothing(api: Programs, world: World) -> None:
    for account in (world.buyer, world.officer):
        program = await api(account)
        assert (await program.post("/listings", {**MILLET, "household_id": world.wang})).status_code == 404
        assert (await program.patch(f"/listings/{world.mutton}", {"price_fen": 1000})).status_code == 404
        assert (await program.post(f"/listings/{world.mutton}/withdrawal")).status_code == 404


MALFORMED: list[tuple[dict[str, object], str, str]] = [
    ({"price_fen": 0}, "price", "not_positive"),
    ({"price_fen": -5}, "price", "not_positive"),
    ({"price_fen": 10}, "price", "far_too_low"),
    ({"price_fen": 999_999_999}, "price", "far_too_high"),
    ({"price_fen": "4200"}, "price_fen", "not_a_number"),
    ({"price_fen": 42.5}, "price_fen", "not_a_number"),
    ({"price_fen": 2**63}, "price_fen", "out_of_range"),
    ({"price_fen": True}, "price_fen", "not_a_number"),
    ({"quantity": 0}, "quantity", "not_positive"),
    ({"quantity": 100_000}, "quantity", "far_too_many"),
    ({"quantity": 2**31}, "quantity", "out_of_range"),
    ({"measure": "stone"}, "measure", "choose_one"),
    ({"measure": "head"}, "measure", "wrong_measure"),
    ({"produce": "gold"}, "produce", "unknown_produce"),
    ({"produce": "a\x00b"}, "produce", "not_text"),
    ({"title": "长" * 31}, "title", "too_large"),
    ({"note": "a\x00"}, "note", "not_text"),
    ({"grams_each": None}, "grams_each", "missing"),
    ({"grams_each": -1}, "grams_each", "impossible"),
    ({"household_id": 0}, "household_id", "too_small"),
]


async def test_a_malformed_listing_names_its_field(api: Programs, world: World) -> None:
    wang = await api(world.wang_account)
    for change, field, problem in MALFORMED:
        answer = await wang.post("/listings", MILLET | change)
        assert (answer.status_code, answer.json()["error"]) == (422, "Malformed"), change
        assert (answer.json()["detail"]["field"], answer.json()["detail"]["problem"]) == (field, problem), change
        assert answer.json()["message"]


async def test_price_and_stock_change_together_or_not_at_all(api: Programs, world: World) -> None:
    program, path = await api(world.wang_account), f"/listings/{world.mutton}"
    changed = await program.patch(path, {"price_fen": 3600, "left": 12})
    assert (changed.status_code, changed.json()["price_fen"], changed.json()["left"]) == (200, 3600, 12)
    assert (await program.patch(path, {"quantity": 9})).json()["left"] == 9
    assert (await program.patch(path, {"price_fen": 3700, "left": 99_999})).status_code == 422
    assert (await program.get(path)).json()["price_fen"] == 3600
    assert (await program.patch(path, {})).status_code == 422
    assert (await program.patch(f"/listings/{world.pear}", {"left": 1})).status_code == 404


async def test_a_withdrawn_listing_leaves_the_shop(api: Programs, world: World) -> None:
    program = await api(world.wang_account)
    gone = await program.post(f"/listings/{world.pumpkin}/withdrawal")
    assert (gone.status_code, gone.json()["state"], gone.json()["left"]) == (200, "withdrawn", 0)
    assert (await program.post(f"/listings/{world.pumpkin}/withdrawal")).status_code == 200
    assert (await program.get("/listings", q="南瓜")).json() == {"items": [], "next": None}
    refused = await program.patch(f"/listings/{world.pumpkin}", {"left": 5})
    assert (refused.status_code, refused.json()["error"]) == (409, "NotMovable")
    assert (await program.post(f"/listings/{world.pear}/withdrawal")).status_code == 404
