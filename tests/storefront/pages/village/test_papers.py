"""Papers of gated goods, one question a screen: put up, asked, corrected, and live only when all are there."""

from io import BytesIO

from PIL import Image
from sqlmodel import select

from market.goods.gates import Gate, ListingPapers
from market.goods.listings import Listing, ListingState
from market.goods.produce import Produce, ProduceMeasure
from market.ground.db import Database
from market.ground.measure import Measure
from tests.client import Browser
from tests.world import World

_OFFER = {"quantity": "20", "price": "35", "price_for": "jin", "counted": "jin", "photo_choice": "without"}


def photo() -> dict[str, tuple[str, bytes, str]]:
    packed = BytesIO()
    Image.new("RGB", (60, 40), "white").save(packed, "JPEG")
    return {"certificate_photo": ("IMG.jpg", packed.getvalue(), "image/jpeg")}


async def put_up(client: Browser, household: int, produce: str) -> str:
    answer = await client.post(f"/village/{household}/goods", {**_OFFER, "produce": produce})
    assert answer.status_code == 303
    return str(answer.headers["location"])


async def state(database: Database, listing_id: int) -> ListingState:
    async with database.transaction() as session:
        return (await session.get_one(Listing, listing_id)).state


async def test_mutton_is_asked_for_three_papers_and_then_seen(
    client: Browser, world: World, database: Database
) -> None:
    await client.sign_in(world.wang_account)
    here = await put_up(client, world.wang, "mutton")
    listing_id = int(here.split("/")[3])
    assert here == f"/village/goods/{listing_id}/papers"
    assert "在哪个屠宰场宰的" in (await client.get(here)).text
    assert (await client.post(here, {"ask": "slaughter_point", "slaughter_point": "nowhere"})).status_code == 422
    answer = await client.post(here, {"ask": "slaughter_point", "slaughter_point": "point"})
    assert answer.headers["location"] == here
    for wrong in ("", "12", "证" * 41, "1234 5678!"):
        assert (await client.post(here, {"ask": "certificate_no", "certificate_no": wrong})).status_code == 422
    await client.post(here, {"ask": "certificate_no", "certificate_no": "1411 0020 2611 0001"})
    assert await state(database, listing_id) is ListingState.WAITING
    assert (await client.get(f"/listings/{listing_id}")).status_code == 404
    fake = {"certificate_photo": ("IMG.jpg", b"no photo", "image/jpeg")}
    assert (await client.post(here, {"ask": "certificate_photo"}, files=fake)).status_code == 422
    done = await client.post(here, {"ask": "certificate_photo"}, files=photo())
    assert done.headers["location"] == f"/village/goods/{listing_id}"
    assert await state(database, listing_id) is ListingState.LIVE
    assert "141100202611" in (await client.get(f"/listings/{listing_id}")).text


async def test_a_number_is_corrected_and_the_photo_is_not_for_everybody(
    client: Browser, world: World, database: Database
) -> None:
    await client.sign_in(world.wang_account)
    here = f"/village/goods/{world.mutton}/papers"
    assert "140000202611020001" in (await client.get(f"{here}?ask=certificate_no")).text
    await client.post(here, {"ask": "certificate_no", "certificate_no": "140000202611020002"})
    await client.post(here, {"ask": "certificate_photo"}, files=photo())
    async with database.transaction() as session:
        found = select(ListingPapers).where(ListingPapers.listing_id == world.mutton)
        assert (await session.exec(found)).one().certificate_no == "140000202611020002"
    assert (await client.get(f"{here}/photo")).headers["content-type"] == "image/webp"
    for other in (world.buyer, world.zhao_account):
        await client.sign_in(other)
        assert (await client.get(f"{here}/photo")).status_code == 404


async def test_processed_food_needs_the_workshops_number(client: Browser, world: World, database: Database) -> None:
    async with database.transaction() as session:
        session.add(Gate(code="processed", name="加工食品", name_en="Processed", needs=["licence_no"], note="要登记证"))
        await session.flush()
        session.add(Produce(code="oil", name="油", name_en="Oil", gate_code="processed", storage_days=300, rank=9))
        await session.flush()
        price = ProduceMeasure(
            produce_code="oil", measure=Measure.JIN, per_grams=500, least_fen=500, low_fen=1000, high_fen=5000,
            most_fen=9000, most_quantity=100,
        )  # fmt: skip
        session.add(price)
    await client.sign_in(world.wang_account)
    here = await put_up(client, world.wang, "oil")
    listing_id = int(here.split("/")[3])
    assert "小作坊登记证号" in (await client.get(here)).text
    assert await state(database, listing_id) is ListingState.WAITING
    await client.post(here, {"ask": "licence_no", "licence_no": "晋小作坊0001号"})
    assert await state(database, listing_id) is ListingState.LIVE
