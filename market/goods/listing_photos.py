"""The photo of a listing: another one, none, or the one before again."""

from datetime import datetime

from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import listings
from market.goods.listings import Listing
from market.ground import audit
from market.ground.audit import Trace
from market.ground.errors import NotFound
from market.people.accounts import Viewer

_ACT = "change_photo"


async def change(session: AsyncSession, by: Viewer, listing_id: int, photo: str | None, *, now: datetime) -> Listing:
    """Show another photo, or none."""
    listing = await listings.seller_listing(session, by, listing_id)
    listings.note(session, by, listing, _ACT, f"{listing.photo or ''} > {photo or ''}", now)
    listing.photo, listing.changed_at = photo, now
    return listing


async def show_again(session: AsyncSession, by: Viewer, listing_id: int, photo: str, *, now: datetime) -> Listing:
    """Show a photo again that this listing showed before. NotFound for any other: a name alone proves nothing."""
    listing = await listings.seller_listing(session, by, listing_id)
    shown = audit.about(listing.household_id).where(
        Trace.subject == f"listing:{listing_id}",
        Trace.act == _ACT,
        col(Trace.note).startswith(f"{photo} > ", autoescape=True),
    )
    if not photo or (await session.exec(shown.limit(1))).first() is None:
        raise NotFound("photo", photo[:60])
    return await change(session, by, listing_id, photo, now=now)
