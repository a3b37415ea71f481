"""The stories can fail: with one of these guards taken away, some story soon stops adding up.

Slow, so only on request: `YIGOU_GUARDS=1 bin/test -s tests/stories/test_guards.py`.
"""

import os
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from market.goods import stock
from payments import cash_books, refunds
from tests.simulator import Cashier
from tests.stories.machine import Story
from tests.world import World

GUARDS: dict[str, tuple[ModuleType, str]] = {
    "money that came for nothing is owed back": (refunds, "undeliverable"),
    "goods of an order that ended can be sold again": (stock, "release"),
    "cash leaves only the hand that holds it": (cash_books, "must_hold"),
}


@pytest.mark.skipif(not os.environ.get("YIGOU_GUARDS"), reason="slow: YIGOU_GUARDS=1 runs it")
@pytest.mark.parametrize("name", GUARDS)
def test_a_story_fails_without(
    name: str, server: str, template: tuple[str, World], cashier: Cashier, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, function = GUARDS[name]
    told = 0

    async def unguarded(*_args: Any, **_kwargs: Any) -> None:
        """Does nothing."""

    def story() -> Story:
        nonlocal told
        told += 1
        return Story(server, template, cashier)

    monkeypatch.setattr(module, function, unguarded)
    searching = settings(
        max_examples=100, stateful_step_count=60, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), report_multiple_bugs=False,
    )  # fmt: skip
    with pytest.raises(Exception, match=r".") as failed:
        run_state_machine_as_test(story, settings=searching)  # type: ignore[arg-type]
    print(f"{name}: story {told}: {str(failed.value)[:160]}")
