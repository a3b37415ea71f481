"""What a household spent to grow and carry its goods, where it notes it: its own figure, never the ledger's."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import choice, fen, key_of, new_id
from market.ground.errors import Malformed, NotFound
from market.people import acts_for
from market.people.accounts import Viewer

MOST_FEN = 10_000_000
"""A hundred thousand yuan: more for one thing is a slip of the finger."""


class CostKind(StrEnum):
    """What it was spent on (domain §3.2: seed, feed, fertiliser, transport)."""

    SEED = "seed"
    FEED = "feed"
    FERTILISER = "fertiliser"
    TRANSPORT = "transport"
    WAGES = "wages"
    """Paid to people who helped."""
    OTHER = "other"


class Cost(SQLModel, table=True):
    """One thing a household spent money on. Taken back it stays, with the time: nothing is silently gone."""

    __tablename__ = "household_costs"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        Index("ix_household_costs_household_id_spent_on", "household_id", "spent_on"),
    )

    id: int | None = new_id()
    household_id: int = key_of("households.id")
    spent_on: date
    kind: CostKind = choice(CostKind, name="kind")
    amount_fen: int = fen()
    note: str = Field(default="", max_length=60)
    noted_at: datetime
    noted_by: int | None = key_of("accounts.id", default=None)
    removed_at: datetime | None = None


def of_household(household_id: int) -> SelectOfScalar[Cost]:
    """What a household noted and did not take back, the newest first."""
    return (
        select(Cost)
        .where(Cost.household_id == household_id, col(Cost.removed_at).is_(None))
        .order_by(col(Cost.spent_on).desc(), col(Cost.id).desc())
    )


async def total_fen(session: AsyncSession, household_id: int) -> int:
    """All a household noted, in fen."""
    total = select(func.coalesce(func.sum(col(Cost.amount_fen)), 0)).where(
        Cost.household_id == household_id, col(Cost.removed_at).is_(None)
    )
    return int((await session.exec(total)).one())


async def note(
    session: AsyncSession, by: Viewer, household_id: int, kind: CostKind, amount_fen: int, *, on: date, now: datetime
) -> Cost:
    """Note what was spent. The caller has checked that this person acts for the household."""
    if not 0 < amount_fen <= MOST_FEN:
        raise Malformed("amount", "not_positive" if amount_fen <= 0 else "far_too_many", str(amount_fen))
    cost = Cost(
        household_id=household_id, spent_on=on, kind=kind, amount_fen=amount_fen, noted_at=now, noted_by=by.account_id
    )
    session.add(cost)
    await session.flush()  # the trace names its id
    _trace(session, by, "note_cost", cost, now)
    return cost


async def remove(session: AsyncSession, by: Viewer, household_id: int, cost_id: int, *, now: datetime) -> Cost:
    """Take a cost back; twice is once. NotFound for another household's."""
    cost = await _get(session, household_id, cost_id)
    if cost.removed_at is None:
        cost.removed_at = now
        _trace(session, by, "remove_cost", cost, now)
    return cost


async def restore(session: AsyncSession, by: Viewer, household_id: int, cost_id: int, *, now: datetime) -> Cost:
    """It was meant after all."""
    cost = await _get(session, household_id, cost_id)
    if cost.removed_at is not None:
        cost.removed_at = None
        _trace(session, by, "restore_cost", cost, now)
    return cost


async def _get(session: AsyncSession, household_id: int, cost_id: int) -> Cost:
    held = select(Cost).where(Cost.id == cost_id, Cost.household_id == household_id).with_for_update(key_share=True)
    found = (await session.exec(held.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("cost", str(cost_id))
    return found


def _trace(session: AsyncSession, by: Viewer, act: str, cost: Cost, now: datetime) -> None:
    subject, note = f"cost:{cost.id}", f"{cost.kind} {cost.amount_fen}"
    acts_for.note(session, by, cost.household_id, act, subject=subject, note=note, now=now)
