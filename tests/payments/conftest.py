"""A provider of these tests' own: what others do at the common one would be strangers' money here."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import stripe

from market.ground.db import Database
from tests.payments.scene import Scene
from tests.simulator import Cashier, running_cashier
from tests.world import World


@pytest.fixture(scope="session")
def own_cashier() -> Iterator[Cashier]:
    with running_cashier(refund_seconds=3600) as running:
        yield running


@pytest_asyncio.fixture
async def scene(database: Database, world: World, own_cashier: Cashier) -> AsyncIterator[Scene]:
    """A fresh market beside a provider that remembers nothing."""
    await own_cashier.act("oblivion")
    gateway, http = own_cashier.gateway(), stripe.HTTPXClient()
    dashboard = stripe.StripeClient("sk_test_yigou", base_addresses={"api": own_cashier.url}, http_client=http)
    yield Scene(database, world, gateway, own_cashier, dashboard)
    await gateway.hang_up()
    await http.close_async()  # type: ignore[no-untyped-call]
