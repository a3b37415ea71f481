"""What waits on the phone until there is network: the list of it, and what a phone needs to bring it."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from market.goods import uploads
from storefront.deps import BuyerDep, NowDep, PageDep, SessionDep

router = APIRouter(prefix="/village")


@router.get("/waiting")
async def list_waiting(page: PageDep, _viewer: BuyerDep) -> Response:
    """What waits on this phone. Only the phone knows: the page brings the words."""
    return page("village/waiting.html")


@router.get("/pass")
async def show_pass(page: PageDep, viewer: BuyerDep) -> Response:
    """Whom a phone would bring forms for just now, and the token they need: the one of an old page may be past."""
    passed = {"hand": page.sessions.hand_of(viewer.id), "token": page.sessions.csrf_token(page.session)}
    return JSONResponse(passed, headers={"cache-control": "no-store"})


@router.get("/uploads/{name}")
async def show_upload(session: SessionDep, viewer: BuyerDep, name: str) -> Response:
    """How much of a photo is here: the phone goes on from there."""
    here = await uploads.received(session, viewer.id, name[:40])
    return JSONResponse({"received": here}, headers={"cache-control": "no-store"})


@router.post("/uploads/{name}")
async def create_upload_part(
    request: Request, session: SessionDep, viewer: BuyerDep, now: NowDep, name: str,
    start: Annotated[int, Query(ge=0, le=uploads.MOST_BYTES)] = 0,
) -> Response:  # fmt: skip
    """The next part of a photo, as plain bytes."""
    data = await request.body()
    here = await uploads.add(session, viewer.id, name, start=start, data=data, now=now)
    return JSONResponse({"received": here})
