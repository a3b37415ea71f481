"""A household's land and animals, entered by an officer: what its season's ceilings come from."""

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import capacity
from market.ground.errors import Malformed, NotFound
from market.people.accounts import Viewer
from market.people.households import Household
from storefront import means_forms
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.desk.asked import OfficerDep
from storefront.texts import gettext as _

router = APIRouter(prefix="/desk/households/{household_id:int}")


@router.get("/means")
async def show_means(page: PageDep, session: SessionDep, officer: OfficerDep, household_id: int) -> Response:
    """What is known of them."""
    home = await _home(session, officer, household_id)
    kinds = await means_forms.kinds(session, household_id)
    return page("desk/means.html", home=home, kinds=kinds, form=Form({}, {}))


@router.post("/means")
async def change_means(
    request: Request, page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, household_id: int
) -> Response:
    """Write them down; an empty field is not known."""
    home = await _home(session, officer, household_id)
    form, kinds = await read_form(request), await means_forms.kinds(session, household_id)
    amounts = means_forms.amounts(form, kinds)
    try:
        if form.ok:
            await capacity.enter(session, officer, household_id, amounts, now=now)
            return page.redirect(f"/desk/households/{household_id}/means", ("success", _("记好了")))
    except Malformed as error:
        form.reject_for(error)
    return page("desk/means.html", status=422, home=home, kinds=kinds, form=form)


async def _home(session: AsyncSession, officer: Viewer, household_id: int) -> Household:
    """A household whose means this officer may enter. NotFound for any other."""
    found = (await session.exec(capacity.entered_by(officer).where(Household.id == household_id))).one_or_none()
    if found is None:
        raise NotFound("household", str(household_id))
    return found
