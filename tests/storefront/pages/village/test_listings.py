"""One listing: price, stock, photo, stopping and starting again."""

from io import BytesIO

import pytest
from PIL import Image

from market.goods.listings import Listing, ListingState
from market.goods.stock import Stock
from market.ground.db import Database
from tests import build
from tests.client import Browser
from tests.world import World


async def _state(database: Database, listing_id: int) -> tuple[Listing, Stock]:
    async with database.transaction() as session:
        return await session.get_one(Listing, listing_id), await session.get_one(Stock, listing_id)


async def test_every_page_of_a_listing(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    for act in ("", "/price", "/stock", "/photo", "/restoration"):
        page = await client.get(f"/village/goods/{world.mutton}{act}")
        assert page.status_code == 200
        assert "羊肉" in page.text or act == "/price"


async def test_a_new_price(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    assert (await client.post(f"/village/goods/{world.mutton}/price", {"price": "38"})).status_code == 303
    assert (await _state(database, world.mutton))[0].price_fen == 3800


@pytest.mark.parametrize("price", ["0", "-1", "9999", "0.01", "贵", ""])
async def test_a_wrong_price_changes_nothing(client: Browser, world: World, database: Database, price: str) -> None:
    await client.sign_in(world.wang_account)
    answer = await client.post(f"/village/goods/{world.mutton}/price", {"price": price})
    assert answer.status_code == 422
    assert f'value="{price}"' in answer.text
    assert (await _state(database, world.mutton))[0].price_fen == 3500


async def test_stock_by_keypad_and_by_one(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    path = f"/village/goods/{world.mutton}/stock"
    assert (await client.post(path, {"quantity": "12"})).status_code == 303
    answer = await client.post(path, {"step": "1", "back": "list"})
    assert answer.headers["location"] == f"/village/{world.wang}/goods#g-{world.mutton}"
    await client.post(path, {"step": "-1"})
    await client.post(path, {"step": "-1"})
    assert (await _state(database, world.mutton))[1].left == 11


async def test_one_more_adds_to_what_is_there_now(client: Browser, world: World, database: Database) -> None:
    async with database.transaction() as session:
        await build.order(session, world)
    await client.sign_in(world.wang_account)
    await client.post(f"/village/goods/{world.mutton}/stock", {"step": "1"})
    stock = (await _state(database, world.mutton))[1]
    assert (stock.left, stock.reserved) == (59, 2)


async def test_never_fewer_than_none(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    await client.post(f"/village/goods/{world.last_leg}/stock", {"quantity": "0"})
    assert (await client.post(f"/village/goods/{world.last_leg}/stock", {"step": "-1"})).status_code == 303
    assert (await _state(database, world.last_leg))[1].left == 0
    assert "卖完了" in (await client.get(f"/village/{world.wang}/goods")).text


@pytest.mark.parametrize("quantity", ["-1", "99999", "一些", ""])
async def test_a_wrong_amount_changes_nothing(client: Browser, world: World, database: Database, quantity: str) -> None:
    await client.sign_in(world.wang_account)
    answer = await client.post(f"/village/goods/{world.mutton}/stock", {"quantity": quantity})
    assert answer.status_code == 422
    assert (await _state(database, world.mutton))[1].left == 60


async def test_stopping_offers_the_way_back(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    answer = await client.post(f"/village/goods/{world.pumpkin}/withdrawal")
    page = await client.get(answer.headers["location"])
    assert "点错了" in page.text
    assert 'name="quantity" value="100"' in page.text
    assert (await _state(database, world.pumpkin))[0].state is ListingState.WITHDRAWN
    again = await client.post(f"/village/goods/{world.pumpkin}/withdrawal")
    assert again.headers["location"] == f"/village/goods/{world.pumpkin}"
    assert (await client.post(f"/village/goods/{world.pumpkin}/restoration", {"quantity": "100"})).status_code == 303
    listing, stock = await _state(database, world.pumpkin)
    assert (listing.state, stock.left) == (ListingState.LIVE, 100)
    await client.post(f"/village/goods/{world.pumpkin}/restoration", {"quantity": "100"})
    assert (await _state(database, world.pumpkin))[1].left == 100


async def test_selling_again_needs_an_amount(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    await client.post(f"/village/goods/{world.mutton}/withdrawal")
    for quantity in ("0", "", "99999"):
        answer = await client.post(f"/village/goods/{world.mutton}/restoration", {"quantity": quantity})
        assert answer.status_code == 422
    assert (await _state(database, world.mutton))[0].state is ListingState.WITHDRAWN


async def test_the_photo_comes_and_goes(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    path, packed = f"/village/goods/{world.mutton}/photo", BytesIO()
    Image.new("RGB", (300, 200), "green").save(packed, "PNG")
    assert (await client.post(path, files={"photo": ("a.png", b"no photo")})).status_code == 422
    assert (await client.post(path)).status_code == 422
    assert (await client.post(path, files={"photo": ("a.png", packed.getvalue())})).status_code == 303
    assert (await _state(database, world.mutton))[0].photo
    assert (await client.post(path, {"removed": "1"})).status_code == 303
    assert (await _state(database, world.mutton))[0].photo is None


async def test_another_households_listing_is_not_there(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.zhao_account)
    path = f"/village/goods/{world.mutton}"
    for act in ("", "/price", "/stock", "/photo", "/restoration"):
        assert (await client.get(path + act)).status_code == 404
    for act, data in (
        ("/price", {"price": "38"}), ("/stock", {"quantity": "1"}), ("/stock", {"step": "1"}), ("/withdrawal", {}),
        ("/restoration", {"quantity": "1"}), ("/photo", {"removed": "1"}),
    ):  # fmt: skip
        assert (await client.post(path + act, data)).status_code == 404
    assert (await client.get("/village/goods/99999999")).status_code == 404
    listing, stock = await _state(database, world.mutton)
    assert (listing.price_fen, stock.left, listing.state) == (3500, 60, ListingState.LIVE)
