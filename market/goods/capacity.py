"""Capacity: what a household can have grown or raised in a season, so that nobody else's goods are sold as its own.

A season runs from 1 October to 30 September. Where nothing is known of a household's land and animals there is no
ceiling: missing data blocks nobody.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import NamedTuple

from sqlalchemy import BigInteger, CheckConstraint, Index, text
from sqlmodel import Field, SQLModel, col, false, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.goods.produce import Produce
from market.goods.stock import StockMove
from market.ground import places
from market.ground.clock import start_of
from market.ground.db import key_of, new_id, run
from market.ground.errors import Malformed, NotFound, OverCapacity
from market.people import acts_for
from market.people.accounts import Role, Viewer
from market.people.households import Household

_FIRST_MONTH = 10
MOST_TENTHS = 100_000
"""Ten thousand mu or animals: more is no household's."""
ALL = ""
"""In place of a produce: everything that comes from these means."""


class Means(SQLModel, table=True):
    """家底: a kind of land or animal goods come from."""

    __tablename__ = "means"

    code: str = Field(primary_key=True, max_length=24)
    name: str = Field(max_length=20)
    name_en: str = Field(max_length=40)
    unit: str = Field(max_length=4)
    """亩, 只, 箱."""
    unit_en: str = Field(max_length=10)
    rank: int = 0


class HouseholdMeans(SQLModel, table=True):
    """How much of it a household has, for one produce or for all of them."""

    __tablename__ = "household_means"
    __table_args__ = (CheckConstraint("tenths >= 0", name="tenths"),)

    household_id: int = key_of("households.id", primary_key=True)
    means_code: str = Field(primary_key=True, foreign_key="means.code", max_length=24)
    produce_code: str = Field(default=ALL, primary_key=True, max_length=24)
    """The produce this part is set aside for, or empty."""
    tenths: int
    """In tenths of the unit: 3.5 亩 are 35."""
    changed_at: datetime
    changed_by: int | None = key_of("accounts.id", default=None)


class CapacityPermit(SQLModel, table=True):
    """An officer's yes or no to more than a household's ceiling: who, when, why, how much."""

    __tablename__ = "capacity_permits"
    __table_args__ = (
        CheckConstraint("granted AND grams > 0 OR NOT granted AND grams = 0", name="grams"),
        CheckConstraint("why <> ''", name="why"),
        Index("ix_capacity_permits_household_id_season_on", "household_id", "season_on"),
    )

    id: int | None = new_id()
    household_id: int = key_of("households.id")
    produce_code: str = Field(foreign_key="produce.code", max_length=24)
    listing_id: int = key_of("listings.id", index=True)
    season_on: date
    """First day of the season it is for."""
    granted: bool
    grams: int = Field(sa_type=BigInteger)
    """How much above the ceiling may be sold."""
    why: str = Field(max_length=200)
    at: datetime
    account_id: int = key_of("accounts.id")


class Share(NamedTuple):
    """A kind of means, all of it or what is set aside for one produce."""

    means_code: str
    produce_code: str = ALL


@dataclass(frozen=True)
class Ceiling:
    """What a household may sell of a produce this season, and what it has put up of it already."""

    grams: int
    """Means times yield, and what officers allowed above that."""
    listed_grams: int

    @property
    def left_grams(self) -> int:
        """How much more may go up."""
        return max(0, self.grams - self.listed_grams)


def season_of(on: date) -> date:
    """The first day of the season a day lies in."""
    return date(on.year if on.month >= _FIRST_MONTH else on.year - 1, _FIRST_MONTH, 1)


def of_household(household_id: int) -> Select[Means, Produce, HouseholdMeans]:
    """Everything known of a household's land and animals, in the order of the means."""
    return (
        select(Means, Produce, HouseholdMeans)
        .join(HouseholdMeans, col(HouseholdMeans.means_code) == col(Means.code))
        .outerjoin(Produce, col(Produce.code) == col(HouseholdMeans.produce_code))
        .where(HouseholdMeans.household_id == household_id)
        .order_by(col(Means.rank), col(HouseholdMeans.produce_code))
    )


async def ceiling(
    session: AsyncSession, household_id: int, item: Produce, *, besides: int, on: date, hold: bool = True
) -> Ceiling | None:
    """The household's ceiling for a produce, with what it put up this season in other listings than `besides`.

    None where it is not known. For whoever is about to put up something the household's means stay locked until the
    transaction ends (`hold`), so that of two listings put up at once one sees the other.
    """
    if item.means_code is None or item.yield_grams is None:
        return None
    held = await _held(session, household_id, item.means_code, hold=hold)
    if item.code not in held and ALL not in held:
        return None
    season = season_of(on)
    used = await _used(session, household_id, item.means_code, season, besides)
    allowed = await _allowed(session, household_id, item.code, season)
    grams = int(_tenths_for(item, held, used) * item.yield_grams / 10)
    return Ceiling(grams + allowed, used.get(item.code, (0, 0))[0])


def entered_by(viewer: Viewer) -> SelectOfScalar[Household]:
    """Households whose land and animals a person may enter: an agent of the station, an officer or administrator.

    Not the household itself: its own word about itself would be no ceiling.
    """
    places_of = {code for role in (Role.OFFICER, Role.ADMINISTRATOR) for code in viewer.division_codes(role)}
    mine = [
        *([col(Household.station_id).in_(viewer.station_ids)] if viewer.station_ids else []),
        *(places.within(col(Household.division_code), code) for code in sorted(places_of)),
    ]
    return select(Household).where(or_(*mine) if mine else false(), col(Household.left_on).is_(None))


