"""A round that does not take place: one stop's one handover day, called off with every order of it.

Nobody can order for it from the moment its row is committed: a trigger refuses every new order (migration 0006). The
orders already placed are listed in the same transaction and ended one by one afterwards (`payments/called_off.py`).
"""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import choice, fen, key_of, new_id
from market.ground.errors import RoundCancelled
from market.trade.orders import OrderLine


class Outcome(StrEnum):
    """What became of one order of a cancelled round."""

    WAITING = "waiting"
    """Its turn has not come yet."""
    NOTHING_DUE = "nothing_due"
    """Cancelled; no money has to go back."""
    RETURNED = "returned"
    """Cancelled; its money goes back by the way it came."""
    CASH_DUE = "cash_due"
    """Cancelled; its cash is to be handed back at the stop."""
    OVER = "over"
    """It had ended by itself."""


class RoundCancellation(SQLModel, table=True):
    """Who called a round off, when and why. It cannot be taken back."""

    __tablename__ = "round_cancellations"
    __table_args__ = (
        UniqueConstraint("stop_id", "handover_on"),
        CheckConstraint("why <> ''", name="why"),
        Index("ix_round_cancellations_open", "id", postgresql_where=text("ended_at IS NULL")),
    )

    id: int | None = new_id()
    stop_id: int = key_of("stops.id")
    handover_on: date
    at: datetime
    account_id: int = key_of("accounts.id")
    why: str = Field(max_length=100)
    """In words the buyers and the households read."""
    ended_at: datetime | None = None
    """When its last order was ended."""


class CalledOffOrder(SQLModel, table=True):
    """One order of a cancelled round and what became of it. An order has one round, so it is here at most once."""

    __tablename__ = "called_off_orders"
    __table_args__ = (
        CheckConstraint("(outcome = 'waiting') = (ended_at IS NULL)", name="ended_at"),
        CheckConstraint("(outcome IN ('returned', 'cash_due')) = (back_fen > 0)", name="back_fen"),
    )

    order_id: int = key_of("orders.id", primary_key=True)
    cancellation_id: int = key_of("round_cancellations.id", index=True)
    outcome: Outcome = choice(Outcome, name="outcome", default=Outcome.WAITING)
    back_fen: int = fen(default=0)
    """What goes back to the buyer because of it."""
    ended_at: datetime | None = None


async def of_round(session: AsyncSession, stop_id: int, on: date) -> RoundCancellation | None:
    """The cancellation of one stop's one day, if there is one."""
    query = select(RoundCancellation).where(RoundCancellation.stop_id == stop_id, RoundCancellation.handover_on == on)
    return (await session.exec(query)).one_or_none()


async def check_on(session: AsyncSession, stop_id: int, on: date) -> None:
    """RoundCancelled for a round that does not take place. Of an order: ask once it is locked."""
    if await of_round(session, stop_id, on) is not None:
        raise RoundCancelled(stop_id, on)


async def off_days(session: AsyncSession, stop_ids: Iterable[int], *, from_on: date) -> dict[int, set[date]]:
    """The cancelled days of several stops, from a day on."""
    query = select(RoundCancellation).where(
        col(RoundCancellation.stop_id).in_(set(stop_ids)), RoundCancellation.handover_on >= from_on
    )
    found: dict[int, set[date]] = {}
    for off in await session.exec(query):
        found.setdefault(off.stop_id, set()).add(off.handover_on)
    return found


def of_household(household_id: int, *, from_on: date) -> SelectOfScalar[RoundCancellation]:
    """Cancelled rounds, from a day on, that took an order for this household's goods with them; the soonest first."""
    its = (
        select(CalledOffOrder.cancellation_id)
        .join(OrderLine, col(OrderLine.order_id) == col(CalledOffOrder.order_id))
        .where(OrderLine.household_id == household_id, CalledOffOrder.outcome != Outcome.OVER)
    )
    return (
        select(RoundCancellation)
        .where(RoundCancellation.handover_on >= from_on, col(RoundCancellation.id).in_(its))
        .order_by(col(RoundCancellation.handover_on), col(RoundCancellation.id))
    )


async def unended(session: AsyncSession) -> list[int]:
    """Cancellations of which some order may still wait, the oldest first."""
    query = select(RoundCancellation.id).where(col(RoundCancellation.ended_at).is_(None))
    return [found or 0 for found in await session.exec(query.order_by(col(RoundCancellation.id)))]


async def waiting(session: AsyncSession, cancellation_id: int) -> list[int]:
    """Orders whose turn has not come yet."""
    query = select(CalledOffOrder.order_id).where(
        CalledOffOrder.cancellation_id == cancellation_id, CalledOffOrder.outcome == Outcome.WAITING
    )
    return list(await session.exec(query.order_by(col(CalledOffOrder.order_id))))


async def take(session: AsyncSession, order_id: int) -> CalledOffOrder | None:
    """An order whose turn it is, held until the transaction ends. None: it is done, or another worker is at it."""
    query = select(CalledOffOrder).where(CalledOffOrder.order_id == order_id, CalledOffOrder.outcome == Outcome.WAITING)
    held = query.with_for_update(skip_locked=True, key_share=True).execution_options(populate_existing=True)
    return (await session.exec(held)).one_or_none()


async def finish(session: AsyncSession, cancellation_id: int, *, now: datetime) -> bool:
    """Once no order waits any more, the cancellation is through. Twice is once."""
    query = select(RoundCancellation).where(RoundCancellation.id == cancellation_id)
    cancellation = (await session.exec(query.with_for_update(key_share=True))).one()
    if cancellation.ended_at is None and not await waiting(session, cancellation_id):
        cancellation.ended_at = now
    return cancellation.ended_at is not None
