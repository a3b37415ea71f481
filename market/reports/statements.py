"""对账单: one household's month or season on one sheet, from postings: sold, given back, spent, paid and waiting.

Four figures that are never mixed, each with the orders behind it; and where a payout is lower than what was sold,
because of which refund.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import select
from sqlmodel import col
from sqlmodel import select as rows_of
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import costs
from market.books.costs import Cost
from market.books.ledger import Rail
from market.books.payouts import Payout
from market.goods.capacity import season_of
from market.ground.clock import month_end
from market.ground.db import run
from market.ground.measure import Measure
from market.people.cards import PayoutCard
from market.reports import coverage
from market.reports.coverage import Covering, Part
from market.trade.orders import Order, OrderLine


class Period(NamedTuple):
    """The days of a statement, both included; a season from October to September, or a month."""

    from_on: date
    to_on: date
    is_season: bool


class Line(NamedTuple):
    """What an order line was about."""

    line_id: int
    order_no: str
    title: str
    quantity: int
    measure: Measure
    grams_each: int | None


class Stated(NamedTuple):
    """Some money of an order line."""

    line: Line
    fen: int


class Sold(NamedTuple):
    """A sale."""

    on: date
    line: Line
    fen: int


class GivenBack(NamedTuple):
    """A refund of a line; `had_fen` of it had reached the household already and comes off what it sells next."""

    on: date
    line: Line
    fen: int
    had_fen: int
    refund_id: UUID | None


class Paid(NamedTuple):
    """Money that reached the household: how, for which sales, and what was kept back for earlier refunds."""

    on: date
    fen: int
    rail: Rail
    card: PayoutCard | None
    sales: list[Stated]
    kept_back: list[Stated]
    came_back_on: date | None


@dataclass(frozen=True)
class Statement:
    """One household's period."""

    period: Period
    opening_fen: int
    """What waited when the period began; below zero: what was owed."""
    sold: list[Sold]
    refunds: list[GivenBack]
    paid: list[Paid]
    spent: list[Cost]
    waiting: list[Stated]
    """What still waits when the period ends, by sale."""
    kept_back: list[Stated]
    """What the next payout is lower by."""
    waiting_fen: int

    @property
    def gross_fen(self) -> int:
        """Sold in the period."""
        return sum(one.fen for one in self.sold)

    @property
    def refunded_fen(self) -> int:
        """Gone back to buyers in the period, whenever it was sold."""
        return sum(one.fen for one in self.refunds)

    @property
    def net_fen(self) -> int:
        """Sold minus gone back."""
        return self.gross_fen - self.refunded_fen

    @property
    def spent_fen(self) -> int:
        """What the household itself noted that it spent."""
        return sum(one.amount_fen for one in self.spent)

    def paid_fen(self, rail: Rail) -> int:
        """What reached the household by this way and stayed there."""
        paid = sum(one.fen for one in self.paid if one.rail is rail and one.on >= self.period.from_on)
        return paid - sum(one.fen for one in self.paid if one.rail is rail and self._came_back(one))

    def _came_back(self, one: Paid) -> bool:
        return one.came_back_on is not None and self.period.from_on <= one.came_back_on <= self.period.to_on

    @property
    def is_empty(self) -> bool:
        """Whether nothing moved and nothing waits."""
        return not (self.sold or self.refunds or self.paid or self.spent or self.opening_fen or self.waiting_fen)


def month_of(on: date) -> Period:
    """The month a day lies in."""
    first = on.replace(day=1)
    return Period(first, month_end(first), is_season=False)


def season_around(on: date) -> Period:
    """The season a day lies in, from October to September."""
    first = season_of(on)
    return Period(first, first.replace(year=first.year + 1) - timedelta(days=1), is_season=True)


async def read(session: AsyncSession, household_id: int, period: Period) -> Statement:
    """The household's statement of that period."""
    until = await coverage.read(session, household_id, until=period.to_on)
    before = await coverage.read(session, household_id, until=period.from_on - timedelta(days=1))
    named = await _lines(session, _named(until))
    paid = await _paid(session, [one for one in until.payouts if _moves_in(one, period)], named)
    spent = costs.of_household(household_id).where(col(Cost.spent_on).between(period.from_on, period.to_on))
    return Statement(
        period,
        before.waiting_fen,
        [Sold(one.on, named[one.line_id or 0], one.fen) for one in until.sales if one.on >= period.from_on],
        [
            GivenBack(one.on, named[one.line_id], one.fen, one.had_fen, one.refund_id)
            for one in until.refunds
            if one.on >= period.from_on
        ],
        paid,
        list(await session.exec(spent)),
        [Stated(named[line], fen) for line, fen in until.waiting.items()],
        _stated([*until.kept_back, *until.owed], named),
        until.waiting_fen,
    )


async def payouts(session: AsyncSession, household_id: int, *, days: tuple[date, date] | None, on: date) -> list[Paid]:
    """All that reached a household in those days, or ever, with the sales behind it, the newest first."""
    read_up = await coverage.read(session, household_id, until=on)
    wanted = [one for one in read_up.payouts if days is None or days[0] <= one.on <= days[1]]
    named = await _lines(session, {part.line_id for one in wanted for part in (*one.parts, *one.kept_back)})
    return (await _paid(session, wanted, named))[::-1]


def _moves_in(one: Covering, period: Period) -> bool:
    return one.on >= period.from_on or (one.came_back_on is not None and one.came_back_on >= period.from_on)


def _named(found: coverage.Coverage) -> set[int]:
    """Every line the statement may have to name."""
    of_payouts = (part.line_id for one in found.payouts for part in (*one.parts, *one.kept_back))
    return {
        *(one.line_id or 0 for one in found.sales), *(one.line_id for one in found.refunds), *found.waiting,
        *of_payouts, *(part.line_id for part in (*found.kept_back, *found.owed)),
    }  # fmt: skip


async def _lines(session: AsyncSession, ids: set[int]) -> dict[int, Line]:
    columns: Any = (
        OrderLine.id, Order.no, OrderLine.title, OrderLine.quantity, OrderLine.measure, OrderLine.grams_each,
    )  # fmt: skip
    query = select(*columns).join(Order, col(Order.id) == col(OrderLine.order_id)).where(col(OrderLine.id).in_(ids))
    return {row[0]: Line._make(row) for row in (await run(session, query)).all()}


async def _paid(session: AsyncSession, wanted: Iterable[Covering], named: dict[int, Line]) -> list[Paid]:
    covering = list(wanted)
    query = (
        rows_of(Payout, PayoutCard)
        .outerjoin(PayoutCard, col(PayoutCard.id) == col(Payout.card_id))
        .where(col(Payout.id).in_([one.payout_id for one in covering]))
    )
    found = {payout.id: (payout, card) for payout, card in await session.exec(query)}
    made = []
    for one in covering:
        payout, card = found.get(one.payout_id, (None, None))
        rail = payout.rail if payout else Rail.TRANSFER  # the oldest entries name no row
        sales, kept_back = _stated(one.parts, named), _stated(one.kept_back, named)
        made.append(Paid(one.on, one.fen, rail, card, sales, kept_back, one.came_back_on))
    return made


def _stated(parts: Iterable[Part], named: dict[int, Line]) -> list[Stated]:
    sums: dict[int, int] = {}
    for line, fen in parts:
        sums[line] = sums.get(line, 0) + fen
    return [Stated(named[line], fen) for line, fen in sums.items()]
