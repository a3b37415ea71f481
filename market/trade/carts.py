"""Carts: what a buyer has put aside, over many households, before and after signing in.

A cart is only a wish: nothing is held until the order is placed.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy
from sqlalchemy import CheckConstraint, delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col, func, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import catalogue
from market.goods.catalogue import Card
from market.goods.listings import ListingState
from market.ground.db import fen, key_of
from market.ground.errors import Malformed, NotOnSale, OverLimit

MOST_LINES = 50
MOST_QUANTITY = 9_999
FORGOTTEN_AFTER = timedelta(days=90)


class CartLine(SQLModel, table=True):
    """One listing in one cart. The owner is an account (`a:7`) or a visitor's browser (`v:…`)."""

    __tablename__ = "cart_lines"
    __table_args__ = (CheckConstraint("quantity BETWEEN 1 AND 9999", name="quantity"),)

    owner: str = Field(primary_key=True, max_length=80)
    listing_id: int = key_of("listings.id", primary_key=True)
    quantity: int
    seen_fen: int = fen()
    """The price when the buyer last looked: a change is said before it is charged."""
    added_at: datetime = Field(index=True)


@dataclass(frozen=True)
class Wish:
    """A cart line beside its offer as it stands now."""

    card: Card
    quantity: int
    seen_fen: int

    @property
    def amount_fen(self) -> int:
        """Price of the line today."""
        return self.quantity * self.card.price_fen

    @property
    def problem(self) -> str:
        """Why the line cannot be ordered as it is: `withdrawn`, `sold_out`, `short`, `price`, or nothing."""
        if self.card.state is not ListingState.LIVE:
            return "withdrawn"
        if self.card.is_sold_out:
            return "sold_out"
        if self.quantity > self.card.left:
            return "short"
        if self.seen_fen != self.card.price_fen:
            return "price"
        return ""


def owner_of(account_id: int) -> str:
    """The cart of an account."""
    return f"a:{account_id}"


async def lines(session: AsyncSession, owner: str) -> list[Wish]:
    """The cart's lines with today's offers, in the order they were added."""
    rows = (
        await session.exec(
            select(CartLine)
            .where(CartLine.owner == owner)
            .order_by(col(CartLine.added_at), col(CartLine.listing_id))
            .execution_options(populate_existing=True)
        )
    ).all()
    cards = await catalogue.cards_of(session, [row.listing_id for row in rows])
    return [Wish(cards[row.listing_id], row.quantity, row.seen_fen) for row in rows if row.listing_id in cards]


async def count(session: AsyncSession, owner: str) -> int:
    """How many lines the cart has."""
    return (await session.exec(select(func.count()).where(CartLine.owner == owner))).one()


async def quantity_of(session: AsyncSession, owner: str, listing_id: int) -> int:
    """How much of a listing is in the cart; 0 for none."""
    line = select(CartLine.quantity).where(CartLine.owner == owner, CartLine.listing_id == listing_id)
    return (await session.exec(line)).one_or_none() or 0


async def put(session: AsyncSession, owner: str, listing_id: int, quantity: int, *, add: bool, now: datetime) -> None:
    """Put a listing into the cart, or change how much of it. Zero takes it out."""
    if quantity <= 0 and not add:
        await take_out(session, owner, listing_id)
        return
    if not 1 <= quantity <= MOST_QUANTITY:
        raise Malformed("quantity", "not_positive" if quantity < 1 else "far_too_many", str(quantity))
    card = await catalogue.card(session, listing_id)
    if card.state is not ListingState.LIVE:
        raise NotOnSale([listing_id])
    others = select(func.count()).where(CartLine.owner == owner, CartLine.listing_id != listing_id)
    if (await session.exec(others)).one() >= MOST_LINES:
        raise OverLimit("cart_lines", MOST_LINES, MOST_LINES + 1)
    wanted = insert(CartLine).values(
        owner=owner, listing_id=listing_id, quantity=quantity, seen_fen=card.price_fen, added_at=now
    )
    # Adding is done beside the offer's price; another number in the cart is no yes to a changed price.
    changes: dict[str, Any] = {"quantity": quantity}
    if add:
        total = func.least(col(CartLine.quantity) + quantity, MOST_QUANTITY)
        changes = {"quantity": total, "seen_fen": card.price_fen}
    await session.exec(wanted.on_conflict_do_update(index_elements=["owner", "listing_id"], set_=changes))


async def take_out(session: AsyncSession, owner: str, listing_id: int) -> None:
    """Take a listing out of the cart."""
    await session.exec(delete(CartLine).where(col(CartLine.owner) == owner, col(CartLine.listing_id) == listing_id))


async def accept_price(session: AsyncSession, owner: str, listing_id: int, price_fen: int) -> None:
    """The buyer has seen this price of a line and goes on with it."""
    await session.exec(
        update(CartLine)
        .where(col(CartLine.owner) == owner, col(CartLine.listing_id) == listing_id)
        .values(seen_fen=price_fen)
    )


async def empty(session: AsyncSession, owner: str, listing_ids: list[int]) -> None:
    """What was ordered leaves the cart; what was added meanwhile stays."""
    await session.exec(delete(CartLine).where(col(CartLine.owner) == owner, col(CartLine.listing_id).in_(listing_ids)))


async def hand_over(session: AsyncSession, visitor: str, account_id: int) -> None:
    """At sign-in the visitor's cart joins the account's: the larger quantity of a listing wins."""
    rows = sqlalchemy.select(
        sqlalchemy.literal(owner_of(account_id)),
        *(col(column) for column in (CartLine.listing_id, CartLine.quantity, CartLine.seen_fen, CartLine.added_at)),
    ).where(col(CartLine.owner) == visitor)
    moved = insert(CartLine).from_select(["owner", "listing_id", "quantity", "seen_fen", "added_at"], rows)
    await session.exec(
        moved.on_conflict_do_update(
            index_elements=["owner", "listing_id"],
            set_={"quantity": func.greatest(col(CartLine.quantity), moved.excluded.quantity)},
        )
    )
    await session.exec(delete(CartLine).where(col(CartLine.owner) == visitor))


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    """Drop what was put aside a season ago."""
    await session.exec(delete(CartLine).where(col(CartLine.added_at) < now - FORGOTTEN_AFTER))
