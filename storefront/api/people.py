"""The caller: what a token lets one do."""

from typing import Annotated, Self

from pydantic import BaseModel, Field
from sqlmodel import col

from market.people import households, units
from market.people.accounts import Grant, Role, mask_phone
from market.people.units import Wallet
from storefront.api.faults import faults
from storefront.api.keys import CallerDep
from storefront.api.routes import noun
from storefront.deps import SessionDep

router = noun("people")
_MOST_HOUSEHOLDS = 500


class GrantShown(BaseModel):
    """A role and what it is held over."""

    role: Role
    household_id: int | None
    station_id: int | None
    work_unit_id: int | None
    division: str | None

    @classmethod
    def of(cls, grant: Grant) -> Self:
        """The grant for a machine."""
        return cls(
            role=grant.role, household_id=grant.household_id, station_id=grant.station_id,
            work_unit_id=grant.work_unit_id, division=grant.division_code,
        )  # fmt: skip


class HouseholdSold(BaseModel):
    """A household the caller may put up offers for."""

    id: int
    display_name: str
    division: str


class WorkUnitShown(BaseModel):
    """A work unit the caller belongs to."""

    id: int
    name: str
    division: str


class Me(BaseModel):
    """Who the token speaks for."""

    name: str
    phone: Annotated[str, Field(description="Masked.")]
    grants: list[GrantShown]
    wallets: Annotated[list[Wallet], Field(description="Wallets the caller may order with.")]
    households: Annotated[list[HouseholdSold], Field(description=f"At most {_MOST_HOUSEHOLDS}.")]
    work_units: list[WorkUnitShown]


@router.get("/me", responses=faults(401))
async def show_me(session: SessionDep, caller: CallerDep) -> Me:
    """The caller, their roles, and the households and work units they act for."""
    homes = await session.exec(households.sold_for_by(caller).limit(_MOST_HOUSEHOLDS))
    employers = await session.exec(units.visible_to(caller).order_by(col(units.WorkUnit.id)))
    return Me(
        name=caller.name,
        phone=mask_phone(caller.phone),
        grants=[GrantShown.of(grant) for grant in caller.grants],
        wallets=units.wallets_of(caller),
        households=[HouseholdSold(id=h.id or 0, display_name=h.display_name, division=h.division_code) for h in homes],
        work_units=[WorkUnitShown(id=u.id or 0, name=u.name, division=u.division_code) for u in employers],
    )
