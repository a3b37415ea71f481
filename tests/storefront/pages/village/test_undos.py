"""Undo everywhere: what was changed a moment ago goes back with one tap, and what was begun is found again."""

import re
from html import unescape
from io import BytesIO

import pytest
from PIL import Image

from market.goods.listings import Listing
from market.goods.stock import Stock
from market.ground.db import Database
from tests.client import Browser
from tests.world import World

_FORM = re.compile(
    r'<form method="post" action="(/village/goods/\d+/\w+)">\s*(?:<input[^>]+>\s*)+<button[^>]+>.*?点错了'
)
_HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


async def undo(browser: Browser, url: str) -> str:
    """Tap the way back on the page a change led to; where that leads."""
    found = _FORM.search((await browser.get(url)).text)
    assert found is not None, "no way back"
    fields = {name: unescape(value) for name, value in _HIDDEN.findall(found[0]) if name != "csrf_token"}
    answer = await browser.post(found[1], fields)
    assert answer.status_code == 303
    return str(answer.headers["location"])


def png(colour: str) -> dict[str, tuple[str, bytes, str]]:
    packed = BytesIO()
    Image.new("RGB", (40, 60), colour).save(packed, "PNG")
    return {"photo": ("a.png", packed.getvalue(), "image/png")}


async def stands(database: Database, world: World) -> tuple[int, int, str, str | None]:
    async with database.transaction() as session:
        listing, stock = await session.get_one(Listing, world.pumpkin), await session.get_one(Stock, world.pumpkin)
        return listing.price_fen, stock.left, str(listing.ready_on), listing.photo


@pytest.mark.parametrize(
    ("act", "form"), [("price", {"price": "7.5"}), ("stock", {"quantity": "0"}), ("day", {"ready": "2026-10-15"})]
)
async def test_a_number_or_day_goes_back_and_forth(
    client: Browser, world: World, database: Database, act: str, form: dict[str, str]
) -> None:
    await client.sign_in(world.wang_account)
    before = await stands(database, world)
    answer = await client.post(f"/village/goods/{world.pumpkin}/{act}", form)
    changed = await stands(database, world)
    assert changed != before
    again = await undo(client, answer.headers["location"])
    assert await stands(database, world) == before
    await undo(client, again)
    assert await stands(database, world) == changed


async def test_a_photo_goes_back_and_only_to_one_that_was_there(
    client: Browser, world: World, database: Database
) -> None:
    await client.sign_in(world.wang_account)
    path = f"/village/goods/{world.pumpkin}/photo"
    first = await client.post(path, files=png("red"))
    red = (await stands(database, world))[3]
    second = await client.post(path, files=png("blue"))
    await undo(client, second.headers["location"])
    assert (await stands(database, world))[3] == red
    await undo(client, first.headers["location"])
    assert (await stands(database, world))[3] is None
    assert (await client.post(f"/village/goods/{world.mutton}/photo", {"was": red})).status_code == 404


@pytest.mark.parametrize("odd", ["undo=price&was=x", "undo=day&was=2026-99-99", "undo=photo&was=../x", "undo=y&was=1"])
async def test_an_odd_address_offers_nothing(client: Browser, world: World, odd: str) -> None:
    await client.sign_in(world.wang_account)
    page = await client.get(f"/village/goods/{world.pumpkin}?{odd}")
    assert (page.status_code, "点错了" in page.text) == (200, False)


async def test_what_was_begun_and_left_is_gone_on_with(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/goods"
    assert "还没上架" not in (await client.get(here)).text
    await client.get(f"{here}/new?produce=millet&counted=jin&quantity=30")
    shown = (await client.get(here)).text
    assert "上次的小米还没上架" in shown
    assert "30 斤" in shown
    on = re.search(r'href="([^"]+/goods/new\?[^"]+)"', shown)
    assert on is not None
    assert "一斤卖多少钱" in (await client.get(unescape(on[1]))).text
    await client.sign_in(world.agent)
    assert "还没上架" not in (await client.get(f"/village/{world.liu}/goods")).text
    answers = {"produce": "millet", "counted": "jin", "quantity": "30", "price": "8", "price_for": "jin"}
    assert (await client.post(here, answers)).status_code == 303
    assert "还没上架" not in (await client.get(here)).text


async def test_what_was_begun_can_be_dropped(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    await client.get(f"/village/{world.wang}/goods/new?produce=millet")
    assert (await client.post(f"/village/{world.wang}/drafts/removal")).status_code == 303
    assert "还没上架" not in (await client.get(f"/village/{world.wang}/goods")).text
    client.http.cookies.set("draft", "produce=nothing&quantity=-1", path=f"/village/{world.wang}")
    assert (await client.get(f"/village/{world.wang}/goods")).status_code == 200
