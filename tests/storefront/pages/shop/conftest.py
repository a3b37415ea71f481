"""What tests of the shop door need again and again."""

import pytest

from tests.client import Browser
from tests.storefront.pages.shop.visits import Buyer
from tests.world import World


@pytest.fixture
async def buyer(client: Browser, world: World) -> Buyer:
    await client.sign_in(world.buyer)
    return Buyer(client, world)


@pytest.fixture
async def payer(paying_client: Browser, world: World) -> Buyer:
    """The same where online payment is set up."""
    await paying_client.sign_in(world.buyer)
    return Buyer(paying_client, world)
