"""Checkout: the order is exactly what the page showed, placed once, or refused with a word."""

from datetime import timedelta

import pytest
from sqlmodel import col, select, update

from market.goods.listings import Listing, ListingState
from market.goods.stock import Stock
from market.ground.db import Database
from market.trade.orders import Order, OrderLine
from tests.client import Browser
from tests.storefront.pages.shop.visits import Buyer, said


async def _orders(database: Database) -> list[Order]:
    async with database.transaction() as session:
        return list(await session.exec(select(Order).order_by(col(Order.id))))


async def test_a_visitor_signs_in_first_and_comes_back(client: Browser) -> None:
    answer = await client.http.get("/checkout")
    assert answer.headers["location"] == "/sign-in?next=/checkout"


async def test_an_order_takes_what_the_page_showed(buyer: Buyer, database: Database) -> None:
    await buyer.puts(buyer.world.mutton, 2)
    await buyer.puts(buyer.world.pear, 3)
    page = said(await buyer.browser.get("/checkout"))
    for words in (
        "人社局门口",
        "单位门口",
        "中午12:00前下单",
        "上午10:00–11:30来取",
        "羊肉 × 2 斤",
        "最高不超过 ¥205.00",
    ):
        assert words in page
    form = await buyer.form(note="请放阴凉处")
    await buyer.puts(buyer.world.pumpkin, 1)
    answer = await buyer.browser.post("/checkout", form)
    order = (await _orders(database))[0]
    assert answer.headers["location"] == f"/orders/{order.no}"
    assert (order.total_fen, order.note, order.work_unit_id) == (20500, "请放阴凉处", buyer.world.work_unit)
    assert "南瓜" in said(await buyer.browser.get("/cart"))


async def test_the_same_form_twice_is_one_order(buyer: Buyer, database: Database) -> None:
    await buyer.puts(buyer.world.mutton, 2)
    form = await buyer.form()
    first = await buyer.browser.post("/checkout", form)
    again = await buyer.browser.post("/checkout", {**form, "note": "改一改"})
    assert again.headers["location"] == first.headers["location"]
    assert "刚才已经提交过了" in said(await buyer.browser.get(again.headers["location"]))
    assert len(await _orders(database)) == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"stop": ""}, "请选一个取货的地方"), ({"stop": "999.2026-01-02"}, "请选一个取货的地方"),
        ({"stop": "x"}, "请选一个取货的地方"), ({"wallet": "canteen"}, "请选一个"), ({"wallet": "gold"}, "请选一个"),
        ({"work_unit_id": "77"}, "请选一个"),
    ],
)  # fmt: skip
async def test_a_wrong_choice_is_asked_again(
    buyer: Buyer, database: Database, changes: dict[str, str], sentence: str
) -> None:
    await buyer.puts(buyer.world.mutton)
    answer = await buyer.browser.post("/checkout", await buyer.form(**changes, note="留着这句话"))
    assert answer.status_code == 422
    assert sentence in said(answer)
    assert "留着这句话" in answer.text
    assert not await _orders(database)


async def test_a_day_that_moved_on_is_shown_before_it_is_ordered(buyer: Buyer, database: Database) -> None:
    await buyer.puts(buyer.world.mutton)
    form = await buyer.form()
    stop_id, _, _day = form["stop"].partition(".")
    answer = await buyer.browser.post("/checkout", {**form, "stop": f"{stop_id}.2020-01-03"})
    assert answer.status_code == 422
    assert "刚过截单时间，取货日改到了" in said(answer)
    assert not await _orders(database)


@pytest.mark.parametrize(
    ("field", "nonsense"),
    [
        ("key", ""), ("key", "\x00"), ("key", "k" * 81), ("lines", ""), ("lines", "\x00"), ("lines", "1.2"),
        ("lines", "a.b.c"), ("lines", "1.0.3500"), ("lines", "1.2.99999999999999999999"), ("lines", "1.2.3." * 40),
    ],
)  # fmt: skip
async def test_a_form_that_was_tampered_with_orders_nothing(
    buyer: Buyer, database: Database, field: str, nonsense: str
) -> None:
    await buyer.puts(buyer.world.mutton)
    answer = await buyer.browser.post("/checkout", await buyer.form(**{field: nonsense}))
    assert answer.status_code == 422
    assert not await _orders(database)
    assert "羊肉" in said(await buyer.browser.get("/cart"))


async def test_what_changed_meanwhile_is_named(buyer: Buyer, database: Database) -> None:
    mutton = buyer.world.mutton
    await buyer.puts(mutton, 5)
    troubles = [
        (update(Listing).where(col(Listing.id) == mutton).values(price_fen=3900), "羊肉 ¥35.00 → ¥39.00"),
        (update(Stock).where(col(Stock.listing_id) == mutton).values(on_hand=3), "羊肉（还剩 3 斤）"),
        (update(Listing).where(col(Listing.id) == mutton).values(state=ListingState.WITHDRAWN), "刚刚停止销售：羊肉"),
    ]
    form = await buyer.form()
    for trouble, sentence in troubles:
        async with database.transaction() as session:
            await session.exec(trouble)
        answer = await buyer.browser.post("/checkout", form)
        assert answer.headers["location"] == "/cart"
        assert sentence in said(await buyer.browser.get("/cart"))
        form["lines"] = f"{mutton}.5.3900"
    assert not await _orders(database)
    assert "需要您先看一下" in said(await buyer.browser.get("/checkout"))


async def test_an_empty_cart_goes_back_to_the_cart(buyer: Buyer) -> None:
    assert (await buyer.browser.http.get("/checkout")).headers["location"] == "/cart"


async def test_a_clerk_pays_from_the_canteen_of_their_own_unit(buyer: Buyer, database: Database) -> None:
    await buyer.browser.sign_in(buyer.world.clerk)
    await buyer.puts(buyer.world.mutton)
    without_unit = await buyer.browser.post("/checkout", await buyer.form(wallet="canteen", work_unit_id=""))
    assert without_unit.status_code == 422
    assert (await buyer.browser.post("/checkout", await buyer.form(wallet="canteen"))).status_code == 303
    assert (await _orders(database))[0].wallet == "canteen"


async def test_goods_are_held_for_a_quarter_of_an_hour(buyer: Buyer, database: Database) -> None:
    await buyer.orders(buyer.world.last_leg)
    order = (await _orders(database))[0]
    assert order.expires_at - order.placed_at == timedelta(minutes=15)
    async with database.transaction() as session:
        assert len((await session.exec(select(OrderLine))).all()) == 1
    assert "这样货卖完了" in said(await buyer.browser.get(f"/listings/{buyer.world.last_leg}"))
