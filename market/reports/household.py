"""What a household sees of itself: what is ordered, what it sold, what went back, and what reached it.

Money comes from postings only, so that these figures are the bureau's figures.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Select, exists, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Book, Posting, Reason
from market.delivery.round_cancellations import RoundCancellation
from market.delivery.stops import Stop
from market.ground.db import run
from market.ground.measure import Measure
from market.people.units import WorkUnit
from market.trade.answers import LineAnswer
from market.trade.orders import Order, OrderLine, OrderState

Rows = Select[*tuple[Any, ...]]
PAGE = 30
"""Lines shown at once."""
AHEAD = timedelta(days=60)
"""How far ahead a household looks when it gets its goods ready."""
TO_HAND_OVER = (OrderState.PAID, OrderState.CONFIRMED)
"""Orders whose goods are handed over: paid, or promised to be."""
_TO_BRING = col(OrderLine.quantity) - col(OrderLine.short_quantity)
_OFF = exists().where(
    col(RoundCancellation.stop_id) == col(Order.stop_id), col(RoundCancellation.handover_on) == col(Order.handover_on)
)
"""Its round was called off: nothing is brought, even while the order waits for its turn to be ended."""


class Wish(NamedTuple):
    """One line to get ready. Who ordered is no more than the work unit's short name."""

    line_id: int
    order_id: int
    listing_id: int
    order_no: str
    state: OrderState
    title: str
    produce_code: str
    measure: Measure
    grams_each: int | None
    quantity: int
    amount_fen: int
    work_unit: str | None
    handover_on: date
    cutoff_at: datetime
    stop_id: int
    stop: str
    handover_from: time
    handover_to: time
    is_answered: bool
    """Whether the household said that it brings it, or how much of it."""


class Sums(NamedTuple):
    """Four figures that are never mixed up, in fen; what waits is net minus paid out."""

    gross_fen: int
    refunded_fen: int
    paid_out_fen: int

    @property
    def net_fen(self) -> int:
        """Sold minus what went back to buyers."""
        return self.gross_fen - self.refunded_fen

    @property
    def waiting_fen(self) -> int:
        """Sold and not yet on the household's card."""
        return self.net_fen - self.paid_out_fen


class Part(StrEnum):
    """Which of a household's sales are asked for."""

    SOLD = "sold"
    REFUNDED = "refunded"
    WAITING = "waiting"


class SoldLine(NamedTuple):
    """What postings say about one line of an order, in fen. Payouts are counted against the oldest sales first."""

    line_id: int
    order_no: str
    title: str
    produce_code: str
    measure: Measure
    grams_each: int | None
    quantity: int
    sold_on: date
    gross_fen: int
    refunded_fen: int
    waiting_fen: int


async def to_prepare(session: AsyncSession, household_id: int, *, from_on: date, until_on: date) -> list[Wish]:
    """Lines to be handed over in these days (both included), in the order of days and stops."""
    stands = col(LineAnswer.taken_back_at).is_(None)
    answered = _select(LineAnswer.id).where(col(LineAnswer.order_line_id) == col(OrderLine.id), stands).exists()
    query = (
        _select(
            OrderLine.id, OrderLine.order_id, OrderLine.listing_id, Order.no, Order.state, OrderLine.title,
            OrderLine.produce_code, OrderLine.measure, OrderLine.grams_each, _TO_BRING,
            _TO_BRING * col(OrderLine.price_fen), WorkUnit.short_name, Order.handover_on, Order.cutoff_at, Stop.id,
            Stop.name, Stop.handover_from, Stop.handover_to, answered,
        )
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .join(Stop, col(Stop.id) == col(Order.stop_id))
        .outerjoin(WorkUnit, col(WorkUnit.id) == col(Order.work_unit_id))
        .where(
            col(OrderLine.household_id) == household_id,
            col(Order.state).in_(TO_HAND_OVER),
            col(Order.handover_on).between(from_on, until_on),
            _TO_BRING > 0,
            ~_OFF,
        )
        .order_by(col(Order.handover_on), col(Stop.id), col(OrderLine.title), col(OrderLine.id))
    )  # fmt: skip
    return [Wish._make(row) for row in (await run(session, query)).all()]


