"""Work for later, put into the queue inside the transaction that makes it necessary: both happen, or neither."""

import json
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import run

# The job library's own SQL entry point; its version is pinned by the name, and tests run a job put in this way.
_DEFER = text("""
    SELECT unnest(procrastinate_defer_jobs_v1(ARRAY[ROW(
        'default', CAST(:task AS text), 0, CAST(:lock AS text), NULL,
        CAST(:args AS jsonb), CAST(:at AS timestamptz)
    )]::procrastinate_job_to_defer_v1[]))
""")
_DEFER_ALL = text("""
    SELECT unnest(procrastinate_defer_jobs_v1((
        SELECT array_agg(ROW('default', CAST(:task AS text), 0, NULL, NULL, args, NULL)
                         ::procrastinate_job_to_defer_v1 ORDER BY at)
        FROM jsonb_array_elements(CAST(:each AS jsonb)) WITH ORDINALITY AS job(args, at)
    )))
""")


async def enqueue(
    session: AsyncSession,
    task: str,
    *,
    at: datetime | None = None,
    lock: str | None = None,
    **args: Any,
) -> None:
    """Have the worker run `task(**args)` after the commit, not before `at`. It may run twice: tasks must bear that.

    The same may wait any number of times: the library's `queueing_lock`, by which only one may, would fail the whole
    transaction of whoever comes second. It is for the clock alone (`app.periodic`), which has no transaction to lose.
    """
    values = {"task": task, "lock": lock, "args": json.dumps(args), "at": at}
    await run(session, _DEFER, values)


async def enqueue_all(session: AsyncSession, task: str, each: list[dict[str, Any]]) -> None:
    """Have the worker run `task` once with each of these arguments after the commit: one statement for many jobs."""
    if each:
        await run(session, _DEFER_ALL, {"task": task, "each": json.dumps(each)})


async def is_busy(session: AsyncSession, task: str) -> bool:
    """Whether this task is running, or waits to be run or tried again."""
    statement = text(
        "SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE task_name = :task AND status IN ('todo', 'doing'))"
    )
    return bool((await run(session, statement, {"task": task})).scalar_one())
