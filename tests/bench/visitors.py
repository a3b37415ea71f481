"""Buyers on the shop's pages: signed in as people are; what they then send again and again is the checkout's form."""

import asyncio
import re
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode
from uuid import uuid4

import httpx

from tests.bench.load import Ask
from tests.bench.stage import Stage

_TOKEN = re.compile(r'name="csrf_token"\s+value="([0-9a-f]+)"')
_CODE = re.compile(r"验证码是 (\d{6})")
_STOP = re.compile(r'name="stop"\s+value="([^"]+)"')
_PRICE_FEN = 3500
"""Of every listing on this stage."""


@dataclass(frozen=True)
class _Visitor:
    cookies: str
    token: str
    stop: str


async def asking(stage: Stage, connections: int) -> Ask:
    """As many people at the checkout as there are connections."""
    people = await asyncio.gather(*(_at_the_checkout(stage, at) for at in range(connections)))

    def ask(at: int, listing_id: int) -> bytes:
        person = people[at]
        form = {
            "csrf_token": person.token, "key": uuid4().hex, "lines": f"{listing_id}.1.{_PRICE_FEN}",
            "wallet": "personal", "work_unit_id": "", "stop": person.stop, "note": "",
        }  # fmt: skip
        body = urlencode(form)
        return (
            f"POST /checkout HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {person.cookies}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    return ask


async def _at_the_checkout(stage: Stage, at: int) -> _Visitor:
    """One person with something in the cart. Each has an address of their own: one may ask for so many codes only."""
    phone, address = f"198{at:08d}", f"10.9.{at // 250}.{at % 250 + 1}"
    async with httpx.AsyncClient(base_url=stage.url, headers={"x-forwarded-for": address}, timeout=60) as http:

        async def send(path: str, **fields: str) -> httpx.Response:
            token = _found(_TOKEN, (await http.get("/sign-in" if "sign-in" in path else "/account")).text)
            return await http.post(path, data={"csrf_token": token, **fields}, follow_redirects=True)

        asked = await send("/sign-in/codes", phone=phone, next="/")
        await send("/sign-in", phone=phone, code=_found(_CODE, asked.text), next="/")
        await send("/cart/lines", listing_id=str(stage.listing_ids[0]), quantity="1")
        page = (await http.get("/checkout")).text
        cookies = "; ".join(f"{name}={value}" for name, value in http.cookies.items())
        return _Visitor(cookies, _found(_TOKEN, page), unescape(_found(_STOP, page)))


def _found(pattern: re.Pattern[str], page: str) -> str:
    match = pattern.search(page)
    if match is None:
        raise ValueError(f"nothing like {pattern.pattern} on the page: {page[:200]}")
    return match[1]
