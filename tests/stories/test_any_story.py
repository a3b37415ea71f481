"""Whatever people, provider and clock do, in whatever order: it adds up after every step.

YIGOU_STORIES and YIGOU_STEPS make a soak of it: `YIGOU_STORIES=500 YIGOU_STEPS=80 bin/test -s tests/stories` (it
ends with a count of where orders, payments, refunds, payouts and bank lines came to).
"""

import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.simulator import Cashier
from tests.stories.machine import Story
from tests.stories.stage import TOLD
from tests.world import World

STORIES, STEPS = int(os.environ.get("YIGOU_STORIES", "8")), int(os.environ.get("YIGOU_STEPS", "30"))


def test_any_story_adds_up(server: str, template: tuple[str, World], cashier: Cashier) -> None:
    told = settings(
        max_examples=STORIES, stateful_step_count=STEPS, deadline=None, database=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    TOLD.clear()
    run_state_machine_as_test(lambda: Story(server, template, cashier), settings=told)  # type: ignore[arg-type]
    print("\n".join(f"{count:6} {end}" for end, count in sorted(TOLD.items())))
