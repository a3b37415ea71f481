"""Orders of the caller: reading, taking back. How one is placed stands in `placing.py`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self

from fastapi import Query
from pydantic import BaseModel, Field
from sqlalchemy.orm import selectinload
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.errors import Malformed, NotFound
from market.ground.measure import Measure
from market.people.accounts import Viewer
from market.people.units import Wallet
from market.trade import orders
from market.trade.orders import Order, OrderLine, OrderState
from market.trade.placements import Placed, PlacedLine
from payments import desk
from storefront.api.faults import faults, faults_of_a_change
from storefront.api.fields import Page, Paged, PathNo, Remark
from storefront.api.keys import CallDep, CallerDep
from storefront.api.routes import noun
from storefront.deps import SessionDep

router = noun("orders")


class LineShown(BaseModel):
    """One listing's part of an order, as it was when ordered."""

    listing_id: int
    produce: str
    title: str
    grower: str
    division: str
    measure: Measure
    grams_each: int | None
    quantity: int
    price_fen: int
    amount_fen: int

    @classmethod
    def of(cls, line: OrderLine | PlacedLine) -> Self:
        """The line for a machine."""
        return cls(
            listing_id=line.listing_id, produce=line.produce_code, title=line.title, grower=line.grower,
            division=line.division_code, measure=line.measure, grams_each=line.grams_each, quantity=line.quantity,
            price_fen=line.price_fen, amount_fen=line.amount_fen,
        )  # fmt: skip


class OrderShown(BaseModel):
    """An order as it stands."""

    no: str
    state: OrderState
    wallet: Wallet
    work_unit_id: int | None
    total_fen: int
    max_fen: Annotated[int, Field(description="The buyer never pays more than this without saying yes.")]
    placed_at: datetime
    expires_at: Annotated[datetime | None, Field(description="Until then the goods are held; null when none are.")]
    paid_at: datetime | None
    stop_id: int
    handover_on: Annotated[date, Field(description="The day the goods are handed over at the stop.")]
    cutoff_at: Annotated[datetime, Field(description="A paid order may be taken back until then.")]
    note: str
    lines: list[LineShown]

    @classmethod
    def of(cls, order: Order | Placed, lines: Sequence[OrderLine | PlacedLine]) -> Self:
        """The order for a machine."""
        return cls(
            no=order.no, state=order.state, wallet=order.wallet, work_unit_id=order.work_unit_id,
            total_fen=order.total_fen, max_fen=order.max_fen, placed_at=order.placed_at,
            expires_at=order.expires_at if order.holds_stock else None, paid_at=order.paid_at, stop_id=order.stop_id,
            handover_on=order.handover_on, cutoff_at=order.cutoff_at, note=order.note,
            lines=[LineShown.of(line) for line in lines],
        )  # fmt: skip


class OrdersShown(Page[OrderShown]):
    """A page of orders, the newest first."""


class NewCancellation(BaseModel):
    """Why an order is taken back."""

    why: Remark = ""


@router.get("/orders", responses=faults(401, 422))
async def list_orders(session: SessionDep, caller: CallerDep, query: Annotated[Paged, Query()]) -> OrdersShown:
    """The caller's orders, and as a clerk those of the work unit; the newest first."""
    wanted = orders.visible_to(caller).options(selectinload(Order.lines))  # type: ignore[arg-type]
    if query.cursor:
        wanted = wanted.where(col(Order.id) < await _id_of(session, caller, query.cursor))
    found = (await session.exec(wanted.order_by(col(Order.id).desc()).limit(query.limit + 1))).all()
    items = [OrderShown.of(order, order.lines) for order in found[: query.limit]]
    return OrdersShown(items=items, next=items[-1].no if len(found) > query.limit else None)


@router.get("/orders/{no}", responses=faults(401, 404, 422))
async def show_order(session: SessionDep, caller: CallerDep, no: PathNo) -> OrderShown:
    """One order of the caller."""
    return await _shown(session, caller, no)


@router.post("/orders/{no}/cancellation", responses=faults_of_a_change(refused="`NotMovable`: the cut-off has passed."))
async def create_cancellation(no: PathNo, call: CallDep, asked: NewCancellation | None = None) -> OrderShown:
    """Take an order back. What was paid goes back by the way it came. Saying it twice is harmless."""
    why = asked.why if asked else ""
    order = await desk.cancel_order(call.session, call.caller, no, why=why, now=call.now)
    return call.keep(OrderShown.of(order, await orders.lines_of(call.session, order.id or 0)))


async def _shown(session: AsyncSession, caller: Viewer, no: str) -> OrderShown:
    order = await orders.seen_by(session, caller, no)
    return OrderShown.of(order, await orders.lines_of(session, order.id or 0))


async def _id_of(session: AsyncSession, caller: Viewer, no: str) -> int:
    """Where a page ended: the cursor is the last order's number, so that it tells nothing else."""
    try:
        return (await orders.seen_by(session, caller, no)).id or 0
    except NotFound:
        raise Malformed("cursor", "not_a_cursor") from None
