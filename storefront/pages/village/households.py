"""Whose goods: a household goes straight in; an agent, or a person of several households, chooses."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.clock import day_of
from market.people.accounts import Role
from market.reports import sellers
from market.reports.sellers import Only
from storefront.deps import BuyerDep, NowDep, PageDep, SessionDep
from storefront.render import Page

router = APIRouter()
_MOST_Q, _MOST_START = 40, 100_000


@dataclass(frozen=True)
class Search:
    """Which households of the list are looked for."""

    q: Annotated[str, Query(max_length=_MOST_Q)] = ""
    only: Annotated[Only, Query()] = Only.ALL
    start: Annotated[int, Query(ge=0, le=_MOST_START)] = 0


SearchDep = Annotated[Search, Depends(Search)]


@router.get("/village")
async def list_households(
    page: PageDep, session: SessionDep, _viewer: BuyerDep, now: NowDep, search: SearchDep
) -> Response:
    """The one household's goods, or the households to choose from."""
    return await _chosen(page, session, now, search, "goods")


@router.get("/village/orders")
async def list_households_with_orders(
    page: PageDep, session: SessionDep, _viewer: BuyerDep, now: NowDep, search: SearchDep
) -> Response:
    """The one household's orders, or the households to choose from."""
    return await _chosen(page, session, now, search, "orders")


@router.get("/village/money")
async def list_households_with_money(
    page: PageDep, session: SessionDep, _viewer: BuyerDep, now: NowDep, search: SearchDep
) -> Response:
    """The one household's money, or the households to choose from."""
    return await _chosen(page, session, now, search, "money")


async def _chosen(page: Page, session: AsyncSession, now: datetime, search: Search, tab: str) -> Response:
    viewer = page.viewer
    if not viewer.over(Role.HOUSEHOLD, Role.AGENT):
        return page("village/nobody.html")
    if len(set(viewer.household_ids)) == 1 and not viewer.over(Role.AGENT):
        return page.redirect(f"/village/{viewer.household_ids[0]}/{tab}")
    found = await sellers.sellers(session, viewer, on=day_of(now), q=search.q, only=search.only, offset=search.start)
    return page(
        "village/households.html",
        households=found[: sellers.PAGE],
        more=len(found) > sellers.PAGE,
        search=search,
        page_size=sellers.PAGE,
        tab=tab,
    )
