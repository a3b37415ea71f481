"""One's own cash book: what is in hand, where it came from and went, month by month, on screen and on paper."""

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.clock import day_of, month_end, parse_month
from market.ground.errors import Malformed
from market.people.accounts import Viewer
from payments import cash_books, cash_keepers, hand_ins
from storefront.deps import NowDep, PageDep, SessionDep, require

router = APIRouter()
KeeperDep = Annotated[Viewer, Depends(require(*cash_keepers.KEEPERS))]
"""Somebody in whose hand cash may be."""
MonthDep = Annotated[str, Query(max_length=7)]


@router.get("/unit/cash/book")
async def show_book(
    page: PageDep, session: SessionDep, keeper: KeeperDep, now: NowDep, month: MonthDep = ""
) -> Response:
    """What this person holds, what waits to be counted, and a month of the book."""
    return page(
        "unit/cash_book.html",
        held=await cash_books.in_hand(session, keeper.id),
        to_count=await hand_ins.waiting(session, receiver_id=keeper.id),
        given=await hand_ins.waiting(session, giver_id=keeper.id),
        **await _month(session, keeper, month, day_of(now)),
    )


@router.get("/unit/cash/book/sheet")
async def show_sheet(
    page: PageDep, session: SessionDep, keeper: KeeperDep, now: NowDep, month: MonthDep = ""
) -> Response:
    """A month of the book on paper, to be signed."""
    return page("unit/cash_sheet.html", **await _month(session, keeper, month, day_of(now)))


async def _month(session: AsyncSession, keeper: Viewer, month: str, today: date) -> dict[str, Any]:
    try:
        first = parse_month(month) if month else today.replace(day=1)
    except ValueError:
        raise Malformed("month", "not_a_month", month) from None
    return {"book": await cash_books.pages(session, keeper.id, first, month_end(first)), "today": today}
