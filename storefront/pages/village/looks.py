"""Who looked at the household's data, when and at what."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from market.reports import looks
from storefront.deps import PageDep, SessionDep
from storefront.pages.village.houses import HouseDep
from storefront.texts import lazy_gettext as _l

router = APIRouter(prefix="/village/{household_id:int}")
_MOST_START = 100_000
_AT = {"look": _l("卖货和收入的明细"), "look_papers": _l("检疫证照片"), "open_card": _l("银行卡号")}


@router.get("/looks")
async def list_looks(
    page: PageDep, session: SessionDep, house: HouseDep, start: Annotated[int, Query(ge=0, le=_MOST_START)] = 0
) -> Response:
    """Everybody who opened something of this household's."""
    found = await looks.of_household(session, house.id, offset=start)
    more = start + looks.PAGE if len(found) > looks.PAGE else None
    return page(
        "village/looks.html", house=house, found=found[: looks.PAGE], at=_AT, start=start, more=more,
        page_size=looks.PAGE,
    )  # fmt: skip