async def ordered(session: AsyncSession, household_id: int, *, from_on: date) -> dict[int, int]:
    """How many of each listing are to be handed over from that day on."""
    query = (
        _select(OrderLine.listing_id, func.sum(_TO_BRING))
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(
            col(OrderLine.household_id) == household_id,
            col(Order.state).in_(TO_HAND_OVER),
            col(Order.handover_on) >= from_on,
            ~_OFF,
        )
        .group_by(col(OrderLine.listing_id))
    )
    return {listing_id: int(quantity) for listing_id, quantity in (await run(session, query)).all()}


async def sums(session: AsyncSession, household_id: int) -> Sums:
    """Everything a household ever sold, gave back and was paid."""
    row = (await run(session, _select(*_figures()).where(*_of(household_id)))).one()
    return Sums._make(int(value) for value in row)


async def months(session: AsyncSession, household_id: int) -> list[tuple[str, Sums]]:
    """The same by month (`2026-11`), the newest first."""
    month = func.to_char(col(Posting.day_on), "YYYY-MM")
    query = _select(month, *_figures()).where(*_of(household_id)).group_by(month).order_by(month.desc())
    return [(key, Sums._make(int(value) for value in row)) for key, *row in (await run(session, query)).all()]


async def sold_lines(
    session: AsyncSession, household_id: int, part: Part, *, days: tuple[date, date] | None = None, offset: int = 0
) -> list[SoldLine]:
    """Order lines behind the sums, the newest sale first; one more than a page when there are more."""
    each = _per_line(household_id).subquery()
    wanted = {
        Part.SOLD: each.c.gross_fen > 0,
        Part.REFUNDED: each.c.refunded_fen > 0,
        Part.WAITING: each.c.waiting_fen > 0,
    }[part]
    query = (
        _select(
            OrderLine.id, Order.no, OrderLine.title, OrderLine.produce_code, OrderLine.measure, OrderLine.grams_each,
            OrderLine.quantity, each.c.sold_on, each.c.gross_fen, each.c.refunded_fen, each.c.waiting_fen,
        )
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .join(each, each.c.order_line_id == col(OrderLine.id))
        .where(wanted)
        .order_by(each.c.sold_on.desc(), col(OrderLine.id).desc())
    )  # fmt: skip
    if days is not None:
        query = query.where(each.c.sold_on.between(*days))
    rows = (await run(session, query.offset(offset).limit(PAGE + 1))).all()
    return [SoldLine(*row[:-3], *(int(fen) for fen in row[-3:])) for row in rows]


def _select(*columns: Any) -> Rows:
    return select(*columns)


def _of(household_id: int) -> tuple[Any, Any]:
    return col(Posting.household_id) == household_id, col(Posting.book) == Book.PAYABLE


def _sum(reason: Reason, sign: int) -> Any:
    total = func.sum(col(Posting.amount_fen)).filter(col(Posting.reason) == reason)
    return sign * func.coalesce(total, 0)


def _figures() -> Sequence[Any]:
    return _sum(Reason.SALE, 1), _sum(Reason.REFUND, -1), _sum(Reason.PAYOUT, -1)


def _per_line(household_id: int) -> Rows:
    """What each order line sold, gave back and still waits for: payouts cover the oldest sales first."""
    sold = (
        _select(
            Posting.order_line_id,
            func.min(col(Posting.day_on)).label("sold_on"),
            _sum(Reason.SALE, 1).label("gross_fen"),
            _sum(Reason.REFUND, -1).label("refunded_fen"),
        )
        .where(*_of(household_id), col(Posting.order_line_id).is_not(None))
        .group_by(col(Posting.order_line_id))
        .subquery()
    )
    paid_out = _select(_sum(Reason.PAYOUT, -1)).where(*_of(household_id)).scalar_subquery()
    net = sold.c.gross_fen - sold.c.refunded_fen
    up_to_here = func.sum(net).over(order_by=(sold.c.sold_on, sold.c.order_line_id))
    waiting = func.greatest(0, func.least(net, up_to_here - paid_out)).label("waiting_fen")
    return _select(*sold.c, waiting)
