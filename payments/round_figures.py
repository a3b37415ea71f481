"""What calling a round off would send home, and how far a cancellation has come: counts and sums, by way of payment."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery.round_cancellations import CalledOffOrder, Outcome
from market.ground.db import run
from market.trade.orders import Order
from payments.called_off import WHY
from payments.records import Method, Payment, Refund, RefundState

MOST = 100
"""Refunds listed one by one: more have one cause."""


class Way(NamedTuple):
    """Orders of a round paid one way (none: not paid), and what of their money would go back, in fen."""

    method: Method | None
    order_count: int
    back_fen: int


class Preview(NamedTuple):
    """What hangs on a round."""

    ways: list[Way]
    household_count: int

    @property
    def order_count(self) -> int:
        """Orders that would be cancelled."""
        return sum(way.order_count for way in self.ways)

    @property
    def back_fen(self) -> int:
        """What would go back altogether."""
        return sum(way.back_fen for way in self.ways)


class Returning(NamedTuple):
    """Refunds of a cancelled round that came one way and are equally far."""

    method: Method
    state: RefundState
    refund_count: int
    amount_fen: int


class Stuck(NamedTuple):
    """A refund that waits for a person: the provider could not make it."""

    payment_id: UUID
    order_no: str
    method: Method
    amount_fen: int
    failure: str


_WAYS = text("""
    SELECT back.method, count(DISTINCT o.id), coalesce(sum(back.fen), 0)::bigint
    FROM orders o LEFT JOIN LATERAL (
        SELECT p.method, p.amount_fen
               - coalesce((SELECT sum(r.amount_fen) FROM refunds r WHERE r.payment_id = p.id), 0) AS fen
        FROM payments p WHERE p.order_id = o.id AND p.state = 'succeeded'
    ) back ON o.state = 'paid' AND back.fen > 0
    WHERE o.stop_id = :stop_id AND o.handover_on = :on AND o.state IN ('placed', 'confirmed', 'paid')
    GROUP BY back.method ORDER BY 3 DESC, 1
""")
_HOUSEHOLDS = text("""
    SELECT count(DISTINCT l.household_id) FROM order_lines l JOIN orders o ON o.id = l.order_id
    WHERE o.stop_id = :stop_id AND o.handover_on = :on AND o.state IN ('placed', 'confirmed', 'paid')
""")


async def preview(session: AsyncSession, stop_id: int, on: date) -> Preview:
    """What would happen to the orders of a round, to their money, and how many households it touches."""
    values = {"stop_id": stop_id, "on": on}
    ways = [Way(Method(row[0]) if row[0] else None, row[1], row[2]) for row in await run(session, _WAYS, values)]
    return Preview(ways, (await run(session, _HOUSEHOLDS, values)).scalar_one())


async def outcomes(session: AsyncSession, cancellation_id: int) -> dict[Outcome, int]:
    """How many orders came to what; those not there at all are 0."""
    query = text("SELECT outcome, count(*) FROM called_off_orders WHERE cancellation_id = :id GROUP BY outcome")
    rows = await run(session, query, {"id": cancellation_id})
    return dict.fromkeys(Outcome, 0) | {Outcome(row[0]): int(row[1]) for row in rows}


async def returning(session: AsyncSession, cancellation_id: int) -> list[Returning]:
    """Where the money is that goes back because of a cancelled round."""
    rows = await run(session, _RETURNING, {"id": cancellation_id, "why": WHY})
    return [Returning(Method(row[0]), RefundState(row[1]), row[2], row[3]) for row in rows]


_RETURNING = text("""
    SELECT p.method, r.state, count(*), sum(r.amount_fen)::bigint
    FROM called_off_orders c JOIN payments p ON p.order_id = c.order_id JOIN refunds r ON r.payment_id = p.id
    WHERE c.cancellation_id = :id AND r.reason = :why GROUP BY p.method, r.state ORDER BY 4 DESC, 1, 2
""")


async def stuck(session: AsyncSession, cancellation_id: int) -> list[Stuck]:
    """Refunds of a cancelled round that failed, by order number."""
    query = (
        select(Refund, Payment, Order)
        .join(Payment, col(Payment.id) == col(Refund.payment_id))
        .join(Order, col(Order.id) == col(Payment.order_id))
        .join(CalledOffOrder, col(CalledOffOrder.order_id) == col(Order.id))
        .where(CalledOffOrder.cancellation_id == cancellation_id, Refund.state == RefundState.FAILED)
        .order_by(col(Order.no))
        .limit(MOST)
    )
    return [
        Stuck(payment.id, order.no, payment.method, refund.amount_fen, refund.failure)
        for refund, payment, order in await session.exec(query)
    ]
