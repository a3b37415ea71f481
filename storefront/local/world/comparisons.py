"""The last nights' comparisons with the provider. Past trade was all in cash: only strangers' money was found."""

from datetime import datetime, time, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.clock import SHANGHAI, day_of
from payments.reconcile import usual
from payments.reconciliations import Condition, Difference, Kind, Reconciliation
from storefront.local.world.people import Cast

_NIGHTS = 8
_STRANGERS = {7: ("pi_demo_stranger_1", 3500), 6: ("pi_demo_stranger_2", 12800)}
"""Nights ago, and what was found then: too long ago for a later comparison of the usual window to look there again."""


async def bring(session: AsyncSession, cast: Cast, *, now: datetime) -> None:
    """Write them; the first thing found is dealt with, the second waits."""
    for ago in range(_NIGHTS, 0, -1):
        night = datetime.combine(day_of(now - timedelta(days=ago)), time(3, 23), SHANGHAI)
        window, found = usual(night), _STRANGERS.get(ago)
        made = Reconciliation(
            from_at=window.from_at, to_at=window.to_at, started_at=night, ended_at=night + timedelta(seconds=4),
            charge_count=1 if found else 0, found_count=1 if found else 0, left_count=1 if found else 0,
        )  # fmt: skip
        session.add(made)
        await session.flush()  # the difference refers to it
        if found is not None:
            session.add(_difference(made, *found))
    await session.flush()
    (first, _second) = (await session.exec(select(Difference).order_by(col(Difference.id)))).all()
    first.condition, first.settled_by = Condition.DEALT_WITH, cast.accountant
    first.settled_at, first.why = first.found_at + timedelta(hours=7), "有人扫错了码，已经在收款方后台退给他"


def _difference(made: Reconciliation, subject: str, fen: int) -> Difference:
    return Difference(
        kind=Kind.UNKNOWN_CHARGE, subject=subject, expected="", found=str(fen), condition=Condition.OPEN,
        at=made.started_at - timedelta(hours=9), first_id=made.id or 0, last_id=made.id or 0, found_at=made.started_at,
    )  # fmt: skip
