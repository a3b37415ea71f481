"""What a household says to an order's line: it will be there, or it falls short by so much, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.goods import stock
from market.ground.clock import day_of
from market.ground.db import choice, key_of, new_id
from market.ground.errors import Malformed, NotFound, NotMovable, OverLimit
from market.people import acts_for, households
from market.people.accounts import Viewer
from market.trade import orders
from market.trade.orders import Order, OrderLine


class Short(StrEnum):
    """Why a household cannot bring all of it."""

    LESS = "less"
    """There was less than it thought."""
    SPOILED = "spoiled"
    WEATHER = "weather"
    """Snow on the road, frost in the field."""
    SOLD = "sold"
    """Sold elsewhere meanwhile."""
    OTHER = "other"


class LineAnswer(SQLModel, table=True):
    """One answer of a household to one line; a later one adds to an earlier."""

    __tablename__ = "line_answers"
    __table_args__ = (
        CheckConstraint("short_quantity >= 0", name="short_quantity"),
        CheckConstraint("(short_quantity = 0) = (why IS NULL)", name="why_given"),
        CheckConstraint("taken_back_at IS NULL OR short_quantity = 0", name="taken_back"),
    )

    id: int | None = new_id()
    order_line_id: int = key_of("order_lines.id", index=True)
    at: datetime
    account_id: int | None = key_of("accounts.id", default=None)
    short_quantity: int = 0
    """How much of it will not be there; 0: all of it will."""
    why: Short | None = choice(Short, name="why", default=None)
    note: str = Field(default="", max_length=100)
    taken_back_at: datetime | None = None
    """When the household took its yes back: it said it too early."""
    taken_back_by: int | None = key_of("accounts.id", default=None)


@dataclass(frozen=True)
class Gap:
    """How much of a line will not be there, and why."""

    quantity: int
    why: Short
    note: str = ""


def of_lines(line_ids: list[int]) -> SelectOfScalar[LineAnswer]:
    """Every answer to these lines that stands, in order."""
    theirs = col(LineAnswer.order_line_id).in_(line_ids)
    return select(LineAnswer).where(theirs, col(LineAnswer.taken_back_at).is_(None)).order_by(col(LineAnswer.id))


async def answerable(session: AsyncSession, seller: Viewer, line_id: int) -> OrderLine:
    """A line this person may answer for: of their own household, or of one of their station. NotFound for any other."""
    homes = households.sold_for_by(seller).with_only_columns(col(households.Household.id)).order_by(None)
    query = select(OrderLine).where(OrderLine.id == line_id, col(OrderLine.household_id).in_(homes))
    line = (await session.exec(query.execution_options(populate_existing=True))).one_or_none()
    if line is None:
        raise NotFound("order_line", str(line_id))
    return line


def check_open(order: Order, now: datetime) -> None:
    """A locked order whose goods are still to be handed over. NotMovable for any other, and after its handover day."""
    if not order.is_to_be_handed_over or day_of(now) > order.handover_on:
        raise NotMovable("order", order.state, "answer")


async def accept(session: AsyncSession, seller: Viewer, line_id: int, *, now: datetime) -> OrderLine:
    """The household will bring all of it. Said twice it is said once."""
    line = await answerable(session, seller, line_id)
    check_open(await orders.lock(session, line.order_id), now)
    if (await session.exec(of_lines([line_id]))).first() is None:
        session.add(LineAnswer(order_line_id=line_id, at=now, account_id=seller.account_id))
        subject = f"order_line:{line_id}"
        acts_for.note(session, seller, line.household_id, "accept", subject=subject, note=str(line.to_bring), now=now)
    return line


async def take_back(session: AsyncSession, seller: Viewer, line_id: int, *, now: datetime) -> bool:
    """The household's yes was said too early; whether there was one. A shortage stays: its money is on the way."""
    line = await answerable(session, seller, line_id)
    check_open(await orders.lock(session, line.order_id), now)
    said = (await session.exec(of_lines([line_id]).where(LineAnswer.short_quantity == 0))).all()
    for answer in said:
        answer.taken_back_at, answer.taken_back_by = now, seller.account_id
        subject, note = f"order_line:{line_id}", str(line.to_bring)
        acts_for.note(session, seller, line.household_id, "take_back", subject=subject, note=note, now=now)
    return bool(said)


async def fall_short(
    session: AsyncSession, seller: Viewer, line_id: int, gap: Gap, *, now: datetime
) -> tuple[LineAnswer, OrderLine]:
    """Write down that some of a line, its order locked, will not be there. The goods do not exist, so they leave stock.

    Raises Malformed for nothing, OverLimit above what is still to be brought.
    """
    line = await answerable(session, seller, line_id)
    if gap.quantity < 1:
        raise Malformed("quantity", "not_positive", str(gap.quantity))
    if gap.quantity > line.to_bring:
        raise OverLimit("short_quantity", line.to_bring, gap.quantity)
    answer = LineAnswer(
        order_line_id=line_id, at=now, account_id=seller.account_id, short_quantity=gap.quantity, why=gap.why,
        note=gap.note.strip()[:100],
    )  # fmt: skip
    session.add(answer)
    return answer, line


async def lower(session: AsyncSession, order: Order, line: OrderLine, quantity: int, *, now: datetime) -> None:
    """Take what will not be there out of a locked, unpaid order: out of line, total and stock."""
    line.quantity -= quantity
    line.amount_fen = line.quantity * line.price_fen
    order.total_fen -= quantity * line.price_fen
    order.max_fen = min(order.max_fen, order.total_fen)
    await stock.lose_held(session, line.listing_id, quantity, now=now)


def note_missing(session: AsyncSession, line: OrderLine, quantity: int, *, now: datetime) -> None:
    """A paid line keeps what it was sold with; what was not there of it never comes back on sale."""
    line.short_quantity += quantity
    stock.lose_sold(session, line.listing_id, quantity, now=now)
