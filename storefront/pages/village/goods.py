"""A household's goods: what is on sale, what is left, what is ordered of it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from market.goods import disagreements
from market.ground.clock import day_of
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.pages.village import kept_drafts, shelves
from storefront.pages.village.houses import HouseDep

router = APIRouter(prefix="/village/{household_id:int}")
_MOST, _MOST_ASKED = 10_000_000, 5


@router.get("/goods")
async def list_goods(  # noqa: PLR0917  what FastAPI hands in
    request: Request, page: PageDep, session: SessionDep, house: HouseDep, now: NowDep,
    stopped: Annotated[int, Query(ge=0, le=2**62)] = 0, left: Annotated[int, Query(ge=0, le=_MOST)] = 0,
) -> Response:  # fmt: skip
    """Everything the household sells or sold; what was begun; right after stopping something, the way back."""
    goods = await shelves.all_of(session, house, on=day_of(now))
    undo = next((each for each in goods if each["id"] == stopped and not each["is_live"]), None)
    asked = (await session.exec(disagreements.open_of(house.id).limit(_MOST_ASKED))).all()
    names = {each["id"]: each["name"] for each in goods}
    return page(
        "village/goods.html", house=house, goods=goods, undo=undo, undo_left=left,
        draft=await kept_drafts.found(request, session),
        asked=[(each, names[each.listing_id]) for each in asked],
    )  # fmt: skip
