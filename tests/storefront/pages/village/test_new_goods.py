"""Listing a product in four screens, and everything that can be typed wrong on the way."""

import re
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image
from sqlmodel import col, select

from market.goods.listings import Listing
from market.goods.stock import Stock
from market.ground.audit import Trace
from market.ground.db import Database
from market.ground.settings import Settings
from tests.client import Browser
from tests.world import World

GOOD = {"produce": "millet", "counted": "jin", "quantity": "30", "price_for": "jin", "price": "8.5"}


def _new(world: World, **answers: str) -> str:
    return f"/village/{world.wang}/goods/new?{urlencode(answers)}"


def _photo() -> bytes:
    packed = BytesIO()
    Image.new("RGB", (900, 600), "green").save(packed, "JPEG")
    return packed.getvalue()


async def _listings(database: Database) -> list[Listing]:
    async with database.transaction() as session:
        return list(await session.exec(select(Listing).order_by(col(Listing.id))))


async def _last_screen(client: Browser, world: World, **changed: str) -> dict[str, Any]:
    """The hidden fields of the fourth screen."""
    page = await client.get(_new(world, **{**GOOD, **changed}))
    assert page.status_code == 200
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))


async def test_four_screens_one_question_each(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    what = await client.get(_new(world))
    assert "您要卖什么" in what.text
    assert "?produce=millet" in what.text
    amount = await client.get(_new(world, produce="millet"))
    assert "有多少小米" in amount.text
    assert "5斤袋" in amount.text
    assert "10斤袋" in amount.text
    price = await client.get(_new(world, produce="millet", counted="bag-2500", quantity="8"))
    assert "5斤一袋卖多少钱" in price.text
    assert "附近一般卖 30–55 元" in price.text
    look = await client.get(
        _new(world, produce="millet", counted="bag-2500", quantity="8", price="40", price_for="bag-2500")
    )
    assert "再看一遍" in look.text
    assert "8 袋（5 斤）" in look.text
    assert "不放照片" in look.text


async def test_english_names(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    client.http.cookies.set("lang", "en")
    assert "Yuluxiang pear" in (await client.get(_new(world))).text


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"produce": "gold"}, "没有这个品种"),
        ({"produce": "mutton", "counted": "jin", "quantity": "0"}, "要大于 0"),
        ({"produce": "mutton", "counted": "jin", "quantity": "-3"}, "要大于 0"),
        ({"produce": "mutton", "counted": "jin", "quantity": "许多"}, "请填数字"),
        ({"produce": "mutton", "counted": "jin", "quantity": ""}, "请填写这一项"),
        ({"produce": "mutton", "counted": "jin", "quantity": "99999"}, "数量太大了"),
        ({"produce": "mutton", "counted": "box", "quantity": "3"}, "这个品种不能这样计量"),
        ({"produce": "millet", "counted": "bag-123", "quantity": "3"}, "这个品种不能这样计量"),
        ({**GOOD, "price": "0"}, "要大于 0"),
        ({**GOOD, "price": "-5"}, "请填钱数"),
        ({**GOOD, "price": "便宜"}, "请填钱数"),
        ({**GOOD, "price": "3650"}, "价格太高了"),
        ({**GOOD, "price": "0.35"}, "价格太低了"),
    ],
)
async def test_a_slip_is_said_kindly_and_nothing_is_lost(
    client: Browser, world: World, answers: dict[str, str], said: str
) -> None:
    await client.sign_in(world.wang_account)
    page = await client.get(_new(world, **answers))
    assert page.status_code == 422
    assert said in page.text
    for name in ("quantity", "price"):
        if answers.get(name):
            assert f'value="{answers[name]}"' in page.text


