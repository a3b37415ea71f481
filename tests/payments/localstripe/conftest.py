"""The same tests beside two providers that know nothing of each other: localstripe, and the simulator of this house."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from market.ground.db import Database
from tests.payments.localstripe import runs
from tests.payments.localstripe.runs import Provider
from tests.payments.localstripe.scene import CardScene
from tests.simulator import Cashier
from tests.world import World


@pytest.fixture(scope="session")
def localstripe() -> Iterator[Provider]:
    with runs.running() as running:
        yield running


@pytest.fixture(params=["localstripe", "simulator"])
def provider(request: pytest.FixtureRequest, localstripe: Provider, cashier: Cashier) -> Provider:
    return localstripe if request.param == "localstripe" else Provider("simulator", cashier.url)


@pytest_asyncio.fixture
async def scene(database: Database, world: World, provider: Provider) -> AsyncIterator[CardScene]:
    async with CardScene.open(database, world, provider) as opened:
        yield opened
