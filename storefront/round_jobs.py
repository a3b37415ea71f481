"""Jobs that end the orders of a round that was called off, and tell who has to know."""

from procrastinate import App, RetryStrategy

from market.delivery import calling_off, round_cancellations
from payments import called_off
from storefront import round_notices
from storefront.state import State

_AGAIN = RetryStrategy(max_attempts=12, exponential_wait=2)
_TELL_AGAIN = RetryStrategy(max_attempts=5, wait=30)


def add(app: App, state: State) -> None:
    """Enter the tasks."""

    @app.task(name=calling_off.JOB, retry=_AGAIN)
    async def call_off_round(cancellation_id: int) -> None:
        await called_off.work_off(state.database, cancellation_id)

    @app.periodic(cron="4-59/5 * * * *")
    @app.task(name="call_off_left_over", queueing_lock="call_off_left_over")
    async def call_off_left_over(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        """Rounds whose own job gave up, or whose last orders another worker was at."""
        async with state.database.transaction() as session:
            unended = await round_cancellations.unended(session)
        for cancellation_id in unended:
            await called_off.work_off(state.database, cancellation_id)

    @app.task(name="tell_order_off", retry=_TELL_AGAIN)
    async def tell_order_off(order_id: int) -> None:
        async with state.database.transaction() as session:
            await round_notices.tell_order_off(session, state.settings, order_id)

    @app.task(name="tell_round_off", retry=_TELL_AGAIN)
    async def tell_round_off(cancellation_id: int, household_id: int) -> None:
        async with state.database.transaction() as session:
            await round_notices.tell_round_off(session, state.settings, cancellation_id, household_id)