async def test_a_price_for_another_measure_is_asked_again(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    page = await client.get(_new(world, **{**GOOD, "counted": "kg"}))
    assert page.status_code == 200
    assert "一公斤卖多少钱" in page.text
    assert 'value="8.5"' not in page.text


@pytest.mark.parametrize(("price", "said"), [("4", "您可能吃亏"), ("15", "可能难卖"), ("8", None)])
async def test_a_price_far_from_the_neighbours_gets_a_word_but_passes(
    client: Browser, world: World, price: str, said: str | None
) -> None:
    await client.sign_in(world.wang_account)
    page = await client.get(_new(world, **{**GOOD, "price": price}))
    assert page.status_code == 200
    assert "再看一遍" in page.text
    assert ("您可能吃亏" in page.text, "可能难卖" in page.text) == (said == "您可能吃亏", said == "可能难卖")


async def test_without_a_photo_it_goes_live(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    fields = await _last_screen(client, world)
    answer = await client.post(f"/village/{world.wang}/goods", {**fields, "photo_choice": "without"})
    assert answer.status_code == 303
    made = (await _listings(database))[-1]
    assert (made.price_fen, made.grams_each, made.photo, made.listed_by) == (850, 500, None, world.wang_account)
    async with database.transaction() as session:
        assert (await session.get_one(Stock, made.id)).left == 30
    live = await client.get(answer.headers["location"])
    assert "已上架" in live.text
    assert "买的人看到的是这样" in live.text
    assert "还剩 30 斤" in (await client.get(f"/village/{world.wang}/goods")).text


async def test_with_a_photo_and_twice_is_one_listing(
    client: Browser, world: World, database: Database, settings: Settings
) -> None:
    await client.sign_in(world.wang_account)
    before = len(await _listings(database))
    fields = {**await _last_screen(client, world), "photo_choice": "with"}
    places = []
    for _ in range(2):
        answer = await client.post(f"/village/{world.wang}/goods", fields, files={"photo": ("a.jpg", _photo())})
        assert answer.status_code == 303
        places.append(answer.headers["location"].split("?")[0])
    assert places[0] == places[1]
    made = await _listings(database)
    assert len(made) == before + 1
    assert (settings.photos / f"{made[-1].photo}-card.webp").exists()
    photo = await client.get(f"/photos/{made[-1].photo}-card.webp")
    assert photo.headers["content-type"] == "image/webp"


@pytest.mark.parametrize("files", [None, {"photo": ("a.jpg", b"<html>")}])
async def test_no_photo_and_a_fake_photo_are_asked_again(
    client: Browser, world: World, database: Database, files: dict[str, Any] | None
) -> None:
    await client.sign_in(world.wang_account)
    before = len(await _listings(database))
    fields = {**await _last_screen(client, world), "photo_choice": "with"}
    answer = await client.post(f"/village/{world.wang}/goods", fields, files=files)
    assert answer.status_code == 422
    assert 'value="8.5"' in answer.text
    assert f'value="{fields["key"]}"' in answer.text
    assert "照片" in answer.text
    assert len(await _listings(database)) == before


async def test_the_server_checks_everything_again(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    before = len(await _listings(database))
    fields = await _last_screen(client, world)
    for changed in ({"quantity": "-1"}, {"price": "99999"}, {"counted": "piece"}, {"produce": "gold"}):
        answer = await client.post(f"/village/{world.wang}/goods", {**fields, **changed, "photo_choice": "without"})
        assert answer.status_code == 422
    assert len(await _listings(database)) == before


async def test_another_household_is_not_there(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.zhao_account)
    before = len(await _listings(database))
    assert (await client.get(_new(world))).status_code == 404
    answer = await client.post(f"/village/{world.wang}/goods", {**GOOD, "key": "k", "photo_choice": "without"})
    assert answer.status_code == 404
    assert len(await _listings(database)) == before


async def test_an_agent_lists_under_the_households_name(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.agent)
    page = await client.get(_new(world))
    assert "您在替" in page.text
    assert "王样例" in page.text
    fields = await _last_screen(client, world)
    await client.post(f"/village/{world.wang}/goods", {**fields, "photo_choice": "without"})
    made = (await _listings(database))[-1]
    assert (made.household_id, made.listed_by) == (world.wang, world.agent)
    async with database.transaction() as session:
        trace = (await session.exec(select(Trace).where(Trace.subject == f"listing:{made.id}"))).one()
    assert (trace.act, trace.account_id, trace.household_id) == ("put_up", world.agent, world.wang)


async def test_a_form_without_its_token_is_refused(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    answer = await client.http.post(f"/village/{world.wang}/goods", data={**GOOD, "key": "k"})
    assert answer.status_code == 403
