"""Jobs that watch over money: what nobody told us of is looked up, and books are compared and proven at night."""

import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from procrastinate import App, RetryStrategy

from market.ground import clock
from market.ground.errors import MarketError, Unavailable
from market.reports import oversight
from payments import followup, proof, reconcile
from payments.reconciliations import TASK
from storefront.state import State

log = logging.getLogger("yigou.jobs")
_LATER = RetryStrategy(max_attempts=6, wait=600)
"""A provider that is away at night is asked again every ten minutes."""


def add(app: App, state: State) -> None:
    """Enter the tasks."""
    _add_followup(app, state)
    _add_nightly(app, state)


def _add_followup(app: App, state: State) -> None:
    @app.periodic(cron="*/2 * * * *")
    @app.task(name="follow_up", queueing_lock="follow_up")
    async def follow_up(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        """Payments and refunds whose notice may be lost."""
        if not state.gateway.is_open:
            return
        now = clock.now()
        async with state.database.transaction() as session:
            payments = await followup.started(session, now=now)
            refunds = await followup.on_their_way(session, now=now)
        await _look_after(state, payments, followup.look_after_payment)
        await _look_after(state, refunds, followup.look_after_refund)


def _add_nightly(app: App, state: State) -> None:
    @app.periodic(cron="23 19 * * *")  # 3:23 in the village
    @app.task(name=TASK, queueing_lock=TASK, retry=_LATER)
    async def compare(timestamp: int, account_id: int | None = None) -> None:  # noqa: ARG001  the queue's own argument
        """The last days beside the provider's list, every night and whenever somebody asks."""
        if state.gateway.is_open:
            now = clock.now()
            await reconcile.reconcile(state.database, state.gateway, reconcile.usual(now), by=account_id, now=now)

    @app.periodic(cron="43 19 * * *")
    @app.task(name="verify", queueing_lock="verify")
    async def verify(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        """Every invariant of stock and money; what breaks one is an error in the log."""
        async with state.database.transaction() as session:
            found = [*await oversight.differences(session), *await proof.differences(session)]
        for each in found:
            log.error("verify: %s: %s: expected %s, found %s", each.rule, each.subject, each.expected, each.found)


async def _look_after(state: State, ids: list[UUID], look: Callable[..., Awaitable[str]]) -> None:
    """One after the other, each by itself: what is wrong with one keeps no other waiting."""
    for each in ids:
        try:
            async with state.database.transaction() as session:
                outcome = await look(session, state.gateway, each, now=clock.now())
        except Unavailable:
            return  # for all of them; the next round asks again
        except MarketError as error:
            log.warning("could not look after %s: %r", each, error)
        else:
            if outcome not in {"known", "waiting"}:
                log.info("looked after %s: %s", each, outcome)
