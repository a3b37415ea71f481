"""Placing an order: prices, holds the stock and writes order and lines in one statement, all or nothing."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import catalogue, stock
from market.goods.listings import ListingState
from market.ground.clock import day_of
from market.ground.db import run
from market.ground.errors import (
    Malformed,
    MovedPrice,
    NotAllowed,
    NotOnSale,
    OutOfStock,
    OverLimit,
    PriceChanged,
    RoundCancelled,
    ShortLine,
)
from market.ground.idempotency import Claim
from market.ground.money import MAX_FEN
from market.people.accounts import Role, Viewer
from market.people.units import Wallet, wallets_of
from market.trade import placements
from market.trade.carts import MOST_LINES, MOST_QUANTITY
from market.trade.orders import Order, OrderLine, OrderState, move
from market.trade.placements import Item, Placed, Proof, Terms, Wish

__all__ = ["Item", "Placed", "Terms", "place", "told", "wish_of"]

_NO_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_NO_LENGTH = 8
_ROUND_IS_OFF = "YG001"
"""What the database says to an order for a round that was called off (migration 0006)."""


async def place(
    session: AsyncSession,
    buyer: Viewer,
    items: Sequence[Item],
    terms: Terms,
    *,
    now: datetime,
    claim: Claim | None = None,
) -> Placed:
    """Place an order: its goods are held for 15 minutes. Nothing is taken unless everything can be.

    With a claim, what was placed is kept as the answer under its key.
    Raises Malformed (no lines, bad quantity), NotAllowed (wallet), OutOfStock, PriceChanged, NotOnSale, OverLimit,
    RoundCancelled (called off a moment ago).
    """
    wish = wish_of(buyer, items, terms, now=now, claim=claim)
    placed = await _place(session, wish)
    if placed is None and await _drop_own_abandoned(session, buyer, wish.items, now):
        placed = await _place(session, wish)
    if placed is None:
        await _explain(session, wish.items)
        # What was short a moment ago is there now (another hold just ended): the buyer simply tries again.
        raise OutOfStock([])
    return placed


def wish_of(
    buyer: Viewer,
    items: Sequence[Item],
    terms: Terms,
    *,
    now: datetime,
    claim: Claim | None = None,
    proof: Proof | None = None,
) -> Wish:
    """What the buyer asks for, once it is clear that they may. Raises Malformed, NotAllowed or OverLimit."""
    wanted = _summed(items)
    _check_terms(buyer, terms)
    return Wish(_new_no(now), buyer.id, wanted, terms, now, claim, proof)


def told(answer: str | Mapping[str, Any]) -> Placed:
    """What was placed, from the answer that was kept with it."""
    return Placed.model_validate_json(answer) if isinstance(answer, str) else Placed.model_validate(answer)


def _summed(items: Sequence[Item]) -> list[Item]:
    """One item per listing in ascending id; the same listing twice is one larger wish."""
    summed: dict[int, Item] = {}
    for item in items:
        if not 1 <= item.quantity <= MOST_QUANTITY:
            raise Malformed("quantity", "not_positive" if item.quantity < 1 else "far_too_many", str(item.quantity))
        before = summed.get(item.listing_id)
        quantity = item.quantity + (before.quantity if before else 0)
        summed[item.listing_id] = Item(item.listing_id, quantity, item.seen_fen)
    if not summed:
        raise Malformed("lines", "missing")
    if len(summed) > MOST_LINES:
        raise OverLimit("order_lines", MOST_LINES, len(summed))
    return [summed[key] for key in sorted(summed)]


def _check_terms(buyer: Viewer, terms: Terms) -> None:
    if terms.wallet not in wallets_of(buyer):
        raise NotAllowed(f"pay_from_{terms.wallet}")
    if terms.work_unit_id is not None and terms.work_unit_id not in buyer.work_unit_ids():
        raise NotAllowed("order_for_work_unit")
    if terms.wallet is Wallet.PERSONAL:
        return
    if terms.work_unit_id is None:
        raise Malformed("work_unit_id", "missing")
    if terms.work_unit_id not in buyer.work_unit_ids(Role.CLERK):
        raise NotAllowed(f"pay_from_{terms.wallet}")


async def _place(session: AsyncSession, wish: Wish) -> Placed | None:
    """Place it if its goods are there."""
    statement, values = placements.granting([wish])
    try:
        row = (await run(session, statement.clause, values)).one_or_none()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") == _ROUND_IS_OFF:
            raise RoundCancelled(wish.terms.stop_id, wish.terms.handover_on) from error
        raise
    return told(row.answer) if row else None


async def _drop_own_abandoned(session: AsyncSession, buyer: Viewer, wanted: Sequence[Item], now: datetime) -> bool:
    """Give back what the buyer's own earlier, unpaid attempts hold of these goods.

    Never waits (stock rows are held already): an attempt that is being paid or expired right now stays as it is. When
    it gives back only a part, the order fails all the same and the whole transaction is rolled back.
    Money that still arrives for a dropped attempt finds its goods again or goes back by itself.
    """
    holds = select(OrderLine.order_id).where(col(OrderLine.listing_id).in_([item.listing_id for item in wanted]))
    own = (
        await session.exec(
            select(Order)
            .where(Order.account_id == buyer.id, Order.state == OrderState.PLACED, col(Order.id).in_(holds))
            .order_by(col(Order.id))
            .with_for_update(skip_locked=True, key_share=True)
            .execution_options(populate_existing=True)
        )
    ).all()
    if not own or not await stock.release_at_once(session, [order.id or 0 for order in own]):
        return False
    for order in own:
        move(session, order, OrderState.EXPIRED, by=buyer.account_id, why="replaced", now=now)
    await session.flush()  # the second attempt's statement must find the orders ended
    return True


async def _explain(session: AsyncSession, wanted: Sequence[Item]) -> None:
    """Say why nothing was placed: withdrawn before changed price before shortage, as the buyer would want to know."""
    cards = await catalogue.cards_of(session, [item.listing_id for item in wanted])
    gone = [
        i.listing_id for i in wanted if i.listing_id not in cards or cards[i.listing_id].state is not ListingState.LIVE
    ]
    if gone:
        raise NotOnSale(gone)
    moved = [
        MovedPrice(i.listing_id, cards[i.listing_id].title, i.seen_fen, cards[i.listing_id].price_fen)
        for i in wanted
        if i.seen_fen is not None and i.seen_fen != cards[i.listing_id].price_fen
    ]
    if moved:
        raise PriceChanged(moved)
    short = [
        ShortLine(i.listing_id, cards[i.listing_id].title, i.quantity, max(0, cards[i.listing_id].left))
        for i in wanted
        if cards[i.listing_id].left < i.quantity
    ]
    if short:
        raise OutOfStock(short)
    total_fen = sum(i.quantity * cards[i.listing_id].price_fen for i in wanted)
    if total_fen > MAX_FEN:
        raise OverLimit("total_fen", MAX_FEN, total_fen)


def _new_no(now: datetime) -> str:
    """A number that can be read over the phone and not guessed: the day and eight letters or digits."""
    number, letters = secrets.randbelow(len(_NO_ALPHABET) ** _NO_LENGTH), ""
    for _ in range(_NO_LENGTH):
        number, at = divmod(number, len(_NO_ALPHABET))
        letters += _NO_ALPHABET[at]
    return f"{day_of(now):%y%m%d}-{letters[:4]}-{letters[4:]}"
