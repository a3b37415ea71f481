"""Forms that a phone brings by itself: taken once, for the one who filled them in, and never over another's word."""

import re
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image
from sqlmodel import col, func, select

from market.goods import uploads
from market.goods.disagreements import Disagreement
from market.goods.listings import Listing
from market.goods.stock import Stock, StockMove
from market.goods.uploads import UploadPart
from market.ground import clock
from market.ground.db import Database
from tests.client import Browser
from tests.world import World

BROUGHT = {"x-outbox": "1"}
MILLET = {"produce": "millet", "counted": "jin", "quantity": "30", "price_for": "jin", "price": "8.5"}


async def _count(database: Database, table: Any) -> int:
    async with database.transaction() as session:
        return int((await session.exec(select(func.count()).select_from(table))).one())


async def _left(database: Database, listing_id: int) -> int:
    async with database.transaction() as session:
        return (await session.get_one(Stock, listing_id)).left


async def _key(client: Browser, path: str) -> str:
    found = re.search(r'name="key" value="([^"]+)"', (await client.get(path)).text)
    assert found is not None
    return found[1]


async def test_a_form_brought_twice_is_taken_once_with_the_same_answer(
    client: Browser, world: World, database: Database
) -> None:
    await client.sign_in(world.wang_account)
    before = await _count(database, Listing)
    form = {**MILLET, "photo_choice": "without", "key": await _key(client, f"/village/{world.wang}/goods")}
    first = await client.post(f"/village/{world.wang}/goods", form, headers=BROUGHT)
    again = await client.post(f"/village/{world.wang}/goods", form, headers=BROUGHT)
    assert first.json() == again.json()
    assert first.json()["said"] == ["已上架，买的人能看到了"]
    assert re.fullmatch(r"/village/goods/\d+\?new=1", first.json()["to"])
    assert await _count(database, Listing) == before + 1


