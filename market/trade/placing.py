"""Placing an order: prices, holds the stock and writes order and lines in one statement, all or nothing."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import TextClause, text
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
from market.ground.money import MAX_FEN
from market.people.accounts import Role, Viewer
from market.people.units import Wallet, wallets_of
from market.trade.carts import MOST_LINES, MOST_QUANTITY
from market.trade.orders import HOLD, Order, OrderLine, OrderState, move

_NO_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
_NO_LENGTH = 8
_ROUND_IS_OFF = "YG001"
"""What the database says to an order for a round that was called off (migration 0006)."""


@dataclass(frozen=True)
class Item:
    """How much of which listing, and the price the buyer was shown (None: whatever it is now)."""

    listing_id: int
    quantity: int
    seen_fen: int | None = None


@dataclass(frozen=True)
class Terms:
    """Whose money, where and when: the part all lines share."""

    wallet: Wallet
    stop_id: int
    county_code: str
    handover_on: date
    cutoff_at: datetime
    work_unit_id: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Placed:
    """The order that now holds its goods."""

    id: int
    no: str
    total_fen: int
    expires_at: datetime


# Locking and checking every row before changing any makes the statement all-or-nothing; rows are taken in ascending
# id, so that two carts in opposite order never wait for each other. One line needs no such care: its UPDATE checks.
_HOLD_MANY = """
    , locked AS (
        SELECT s.listing_id, s.on_hand - s.reserved >= w.quantity AS enough
        FROM stock s JOIN offered w USING (listing_id) ORDER BY s.listing_id FOR NO KEY UPDATE OF s
    ), fits AS (
        SELECT count(*) = :line_count AND bool_and(enough) AS yes FROM locked
    ), held AS (
        UPDATE stock s SET reserved = s.reserved + w.quantity
        FROM offered w, fits WHERE fits.yes AND s.listing_id = w.listing_id
        RETURNING s.listing_id
    )
"""
_HOLD_ONE = """
    , held AS (
        UPDATE stock s SET reserved = s.reserved + w.quantity
        FROM offered w WHERE s.listing_id = w.listing_id AND s.on_hand - s.reserved >= w.quantity
        RETURNING s.listing_id
    )
"""
_PLACE = """
    WITH wanted AS (
        SELECT * FROM unnest(CAST(:listing_ids AS bigint[]), CAST(:quantities AS int[]), CAST(:seen AS bigint[]))
        WITH ORDINALITY AS w(listing_id, quantity, seen_fen, line_no)
    ), offered AS (
        SELECT w.listing_id, w.quantity, w.line_no, l.household_id, l.division_code, l.produce_code, l.measure,
               l.grams_each, l.title, l.price_fen, w.quantity * l.price_fen AS amount_fen, h.display_name
        FROM wanted w JOIN listings l ON l.id = w.listing_id JOIN households h ON h.id = l.household_id
        WHERE l.state = 'live' AND (w.seen_fen IS NULL OR w.seen_fen = l.price_fen)
    ) {hold}
    , placed AS (
        INSERT INTO orders (no, county_code, account_id, work_unit_id, wallet, stop_id, handover_on, cutoff_at, note,
                            state, total_fen, max_fen, placed_at, expires_at)
        SELECT :no, :county_code, :account_id, :work_unit_id, :wallet, :stop_id, :handover_on, :cutoff_at, :note,
               'placed', sum(o.amount_fen), sum(o.amount_fen), :now, :expires_at
        FROM offered o JOIN held USING (listing_id) HAVING count(*) = :line_count
        RETURNING id, total_fen
    ), line AS (
        INSERT INTO order_lines (order_id, line_no, listing_id, household_id, division_code, produce_code, measure,
                                 grams_each, title, grower, quantity, price_fen, amount_fen)
        SELECT placed.id, o.line_no, o.listing_id, o.household_id, o.division_code, o.produce_code, o.measure,
               o.grams_each, o.title, o.display_name, o.quantity, o.price_fen, o.amount_fen
        FROM placed, offered o
    )
    SELECT id, total_fen FROM placed
"""
_PLACE_ONE: TextClause = text(_PLACE.format(hold=_HOLD_ONE))
_PLACE_MANY: TextClause = text(_PLACE.format(hold=_HOLD_MANY))


async def place(session: AsyncSession, buyer: Viewer, items: Sequence[Item], terms: Terms, *, now: datetime) -> Placed:
    """Place an order: its goods are held for 15 minutes. Nothing is taken unless everything can be.

    Raises Malformed (no lines, bad quantity), NotAllowed (wallet), OutOfStock, PriceChanged, NotOnSale, OverLimit,
    RoundCancelled (called off a moment ago).
    """
    wanted = _summed(items)
    _check_terms(buyer, terms)
    placed = await _place(session, buyer, wanted, terms, now)
    if placed is None and await _drop_own_abandoned(session, buyer, wanted, now):
        placed = await _place(session, buyer, wanted, terms, now)
    if placed is None:
        await _explain(session, wanted)
        # What was short a moment ago is there now (another hold just ended): the buyer simply tries again.
        raise OutOfStock([])
    if placed.total_fen > MAX_FEN:
        raise OverLimit("total_fen", MAX_FEN, placed.total_fen)
    return placed


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


async def _place(
    session: AsyncSession, buyer: Viewer, wanted: list[Item], terms: Terms, now: datetime
) -> Placed | None:
    no, expires_at = _new_no(now), now + HOLD
    values = {
        "listing_ids": [item.listing_id for item in wanted],
        "quantities": [item.quantity for item in wanted],
        "seen": [item.seen_fen for item in wanted],
        "line_count": len(wanted),
        "no": no,
        "account_id": buyer.id,
        "work_unit_id": terms.work_unit_id,
        "wallet": terms.wallet.value,
        "stop_id": terms.stop_id,
        "county_code": terms.county_code,
        "handover_on": terms.handover_on,
        "cutoff_at": terms.cutoff_at,
        "note": terms.note.strip()[:200],
        "now": now,
        "expires_at": expires_at,
    }
    try:
        row = (await run(session, _PLACE_ONE if len(wanted) == 1 else _PLACE_MANY, values)).one_or_none()
    except DBAPIError as error:
        if getattr(error.orig, "sqlstate", "") == _ROUND_IS_OFF:
            raise RoundCancelled(terms.stop_id, terms.handover_on) from error
        raise
    return Placed(row.id, no, row.total_fen, expires_at) if row else None


async def _drop_own_abandoned(session: AsyncSession, buyer: Viewer, wanted: list[Item], now: datetime) -> bool:
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


async def _explain(session: AsyncSession, wanted: list[Item]) -> None:
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


def _new_no(now: datetime) -> str:
    """A number that can be read over the phone and not guessed: the day and eight letters or digits."""
    letters = "".join(secrets.choice(_NO_ALPHABET) for _ in range(_NO_LENGTH))
    return f"{day_of(now):%y%m%d}-{letters[:4]}-{letters[4:]}"
