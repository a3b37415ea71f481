"""Programs that call the API, each with a token of its own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import AsyncClient, Response

from market.ground.db import Database
from market.people import accounts
from market.people.accounts import Account
from tests.client import Browser


@dataclass
class Program:
    """Something that calls the API with a token (or none)."""

    http: AsyncClient
    headers: dict[str, str] = field(default_factory=dict)

    async def get(self, path: str, **params: Any) -> Response:
        return await self.http.get(f"/api/v1{path}", params=params, headers=self.headers)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Response:
        return await self.send("POST", path, body, key=key)

    async def patch(self, path: str, body: Any = None, *, key: str | None = None) -> Response:
        return await self.send("PATCH", path, body, key=key)

    async def send(self, verb: str, path: str, body: Any = None, *, key: str | None = None) -> Response:
        headers = self.headers | ({"Idempotency-Key": key} if key is not None else {})
        given = {"content": body} if isinstance(body, bytes) else {"json": body}
        if isinstance(body, bytes):
            headers["Content-Type"] = "application/json"
        return await self.http.request(verb, f"/api/v1{path}", headers=headers, **given)


Programs = Callable[[int | None], Awaitable[Program]]


async def program_for(database: Database, browser: Browser, account_id: int | None) -> Program:
    """A program with a fresh token of the account; without an account, one without a token."""
    http = browser.another().http
    if account_id is None:
        return Program(http)
    async with database.transaction() as session:
        account = await session.get_one(Account, account_id)
        token = await accounts.new_token(session, account, now=datetime.now(UTC))
    return Program(http, {"Authorization": f"Bearer {token}"})


@pytest.fixture
def api(database: Database, client: Browser) -> Programs:
    """`await api(world.buyer)` is a program of that account; `await api(None)` has no token."""

    async def made(account_id: int | None) -> Program:
        return await program_for(database, client, account_id)

    return made


@pytest.fixture
def paying_api(database: Database, paying_client: Browser) -> Programs:
    """The same where online payment is set up."""

    async def made(account_id: int | None) -> Program:
        return await program_for(database, paying_client, account_id)

    return made
