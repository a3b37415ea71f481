"""Work nobody waits for. Jobs are queued inside the transaction that needs them, and bear being run twice."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any
from uuid import UUID

import procrastinate
from procrastinate import App, JobContext, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import UniqueViolation
from procrastinate.jobs import Status
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import cutoffs
from market.goods import uploads
from market.ground import clock, idempotency
from market.ground.db import plain_url
from market.people.cards import PayoutCard
from market.trade import carts, orders
from market.trade.answers import LineAnswer
from market.trade.orders import Order
from payments import desk, followup, refunds
from payments.records import Payment, Refund, RefundState
from storefront import bank_work, goods_jobs, money_watch, payout_notices, register_files, round_jobs
from storefront.notices import tell_card, tell_cutoff, tell_door_opened, tell_ordered, tell_returned, tell_short
from storefront.state import State

log = logging.getLogger("yigou.jobs")
_STALLED_AFTER_SECONDS = 30
_CONCURRENCY = 4
_AGAIN = RetryStrategy(max_attempts=12, exponential_wait=2)


def make_app(state: State) -> App:
    """The job queue over this process's connections, with every task the market has."""
    app = App(connector=PsycopgConnector(conninfo=plain_url(state.settings.database_url or "")))
    _add_periodic(app, state)
    _add_upkeep(app, state)
    _add_once(app, state)
    _add_tellings(app, state)
    payout_notices.add(app, state)
    goods_jobs.add(app, state)
    money_watch.add(app, state)
    bank_work.add(app, state)
    round_jobs.add(app, state)
    return app


@asynccontextmanager
async def working(state: State) -> AsyncIterator[None]:
    """A worker beside whatever runs in the block."""
    app = make_app(state)
    async with app.open_async():
        worker = asyncio.create_task(
            app.run_worker_async(install_signal_handlers=False, concurrency=_CONCURRENCY, shutdown_graceful_timeout=5)
        )
        try:
            yield
        finally:
            worker.cancel()
            with suppress(asyncio.CancelledError, procrastinate.exceptions.ProcrastinateException):
                await worker


def _add_periodic(app: App, state: State) -> None:
    @app.periodic(cron="*/20 * * * * *")
    @app.task(name="expire_orders", queueing_lock="expire_orders", pass_context=False)
    async def expire_orders(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        while await _in_transaction(state, _expire):
            pass
        while await _in_transaction(state, _close_left_over):
            pass

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="call_cutoffs", queueing_lock="call_cutoffs")
    async def call_cutoffs(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        async with state.database.transaction() as session:
            await cutoffs.call(session, now=clock.now())

    @app.periodic(cron="*/5 * * * *")
    @app.task(name="send_refunds", queueing_lock="send_refunds")
    async def send_refunds(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        """Refunds whose own job gave up while the provider was away."""
        async with state.database.transaction() as session:
            waiting = await session.exec(select(Refund.id).where(col(Refund.state) == RefundState.REQUESTED))
        for refund_id in waiting.all():
            await _send_refund(state, refund_id)


def _add_upkeep(app: App, state: State) -> None:
    @app.periodic(cron="*/30 * * * * *")
    @app.task(name="reap", queueing_lock="reap", pass_context=True)
    async def reap(context: JobContext, timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        """Start again what a killed worker left half done: a job bears being run twice."""
        jobs = context.app.job_manager
        for job in await jobs.get_stalled_jobs(seconds_since_heartbeat=_STALLED_AFTER_SECONDS):
            try:
                await jobs.retry_job(job)
            except UniqueViolation:
                # Another of the same kind waits already and will do its work; the rest must not wait for that one.
                await jobs.finish_job(job, Status.FAILED, delete_job=False)

    @app.periodic(cron="41 * * * *")
    @app.task(name="forget_uploads", queueing_lock="forget_uploads")
    async def forget_uploads(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        """Registers sent for a look are personal data: an hour is enough."""
        await asyncio.to_thread(register_files.forget_old, state.settings.var / "imports")

    @app.periodic(cron="17 3 * * *")
    @app.task(name="housekeeping", queueing_lock="housekeeping")
    async def housekeeping(timestamp: int) -> None:  # noqa: ARG001  the queue's own argument
        async with state.database.transaction() as session:
            await idempotency.forget_old(session, now=clock.now())
            await carts.forget_old(session, now=clock.now())
            await uploads.forget_old(session, now=clock.now())
        await app.job_manager.delete_old_jobs(nb_hours=72)


def _add_once(app: App, state: State) -> None:
    @app.task(name="send_refund", retry=_AGAIN)
    async def send_refund(refund_id: str) -> None:
        await _send_refund(state, UUID(refund_id))

    @app.task(name="close_payment", retry=_AGAIN)
    async def close_payment(provider_id: str) -> None:
        async with state.database.transaction() as session:
            await followup.close(session, state.gateway, provider_id, now=clock.now())

    @app.task(name="announce_ordered", retry=RetryStrategy(max_attempts=5, wait=30))
    async def announce_ordered(order_id: int) -> None:
        async with state.database.transaction() as session:
            await tell_ordered(session, state.settings, await session.get_one(Order, order_id))

    @app.task(name="announce_cutoff", retry=RetryStrategy(max_attempts=5, wait=30))
    async def announce_cutoff(household_id: int, stop_id: int, on: str) -> None:
        async with state.database.transaction() as session:
            await tell_cutoff(session, state.settings, household_id, stop_id=stop_id, on=date.fromisoformat(on))

    @app.task(name="announce_short", retry=RetryStrategy(max_attempts=5, wait=30))
    async def announce_short(answer_id: int) -> None:
        async with state.database.transaction() as session:
            answer = await session.get_one(LineAnswer, answer_id)
            await tell_short(session, state.settings, answer)

    @app.task(name="announce_returned", retry=RetryStrategy(max_attempts=5, wait=30))
    async def announce_returned(payment_id: str) -> None:
        async with state.database.transaction() as session:
            payment = await session.get_one(Payment, UUID(payment_id))
            await tell_returned(session, state.settings, payment)

    @app.task(name="announce_card", retry=RetryStrategy(max_attempts=5, wait=30))
    async def announce_card(card_id: int, news: str) -> None:
        async with state.database.transaction() as session:
            await tell_card(session, state.settings, await session.get_one(PayoutCard, card_id), news)


def _add_tellings(app: App, state: State) -> None:
    @app.task(name="tell_door_opened", retry=RetryStrategy(max_attempts=5, wait=30))
    async def tell_opened(device_id: int) -> None:
        async with state.database.transaction() as session:
            await tell_door_opened(session, state.settings, device_id)


async def _send_refund(state: State, refund_id: UUID) -> None:
    async with state.database.transaction() as session:
        await refunds.send(session, state.gateway, refund_id, now=clock.now())


async def _expire(session: AsyncSession) -> bool:
    expired = await orders.expire_due(session, now=clock.now())
    for no in expired:
        log.info("order %s expired unpaid", no)
    return bool(expired)


async def _close_left_over(session: AsyncSession) -> bool:
    return await desk.close_left_over(session, now=clock.now()) > 0


async def _in_transaction(state: State, work: Callable[[AsyncSession], Awaitable[Any]]) -> Any:
    async with state.database.transaction() as session:
        return await work(session)
