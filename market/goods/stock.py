"""What a listing has, and what is held for orders. Changed by one conditional statement each, never read-then-write."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, TextClause, text
from sqlmodel import Field, SQLModel, col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import choice, key_of, new_id, run


class Move(StrEnum):
    """Why goods came or went other than by an order."""

    LISTED = "listed"
    """Brought when the listing went live."""
    CHANGED = "changed"
    """The household corrected what it has."""
    WITHDRAWN = "withdrawn"
    """Taken out when selling stopped."""
    SHORT = "short"
    """Ordered, and not there after all."""
    SPOILT = "spoilt"
    """Taken out after its last good day."""


class Stock(SQLModel, table=True):
    """库存 and 预留 of one listing, counted in its measure."""

    __tablename__ = "stock"
    __table_args__ = (
        CheckConstraint("reserved BETWEEN 0 AND on_hand", name="reserved"),
        # Half-empty pages keep the many updates of a rush on the same page, without touching an index.
        {"postgresql_with": {"fillfactor": 50}},
    )

    listing_id: int = key_of("listings.id", primary_key=True)
    on_hand: int
    """What the household has and has not sold, including what is held."""
    reserved: int = 0
    """What orders hold that are not paid yet."""

    @property
    def left(self) -> int:
        """What the next buyer can have."""
        return self.on_hand - self.reserved


class StockMove(SQLModel, table=True):
    """One change of what a household has, other than by an order: with the orders they add up to the stock."""

    __tablename__ = "stock_moves"

    id: int | None = new_id()
    listing_id: int = key_of("listings.id", index=True)
    at: datetime
    account_id: int | None = key_of("accounts.id", default=None)
    kind: Move = choice(Move, name="kind")
    quantity: int = Field(description="positive: came; negative: went")


async def bring(session: AsyncSession, listing_id: int, quantity: int, *, by: int | None, now: datetime) -> None:
    """The first stock of a new listing."""
    session.add(Stock(listing_id=listing_id, on_hand=quantity))
    session.add(StockMove(listing_id=listing_id, at=now, account_id=by, kind=Move.LISTED, quantity=quantity))


async def set_left(
    session: AsyncSession, listing_id: int, left: int, *, by: int | None, kind: Move, now: datetime
) -> int:
    """Make what is left to sell exactly `left`; what orders hold stays held. Returns the change."""
    held = await session.exec(
        select(Stock.on_hand, Stock.reserved).where(Stock.listing_id == listing_id).with_for_update(key_share=True)
    )
    on_hand, reserved = held.one()
    change = int(left + reserved - on_hand)
    if change:
        await session.exec(
            update(Stock).where(col(Stock.listing_id) == listing_id).values(on_hand=col(Stock.on_hand) + change)
        )
        session.add(StockMove(listing_id=listing_id, at=now, account_id=by, kind=kind, quantity=change))
    return change


async def left_now(session: AsyncSession, listing_id: int) -> int:
    """What the next buyer can have; stays so until the transaction ends."""
    held = await session.exec(
        select(Stock.on_hand, Stock.reserved).where(Stock.listing_id == listing_id).with_for_update(key_share=True)
    )
    on_hand, reserved = held.one()
    return int(on_hand - reserved)


# What orders do to stock. Rows are taken in ascending id, so that no two orders ever wait for each other. What is
# written comes from the locked rows: an UPDATE looks at its snapshot's row first, which may have moved on meanwhile.

_MOVED = """
    WITH moved AS (
        SELECT l.listing_id, sum(l.quantity - l.short_quantity)::int AS quantity FROM order_lines l
        WHERE l.order_id = ANY(:order_ids) GROUP BY l.listing_id
    ), locked AS (
        SELECT s.* FROM stock s JOIN moved USING (listing_id)
        ORDER BY s.listing_id FOR NO KEY UPDATE OF s {wait}
    ), done AS (
        UPDATE stock s SET on_hand = l.on_hand + {on_hand} * m.quantity, reserved = l.reserved + {reserved} * m.quantity
        FROM moved m JOIN locked l USING (listing_id) WHERE s.listing_id = m.listing_id {only_if}
        RETURNING s.listing_id
    )
    SELECT (SELECT count(*) FROM moved) = (SELECT count(*) FROM done) AS all_moved
