"""The whole scope at a glance: four sums, and how they lie over the households, also over those that sold nothing."""

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import IncomeDay
from market.ground.db import run
from market.reports.scopes import Rows, Scope, columns, days, make_room, months, present

_EDGES_FEN = (50_000, 100_000, 300_000, 500_000, 1_000_000)
"""Net sales below 500, 1,000, 3,000 (the aid programme's yearly line, facts.md), 5,000 and 10,000 yuan, and above."""


class Sums(NamedTuple):
    """Four figures that are never mixed up, in fen, and how many order lines were sold."""

    gross_fen: int
    refunded_fen: int
    net_fen: int
    paid_out_fen: int
    line_count: int


class Band(NamedTuple):
    """Households that sold, with net sales from one amount up to, not including, another. None: no such bound."""

    from_fen: int | None
    below_fen: int | None
    household_count: int


@dataclass(frozen=True)
class Overview:
    """Totals of a scope. Households are those that live there or sold there in the period."""

    sums: Sums
    household_count: int
    silent_count: int
    """Households without a single sale."""
    median_net_fen: int
    """Half the households have no more than this; those without sales are among them."""
    bands: list[Band]

    @property
    def seller_count(self) -> int:
        """Households with at least one sale."""
        return self.household_count - self.silent_count


def sums_of_days() -> list[object]:
    """SQL: the figures summed over roll-up rows, named as the fields of Sums."""
    gross = func.coalesce(func.sum(col(IncomeDay.gross_fen)), 0)
    refunded = func.coalesce(func.sum(col(IncomeDay.refunded_fen)), 0)
    return [
        gross.label("gross_fen"),
        refunded.label("refunded_fen"),
        (gross - refunded).label("net_fen"),
        func.coalesce(func.sum(col(IncomeDay.paid_out_fen)), 0).label("paid_out_fen"),
        func.coalesce(func.sum(col(IncomeDay.line_count)), 0).label("line_count"),
    ]


def per_household(scope: Scope) -> Rows:
    """One row for every household of the scope, with its sums. A household that moved away keeps what it sold there."""
    lives = present(scope).subquery()
    sold = (
        columns(col(IncomeDay.household_id).label("id"), *sums_of_days())
        .where(days(scope))
        .group_by(col(IncomeDay.household_id))
        .subquery()
    )
    return columns(
        func.coalesce(lives.c.id, sold.c.id).label("id"),
        *(func.coalesce(sold.c[name], 0).label(name) for name in Sums._fields),
    ).select_from(lives.outerjoin(sold, sold.c.id == lives.c.id, full=True))


async def overview(session: AsyncSession, scope: Scope) -> Overview:
    """Totals, median, how many sold nothing, and how many households lie in each band."""
    await make_room(session)
    each = per_household(scope).subquery()
    sold = each.c.line_count > 0
    bounds = list(zip((None, *_EDGES_FEN), (*_EDGES_FEN, None), strict=True))
    banded = [
        func.count().filter(
            sold, *([each.c.net_fen >= low] if low is not None else []), *([each.c.net_fen < high] if high else [])
        )
        for low, high in bounds
    ]
    found = await run(
        session,
        columns(
            *(func.coalesce(func.sum(each.c[name]), 0) for name in Sums._fields),
            func.count(),
            func.count().filter(each.c.line_count == 0),
            func.coalesce(func.percentile_disc(0.5).within_group(each.c.net_fen), 0),
            *banded,
        ).select_from(each),
    )
    values = [int(value) for value in found.one()]
    bands = [Band(low, high, count) for (low, high), count in zip(bounds, values[8:], strict=True)]
    return Overview(Sums._make(values[:5]), values[5], values[6], values[7], bands)


async def by_month(session: AsyncSession, scope: Scope) -> list[tuple[str, Sums]]:
    """The sums of every month of the scope (`2026-11`), also of months without any."""
    month = func.to_char(func.date_trunc("month", col(IncomeDay.day_on)), "YYYY-MM")
    found = await run(session, columns(month, *sums_of_days()).where(days(scope)).group_by(month))
    sums = {key: Sums._make(int(value) for value in values) for key, *values in found}
    keys = [f"{first:%Y-%m}" for first in months(scope)]
    return [(key, sums.get(key, Sums(0, 0, 0, 0, 0))) for key in keys]
