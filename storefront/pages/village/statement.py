"""对账单: a household's month or season on one sheet in large type, for itself and for the agent who prints it."""

from fastapi import APIRouter
from starlette.responses import Response

from storefront import statements
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.pages.village.houses import HouseDep
from storefront.statements import AskedDep

router = APIRouter(prefix="/village/{household_id:int}")


@router.get("/statement")
async def show_statement(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep, asked: AskedDep) -> Response:
    """Sold, given back, spent, paid and waiting, each with its orders."""
    shown = await statements.shown(session, house.id, asked, now=now)
    return page("village/statement.html", house=house, home=house.household, village=house.village, **shown)