"""
_IF_ENOUGH = "AND l.on_hand - l.reserved >= m.quantity"


def _moving(*, on_hand: int = 0, reserved: int = 0, only_if: str = "", wait: str = "") -> TextClause:
    return text(_MOVED.format(on_hand=on_hand, reserved=reserved, only_if=only_if, wait=wait))


_RELEASE = _moving(reserved=-1)
_RELEASE_AT_ONCE = _moving(reserved=-1, wait="SKIP LOCKED")
_SELL = _moving(reserved=-1, on_hand=-1)
_GIVE_BACK = _moving(on_hand=1)
_HOLD_AGAIN = _moving(reserved=1, only_if=_IF_ENOUGH)
_TAKE_AGAIN = _moving(on_hand=-1, only_if=_IF_ENOUGH)


async def lose_held(session: AsyncSession, listing_id: int, quantity: int, *, now: datetime) -> None:
    """Some of what an unpaid order holds is not there: neither held nor on hand any more."""
    gone = {"reserved": col(Stock.reserved) - quantity, "on_hand": col(Stock.on_hand) - quantity}
    await session.exec(update(Stock).where(col(Stock.listing_id) == listing_id).values(**gone))
    session.add(StockMove(listing_id=listing_id, at=now, kind=Move.SHORT, quantity=-quantity))


async def lose_left(session: AsyncSession, listing_id: int, quantity: int, *, now: datetime) -> None:
    """Some of what was just given back by an order is not there: it does not go back on sale."""
    gone = update(Stock).where(col(Stock.listing_id) == listing_id).values(on_hand=col(Stock.on_hand) - quantity)
    await session.exec(gone)
    session.add(StockMove(listing_id=listing_id, at=now, kind=Move.SHORT, quantity=-quantity))


def lose_sold(session: AsyncSession, listing_id: int, quantity: int, *, now: datetime) -> None:
    """Some of what was sold is not there: it left the stock as sold, and counts as lost from now on."""
    session.add(StockMove(listing_id=listing_id, at=now, kind=Move.SHORT, quantity=-quantity))


async def release(session: AsyncSession, order_ids: list[int]) -> None:
    """What unpaid orders held can be sold again."""
    await run(session, _RELEASE, {"order_ids": order_ids})


async def release_at_once(session: AsyncSession, order_ids: list[int]) -> bool:
    """The same for a caller that already holds stock rows: never waits. False when a row was busy (roll back then)."""
    return bool((await run(session, _RELEASE_AT_ONCE, {"order_ids": order_ids})).scalar())


async def sell(session: AsyncSession, order_id: int) -> None:
    """What an order held is sold."""
    await run(session, _SELL, {"order_ids": [order_id]})


async def give_back(session: AsyncSession, order_id: int) -> None:
    """What a paid order bought can be sold again."""
    await run(session, _GIVE_BACK, {"order_ids": [order_id]})


async def hold_again(session: AsyncSession, order_id: int) -> bool:
    """Hold the goods of an order whose hold had ended, if all of them are still there; otherwise hold none."""
    return await _all_or_none(session, _HOLD_AGAIN, order_id)


async def take_again(session: AsyncSession, order_id: int) -> bool:
    """Sell the goods of an order whose hold had ended, if all of them are still there; otherwise take none."""
    return await _all_or_none(session, _TAKE_AGAIN, order_id)


async def _all_or_none(session: AsyncSession, moving: TextClause, order_id: int) -> bool:
    async with session.begin_nested() as attempt:
        if (await run(session, moving, {"order_ids": [order_id]})).scalar():
            return True
        await attempt.rollback()
    return False
