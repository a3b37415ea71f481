"""对账单: which month or season is asked for, and what its sheet says, whoever looks at it."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Rail
from market.ground.clock import day_of, parse_month
from market.ground.errors import Malformed
from market.reports import statements
from market.reports.statements import Period, Statement
from payments.records import Refund
from storefront import words
from storefront.texts import gettext as _

_FIRST_YEAR = 2016


class Asked(BaseModel):
    """The address of a statement: a month (`2026-11`) or the season that began in a year; this month when neither."""

    model_config = ConfigDict(frozen=True)

    month: Annotated[str, Field(max_length=7)] = ""
    season: Annotated[str, Field(max_length=4)] = ""

    def period(self, today: date) -> Period:
        """The days asked for. Malformed for what is no month or no season."""
        if self.season:
            if not self.season.isdigit() or not _FIRST_YEAR <= int(self.season) <= today.year:
                raise Malformed("season", "not_a_month", self.season)
            return statements.season_around(date(int(self.season), 12, 1))
        try:
            return statements.month_of(parse_month(self.month) if self.month else today)
        except ValueError:
            raise Malformed("month", "not_a_month", self.month) from None


AskedDep = Annotated[Asked, Query()]


async def shown(session: AsyncSession, household_id: int, asked: Asked, *, now: datetime) -> dict[str, Any]:
    """What the sheet of a household says."""
    today = day_of(now)
    period = asked.period(today)
    statement = await statements.read(session, household_id, period)
    earlier, later = period.from_on - timedelta(days=1), period.to_on + timedelta(days=1)
    return {
        "statement": statement,
        "period": named(period),
        "reasons": await _reasons(session, statement),
        "on_card_fen": statement.paid_fen(Rail.TRANSFER),
        "in_cash_fen": statement.paid_fen(Rail.CASH),
        "earlier": _address(earlier, is_season=period.is_season),
        "later": _address(later, is_season=period.is_season) if later <= today else "",
        "other": _address(min(period.to_on, today), is_season=not period.is_season),
        "printed_on": today,
    }


def named(period: Period) -> str:
    """`2026年11月`, or `2026年10月到2027年9月` for a season."""
    first, last = (words.month(f"{day:%Y-%m}") for day in (period.from_on, period.to_on))
    return _("%(first)s到%(last)s", first=first, last=last) if period.is_season else first


def _address(on: date, *, is_season: bool) -> str:
    if is_season:
        return f"?season={statements.season_around(on).from_on.year}"
    return f"?month={on:%Y-%m}"


async def _reasons(session: AsyncSession, statement: Statement) -> dict[Any, str]:
    """Why each refund was made, by refund."""
    ids = [one.refund_id for one in statement.refunds if one.refund_id is not None]
    found = await session.exec(select(Refund.id, Refund.reason).where(col(Refund.id).in_(ids)))
    return {refund_id: words.refund_reason(reason) for refund_id, reason in found}
