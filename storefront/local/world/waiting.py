"""What waits in the demo world: meat whose papers are still to come, and more millet than the land gives."""

from datetime import datetime, timedelta

from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import capacity, listings
from market.goods.capacity import Share
from market.goods.listings import Offer
from market.ground.measure import Measure
from market.people import accounts
from storefront.local.world.people import Cast

_MEAT, _MILLET = Offer("mutton", Measure.JIN, 3600, 24), Offer("millet", Measure.JIN, 850, 600)
_MU_TENTHS, _MILLET_TENTHS = 42, 6
_MEAT_SELLER, _MILLET_SELLER = 0, 2


async def bring(session: AsyncSession, cast: Cast, *, now: datetime) -> None:
    """Put it up, and the land of one household in the books it is measured by."""
    officer = await accounts.viewer_of(session, cast.officer)
    land = {Share("land"): _MU_TENTHS, Share("land", "millet"): _MILLET_TENTHS}
    home_id = cast.sellers[_MILLET_SELLER].id or 0
    await capacity.enter(session, officer, home_id, land, now=now - timedelta(days=2))
    for seller, offer in ((_MEAT_SELLER, _MEAT), (_MILLET_SELLER, _MILLET)):
        home = cast.sellers[seller]
        by = cast.seller_viewers[home.id or 0]
        await listings.put_up(session, by, home, offer, now=now - timedelta(hours=3))
    await session.flush()  # what follows reads past the session
