"""Signing in: codes, limits, carts that come along, forged forms and cookies."""

import re

import pytest
from httpx import Response

from storefront.sessions import COOKIE
from tests.client import Browser
from tests.world import World

PHONE = "19900000005"
_CODE = re.compile(r"验证码是 (\d{6})")


async def ask(client: Browser, phone: str = PHONE) -> Response:
    return await client.post("/sign-in/codes", {"phone": phone, "next": "/"})


async def code_for(client: Browser, phone: str = PHONE) -> str:
    found = _CODE.search((await ask(client, phone)).text)
    assert found is not None
    return found[1]


async def enter(client: Browser, code: str, phone: str = PHONE, **more: str) -> Response:
    return await client.post("/sign-in", {"phone": phone, "code": code, **more})


async def test_a_code_signs_in_once(client: Browser, world: World) -> None:
    code = await code_for(client)
    answer = await enter(client, code, next="/cart")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cart")
    assert (await client.get("/account")).status_code == 200
    assert (await enter(client.another(), code)).status_code in {403, 422}


@pytest.mark.parametrize("phone", ["", "123", "abcdefghijk", "1990000000x", "+1 202 555 0100"])
async def test_what_is_no_mobile_number_is_asked_again(client: Browser, world: World, phone: str) -> None:
    answer = await ask(client, phone)
    assert answer.status_code == 422
    assert "11 位手机号" in answer.text


async def test_five_wrong_codes_end_the_right_one(client: Browser, world: World) -> None:
    code = await code_for(client)
    wrong = "000000" if code != "000000" else "111111"
    for _ in range(5):
        assert (await enter(client, wrong)).status_code == 422
    assert (await enter(client, code)).status_code == 422
    assert (await client.get("/account")).url.path == "/sign-in"


async def test_too_many_codes_for_one_phone_are_refused(client: Browser, world: World) -> None:
    for _ in range(5):
        assert (await ask(client, "19911112222")).status_code == 200
    answer = await ask(client, "19911112222")
    assert answer.status_code == 422
    assert "试得太多了" in answer.text


async def test_the_cart_comes_along(client: Browser, world: World) -> None:
    await client.post("/cart/lines", {"listing_id": world.pumpkin, "quantity": 3})
    await enter(client, await code_for(client))
    cart = (await client.get("/cart")).text
    assert "南瓜" in cart


async def test_the_name_of_the_browser_changes_at_sign_in_and_out(client: Browser, world: World) -> None:
    await client.get("/")
    before = client.http.cookies[COOKIE]
    await enter(client, await code_for(client))
    inside = client.http.cookies[COOKIE]
    assert before != inside
    await client.post("/sign-out")
    client.http.cookies.set(COOKIE, inside)
    assert (await client.get("/account")).url.path == "/sign-in"


@pytest.mark.parametrize("cookie", ["x", "x.y.z", "", "a" * 5000])
async def test_a_tampered_cookie_is_nobody(client: Browser, world: World, cookie: str) -> None:
    client.http.cookies.set(COOKIE, cookie)
    assert (await client.get("/account")).url.path == "/sign-in"


async def test_a_form_without_its_token_does_nothing(client: Browser, world: World) -> None:
    await client.get("/")
    for token in ("", "0" * 32, "\u4e2d"):
        answer = await client.http.post(
            "/cart/lines", data={"csrf_token": token, "listing_id": world.pumpkin, "quantity": 1}
        )
        assert answer.status_code == 403


@pytest.mark.parametrize("away", ["https://example.org", "//example.org", "/\\example.org", "javascript:alert(1)"])
async def test_nobody_is_sent_to_another_site(client: Browser, world: World, away: str) -> None:
    answer = await enter(client, await code_for(client), next=away)
    assert answer.headers["location"].startswith("/")
    assert "example" not in answer.headers["location"]


async def test_demo_logins_exist_only_in_the_demo(client: Browser, world: World) -> None:
    assert (await client.get("/demo-logins/nobody")).status_code == 404
