"""Every answer speaks the asker's language and carries the headers that keep a browser safe."""

import pytest

from tests.client import Browser

SAFE = {"content-security-policy", "x-content-type-options", "referrer-policy", "permissions-policy"}


@pytest.mark.parametrize("path", ["/", "/healthz", "/nowhere", "/api/v1/produce", "/api/v1/orders", "/static/nothing"])
async def test_every_answer_carries_the_safe_headers(client: Browser, path: str) -> None:
    answer = await client.http.get(path)
    assert set(answer.headers) >= SAFE, path
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_a_page_speaks_what_was_chosen_and_a_machine_what_it_asks_for(client: Browser) -> None:
    english = {"Accept-Language": "en-GB,en;q=0.9"}
    assert 'lang="zh' in (await client.http.get("/", headers=english)).text
    assert 'lang="en' in (await client.http.get("/", headers={"Cookie": "lang=en"})).text
    assert (await client.http.get("/api/v1/orders", headers=english)).json()["message"].isascii()
    chosen = {"Cookie": "lang=zh", **english}
    assert not (await client.http.get("/api/v1/orders", headers=chosen)).json()["message"].isascii()
    unknown = {"Cookie": "lang=tlh"}
    assert 'lang="zh' in (await client.http.get("/", headers=unknown)).text
