"""Orders: one purchase over many households, one line per listing. How one is placed stands in `placing.py`."""

from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, Relationship, SQLModel, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.goods import stock
from market.ground.clock import day_of
from market.ground.db import choice, fen, key_of, new_id, place_code
from market.ground.errors import NotFound, NotMovable
from market.ground.measure import Measure
from market.people.accounts import Role, Viewer
from market.people.units import Wallet

HOLD = timedelta(minutes=15)
"""How long an order holds its goods without payment."""


class OrderState(StrEnum):
    """Where an order is."""

    PLACED = "placed"
    """Goods are held; waiting for the money."""
    CONFIRMED = "confirmed"
    """Goods are held; the buyer gave a word to pay cash at the stop, or by bank transfer."""
    PAID = "paid"
    EXPIRED = "expired"
    """Not paid in time; the goods went back on sale."""
    CANCELLED = "cancelled"


HOLDING = (OrderState.PLACED, OrderState.CONFIRMED)
"""States in which stock is reserved."""


class Order(SQLModel, table=True):
    """订单."""

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("total_fen > 0 AND max_fen >= total_fen", name="total_fen"),
        Index("ix_orders_account_id_id", "account_id", "id"),
        Index("ix_orders_expires_at", "expires_at", postgresql_where=text("state IN ('placed', 'confirmed')")),
        Index("ix_orders_stop_id_confirmed", "stop_id", postgresql_where=text("state = 'confirmed'")),
    )

    id: int | None = new_id()
    no: str = Field(max_length=20, unique=True)
    county_code: str = place_code()
    account_id: int = key_of("accounts.id")
    work_unit_id: int | None = key_of("work_units.id", default=None, index=True)
    wallet: Wallet = choice(Wallet, name="wallet")
    stop_id: int = key_of("stops.id")
    handover_on: date
    cutoff_at: datetime
    note: str = Field(default="", max_length=200)
    state: OrderState = choice(OrderState, name="state", default=OrderState.PLACED)
    total_fen: int = fen()
    max_fen: int = fen()
    """What the buyer never pays more than without saying yes."""
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None = None

    lines: list["OrderLine"] = Relationship(
        sa_relationship_kwargs={"lazy": "raise", "order_by": "OrderLine.line_no", "viewonly": True}
    )

    @property
    def is_paid(self) -> bool:
        """Whether the money is there and stands."""
        return self.state is OrderState.PAID

    @property
    def holds_stock(self) -> bool:
        """Whether goods are held for it."""
        return self.state in HOLDING

    @property
    def is_to_be_handed_over(self) -> bool:
        """Whether the village brings its goods: paid, or promised to be paid."""
        return self.state in (OrderState.PAID, OrderState.CONFIRMED)

    def has_run_out(self, now: datetime) -> bool:
        """Whether its time to be paid is over, even if the clock has not come by yet."""
        return self.state is OrderState.EXPIRED or (self.holds_stock and self.expires_at <= now)

    def may_cancel(self, now: datetime) -> bool:
        """Whether the buyer may still take it back: before paying, else until the cut-off, when the village packs."""
        if self.state is OrderState.PLACED:
            return True
        return self.state in (OrderState.CONFIRMED, OrderState.PAID) and now < self.cutoff_at


class OrderLine(SQLModel, table=True):
    """One listing's part of an order, as it was when ordered."""

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity >= 0", name="quantity"),
        CheckConstraint("short_quantity BETWEEN 0 AND quantity", name="short_quantity"),
        CheckConstraint("amount_fen = quantity * price_fen", name="amount_fen"),
        Index("ix_order_lines_household_id_id", "household_id", "id"),
    )

    id: int | None = new_id()
    order_id: int = key_of("orders.id", index=True)
    line_no: int
    listing_id: int = key_of("listings.id", index=True)
    household_id: int = key_of("households.id")
    division_code: str = place_code()
    produce_code: str = Field(max_length=24)
    measure: Measure = choice(Measure, name="measure")
    grams_each: int | None = None
    title: str = Field(max_length=30)
    grower: str = Field(max_length=40)
    """The name the household showed when it was ordered."""
    quantity: int
    """Ordered; of an unpaid line without what its household could not bring."""
    price_fen: int = fen()
    amount_fen: int = fen()
    short_quantity: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Of a paid line: what was not there after all. Its money went back."""

    @property
    def to_bring(self) -> int:
        """How much of it the household hands over."""
        return self.quantity - self.short_quantity


class OrderMove(SQLModel, table=True):
    """A change of an order's state: when, from what to what, by whom (nobody: the clock or the provider), why."""

    __tablename__ = "order_moves"

    id: int | None = new_id()
    order_id: int = key_of("orders.id", index=True)
    at: datetime
    from_state: OrderState = choice(OrderState, name="from_state")
    to_state: OrderState = choice(OrderState, name="to_state")
    account_id: int | None = key_of("accounts.id", default=None)
    why: str = Field(default="", max_length=200)


