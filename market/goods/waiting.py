"""Why a listing is not shown to buyers yet: papers that are missing, more than the ceiling, or an officer's halt."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.goods import capacity, gates
from market.goods.capacity import Ceiling
from market.goods.gates import Paper
from market.goods.produce import Produce
from market.ground.db import key_of, new_id


class Halt(SQLModel, table=True):
    """叫停: an officer keeps a listing from being sold, from then until lifted."""

    __tablename__ = "halts"
    __table_args__ = (
        CheckConstraint("why <> ''", name="why"),
        Index("uq_halts_open", "listing_id", unique=True, postgresql_where=text("lifted_at IS NULL")),
    )

    id: int | None = new_id()
    listing_id: int = key_of("listings.id", index=True)
    at: datetime
    account_id: int = key_of("accounts.id")
    why: str = Field(max_length=200)
    lifted_at: datetime | None = None
    lifted_by: int | None = key_of("accounts.id", default=None)


@dataclass(frozen=True)
class Lot:
    """What of a listing decides whether it may be sold."""

    listing_id: int
    household_id: int
    ready_on: date | None
    grams: int | None
    """All that came in this season, sold or not; None where its weight is not known."""


@dataclass(frozen=True)
class Waits:
    """What a listing waits for; nothing: it may be sold."""

    papers: tuple[Paper, ...] = ()
    ceiling: Ceiling | None = None
    """Set where the lot is more than is left below it."""
    excess_grams: int = 0
    halt: Halt | None = None

    @property
    def reasons(self) -> list[str]:
        """The codes of what is waited for."""
        more = [("capacity", self.excess_grams), ("halt", self.halt)]
        return [*self.papers, *(name for name, found in more if found)]

    def __bool__(self) -> bool:
        """Whether there is anything to wait for."""
        return bool(self.reasons)


def open_halt(listing_id: int) -> SelectOfScalar[Halt]:
    """The halt that keeps a listing from being sold now."""
    return select(Halt).where(Halt.listing_id == listing_id, col(Halt.lifted_at).is_(None))


async def waits_of(session: AsyncSession, item: Produce, lot: Lot, *, on: date, hold: bool) -> Waits:
    """Everything that keeps a lot from being sold. `hold`: for whoever is about to put it up."""
    gate = await gates.of_produce(session, item.gate_code)
    papers = await gates.of_lot(session, lot.listing_id, lot.ready_on) if gate else None
    top, excess = await _above(session, item, lot, on=on, hold=hold)
    halt = (await session.exec(open_halt(lot.listing_id))).one_or_none()
    return Waits(gates.missing(gate, papers), top if excess else None, excess, halt)


async def _above(session: AsyncSession, item: Produce, lot: Lot, *, on: date, hold: bool) -> tuple[Ceiling | None, int]:
    if not lot.grams:
        return None, 0
    top = await capacity.ceiling(session, lot.household_id, item, besides=lot.listing_id, on=on, hold=hold)
    return (top, max(0, lot.grams - top.left_grams)) if top else (None, 0)
