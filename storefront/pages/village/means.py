"""The household's land and animals: read by the household, entered by its agent, so that nobody vouches for itself."""

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import capacity
from market.ground.errors import Malformed
from market.people.households import Household
from storefront import means_forms
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.village.houses import House, HouseDep
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/{household_id:int}")


@router.get("/means")
async def show_means(page: PageDep, session: SessionDep, house: HouseDep) -> Response:
    """What is known of them."""
    return await _shown(page, session, house, Form({}, {}))


@router.post("/means")
async def change_means(request: Request, page: PageDep, session: SessionDep, house: HouseDep, now: NowDep) -> Response:
    """Write them down. NotFound for the household itself."""
    form, kinds = await read_form(request), await means_forms.kinds(session, house.id)
    amounts = means_forms.amounts(form, kinds)
    try:
        if form.ok:
            await capacity.enter(session, page.viewer, house.id, amounts, now=now)
            return page.redirect(f"/village/{house.id}/means", ("success", _("记好了")))
    except Malformed as error:
        form.reject_for(error)
    return await _shown(page, session, house, form)


async def _shown(page: Page, session: AsyncSession, house: House, form: Form) -> Response:
    may = capacity.entered_by(page.viewer).where(Household.id == house.id)
    can_enter = (await session.exec(may)).one_or_none() is not None
    kinds = await means_forms.kinds(session, house.id)
    status = 200 if form.ok else 422
    return page("village/means.html", status=status, house=house, kinds=kinds, form=form, can_enter=can_enter)