async def enter(
    session: AsyncSession, by: Viewer, household_id: int, amounts: Mapping[Share, int | None], *, now: datetime
) -> None:
    """Write down what a household has, in tenths; None: not known any more. NotFound outside the grant."""
    if (await session.exec(entered_by(by).where(Household.id == household_id))).one_or_none() is None:
        raise NotFound("household", str(household_id))
    for share, tenths in amounts.items():
        if tenths is not None and not 0 <= tenths <= MOST_TENTHS:
            raise Malformed("amount", "far_too_many" if tenths > 0 else "not_positive", str(tenths))
        await _check_share(session, share)
        held = await session.get(HouseholdMeans, (household_id, *share), with_for_update={"key_share": True})
        was = held.tenths if held else None
        if was == tenths:
            continue
        if held is not None and tenths is None:
            await session.delete(held)
        elif held is not None and tenths is not None:
            held.tenths, held.changed_at, held.changed_by = tenths, now, by.account_id
        elif tenths is not None:
            session.add(_new_means(household_id, share, tenths, by, now))
        note, subject = f"{was} > {tenths}", f"means:{share.means_code} {share.produce_code}".strip()
        acts_for.note(session, by, household_id, "enter_means", subject=subject, note=note, now=now)


def _new_means(household_id: int, share: Share, tenths: int, by: Viewer, now: datetime) -> HouseholdMeans:
    return HouseholdMeans(
        household_id=household_id, means_code=share.means_code, produce_code=share.produce_code, tenths=tenths,
        changed_at=now, changed_by=by.account_id,
    )  # fmt: skip


async def _check_share(session: AsyncSession, share: Share) -> None:
    if await session.get(Means, share.means_code) is None:
        raise Malformed("means", "choose_one", share.means_code[:24])
    item = await session.get(Produce, share.produce_code) if share.produce_code != ALL else None
    if share.produce_code != ALL and (item is None or item.means_code != share.means_code):
        raise Malformed("produce", "choose_one", share.produce_code[:24])


async def check_more(
    session: AsyncSession, household_id: int, item: Produce, *, each: int | None, more: int, on: date
) -> None:
    """OverCapacity when so many more, of so many grams, would pass the ceiling. What is on sale stays on sale."""
    top = await ceiling(session, household_id, item, besides=0, on=on) if each else None
    if top is not None and each and more * each > top.left_grams:
        raise OverCapacity("capacity", limit=top.left_grams // each, given=more)


async def brought_in(session: AsyncSession, listing_id: int, *, on: date) -> int:
    """How many of a listing came in this season, sold or not: what was brought less what was taken out again."""
    since = start_of(season_of(on))
    moved = select(func.coalesce(func.sum(col(StockMove.quantity)), 0)).where(
        StockMove.listing_id == listing_id, col(StockMove.at) >= since
    )
    return max(0, int((await session.exec(moved)).one()))


async def _held(session: AsyncSession, household_id: int, means_code: str, *, hold: bool) -> dict[str, int]:
    found = (
        select(HouseholdMeans.produce_code, HouseholdMeans.tenths)
        .where(HouseholdMeans.household_id == household_id, HouseholdMeans.means_code == means_code)
        .order_by(col(HouseholdMeans.produce_code))
    )
    return dict((await session.exec(found.with_for_update(key_share=True) if hold else found)).all())


def _tenths_for(item: Produce, held: dict[str, int], used: dict[str, tuple[int, int]]) -> Fraction:
    """What is set aside for the produce; else what of the whole no other produce has set aside or used up."""
    if item.code in held:
        return Fraction(held[item.code])
    whole = held[ALL] - sum(tenths for code, tenths in held.items() if code != ALL)
    others = sum(
        (Fraction(grams * 10, per) for code, (grams, per) in used.items() if code != item.code and code not in held),
        Fraction(0),
    )
    return max(Fraction(0), whole - others)


# What came in this season less what was taken out again. What waits is not counted: it is judged when it goes live.
_USED = text("""
    SELECT l.produce_code, sum(greatest(0, m.quantity) * coalesce(l.grams_each, pm.typical_grams, 0))::bigint AS grams,
           p.yield_grams
    FROM listings l
    JOIN produce p ON p.code = l.produce_code AND p.means_code = :means_code AND p.yield_grams IS NOT NULL
    JOIN produce_measures pm ON pm.produce_code = l.produce_code AND pm.measure = l.measure
    JOIN LATERAL (SELECT sum(quantity) AS quantity FROM stock_moves
                  WHERE listing_id = l.id AND at >= :from_at AND at < :to_at) m ON m.quantity IS NOT NULL
    WHERE l.household_id = :household_id AND l.state <> 'waiting' AND l.id <> :besides
    GROUP BY l.produce_code, p.yield_grams
""")


async def _used(
    session: AsyncSession, household_id: int, means_code: str, season: date, besides: int
) -> dict[str, tuple[int, int]]:
    """Grams put up this season by produce of the same means, with the produce's yield."""
    values = {
        "household_id": household_id,
        "means_code": means_code,
        "besides": besides,
        "from_at": start_of(season),
        "to_at": start_of(season.replace(year=season.year + 1)),
    }
    return {code: (grams, per) for code, grams, per in await run(session, _USED, values)}


async def _allowed(session: AsyncSession, household_id: int, produce_code: str, season: date) -> int:
    found = select(func.coalesce(func.sum(col(CapacityPermit.grams)), 0)).where(
        CapacityPermit.household_id == household_id,
        CapacityPermit.produce_code == produce_code,
        CapacityPermit.season_on == season,
    )
    return int((await session.exec(found)).one())
