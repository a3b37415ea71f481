"""The list of whoever sells for several households: who has orders, who waits for what, who has sold nothing."""

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, FromClause, Select, and_, func, or_, select, true
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Book, Posting, Reason
from market.goods import spoilage
from market.goods.capacity import season_of
from market.goods.listings import Listing, ListingState
from market.goods.produce import Produce
from market.goods.stock import Stock
from market.ground.db import run
from market.ground.places import Division
from market.people import households
from market.people.accounts import Viewer
from market.people.acts_for import ActFor, HouseholdWord
from market.people.households import Household
from market.reports.household import TO_HAND_OVER
from market.trade.answers import LineAnswer
from market.trade.orders import Order, OrderLine

Rows = Select[*tuple[Any, ...]]
PAGE = 30
"""Households shown at once."""


class Only(StrEnum):
    """Which part of a list is asked for."""

    ALL = ""
    ORDERED = "ordered"
    """Households with orders to prepare."""
    UNANSWERED = "unanswered"
    """Households that have not said whether they bring what is ordered."""
    HELD = "held"
    """Households whose goods wait unseen for papers or an officer."""
    SPOILING = "spoiling"
    """Households whose goods come near their last good day."""
    UNASKED = "unasked"
    """Households that have not said yes to what was done for them."""
    SILENT = "silent"
    """Households with nothing on sale."""
    UNSOLD = "unsold"
    """Households that have sold nothing this season."""


class Seller(NamedTuple):
    """A household in the list of whoever sells for it."""

    id: int
    head_name: str
    number: str
    village: str
    on_sale_count: int
    """Listings buyers can buy from now."""
    waiting_count: int
    """Orders to be handed over today or later."""
    unanswered_count: int
    """Lines of them nobody has said anything to."""
    held_count: int
    """Listings that wait for papers, or for an officer's yes."""
    spoiling_count: int
    """Listings on sale that come near their last good day."""
    unasked_count: int
    """Acts of agents the household has said nothing to."""
    objected_count: int
    """Acts it said no to, which nobody has looked into."""
    has_sold: bool
    """Whether it has sold anything since the season began."""


_PARTS: dict[Only, Callable[[Any], ColumnElement[bool]]] = {
    Only.ORDERED: lambda each: each.waiting_count > 0,
    Only.UNANSWERED: lambda each: each.unanswered_count > 0,
    Only.HELD: lambda each: each.held_count > 0,
    Only.SPOILING: lambda each: each.spoiling_count > 0,
    Only.UNASKED: lambda each: each.unasked_count + each.objected_count > 0,
    Only.SILENT: lambda each: each.on_sale_count == 0,
    Only.UNSOLD: lambda each: ~each.has_sold,
}


async def sellers(
    session: AsyncSession, viewer: Viewer, *, on: date, q: str = "", only: Only = Only.ALL, offset: int = 0
) -> list[Seller]:
    """Households a person sells for, with how each stands; one more than a page when there are more."""
    found = _sellers(viewer, on, q).subquery()
    query = _select(*found.c).order_by(found.c.code, found.c.id)
    if only is not Only.ALL:
        query = query.where(_PARTS[only](found.c))
    rows = (await run(session, query.offset(offset).limit(PAGE + 1))).all()
    return [Seller._make(row[:-1]) for row in rows]


def _sellers(viewer: Viewer, on: date, q: str) -> Rows:
    theirs = households.sold_for_by(viewer).with_only_columns(col(Household.id)).order_by(None)
    goods, orders, asked = _goods(on), _orders(on), _asked()
    found = (
        _select(
            col(Household.id).label("id"), col(Household.head_name), col(Household.number),
            col(Division.name).label("village"), goods.c.on_sale_count, orders.c.waiting_count,
            orders.c.unanswered_count, goods.c.held_count, goods.c.spoiling_count, asked.c.unasked_count,
            asked.c.objected_count, _sold(on).label("has_sold"), col(Household.division_code).label("code"),
        )
        .join(Division, col(Division.code) == col(Household.division_code))
        .join(goods, true())
        .join(orders, true())
        .join(asked, true())
        .where(col(Household.id).in_(theirs))
    )  # fmt: skip
    return found.where(_like(q.strip())) if q.strip() else found


def _goods(on: date) -> FromClause:
    """SQL: what a household has on sale, what of it spoils soon, what waits unseen."""
    on_sale = and_(col(Listing.state) == ListingState.LIVE, col(Stock.on_hand) > col(Stock.reserved))
    return (
        _select(
            func.count().filter(on_sale).label("on_sale_count"),
            func.count().filter(col(Listing.state) == ListingState.WAITING).label("held_count"),
            func.count().filter(on_sale, spoilage.near(on)).label("spoiling_count"),
        )
        .select_from(Listing)
        .join(Stock, col(Stock.listing_id) == col(Listing.id))
        .join(Produce, col(Produce.code) == col(Listing.produce_code))
        .where(col(Listing.household_id) == col(Household.id))
        .correlate(Household)
        .lateral()
    )


def _orders(on: date) -> FromClause:
    """SQL: orders a household has to prepare, and lines of them it has not answered."""
    answered = _select(LineAnswer.id).where(col(LineAnswer.order_line_id) == col(OrderLine.id)).exists()
    return (
        _select(
            func.count(col(Order.id).distinct()).label("waiting_count"),
            func.count().filter(~answered).label("unanswered_count"),
        )
        .select_from(OrderLine)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(
            col(OrderLine.household_id) == col(Household.id),
            col(OrderLine.quantity) > col(OrderLine.short_quantity),
            col(Order.state).in_(TO_HAND_OVER),
            col(Order.handover_on) >= on,
        )
        .correlate(Household)
        .lateral()
    )


def _asked() -> FromClause:
    """SQL: acts a household has said nothing to, and acts it said no to that nobody looked into."""
    objected = and_(col(HouseholdWord.agreed).is_(False), col(HouseholdWord.settled_at).is_(None))
    return (
        _select(
            func.count().filter(col(ActFor.word_id).is_(None)).label("unasked_count"),
            func.count().filter(objected).label("objected_count"),
        )
        .select_from(ActFor)
        .outerjoin(HouseholdWord, col(HouseholdWord.id) == col(ActFor.word_id))
        .where(col(ActFor.household_id) == col(Household.id))
        .correlate(Household)
        .lateral()
    )


def _sold(on: date) -> ColumnElement[bool]:
    """SQL: whether a household has sold anything since the season began."""
    return (
        _select(Posting.id)
        .where(
            col(Posting.household_id) == col(Household.id),
            col(Posting.book) == Book.PAYABLE,
            col(Posting.reason) == Reason.SALE,
            col(Posting.day_on) >= season_of(on),
        )
        .correlate(Household)
        .exists()
    )


def _like(text: str) -> ColumnElement[bool]:
    """SQL: the text is in the household's name or village, begins the village's pinyin, or is its number."""
    found = or_(
        col(Household.head_name).contains(text, autoescape=True),
        col(Household.number) == text,
        col(Division.name).contains(text, autoescape=True),
    )
    return or_(found, col(Division.pinyin).startswith(text.lower(), autoescape=True)) if text.isascii() else found


def _select(*columns: Any) -> Rows:
    return select(*columns)
