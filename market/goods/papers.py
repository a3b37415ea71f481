"""What a seller says later about a listing's goods: the day they came in, and the papers a gate asks for."""

from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import gates, listings
from market.goods.gates import Papers
from market.goods.listings import Listing, ListingState
from market.goods.produce import Produce
from market.ground.errors import Malformed, NotMovable
from market.people.accounts import Viewer


async def change_day(session: AsyncSession, by: Viewer, listing_id: int, ready_on: date, *, now: datetime) -> Listing:
    """The goods on offer came in on this day. Gated goods of another day are another lot, with papers of its own."""
    listing = await listings.seller_listing(session, by, listing_id)
    if listing.state is ListingState.WITHDRAWN:
        raise NotMovable("listing", listing.state, "change_day")
    if listing.ready_on is None:
        raise Malformed("ready_on", "not_asked", listing.produce_code)
    item = await session.get_one(Produce, listing.produce_code)
    listings.note(session, by, listing, "change_day", f"{listing.ready_on} > {ready_on}", now)
    listings.set_ready(listing, item, ready_on, now=now)
    if item.gate_code:
        await listings.settle(session, listing, now=now)
    return listing


async def hand_in(session: AsyncSession, by: Viewer, listing_id: int, given: Papers, *, now: datetime) -> Listing:
    """Add papers to the lot on offer; once none is missing buyers see it. Malformed names the paper that cannot be."""
    listing = await listings.seller_listing(session, by, listing_id)
    item = await session.get_one(Produce, listing.produce_code)
    if item.gate_code is None or listing.ready_on is None:
        raise Malformed("papers", "not_asked", listing.produce_code)
    usable = await gates.checked(session, given, division_code=listing.division_code, now=now)
    await gates.keep(session, listing_id, listing.ready_on, usable, by=by.account_id, now=now)
    await listings.settle(session, listing, now=now)
    listing.changed_at = now
    listings.note(session, by, listing, "hand_in_papers", usable.certificate_no or usable.licence_no, now)
    return listing
