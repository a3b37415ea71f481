"""Orders over the API: placing, reading, taking back."""

from typing import Any

from tests.storefront.api.conftest import Program, Programs
from tests.world import World


def wish(world: World, *lines: tuple[int, int], **more: Any) -> dict[str, Any]:
    """An order of these (listing, quantity) to the stop."""
    asked = [{"listing_id": listing, "quantity": quantity} for listing, quantity in lines]
    return {"wallet": "personal", "stop_id": world.stop, "lines": asked, **more}


async def ordered(program: Program, world: World, *lines: tuple[int, int]) -> str:
    answer = await program.post("/orders", wish(world, *lines))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["no"])


async def test_an_order_over_two_households_holds_its_goods(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    placed = await buyer.post("/orders", wish(world, (world.mutton, 2), (world.pear, 1), note="放门口"))
    assert placed.status_code == 201, placed.text
    order = placed.json()
    assert (order["state"], order["total_fen"], order["max_fen"], order["note"]) == ("placed", 11500, 11500, "放门口")
    assert order["expires_at"] > order["placed_at"]
    assert order["handover_on"]
    assert [(line["listing_id"], line["quantity"], line["amount_fen"]) for line in order["lines"]] == [
        (world.mutton, 2, 7000), (world.pear, 1, 4500),
    ]  # fmt: skip
    assert (await buyer.get(f"/orders/{order['no']}")).json() == order
    assert (await buyer.get(f"/listings/{world.mutton}")).json()["left"] == 58


async def test_what_is_short_is_named_line_by_line(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    short = await buyer.post("/orders", wish(world, (world.mutton, 61), (world.pumpkin, 1), (world.pear, 30)))
    assert (short.status_code, short.json()["error"]) == (409, "OutOfStock")
    assert sorted(short.json()["detail"]["lines"], key=lambda line: line["wanted"]) == [
        {"listing_id": world.pear, "title": "玉露香梨", "wanted": 30, "left": 20},
        {"listing_id": world.mutton, "title": "羊肉", "wanted": 61, "left": 60},
    ]
    assert (await buyer.get("/orders")).json() == {"items": [], "next": None}
    assert (await buyer.get(f"/listings/{world.pumpkin}")).json()["left"] == 100


async def test_a_moved_price_and_a_withdrawn_listing_are_said(api: Programs, world: World) -> None:
    buyer, wang = await api(world.buyer), await api(world.wang_account)
    line = {"listing_id": world.mutton, "quantity": 1, "seen_fen": 3400}
    moved = await buyer.post("/orders", wish(world) | {"lines": [line]})
    assert (moved.status_code, moved.json()["error"]) == (409, "PriceChanged")
    assert moved.json()["detail"]["lines"] == [
        {"listing_id": world.mutton, "title": "羊肉", "seen_fen": 3400, "price_fen": 3500}
    ]
    await wang.post(f"/listings/{world.mutton}/withdrawal")
    gone = await buyer.post("/orders", wish(world, (world.mutton, 1)))
    assert (gone.status_code, gone.json()["error"], gone.json()["detail"]) == (
        409, "NotOnSale", {"listing_ids": [world.mutton]},
    )  # fmt: skip


async def test_public_wallets_are_for_clerks(api: Programs, world: World) -> None:
    canteen = wish(world, (world.pear, 1), wallet="canteen", work_unit_id=world.work_unit)
    refused = await (await api(world.buyer)).post("/orders", canteen)
    assert (refused.status_code, refused.json()["error"]) == (403, "NotAllowed")
    clerk = await api(world.clerk)
    assert (await clerk.post("/orders", canteen)).status_code == 201
    unsaid = await clerk.post("/orders", canteen | {"work_unit_id": None})
    assert (unsaid.status_code, unsaid.json()["detail"]["field"]) == (422, "work_unit_id")


MALFORMED: list[dict[str, object]] = [
    {"wallet": "gold"},
    {"wallet": None},
    {"stop_id": 0},
    {"stop_id": 2**63},
    {"stop_id": "1"},
    {"lines": []},
    {"lines": None},
    {"lines": {}},
    {"lines": [{"listing_id": 1}]},
    {"lines": [{"listing_id": 1, "quantity": 0}]},
    {"lines": [{"listing_id": 1, "quantity": -3}]},
    {"lines": [{"listing_id": 1, "quantity": 1.5}]},
    {"lines": [{"listing_id": 1, "quantity": 10_000}]},
    {"lines": [{"listing_id": 2**64, "quantity": 1}]},
    {"lines": [{"listing_id": -1, "quantity": 1}]},
    {"lines": [{"listing_id": 1, "quantity": 1, "seen_fen": 2**63}]},
    {"lines": [{"listing_id": 1, "quantity": 1}] * 1001},
    {"note": "\x00"},
    {"note": "长" * 201},
    {"note": 5},
    {"work_unit_id": 0},
]


async def test_a_malformed_order_is_refused_with_its_field(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    for change in MALFORMED:
        answer = await buyer.post("/orders", wish(world, (world.pear, 1)) | change)
        assert (answer.status_code, answer.json()["error"]) == (422, "Malformed"), change
        assert answer.json()["detail"]["field"].split(".")[0] in {*change, "quantity"}


async def test_unknown_stop_and_too_many_lines(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    unknown = await buyer.post("/orders", wish(world, (world.pear, 1), stop_id=999))
    assert (unknown.status_code, unknown.json()["detail"]["what"]) == (404, "stop")
    stranger = await (await api(world.zhao_account)).post("/orders", wish(world, (world.pear, 1)))
    assert (stranger.status_code, stranger.json()["detail"]["what"]) == (404, "stop")
    many = await buyer.post("/orders", wish(world, *((number, 1) for number in range(1000, 1051))))
    assert (many.status_code, many.json()["error"]) == (409, "OverLimit")
    assert many.json()["detail"] == {"name": "order_lines", "limit": 50, "given": 51}


async def test_orders_of_others_are_not_found(api: Programs, world: World) -> None:
    no = await ordered(await api(world.buyer), world, (world.pear, 1))
    other = await api(world.second_buyer)
    for answer in (
        await other.get(f"/orders/{no}"),
        await other.post(f"/orders/{no}/cancellation"),
        await other.post(f"/orders/{no}/payments", {"method": "cash"}),
        await other.get("/orders/261123-XXXX-XXXX"),
    ):
        assert (answer.status_code, answer.json()["error"]) == (404, "NotFound")
    assert (await other.get("/orders")).json()["items"] == []


async def test_three_pages_of_orders_without_gap_or_repeat(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    placed = [await ordered(buyer, world, (world.mutton, 1)) for _ in range(5)]
    await ordered(await api(world.second_buyer), world, (world.mutton, 1))
    seen: list[str] = []
    cursor, pages = "", 0
    while pages < 10:
        page = (await buyer.get("/orders", limit=2, cursor=cursor)).json()
        seen += [order["no"] for order in page["items"]]
        pages += 1
        if page["next"] is None:
            break
        if pages == 1:
            placed.append(await ordered(buyer, world, (world.mutton, 1)))
        cursor = page["next"]
    assert pages == 3
    assert seen == placed[4::-1]
    assert (await buyer.get("/orders", cursor="nonsense")).status_code == 422


async def test_cancelling_gives_the_goods_back_once(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    no = await ordered(buyer, world, (world.last_leg, 1))
    taken_back = await buyer.post(f"/orders/{no}/cancellation", {"why": "点错了"})
    assert (taken_back.status_code, taken_back.json()["state"]) == (200, "cancelled")
    assert taken_back.json()["expires_at"] is None
    assert (await buyer.post(f"/orders/{no}/cancellation")).status_code == 200
    assert (await buyer.get(f"/listings/{world.last_leg}")).json()["left"] == 1
    pay = await buyer.post(f"/orders/{no}/payments", {"method": "cash"})
    assert (pay.status_code, pay.json()["error"]) == (409, "NotMovable")
