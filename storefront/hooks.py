"""Machines calling back. A notice is verified, recorded once and acted on in one transaction, or sent again later."""

from http import HTTPStatus

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import JSONResponse

from market.ground.errors import NotFound
from payments import desk
from payments.stripe import MOST_BYTES
from storefront.deps import GatewayDep, NowDep, SessionDep

router = APIRouter(include_in_schema=False)


@router.post("/hooks/stripe")
async def take_stripe_notice(request: Request, session: SessionDep, gateway: GatewayDep, now: NowDep) -> JSONResponse:
    """A signed notice from Stripe. 200 only for work that is done; anything else makes Stripe try again."""
    if not gateway.hears_notices:
        raise NotFound("hook")
    event = gateway.verify(await _body(request), request.headers.get("stripe-signature", ""))
    return JSONResponse({"outcome": await desk.take_notice(session, gateway, event, now=now)})


async def _body(request: Request) -> bytes:
    """What was sent, unless it is more than any notice: anyone may call here, so no more of it is kept than that."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return bytes(body)
