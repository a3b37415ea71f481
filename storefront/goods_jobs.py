"""Work about goods nobody waits for: the spoilage clock every hour, and words to households afterwards."""

from datetime import datetime, time, timedelta
from itertools import groupby

from procrastinate import App, RetryStrategy
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import spoilage
from market.goods.listings import Listing
from market.ground import clock, queue
from market.ground.clock import SHANGHAI, day_of
from storefront import goods_notices
from storefront.state import State

_FROM, _TO = time(8), time(20)
"""Nobody is woken by a message about pumpkins."""
_AGAIN = RetryStrategy(max_attempts=5, wait=30)


def add(app: App, state: State) -> None:
    """Put these tasks beside the others."""

    @app.periodic(cron="7 * * * *")
    @app.task(name="spoilage", queueing_lock="spoilage")
    async def run_clock(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        """Stop what is past its last good day, warn of what comes near; many at a time, a transaction each."""
        more = True
        while more:
            async with state.database.transaction() as session:
                more = await stop_and_warn(session, now=clock.now())

    @app.task(name="tell_spoiling", retry=_AGAIN)
    async def tell_spoiling(listing_ids: list[int]) -> None:
        async with state.database.transaction() as session:
            await goods_notices.tell_spoiling(session, state.settings, listing_ids)

    @app.task(name="tell_spoilt", retry=_AGAIN)
    async def tell_spoilt(listing_ids: list[int]) -> None:
        async with state.database.transaction() as session:
            await goods_notices.tell_spoilt(session, state.settings, listing_ids)

    @app.task(name="tell_decision", retry=_AGAIN)
    async def tell_decision(listing_id: int, what: str) -> None:
        async with state.database.transaction() as session:
            await goods_notices.tell_decision(session, state.settings, listing_id, what)


async def stop_and_warn(session: AsyncSession, *, now: datetime) -> bool:
    """One round of the clock, a message a household for all of its goods. Whether there was anything to do."""
    stopped = await spoilage.stop_spoilt(session, now=now)
    near = await spoilage.to_warn(session, now=now)
    for task, goods in (("tell_spoilt", stopped), ("tell_spoiling", near)):
        for _home, theirs in groupby(sorted(goods, key=_by_home), key=_by_home):
            listing_ids = [each.id for each in theirs]
            await queue.enqueue(session, task, listing_ids=listing_ids, at=_by_day(now))
    return bool(stopped or near)


def _by_home(listing: Listing) -> int:
    return listing.household_id


def _by_day(now: datetime) -> datetime | None:
    """When a message may go out: now by day, else in the morning."""
    here = now.astimezone(SHANGHAI)
    if _FROM <= here.time() < _TO:
        return None
    morning = day_of(now) + timedelta(days=1 if here.time() >= _TO else 0)
    return datetime.combine(morning, _FROM, SHANGHAI)
