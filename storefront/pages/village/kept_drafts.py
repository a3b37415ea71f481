"""The listing somebody began and left: its answers stay in the browser for a week, so that they can go on from there.

A photo chosen is not among them: browsers give no page the right to keep one.
"""

from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from storefront.deps import PageDep
from storefront.forms import Form
from storefront.pages.village import drafts
from storefront.pages.village.drafts import Draft
from storefront.pages.village.houses import House, HouseDep

router = APIRouter(prefix="/village/{household_id:int}")
_NAME, _DAYS, _MOST = "draft", 7, 400


@router.post("/drafts/removal")
async def create_removal(page: PageDep, house: HouseDep) -> Response:
    """Not to be put up after all."""
    response = page.redirect(f"/village/{house.id}/goods")
    forget(response, house)
    return response


def keep(response: Response, house: House, draft: Draft) -> None:
    """Remember what was answered so far, in place of any earlier one."""
    said = urlencode(draft.answers())
    if draft.item is not None and len(said) <= _MOST:
        response.set_cookie(
            _NAME, said, max_age=_DAYS * 24 * 3600, path=f"/village/{house.id}", httponly=True, samesite="lax"
        )


def forget(response: Response, house: House) -> None:
    """It was put up, or is not wanted."""
    response.delete_cookie(_NAME, path=f"/village/{house.id}")


async def found(request: Request, session: AsyncSession) -> Draft | None:
    """What this browser began for the household in the address and did not put up."""
    said = dict(parse_qsl(request.cookies.get(_NAME, "")[:_MOST]))
    draft = await drafts.read(session, Form(said, {})) if said else None
    return draft if draft is not None and draft.item is not None else None
