"""What waits on the phone until there is network: the list of it, and what a phone needs to bring it."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from storefront.deps import BuyerDep, PageDep

router = APIRouter(prefix="/village")


@router.get("/pass")
async def show_pass(page: PageDep, viewer: BuyerDep) -> Response:
    """Whom a phone would bring forms for just now, and the token they need: the one of an old page may be past."""
    passed = {"hand": page.sessions.hand_of(viewer.id), "token": page.sessions.csrf_token(page.session)}
    return JSONResponse(passed, headers={"cache-control": "no-store"})
