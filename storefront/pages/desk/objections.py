"""What households did not agree to of what agents did for them: an officer looks into it and says what came of it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.errors import Malformed
from market.people import acts_for
from market.people.accounts import Viewer
from market.reports import trail
from storefront import act_words
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.desk.asked import OfficerDep
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter()
_MOST_START = 100_000
StartDep = Annotated[int, Query(ge=0, le=_MOST_START)]


@router.get("/desk/objections")
async def list_objections(
    page: PageDep, session: SessionDep, viewer: OfficerDep, settled: bool = False, start: StartDep = 0
) -> Response:
    """Those that wait, the oldest first; or those looked into, the latest first."""
    return await _list(page, session, viewer, Form({}, {}), settled=settled, start=start)


@router.post("/desk/objections/{word_id:int}/settlement")
async def create_settlement(
    request: Request, page: PageDep, session: SessionDep, viewer: OfficerDep, now: NowDep, word_id: int
) -> Response:
    """What came of it; the household and the station read it."""
    form = await read_form(request)
    try:
        await acts_for.settle(session, viewer, word_id, found=form.text("found", most=200), now=now)
    except Malformed as error:
        form.reject(f"found-{word_id}", error.problem)
        return await _list(page, session, viewer, form, settled=False, start=0)
    return page.redirect("/desk/objections", ("success", _("记下了，这家和站里都看得到。")))


async def _list(
    page: Page, session: AsyncSession, viewer: Viewer, form: Form, *, settled: bool, start: int
) -> Response:  # fmt: skip
    found = await trail.objections(session, viewer, settled=settled, offset=start)
    more = start + trail.PAGE if len(found) > trail.PAGE else None
    return page(
        "desk/objections.html", status=200 if form.ok else 422, found=found[: trail.PAGE], settled=settled,
        start=start, more=more, page_size=trail.PAGE, form=form, act_words=act_words,
    )  # fmt: skip
