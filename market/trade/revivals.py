"""An order whose time had run out is wanted after all: its goods are held anew, as long as they are there."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import catalogue, stock
from market.ground.clock import start_of
from market.ground.errors import NotMovable, OutOfStock, ShortLine
from market.trade import orders
from market.trade.orders import HOLD, Order, OrderState


def is_revivable(order: Order, now: datetime) -> bool:
    """Whether an order that ran out may be taken up again: as long as its handover day has not begun."""
    return order.has_run_out(now) and now < start_of(order.handover_on)


async def revive(session: AsyncSession, order: Order, *, by: int | None, now: datetime) -> None:
    """Hold a locked order's goods for another while; nothing happens to one that still holds them.

    Raises NotMovable (cancelled, or its day has come), OutOfStock (somebody else has the goods meanwhile). Locks stock:
    ask the provider before.
    """
    if order.is_paid or (order.holds_stock and order.expires_at > now):
        return
    if not is_revivable(order, now):
        raise NotMovable("order", "expired" if order.holds_stock else order.state, "pay")
    if order.state is OrderState.EXPIRED:
        if not await stock.hold_again(session, order.id or 0):
            raise OutOfStock(await _short(session, order))
        orders.move(session, order, OrderState.PLACED, by=by, why="revived", now=now)
    order.expires_at = now + HOLD


async def _short(session: AsyncSession, order: Order) -> list[ShortLine]:
    lines = await orders.lines_of(session, order.id or 0)
    cards = await catalogue.cards_of(session, [line.listing_id for line in lines])
    left = {line.listing_id: max(0, cards[line.listing_id].left) for line in lines}
    return [
        ShortLine(line.listing_id, line.title, line.quantity, left[line.listing_id])
        for line in lines
        if left[line.listing_id] < line.quantity
    ]