async def test_one_more_brought_twice_is_one_more(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    path = f"/village/goods/{world.mutton}/stock"
    form = {"step": "1", "back": "list", "key": await _key(client, path)}
    answers = [await client.post(path, form) for _ in range(3)]
    assert len({answer.headers["location"] for answer in answers}) == 1
    await client.post(path, {**form, "step": "-1"})  # another answer on the same page is another act
    await client.post(path, {**form, "key": await _key(client, path)})
    assert await _left(database, world.mutton) == 61


async def test_what_one_account_filled_in_no_other_may_bring(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    path = f"/village/goods/{world.mutton}/stock"
    key = await _key(client, path)
    await client.sign_in(world.agent)  # sells these goods too, and did not say this
    answer = await client.post(path, {"step": "1", "key": key}, headers=BROUGHT)
    assert (answer.status_code, answer.json()["error"]) == (409, "OtherHands")
    assert "另一个人填的" in (await client.post(path, {"step": "1", "key": key})).text
    assert await _left(database, world.mutton) == 60


async def test_an_old_page_is_brought_with_the_token_of_today(
    client: Browser, world: World, database: Database
) -> None:
    await client.sign_in(world.wang_account)
    path = f"/village/goods/{world.mutton}/stock"
    form = {"step": "1", "key": await _key(client, path), "csrf_token": await client.csrf_token()}
    await client.sign_in(world.wang_account)  # a new session, and with it a new token
    stale = await client.http.post(path, data=form, headers=BROUGHT)
    assert (stale.status_code, stale.json()["error"]) == (403, "NotAllowed")
    passed = (await client.get("/village/pass", headers=BROUGHT)).json()
    assert form["key"].endswith("." + passed["hand"])
    fresh = await client.http.post(path, data=form, headers={**BROUGHT, "x-csrf-token": passed["token"]})
    assert fresh.json()["to"].split("?")[0] == f"/village/goods/{world.mutton}"
    assert await _left(database, world.mutton) == 61


async def test_a_phone_nobody_is_signed_in_on_is_told_so(client: Browser) -> None:
    answer = await client.get("/village/pass", headers=BROUGHT)
    assert (answer.status_code, answer.json()["error"]) == (403, "SignInFirst")


async def test_what_is_asked_again_is_not_kept(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    path = f"/village/goods/{world.mutton}/stock"
    key = await _key(client, path)
    refused = await client.post(path, {"quantity": "-1", "key": key})
    assert refused.status_code == 422
    assert f'value="{key}"' in refused.text
    assert (await client.post(path, {"quantity": "12", "key": key})).status_code == 303
    assert await _left(database, world.mutton) == 12


async def test_two_phones_that_differ_are_both_kept_and_asked(
    client: Browser, world: World, database: Database
) -> None:
    await client.sign_in(world.wang_account)
    path = f"/village/goods/{world.mutton}/stock"
    assert 'name="seen" value="60"' in (await client.get(path)).text
    await client.post(path, {"quantity": "50", "seen": "60"})
    answer = await client.post(path, {"quantity": "40", "seen": "60"}, headers=BROUGHT)
    asks = answer.json()["to"]
    assert "/disagreements/" in asks
    assert await _left(database, world.mutton) == 50
    assert asks in (await client.get(f"/village/{world.wang}/goods")).text
    shown = (await client.get(asks)).text
    assert "“40 斤”" in shown
    assert "现在是“50 斤”" in shown
    await client.post(asks, {"keep": "wanted"})
    assert await _left(database, world.mutton) == 40
    moves = await _count(database, StockMove)
    assert (await client.post(asks, {"keep": "standing"})).status_code == 303
    assert await _count(database, StockMove) == moves
    assert "两次说的不一样" not in (await client.get(f"/village/{world.wang}/goods")).text
    async with database.transaction() as session:
        asked = (await session.exec(select(Disagreement))).one()
    assert (asked.seen, asked.found, asked.wanted, asked.kept) == (60, 50, 40, 40)
    assert (asked.said_by, asked.settled_by) == (world.wang_account, world.wang_account)


async def test_the_same_word_twice_and_a_number_nobody_touched_ask_nothing(
    client: Browser, world: World, database: Database
) -> None:
    await client.sign_in(world.wang_account)
    path = f"/village/goods/{world.mutton}/price"
    for price, seen in (("38", "3500"), ("38", "3500"), ("36", "3800")):
        answer = await client.post(path, {"price": price, "seen": seen})
        assert answer.headers["location"].split("?")[0] == f"/village/goods/{world.mutton}"
    asks = (await client.post(path, {"price": "30", "seen": "3500"})).headers["location"]
    assert "现在是“36元”" in (await client.get(asks)).text
    await client.post(asks, {"keep": "standing"})
    async with database.transaction() as session:
        assert (await session.get_one(Listing, world.mutton)).price_fen == 3600


async def test_a_question_of_another_household_is_not_there(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    path = f"/village/goods/{world.mutton}/stock"
    await client.post(path, {"quantity": "50", "seen": "60"})
    asks = (await client.post(path, {"quantity": "40", "seen": "60"})).headers["location"]
    await client.sign_in(world.zhao_account)
    assert (await client.get(asks)).status_code == 404
    assert (await client.post(asks, {"keep": "wanted"})).status_code == 404


def _photo() -> bytes:
    packed = BytesIO()
    Image.effect_noise((500, 400), 90).save(packed, "JPEG", quality=20)
    return packed.getvalue()


async def _send(client: Browser, name: str, data: bytes, start: int) -> Any:
    token = (await client.get("/village/pass")).json()["token"]
    headers = {**BROUGHT, "x-csrf-token": token, "content-type": "application/octet-stream"}
    return await client.http.post(f"/village/uploads/{name}?start={start}", content=data, headers=headers)


async def test_a_photo_comes_in_parts_and_goes_on_where_it_broke_off(
    client: Browser, world: World, database: Database
) -> None:
    await client.sign_in(world.wang_account)
    photo = _photo()
    assert (await _send(client, "p1", photo[:16_000], 0)).json() == {"received": 16_000}
    # The answer was lost: the phone asks, or simply sends it again.
    assert (await client.get("/village/uploads/p1")).json() == {"received": 16_000}
    assert (await _send(client, "p1", photo[:16_000], 0)).json() == {"received": 16_000}
    form = {**MILLET, "photo_choice": "with", "photo_upload": "p1", "photo_size": str(len(photo)), "key": "one"}
    half = await client.post(f"/village/{world.wang}/goods", form, headers=BROUGHT)
    assert half.status_code == 422
    assert (await _send(client, "p1", photo[16_000:], 16_000)).json() == {"received": len(photo)}
    first = await client.post(f"/village/{world.wang}/goods", form, headers=BROUGHT)
    again = await client.post(f"/village/{world.wang}/goods", form, headers=BROUGHT)
    assert first.json()["to"] == again.json()["to"]
    async with database.transaction() as session:
        made = (await session.exec(select(Listing).order_by(col(Listing.id).desc()).limit(1))).one()
    assert made.photo is not None
    assert await _count(database, UploadPart) == 0


@pytest.mark.parametrize(("name", "size"), [("p1", 0), ("p1", uploads.MOST_PART_BYTES + 1), ("x" * 41, 5), ("a.b", 5)])
async def test_no_endless_photos(client: Browser, world: World, name: str, size: int) -> None:
    await client.sign_in(world.wang_account)
    assert (await _send(client, name, b"x" * size, 0)).status_code in (404, 422)


async def test_not_too_many_at_once_and_none_for_ever(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.wang_account)
    async with database.transaction() as session:
        for n in range(12):
            await uploads.add(session, world.wang_account, f"p{n}", start=0, data=b"x", now=clock.now())
    assert (await _send(client, "p12", b"x", 0)).status_code == 429
    assert (await client.get("/village/uploads/p1")).json() == {"received": 1}
    await client.sign_in(world.zhao_account)
    assert (await client.get("/village/uploads/p1")).json() == {"received": 0}
    async with database.transaction() as session:
        assert await uploads.forget_old(session, now=clock.now() + timedelta(days=2)) == 0
        assert await uploads.forget_old(session, now=clock.now() + timedelta(days=4)) == 12


async def test_one_page_can_ask_every_question_of_a_household(client: Browser, world: World) -> None:
    await client.sign_in(world.wang_account)
    page = (await client.get(f"/village/{world.wang}/offline")).text
    listings = re.search(r'data-listings="([^"]*)"', page)
    assert listings is not None
    assert {str(world.mutton), str(world.last_leg)} <= set(listings[1].split())
    assert "?produce=millet" in page
    assert "\\u7f8a\\u8089" in page  # 羊肉, among the household's goods
    await client.sign_in(world.zhao_account)
    assert (await client.get(f"/village/{world.wang}/offline")).status_code == 404


async def test_the_worker_keeps_its_address_and_is_asked_for_afresh(client: Browser) -> None:
    worker = await client.get("/worker.js")
    assert worker.headers["cache-control"] == "no-cache"
    assert worker.headers["content-type"].startswith("text/javascript")
    again = await client.http.get("/worker.js", headers={"if-none-match": worker.headers["etag"]})
    assert again.status_code == 304
