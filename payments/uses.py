"""What lines of bank statements are for, as people read it: the order or refund of each part, and who said so."""

from typing import NamedTuple
from uuid import UUID

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.people.accounts import Account
from market.people.units import WorkUnit
from market.trade.orders import Order
from payments.bank_rows import BankRow, BankStatement, Part
from payments.outcomes import PartState
from payments.records import Payment, Refund


class Share(NamedTuple):
    """One part of a line's money with the order it is about; none of a part that is about no order."""

    part: Part
    order: Order | None
    payer: str
    """The work unit whose money it is, else the buyer."""
    reference: str

    @property
    def is_gone(self) -> bool:
        """Whether nothing came of it."""
        return self.part.state is PartState.VOID


class Arrival(NamedTuple):
    """A part of a payment, or of one of its refunds, and the line of which statement told of it."""

    part: Part
    row: BankRow
    statement: BankStatement


async def shares(session: AsyncSession, row_ids: list[int]) -> dict[int, list[Share]]:
    """Every part of several lines, those of which nothing came too, in order."""
    of_refund = select(Payment.id, Payment.order_id, Payment.reference).subquery()
    rows = await session.exec(
        select(
            Part, Order, func.coalesce(WorkUnit.name, Account.name, ""),
            func.coalesce(Payment.reference, of_refund.c.reference, ""),
        )
        .outerjoin(Payment, col(Payment.id) == col(Part.payment_id))
        .outerjoin(Refund, col(Refund.id) == col(Part.refund_id))
        .outerjoin(of_refund, of_refund.c.id == col(Refund.payment_id))
        .outerjoin(Order, col(Order.id) == func.coalesce(Payment.order_id, of_refund.c.order_id))
        .outerjoin(WorkUnit, col(WorkUnit.id) == col(Order.work_unit_id))
        .outerjoin(Account, col(Account.id) == col(Order.account_id))
        .where(col(Part.row_id).in_(row_ids))
        .order_by(col(Part.id))
    )  # fmt: skip
    found: dict[int, list[Share]] = {}
    for part, order, payer, reference in rows:
        found.setdefault(part.row_id, []).append(Share(part, order, payer, reference))
    return found


async def arrivals(session: AsyncSession, payment_ids: list[UUID]) -> list[Arrival]:
    """The lines that brought these payments' money, or took some of it back; proposals are not told."""
    refunds = select(Refund.id).where(col(Refund.payment_id).in_(payment_ids))
    rows = await session.exec(
        select(Part, BankRow, BankStatement)
        .join(BankRow, col(BankRow.id) == col(Part.row_id))
        .join(BankStatement, col(BankStatement.id) == col(BankRow.statement_id))
        .where(
            or_(col(Part.payment_id).in_(payment_ids), col(Part.refund_id).in_(refunds)),
            col(Part.state).in_((PartState.AGREED, PartState.DONE)),
        )
        .order_by(col(Part.id))
    )
    return [Arrival(*row) for row in rows]
