"""Jobs that do what was agreed about bank statements, one part a transaction: what a crash leaves is done later."""

import logging

from procrastinate import App, RetryStrategy

from market.ground import clock
from payments import settling
from storefront.state import State

log = logging.getLogger("yigou.jobs")
_AGAIN = RetryStrategy(max_attempts=12, exponential_wait=2)


def add(app: App, state: State) -> None:
    """Enter the tasks."""

    @app.task(name="settle_rows", retry=_AGAIN)
    async def settle_rows(statement_id: int) -> None:
        await settle(state, statement_id)

    @app.periodic(cron="2-59/5 * * * *")
    @app.task(name="settle_left_over", queueing_lock="settle_left_over")
    async def settle_left_over(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        """Statements whose own job gave up."""
        async with state.database.transaction() as session:
            waiting = await settling.unsettled(session)
        for statement_id in waiting:
            await settle(state, statement_id)


async def settle(state: State, statement_id: int) -> None:
    """Do what was agreed about a statement's lines, each part by itself: one that fails holds up no other."""
    async with state.database.transaction() as session:
        waiting = await settling.agreed(session, statement_id)
    failed: Exception | None = None
    for part_id in waiting:
        try:
            async with state.database.transaction() as session:
                await settling.settle(session, part_id, now=clock.now())
        except Exception as error:
            log.warning("part %s of statement %s is tried again", part_id, statement_id, exc_info=error)
            failed = error
    if failed is not None:
        raise failed