_MOVES = {
    OrderState.PLACED: {OrderState.CONFIRMED, OrderState.PAID, OrderState.EXPIRED, OrderState.CANCELLED},
    OrderState.CONFIRMED: {OrderState.PAID, OrderState.EXPIRED, OrderState.CANCELLED},
    OrderState.PAID: {OrderState.CANCELLED},
    OrderState.EXPIRED: {OrderState.PAID, OrderState.PLACED},
    OrderState.CANCELLED: set[OrderState](),
}


def visible_to(viewer: Viewer) -> SelectOfScalar[Order]:
    """Orders a person may open: their own, and those of the work unit they are the clerk of."""
    clerk_of = viewer.work_unit_ids(Role.CLERK)
    mine = col(Order.account_id) == viewer.account_id
    shared = (col(Order.work_unit_id).in_(clerk_of)) & (col(Order.wallet) != Wallet.PERSONAL)
    return select(Order).where(or_(mine, shared) if clerk_of else mine)


def placed_by(viewer: Viewer) -> SelectOfScalar[Order]:
    """A person's own orders, newest first."""
    return select(Order).where(Order.account_id == viewer.id).order_by(col(Order.id).desc())


def to_prepare(household_id: int) -> Select[OrderLine, Order]:
    """Lines a household has to get ready: paid, or promised to be; the soonest first."""
    return (
        select(OrderLine, Order)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(
            col(OrderLine.household_id) == household_id,
            col(Order.state).in_([OrderState.PAID, OrderState.CONFIRMED]),
        )
        .order_by(col(Order.handover_on), col(Order.stop_id), col(OrderLine.id))
    )


def moves_of(order_id: int) -> SelectOfScalar[OrderMove]:
    """What happened to an order after it was placed, in order."""
    return select(OrderMove).where(OrderMove.order_id == order_id).order_by(col(OrderMove.id))


async def seen_by(session: AsyncSession, viewer: Viewer, no: str) -> Order:
    """An order this person may open; NotFound for any other."""
    found = (await session.exec(visible_to(viewer).where(Order.no == no))).one_or_none()
    if found is None:
        raise NotFound("order", no)
    return found


async def lines_of(session: AsyncSession, order_id: int) -> list[OrderLine]:
    """An order's lines."""
    rows = await session.exec(select(OrderLine).where(OrderLine.order_id == order_id).order_by(col(OrderLine.line_no)))
    return list(rows)


async def lock(session: AsyncSession, order_id: int) -> Order:
    """The order, held until the transaction ends. The order's lock comes before its stock's, always."""
    found = await session.exec(
        select(Order)
        .where(Order.id == order_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    return found.one()


def move(session: AsyncSession, order: Order, to: OrderState, *, by: int | None, why: str, now: datetime) -> None:
    """Change a locked order's state and leave a row that says who, when and why. NotMovable for an illegal move."""
    if to not in _MOVES[order.state]:
        raise NotMovable("order", order.state, to)
    session.add(
        OrderMove(order_id=order.id or 0, at=now, from_state=order.state, to_state=to, account_id=by, why=why[:200])
    )
    order.state = to


async def confirm(
    session: AsyncSession, order: Order, *, by: int | None, why: str, until: datetime, now: datetime
) -> None:
    """The buyer has given a word to pay later: the goods stay held until then. Expects a locked order.

    A second word never shortens what the first one holds.
    """
    if order.state is OrderState.CONFIRMED:
        order.expires_at = max(order.expires_at, until)
        return
    move(session, order, OrderState.CONFIRMED, by=by, why=why, now=now)
    order.expires_at = until


async def mark_paid(session: AsyncSession, order: Order, *, by: int | None, why: str, now: datetime) -> bool:
    """The money is there: the goods are sold. Expects a locked order.

    False when it no longer stands: cancelled, or run out and its goods gone or its handover day past. Then the caller
    records the money and sends it back.
    """
    if order.state in HOLDING:
        await stock.sell(session, order.id or 0)
    elif (
        order.state is not OrderState.EXPIRED
        or day_of(now) > order.handover_on
        or not await stock.take_again(session, order.id or 0)
    ):
        return False
    move(session, order, OrderState.PAID, by=by, why=why, now=now)
    order.paid_at = now
    return True


async def expire_due(session: AsyncSession, *, now: datetime, most: int = 200) -> list[str]:
    """End the holds that ran out; their goods go back on sale. Orders being paid at this moment are left alone."""
    due = (
        await session.exec(
            select(Order)
            .where(col(Order.state).in_(HOLDING), Order.expires_at <= now)
            .order_by(col(Order.id))
            .limit(most)
            .with_for_update(skip_locked=True, key_share=True)
            .execution_options(populate_existing=True)
        )
    ).all()
    if due:
        await stock.release(session, [order.id or 0 for order in due])
    for order in due:
        move(session, order, OrderState.EXPIRED, by=None, why="unpaid", now=now)
    return [order.no for order in due]
