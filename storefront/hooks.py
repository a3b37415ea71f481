"""Machines calling back. A notice is verified, recorded once and acted on in one transaction, or sent again later."""

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse

from market.ground.errors import NotFound
from payments import desk
from storefront.deps import GatewayDep, NowDep, SessionDep

router = APIRouter(include_in_schema=False)


@router.post("/hooks/stripe")
async def take_stripe_notice(request: Request, session: SessionDep, gateway: GatewayDep, now: NowDep) -> JSONResponse:
    """A signed notice from Stripe. 200 only for work that is done; anything else makes Stripe try again."""
    if not gateway.hears_notices:
        raise NotFound("hook")
    event = gateway.verify(await request.body(), request.headers.get("stripe-signature", ""))
    return JSONResponse({"outcome": await desk.take_notice(session, gateway, event, now=now)})
