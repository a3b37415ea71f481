"""A household's money: sold, given back, paid to its card and still on the way, each with the orders behind it."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from market.ground.clock import day_of, month_end, parse_month
from market.ground.errors import Malformed
from market.reports import household as reports
from market.reports import statements
from market.reports.household import Part
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.pages.village.houses import HouseDep

router = APIRouter(prefix="/village/{household_id:int}")
_MOST_START = 100_000


class Show(StrEnum):
    """Which of the four figures is looked into."""

    SOLD = "sold"
    REFUNDED = "refunded"
    WAITING = "waiting"
    PAID_OUT = "paid_out"


@router.get("/money")
async def show_money(  # noqa: PLR0917  what FastAPI hands in
    page: PageDep, session: SessionDep, house: HouseDep, now: NowDep, show: Show = Show.SOLD,
    month: Annotated[str, Query(max_length=7)] = "", start: Annotated[int, Query(ge=0, le=_MOST_START)] = 0,
) -> Response:  # fmt: skip
    """The figures of the household, by month, and the lines behind the one that is looked into."""
    days = _days(month)
    payouts: list[statements.Paid] = []
    lines: list[reports.SoldLine] = []
    if show is Show.PAID_OUT:
        payouts = await statements.payouts(session, house.id, days=days, on=day_of(now))
    else:
        lines = await reports.sold_lines(session, house.id, Part(show.value), days=days, offset=start)
    figures: dict[str, Any] = {
        "sums": await reports.sums(session, house.id),
        "months": await reports.months(session, house.id),
        "lines": lines[: reports.PAGE],
        "page_size": reports.PAGE,
        "next_start": start + reports.PAGE if len(lines) > reports.PAGE else None,
    }
    return page("village/money.html", house=house, show=show, month=month, start=start, payouts=payouts, **figures)


def _days(month: str) -> Any:
    """First and last day of a month written `2026-11`; nothing for none."""
    if not month:
        return None
    try:
        first = parse_month(month)
    except ValueError:
        raise Malformed("month", "not_a_month", month) from None
    return first, month_end(first)
