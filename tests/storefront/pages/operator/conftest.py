"""An administrator at work, and one of another county who must see nothing of it."""

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from html import unescape

import pytest
import pytest_asyncio
from httpx import Response

from market.ground import places
from market.ground.db import Database
from market.people import accounts
from market.people.accounts import Account, Role
from tests.client import Browser
from tests.world import World

OTHER_COUNTY = "141124"


def said(response: Response) -> str:
    """The visible words of a page, without markup."""
    body = re.sub(r"<(script|style).*?</\1>", "", response.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))


@pytest_asyncio.fixture
async def operator(client: Browser, world: World) -> Browser:
    """The browser of the county's administrator."""
    await client.sign_in(world.administrator)
    return client


@pytest.fixture
def stranger(client: Browser, database: Database) -> Callable[[], Awaitable[Browser]]:
    """A browser of another county's administrator."""

    async def signed_in() -> Browser:
        now = datetime.now(UTC)
        async with database.transaction() as session:
            session.add(places.named(OTHER_COUNTY, "临县"))
            account = Account(phone="19900009999", name="stranger", created_at=now)
            session.add(account)
            await session.flush()
            await accounts.grant(session, account, Role.ADMINISTRATOR, now=now, division_code=OTHER_COUNTY)
            account_id = account.id or 0
        browser = client.another()
        await browser.sign_in(account_id)
        return browser

    return signed_in
