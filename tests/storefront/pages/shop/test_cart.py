"""The cart: filled by a visitor, kept, changed by one tap, and told the truth about."""

import pytest
from sqlmodel import col, update

from market.goods.listings import Listing, ListingState
from market.goods.stock import Stock
from market.ground.db import Database
from market.trade import carts
from tests.client import Browser
from tests.storefront.pages.shop.visits import said
from tests.world import World


async def _put(client: Browser, listing_id: int, quantity: int = 1) -> None:
    answer = await client.post("/cart/lines", {"listing_id": listing_id, "quantity": quantity})
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/listings/{listing_id}"


async def test_a_visitor_fills_a_cart_over_villages(client: Browser, world: World) -> None:
    assert "购物车还是空的" in said(await client.get("/cart"))
    await _put(client, world.mutton, 2)
    await _put(client, world.pear)
    await _put(client, world.mutton, 1)
    page = said(await client.get("/cart"))
    for words in ("梁家墕", "回龙塔", "¥105.00", "¥45.00", "¥ 150 .00", "去下单"):
        assert words in page


async def test_adding_is_confirmed_once(client: Browser, world: World) -> None:
    await _put(client, world.mutton, 2)
    assert "已放进购物车：羊肉 2 斤" in said(await client.get(f"/listings/{world.mutton}"))
    second = said(await client.get(f"/listings/{world.mutton}"))
    assert "已放进购物车：" not in second
    assert "购物车里已有 2 斤" in second


async def test_steps_and_numbers_change_a_line(client: Browser, world: World) -> None:
    await _put(client, world.mutton, 2)
    line = f"/cart/lines/{world.mutton}"
    for data, expected in (
        ({"quantity": "2", "step": "1"}, 3), ({"quantity": "3", "step": "-1"}, 2), ({"quantity": "40"}, 40),
    ):  # fmt: skip
        assert (await client.post(line, data)).headers["location"] == "/cart"
        assert f'name="quantity" value="{expected}"' in (await client.get("/cart")).text


async def test_without_scripts_a_step_on_the_offers_page_only_changes_the_number(client: Browser, world: World) -> None:
    answer = await client.post("/cart/lines", {"listing_id": world.mutton, "quantity": 2, "step": "1"})
    assert answer.headers["location"] == f"/listings/{world.mutton}?quantity=3"
    assert 'name="quantity" value="3"' in (await client.get(answer.headers["location"])).text
    assert "购物车还是空的" in said(await client.get("/cart"))


@pytest.mark.parametrize("quantity", ["", "0", "-1", "1.5", "many", "100000", "99999999999999"])
async def test_a_quantity_that_means_nothing_is_refused_kindly(client: Browser, world: World, quantity: str) -> None:
    answer = await client.post("/cart/lines", {"listing_id": world.mutton, "quantity": quantity})
    assert answer.status_code == 303
    assert 'class="flash flash--error"' in (await client.get(answer.headers["location"])).text
    assert "购物车还是空的" in said(await client.get("/cart"))


async def test_taking_out_can_be_undone(client: Browser, world: World) -> None:
    await _put(client, world.mutton, 4)
    answer = await client.post(f"/cart/lines/{world.mutton}/removal")
    page = await client.get(answer.headers["location"])
    assert "已拿掉：羊肉 4 斤 放回去" in said(page)
    again = await client.post("/cart/lines", {"listing_id": world.mutton, "quantity": 4, "next": "cart"})
    assert again.headers["location"] == "/cart"
    assert "¥ 140 .00" in said(await client.get("/cart"))
    zero = await client.post(f"/cart/lines/{world.mutton}", {"quantity": "1", "step": "-1"})
    assert zero.headers["location"] == f"/cart?removed={world.mutton}.4"


async def test_every_trouble_is_said_with_its_remedy(client: Browser, database: Database, world: World) -> None:
    for listing_id in (world.mutton, world.pumpkin, world.millet, world.pear):
        await _put(client, listing_id, 5)
    async with database.transaction() as session:
        await session.exec(update(Listing).where(col(Listing.id) == world.mutton).values(price_fen=3900))
        await session.exec(update(Stock).where(col(Stock.listing_id) == world.pumpkin).values(on_hand=3))
        await session.exec(update(Stock).where(col(Stock.listing_id) == world.millet).values(on_hand=0))
        await session.exec(update(Listing).where(col(Listing.id) == world.pear).values(state=ListingState.WITHDRAWN))
    page = said(await client.get("/cart"))
    for words in (
        "价格从 ¥35.00 变成了 ¥39.00。", "按新价格买", "只剩 3 个，您要的是 5 个。", "改成还剩的 3 个",
        "这样货刚刚卖完了。", "已经停止卖这样货了。", "先看 4 样",
    ):  # fmt: skip
        assert words in page
    await client.post(f"/cart/lines/{world.mutton}", {"quantity": 6})
    assert "按新价格买" in said(await client.get("/cart"))
    await client.post(f"/cart/lines/{world.mutton}", {"price_fen": 3900})
    await client.post(f"/cart/lines/{world.pumpkin}", {"quantity": 3})
    for listing_id in (world.millet, world.pear):
        await client.post(f"/cart/lines/{listing_id}/removal")
    page = said(await client.get("/cart"))
    assert "¥ 252 .00" in page
    assert "去下单" in page


async def test_what_was_withdrawn_meanwhile_is_not_put_into_the_cart(
    client: Browser, database: Database, world: World
) -> None:
    async with database.transaction() as session:
        await session.exec(update(Listing).values(state=ListingState.WITHDRAWN))
    await _put(client, world.pear)
    assert "这样货刚刚停止销售了" in said(await client.get(f"/listings/{world.pear}"))


async def test_a_full_cart_still_changes_its_lines(
    client: Browser, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carts, "MOST_LINES", 2)
    await _put(client, world.mutton)
    await _put(client, world.pumpkin)
    await _put(client, world.mutton)
    answer = await client.post("/cart/lines", {"listing_id": world.pear, "quantity": 1})
    assert answer.headers["location"] == "/cart"
    assert "购物车最多放 2 样" in said(await client.get("/cart"))


async def test_a_form_without_its_token_changes_nothing(client: Browser, world: World) -> None:
    await client.get("/")
    answer = await client.http.post("/cart/lines", data={"listing_id": world.mutton, "quantity": 1})
    assert answer.status_code == 403
    assert "购物车还是空的" in said(await client.get("/cart"))


@pytest.mark.parametrize("asked", ["x", "1", "1.", ".2", "99999999999999999999.1", "1.1.1"])
async def test_an_odd_address_of_the_cart_is_just_the_cart(client: Browser, asked: str) -> None:
    assert (await client.get(f"/cart?removed={asked}")).status_code == 200
