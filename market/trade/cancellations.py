"""Taking an order back: its goods go on sale again, and a row says who, when and why."""

from datetime import datetime

from sqlmodel import Field, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import stock
from market.ground.db import key_of
from market.ground.errors import NotMovable
from market.trade import orders
from market.trade.orders import Order, OrderState


class Cancellation(SQLModel, table=True):
    """Who took an order back, when and why."""

    __tablename__ = "cancellations"

    order_id: int = key_of("orders.id", primary_key=True)
    at: datetime
    account_id: int | None = key_of("accounts.id", default=None)
    why: str = Field(default="", max_length=200)


async def cancel(
    session: AsyncSession, order: Order, *, by: int | None, why: str, now: datetime, by_market: bool = False
) -> bool:
    """Take a locked order back. True when it was paid, so that money has to go back.

    Raises NotMovable after the cut-off, when the village has begun to pack, unless the market itself cannot deliver.
    """
    was_paid = order.is_paid
    if not order.may_cancel(now) and not (by_market and order.is_to_be_handed_over):
        raise NotMovable("order", order.state, "cancel")
    if was_paid:
        await stock.give_back(session, order.id or 0)
    else:
        await stock.release(session, [order.id or 0])
    orders.move(session, order, OrderState.CANCELLED, by=by, why=why, now=now)
    session.add(Cancellation(order_id=order.id or 0, at=now, account_id=by, why=why[:200]))
    return was_paid
