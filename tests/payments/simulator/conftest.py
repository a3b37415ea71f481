from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.payments.simulator.runs import Running, running

# The SDK's HTTPX client hands httpx its body the old way; that is the SDK's to change.
OF_THE_SDK = "ignore:Use 'content=<...>' to upload raw bytes/text content:DeprecationWarning"


def pytest_itemcollected(item: pytest.Item) -> None:
    if item.path.is_relative_to(Path(__file__).parent):
        item.add_marker(pytest.mark.filterwarnings(OF_THE_SDK))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_simulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    folder: Path = tmp_path_factory.mktemp("simulator")
    async with running(folder / "stripe.sqlite3") as simulator:
        yield simulator


@pytest_asyncio.fixture(loop_scope="session")
async def simulator(shared_simulator: Running) -> AsyncIterator[Running]:
    yield shared_simulator
    shared_simulator.listener.answers.clear()
    await shared_simulator.probe("switches", {"reset": True})
