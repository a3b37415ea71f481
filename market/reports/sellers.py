"""The list of whoever sells for several households: who has goods on sale, who has orders to prepare."""

from datetime import date
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, ScalarSelect, Select, func, or_, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods.listings import Listing, ListingState
from market.goods.stock import Stock
from market.ground.db import run
from market.ground.places import Division
from market.people import households
from market.people.accounts import Viewer
from market.people.households import Household
from market.reports.household import TO_HAND_OVER
from market.trade.orders import Order, OrderLine

Rows = Select[*tuple[Any, ...]]
PAGE = 30
"""Households shown at once."""


class Only(StrEnum):
    """Which part of a list is asked for."""

    ALL = ""
    ORDERED = "ordered"
    """Households with orders to prepare."""
    SILENT = "silent"
    """Households with nothing on sale."""


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


async def sellers(
    session: AsyncSession, viewer: Viewer, *, on: date, q: str = "", only: Only = Only.ALL, offset: int = 0
) -> list[Seller]:
    """Households a person sells for, with how each stands; one more than a page when there are more."""
    found = _sellers(viewer, on, q).subquery()
    query = _select(*found.c).order_by(found.c.code, found.c.id)
    if only is Only.ORDERED:
        query = query.where(found.c.waiting_count > 0)
    if only is Only.SILENT:
        query = query.where(found.c.on_sale_count == 0)
    rows = (await run(session, query.offset(offset).limit(PAGE + 1))).all()
    return [Seller._make(row[:-1]) for row in rows]


def _sellers(viewer: Viewer, on: date, q: str) -> Rows:
    theirs = households.sold_for_by(viewer).with_only_columns(col(Household.id)).order_by(None)
    found = (
        _select(
            col(Household.id).label("id"), col(Household.head_name), col(Household.number),
            col(Division.name).label("village"), _on_sale().label("on_sale_count"),
            _waiting(on).label("waiting_count"), col(Household.division_code).label("code"),
        )
        .join(Division, col(Division.code) == col(Household.division_code))
        .where(col(Household.id).in_(theirs))
    )  # fmt: skip
    return found.where(_like(q.strip())) if q.strip() else found


def _on_sale() -> ScalarSelect[int]:
    return (
        select(func.count())
        .select_from(Listing)
        .join(Stock, col(Stock.listing_id) == col(Listing.id))
        .where(
            col(Listing.household_id) == col(Household.id),
            col(Listing.state) == ListingState.LIVE,
            col(Stock.on_hand) > col(Stock.reserved),
        )
        .correlate(Household)
        .scalar_subquery()
    )


def _waiting(on: date) -> ScalarSelect[int]:
    return (
        select(func.count(col(Order.id).distinct()))
        .select_from(OrderLine)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .where(
            col(OrderLine.household_id) == col(Household.id),
            col(Order.state).in_(TO_HAND_OVER),
            col(Order.handover_on) >= on,
        )
        .correlate(Household)
        .scalar_subquery()
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
