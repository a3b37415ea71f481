"""One household's sheet for the bureau: the order lines, refunds and payouts behind its row of the income report."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, cast, func
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Book, Entry, Posting, Rail, Reason
from market.ground import audit
from market.ground.db import run
from market.ground.measure import Measure
from market.ground.places import Division
from market.people import households
from market.people.accounts import Viewer
from market.people.households import Household, HouseholdStanding
from market.reports.overview import Sums
from market.reports.scopes import columns
from market.trade.orders import Order, OrderLine, OrderState

PAGE = 100


class SheetLine(NamedTuple):
    """What one order line did to the household's book within the period. Amounts in fen."""

    on: date
    """Day of its first posting in the period."""
    title: str
    quantity: int
    measure: Measure
    grams_each: int | None
    order_no: str
    order_state: OrderState
    payment_id: UUID | None
    gross_fen: int
    refunded_fen: int

    @property
    def state(self) -> str:
        """`sold`, `refunded` in part, `returned` as a whole, or `earlier`: refunded now, sold before the period."""
        if not self.gross_fen:
            return "earlier"
        if not self.refunded_fen:
            return "sold"
        return "returned" if self.refunded_fen >= self.gross_fen else "refunded"


class Reached(NamedTuple):
    """Money that reached the household."""

    on: date
    rail: Rail | None
    amount_fen: int


class Home(NamedTuple):
    """Who the sheet is about."""

    household: Household
    village: str
    standing: str
    """Code of its standing on the day, or empty."""


async def open_sheet(session: AsyncSession, viewer: Viewer, household_id: int, *, on: date, now: datetime) -> Home:
    """The household, with a trace that this person looked. NotFound outside the viewer's grant."""
    household = await households.seen_by(session, viewer, household_id)
    village = await session.get_one(Division, household.division_code)
    standing = await session.scalar(
        households.standing_on(on)
        .where(HouseholdStanding.household_id == household_id)
        .with_only_columns(col(HouseholdStanding.standing_code))
    )
    audit.note(session, viewer.account_id, "look", household_id=household_id, subject="income_sheet", now=now)
    return Home(household, village.name, standing or "")


async def sums(session: AsyncSession, household_id: int, *, from_on: date, to_on: date) -> Sums:
    """The household's figures in the period, from postings: the same as its row in the report."""
    gross, refunded, paid_out = _sum(Reason.SALE, 1), _sum(Reason.REFUND, -1), _sum(Reason.PAYOUT, -1)
    lines = func.count().filter(col(Posting.reason) == Reason.SALE)
    found = columns(gross, refunded, gross - refunded, paid_out, lines).where(*_of(household_id, from_on, to_on))
    return Sums._make(int(value) for value in (await run(session, found)).one())


async def lines(
    session: AsyncSession, household_id: int, *, from_on: date, to_on: date, offset: int = 0, limit: int = PAGE
) -> list[SheetLine]:
    """Order lines that moved the household's book in the period, the newest first; one above `limit` if there are."""
    each = (
        columns(
            Posting.order_line_id,
            func.min(col(Posting.day_on)).label("day_on"),
            _sum(Reason.SALE, 1).label("gross_fen"),
            _sum(Reason.REFUND, -1).label("refunded_fen"),
            func.max(col(Posting.entry_id)).label("entry_id"),
        )
        .where(*_of(household_id, from_on, to_on), col(Posting.order_line_id).is_not(None))
        .group_by(col(Posting.order_line_id))
        .subquery()
    )
    query = (
        columns(
            each.c.day_on, OrderLine.title, OrderLine.quantity, OrderLine.measure, OrderLine.grams_each, Order.no,
            Order.state, Entry.payment_id, each.c.gross_fen, each.c.refunded_fen,
        )
        .select_from(each)
        .join(OrderLine, col(OrderLine.id) == each.c.order_line_id)
        .join(Order, col(Order.id) == col(OrderLine.order_id))
        .join(Entry, col(Entry.id) == each.c.entry_id)
        .order_by(each.c.day_on.desc(), col(OrderLine.id).desc())
        .offset(offset)
        .limit(limit + 1)
    )  # fmt: skip
    return [SheetLine._make(row) for row in (await run(session, query)).all()]


async def reached(session: AsyncSession, household_id: int, *, from_on: date, to_on: date) -> list[Reached]:
    """Payouts of the period, the newest first."""
    query = (
        columns(Posting.day_on, func.min(col(Posting.rail)), -func.sum(col(Posting.amount_fen)))
        .where(*_of(household_id, from_on, to_on), col(Posting.reason) == Reason.PAYOUT)
        .group_by(col(Posting.entry_id), col(Posting.day_on))
        .order_by(col(Posting.entry_id).desc())
    )
    return [Reached(on, rail, int(fen)) for on, rail, fen in (await run(session, query)).all()]


def _of(household_id: int, from_on: date, to_on: date) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Posting.household_id) == household_id,
        col(Posting.book) == Book.PAYABLE,
        col(Posting.day_on).between(from_on, to_on),
    )


def _sum(reason: Reason, sign: int) -> Any:
    total = func.sum(col(Posting.amount_fen)).filter(col(Posting.reason) == reason)
    return cast(sign * func.coalesce(total, 0), BigInteger)
