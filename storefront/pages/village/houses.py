"""The household a page of this door is about, and whether somebody else is acting for it."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends
from sqlmodel import select

from market.goods.listings import Listing
from market.ground import places
from market.ground.errors import NotFound
from market.people import acts_for, households
from market.people.households import Household
from storefront.deps import BuyerDep, SessionDep


@dataclass(frozen=True)
class House:
    """A household somebody sells for just now."""

    household: Household
    village: str
    is_own: bool
    """False for an agent: every page then names the household they act for."""
    open_acts: int = 0
    """What agents did for it and it has said nothing to."""

    @property
    def id(self) -> int:
        """The household's id."""
        return self.household.id or 0

    @property
    def name(self) -> str:
        """Its head, whom the household itself and its station know by name."""
        return self.household.head_name


async def house_of(session: SessionDep, viewer: BuyerDep, household_id: int) -> House:
    """The household in the address. NotFound for one this person does not sell for."""
    household = await households.seller(session, viewer, household_id)
    village = await places.get(session, household.division_code)
    open_acts = await acts_for.open_count(session, household_id)
    return House(household, village.name, household_id in viewer.household_ids, open_acts)


HouseDep = Annotated[House, Depends(house_of)]


async def house_of_listing(session: SessionDep, viewer: BuyerDep, listing_id: int) -> House:
    """The household of the listing in the address. NotFound for one of somebody else's."""
    # The id alone: the acts lock the listing and must read it fresh.
    household_id = await session.scalar(select(Listing.household_id).where(Listing.id == listing_id))
    if household_id is None:
        raise NotFound("listing", str(listing_id))
    return await house_of(session, viewer, household_id)


ListingHouseDep = Annotated[House, Depends(house_of_listing)]
