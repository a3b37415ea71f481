"""What is on sale, searched and filtered, and the page of one offer."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import catalogue, gates
from market.goods.catalogue import Card, Page, Wanted
from market.ground import places
from market.ground.errors import Malformed
from market.trade import carts
from storefront.deps import CartOwnerDep, NowDep, PageDep, SessionDep
from storefront.pages.shop.searches import Search, by_township, read_search

router = APIRouter()
ListingId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_FRESH = timedelta(days=3)
_NEIGHBOURS = 4


@router.get("/listings")
async def list_listings(request: Request, page: PageDep, session: SessionDep, now: NowDep) -> Response:
    """Offers that match; what makes no sense in the address is said beside the offers that match the rest."""
    search = read_search(request.query_params)
    found = await _find(session, search)
    divisions = await catalogue.places_on_sale(session)
    return page(
        "shop/listings.html",
        status=422 if search.errors else 200,
        search=search,
        found=found,
        produce=await catalogue.produce_on_sale(session),
        towns=by_township(divisions),
        place_names={place.code: place.name for place in divisions},
        fresh_since=now - _FRESH,
    )


@router.get("/listings/{listing_id}")
async def show_listing(
    request: Request, page: PageDep, session: SessionDep, owner: CartOwnerDep, listing_id: ListingId
) -> Response:
    """One offer, also when it is sold out or withdrawn."""
    card = await catalogue.card(session, listing_id)
    asked = request.query_params.get("quantity", "")
    return page(
        "shop/listing.html",
        card=card,
        quantity=max(1, min(int(asked), card.left)) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 1,  # noqa: PLR2004  at most 9,999
        origin=[place.name for place in await places.path(session, card.division_code)][-2:],
        neighbours=await _neighbours(session, card),
        shown=await gates.seen_by_buyers(session, card.id, card.ready_on),
        in_cart=await carts.quantity_of(session, owner, card.id),
    )


async def _find(session: AsyncSession, search: Search) -> Page:
    """The page asked for; the first one where the address points nowhere."""
    try:
        return await catalogue.find(session, search.wanted)
    except Malformed:
        search.wanted, search.values["cursor"] = replace(search.wanted, cursor=""), ""
        return await catalogue.find(session, search.wanted)


async def _neighbours(session: AsyncSession, card: Card) -> list[Card]:
    """A few other offers of the same village."""
    found = await catalogue.find(session, Wanted(division=card.division_code, limit=_NEIGHBOURS + 1))
    return [other for other in found.items if other.id != card.id][:_NEIGHBOURS]
