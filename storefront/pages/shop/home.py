"""The first page: what is in season and what was put up last."""

from datetime import timedelta

from fastapi import APIRouter
from starlette.responses import Response

from market.goods import catalogue
from market.goods.catalogue import Wanted
from market.ground.clock import day_of
from storefront.deps import NowDep, PageDep, SessionDep

router = APIRouter()
_NEWEST = 12
_FRESH = timedelta(days=3)


@router.get("/")
async def show_home(page: PageDep, session: SessionDep, now: NowDep) -> Response:
    """What a visitor sees first."""
    season = await catalogue.produce_on_sale(session, on=day_of(now))
    newest = await catalogue.find(session, Wanted(limit=_NEWEST))
    return page("shop/home.html", season=season, newest=newest, fresh_since=now - _FRESH)
