"""Paper for those who sell by paper: slips of what to prepare, and a sheet to tick what there is to sell."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import listings
from market.goods.listings import Listing, ListingState
from market.goods.stock import Stock
from market.ground.clock import day_of
from market.ground.places import Division
from market.people.accounts import Role, Viewer
from market.people.households import Household
from market.people.stations import Station
from market.reports import household as reports
from market.reports import sellers
from market.reports.sellers import Only
from storefront.deps import NowDep, PageDep, SessionDep, require
from storefront.pages.village.households import SearchDep
from storefront.pages.village.houses import HouseDep
from storefront.pages.village.orders import Handover, handovers_of
from storefront.render import Page

router = APIRouter(prefix="/village")
_home = APIRouter(prefix="/{household_id:int}")
AgentDep = Annotated[Viewer, Depends(require(Role.AGENT))]
_NEW_ROWS = 4


@dataclass(frozen=True)
class Paper:
    """Whose paper it is, and what stands on it."""

    household: Household
    village: str
    phone: str
    """The station's."""
    number: str
    """The paper's own: the household's number and the day."""
    handovers: list[Handover]
    goods: list[tuple[Listing, Stock]]


@_home.get("/orders/slip")
async def show_slip(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep) -> Response:
    """What this household has to prepare, to be hung on the wall."""
    papers = [await _slip(session, house.household, on=day_of(now))]
    return page("village/slips.html", papers=papers, back=f"/village/{house.id}/orders", today=day_of(now))


@router.get("/orders/slips")
async def list_slips(page: PageDep, session: SessionDep, viewer: AgentDep, now: NowDep, search: SearchDep) -> Response:
    """The slips of every household with orders, one sheet each."""
    found = await sellers.sellers(session, viewer, on=day_of(now), q=search.q, only=Only.ORDERED, offset=search.start)
    homes = await _homes(session, [one.id for one in found[: sellers.PAGE]])
    papers = [await _slip(session, home, on=day_of(now)) for home in homes]
    more = search.start + sellers.PAGE if len(found) > sellers.PAGE else None
    return page("village/slips.html", papers=papers, back="/village/orders", more=more, today=day_of(now))


@_home.get("/goods/sheet")
async def show_sheet(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep) -> Response:
    """This household's goods on paper, to be ticked at the kitchen table."""
    papers = [await _sheet(session, house.household, now)]
    return _sheets(page, papers, back=f"/village/{house.id}/goods")


@router.get("/sheets")
async def list_sheets(page: PageDep, session: SessionDep, viewer: AgentDep, now: NowDep, search: SearchDep) -> Response:
    """The same for every household of that part of the list, one sheet each."""
    found = await sellers.sellers(session, viewer, on=day_of(now), q=search.q, only=search.only, offset=search.start)
    homes = await _homes(session, [one.id for one in found[: sellers.PAGE]])
    return _sheets(page, [await _sheet(session, home, now) for home in homes], back="/village")


router.include_router(_home)


def _sheets(page: Page, papers: list[Paper], *, back: str) -> Response:
    return page("village/sheets.html", papers=papers, back=back, new_rows=range(_NEW_ROWS))


def number_of(home: Household, on: date) -> str:
    """A paper's number, short enough to copy by hand: the end of the household's own, and the day."""
    return f"{home.number[-6:]}-{on:%m%d}"


async def _homes(session: AsyncSession, household_ids: list[int]) -> list[Household]:
    found = await session.exec(select(Household).where(col(Household.id).in_(household_ids)))
    homes = {home.id: home for home in found}
    return [homes[household_id] for household_id in household_ids]


async def _slip(session: AsyncSession, home: Household, *, on: date) -> Paper:
    wishes = await reports.to_prepare(session, home.id or 0, from_on=on, until_on=on + reports.AHEAD)
    return await _paper(session, home, on, handovers=handovers_of(wishes), goods=[])


async def _sheet(session: AsyncSession, home: Household, now: datetime) -> Paper:
    rows = await session.exec(listings.of_household(home.id or 0).where(Listing.state != ListingState.WITHDRAWN))
    goods = [(listing, stock) for listing, stock, _item in rows]
    return await _paper(session, home, day_of(now), handovers=[], goods=goods)


async def _paper(
    session: AsyncSession, home: Household, on: date, *, handovers: list[Handover], goods: list[tuple[Listing, Stock]]
) -> Paper:  # fmt: skip
    village = await session.get_one(Division, home.division_code)
    station = await session.get(Station, home.station_id) if home.station_id else None
    number = number_of(home, on)
    return Paper(home, village.name, station.phone if station else "", number, handovers, goods)
