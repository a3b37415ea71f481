"""Placing an order, the call that comes in rushes: one statement where that is enough.

The shortcut knows the caller and the stop from an earlier call. Its statement proves that both still stand, claims the
key, places the order and keeps the answer, and is a transaction of its own (docs/decisions/0017). Whatever stands in
its way, nothing has happened, and the handler below places the order, or refuses with its reason, like every other.
"""

from typing import Annotated, Any

from fastapi import Request
from fastapi.security.utils import get_authorization_scheme_param
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import Response

from market.delivery.stops import Handover
from market.ground import clock, idempotency
from market.ground.errors import MarketError
from market.ground.idempotency import Claim
from market.people.units import Wallet
from market.trade import placing
from market.trade.placements import Item, Placed, Proof, Terms
from storefront.api.faults import faults_of_a_change
from storefront.api.fields import Count, Fen, Id, Remark
from storefront.api.keys import CallDep, asked_by
from storefront.api.orders import OrderShown
from storefront.api.routes import ApiRoute, noun
from storefront.deps import StateDep
from storefront.state import State


class NewLine(BaseModel):
    """How much of which listing."""

    listing_id: Id
    quantity: Count
    seen_fen: Annotated[
        Fen | None, Field(description="The price the buyer was shown. Another price by now: 409 PriceChanged.")
    ] = None


class NewOrder(BaseModel):
    """One purchase over any number of households."""

    wallet: Annotated[Wallet, Field(description="Whose money. canteen and union: only for the clerk of a work unit.")]
    stop_id: Annotated[Id, Field(description="Where to hand over, from GET /stops. Another unit's stop is a 404.")]
    lines: Annotated[list[NewLine], Field(max_length=1000)]
    work_unit_id: Annotated[Id | None, Field(description="The buyer's employer; needed for canteen and union.")] = None
    note: Remark = ""

    def items(self) -> list[Item]:
        """What is wanted."""
        return [Item(line.listing_id, line.quantity, line.seen_fen) for line in self.lines]

    def terms(self, handover: Handover) -> Terms:
        """Whose money, and where and when."""
        return Terms(
            wallet=self.wallet, stop_id=self.stop_id, county_code=handover.county_code, handover_on=handover.on,
            cutoff_at=handover.cutoff_at, work_unit_id=self.work_unit_id, note=self.note,
        )  # fmt: skip


class AtOnce(ApiRoute):
    """Places the order in one statement, on what is remembered of the caller and the stop, where that suffices."""

    async def shortcut(self, request: Request) -> Response | None:
        """The order placed and committed; or OutOfStock, or None, and nothing has happened."""
        state: State = request.app.state.yigou
        bearer = state.regulars.bearer(_token_of(request))
        if bearer is None or not request.headers.get("content-type", "").startswith("application/json"):
            return None
        try:
            asked, now = NewOrder.model_validate_json(await request.body()), clock.now()
            handover = state.regulars.handover(bearer.viewer, asked.stop_id, now)
            if handover is None:
                return None
            wish = placing.wish_of(
                bearer.viewer, asked.items(), asked.terms(handover), now=now,
                claim=await _claim(request, bearer.viewer.id), proof=Proof(bearer, handover.version),
            )  # fmt: skip
        except (ValidationError, MarketError):
            return None  # what was remembered may be out of date: the whole way decides, and says why not
        placed = await state.rush.place(wish)
        return Response(_body(placed), status_code=201, media_type="application/json") if placed else None

    def answer_from(self, kept: dict[str, Any]) -> str:
        """The order as it was placed."""
        return _body(placing.told(kept))


async def _claim(request: Request, account_id: int) -> Claim | None:
    key = request.headers.get("idempotency-key")
    return None if key is None else idempotency.wanted(account_id, key=key, body=await asked_by(request))


def _token_of(request: Request) -> str:
    scheme, given = get_authorization_scheme_param(request.headers.get("authorization"))
    return given if scheme.lower() == "bearer" else ""


def _body(placed: Placed) -> str:
    return OrderShown.of(placed, placed.lines).model_dump_json(by_alias=True)


router = noun("orders", route_class=AtOnce)
_PLACING = (
    "`OutOfStock`: `detail.lines` names each short line with `listing_id`, `title`, `wanted` and `left`. "
    "`PriceChanged`: `detail.lines` with `listing_id`, `title`, `seen_fen` and `price_fen`. "
    "`NotOnSale`: `detail.listing_ids`. `OverLimit`: too many lines or too much money. "
    "`RoundCancelled`: this day's round at the stop was called off a moment ago; ask for the stops anew."
)


@router.post("/orders", status_code=201, responses=faults_of_a_change(403, refused=_PLACING))
async def create_order(request: Request, state: StateDep, asked: NewOrder, call: CallDep) -> OrderShown:
    """Place an order. Its goods are held until `expires_at`; all lines or none."""
    state.regulars.remember(_token_of(request), call.caller)
    handover = await state.regulars.look_up(call.session, call.caller, asked.stop_id, call.now)
    terms, claimed = asked.terms(handover), call.claimed
    placed = await placing.place(call.session, call.caller, asked.items(), terms, now=call.now, claim=claimed)
    return call.kept(OrderShown.of(placed, placed.lines))
