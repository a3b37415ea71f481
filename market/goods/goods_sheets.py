"""A household's paper list of its goods, as an agent types it in: all of it or nothing, each line an act of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import capacity, listings, produce
from market.goods.listings import Listing, ListingState, Offer
from market.goods.produce import Produce
from market.goods.stock import Stock
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound, OverCapacity
from market.people.accounts import Viewer
from market.people.households import Household


@dataclass(frozen=True)
class Line:
    """What the sheet says of a listing the household has; None: nothing."""

    listing_id: int
    left: int | None = None
    price_fen: int | None = None
    stops: bool = False
    """Ticked: not for sale any more."""

    @property
    def says_something(self) -> bool:
        """Whether anything is to be changed."""
        return self.stops or self.left is not None or self.price_fen is not None


async def check(session: AsyncSession, household_id: int, lines: Sequence[Line], *, now: datetime) -> None:
    """Look at every line before anything is written. Malformed names the field: `left-12`, `price-12`.

    NotFound for a listing of another household, or one that is not offered any more.
    """
    rows = (await session.exec(listings.of_household(household_id))).all()
    known = {listing.id: (listing, stock, item) for listing, stock, item in rows}
    for line in lines:
        if line.listing_id not in known or known[line.listing_id][0].state is ListingState.WITHDRAWN:
            raise NotFound("listing", str(line.listing_id))
        await _check(session, line, *known[line.listing_id], now=now)


async def type_in(
    session: AsyncSession, by: Viewer, household: Household, lines: Sequence[Line], offers: Sequence[Offer], *,
    now: datetime,
) -> list[Listing]:  # fmt: skip
    """Do what a checked sheet says, in the order of the listings; returns what went up new."""
    for line in sorted(lines, key=lambda line: line.listing_id):
        if line.stops:
            await listings.withdraw(session, by, line.listing_id, now=now)
            continue
        if line.price_fen is not None:
            await listings.change_price(session, by, line.listing_id, line.price_fen, now=now)
        if line.left is not None:
            await listings.change_left(session, by, line.listing_id, line.left, now=now)
    return [await listings.put_up(session, by, household, offer, now=now) for offer in offers]


async def _check(
    session: AsyncSession, line: Line, listing: Listing, stock: Stock, item: Produce, *, now: datetime
) -> None:  # fmt: skip
    row = await produce.counted(session, listing.produce_code, listing.measure)
    try:
        if line.price_fen is not None:
            listings.check_price(row, line.price_fen, listing.grams_each)
        if line.left is not None:
            listings.check_quantity(row, line.left, least=0)
            each, more = row.grams_of_one(listing.grams_each), line.left - stock.left
            if more > 0 and listing.state is ListingState.LIVE:
                await capacity.check_more(session, listing.household_id, item, each=each, more=more, on=day_of(now))
    except Malformed as error:
        field = "price" if error.field == "price" else "left"
        raise Malformed(f"{field}-{line.listing_id}", error.problem, error.given) from error
    except OverCapacity as error:
        raise Malformed(f"left-{line.listing_id}", "over_capacity", str(error.limit)) from error
