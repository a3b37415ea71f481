"""Two words about one number: somebody changed it who had seen another than was there. Both stay, a person says.

A phone that was without network, or a second phone of the same household, speaks of what it saw then. Neither word
silently wins: what stands goes on standing until somebody who sells the goods chooses.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel, col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.goods import listings, produce, stock
from market.goods.listings import Listing
from market.ground.db import choice, key_of, new_id
from market.ground.errors import NotFound
from market.people.accounts import Viewer


class About(StrEnum):
    """Which number of a listing."""

    PRICE = "price"
    """In fen."""
    LEFT = "left"
    """What is left to sell, in the listing's measure."""


class Disagreement(SQLModel, table=True):
    """What was seen, what stood there by then, what was wanted; and in the end what a person kept."""

    __tablename__ = "disagreements"
    __table_args__ = (
        CheckConstraint("(settled_at IS NULL) = (kept IS NULL)", name="settled"),
        Index("ix_disagreements_open", "listing_id", postgresql_where="settled_at IS NULL"),
    )

    id: int | None = new_id()
    listing_id: int = key_of("listings.id", index=True)
    about: About = choice(About, name="about")
    seen: int
    found: int
    wanted: int
    said_by: int | None = key_of("accounts.id", default=None)
    said_at: datetime
    kept: int | None = Field(default=None)
    settled_by: int | None = key_of("accounts.id", default=None)
    settled_at: datetime | None = None


@dataclass(frozen=True)
class Wish:
    """A new number for a listing, and the one the person saw when they said it; None where nobody knows."""

    listing_id: int
    about: About
    wanted: int
    seen: int | None


def open_of(household_id: int) -> SelectOfScalar[Disagreement]:
    """What a household still has to say, the latest word about each number first."""
    return (
        select(Disagreement)
        .join(Listing, col(Listing.id) == col(Disagreement.listing_id))
        .where(Listing.household_id == household_id, col(Disagreement.settled_at).is_(None))
        .order_by(col(Disagreement.id).desc())
    )


async def make_if_any(session: AsyncSession, by: Viewer, wish: Wish, *, now: datetime) -> int | None:
    """The number of a new question, when what stands is neither what was seen nor what is wanted; else None.

    Malformed for a number that could not be taken anyway.
    """
    if wish.seen is None:
        return None
    listing = await listings.seller_listing(session, by, wish.listing_id)
    row = await produce.counted(session, listing.produce_code, listing.measure)
    if wish.about is About.PRICE:
        listings.check_price(row, wish.wanted, listing.grams_each)
    else:
        listings.check_quantity(row, wish.wanted, least=0)
    found = await _standing(session, listing, wish.about)
    if found in (wish.seen, wish.wanted):
        return None
    made = Disagreement(
        listing_id=wish.listing_id, about=wish.about, seen=wish.seen, found=found, wanted=wish.wanted,
        said_by=by.account_id, said_at=now,
    )  # fmt: skip
    session.add(made)
    await session.flush()  # the page that asks needs its number
    listings.note(session, by, listing, f"disagree_{wish.about}", f"{wish.seen}: {found} | {wish.wanted}", now)
    return made.id


async def of_seller(session: AsyncSession, by: Viewer, listing_id: int, number: int) -> tuple[Disagreement, int]:
    """A question about goods this person sells, with what stands now. Locks the listing. NotFound outside the grant."""
    listing = await listings.seller_listing(session, by, listing_id)
    found = await session.get(Disagreement, number)
    if found is None or found.listing_id != listing_id:
        raise NotFound("disagreement", str(number))
    return found, await _standing(session, listing, found.about)


async def settle(session: AsyncSession, by: Viewer, listing_id: int, number: int, *, take: bool, now: datetime) -> bool:
    """Take what was wanted, or leave what stands. False when it was settled before: nothing changes then.

    Older questions about the same number end with it. Raises what a change of the number raises.
    """
    asked, standing = await of_seller(session, by, listing_id, number)
    if asked.settled_at is not None:
        return False
    kept = asked.wanted if take else standing
    if take and asked.about is About.PRICE:
        await listings.change_price(session, by, listing_id, kept, now=now)
    elif take:
        await listings.change_left(session, by, listing_id, kept, now=now)
    else:
        listing = await session.get_one(Listing, listing_id)
        listings.note(session, by, listing, f"keep_{asked.about}", str(kept), now)
    await session.exec(
        update(Disagreement)
        .where(
            col(Disagreement.listing_id) == listing_id,
            col(Disagreement.about) == asked.about,
            col(Disagreement.settled_at).is_(None),
            col(Disagreement.id) <= number,
        )
        .values(kept=kept, settled_by=by.account_id, settled_at=now)
    )
    return True


async def _standing(session: AsyncSession, listing: Listing, about: About) -> int:
    return listing.price_fen if about is About.PRICE else await stock.left_now(session, listing.id or 0)
