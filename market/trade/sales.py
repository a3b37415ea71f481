"""What orders mean to the ledger: a paid order credits every line's household, a refund takes back its share."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import ledger
from market.books.ledger import Book, Leg, Occasion, Posting, Reason
from market.ground.errors import OverLimit
from market.people import households
from market.trade import orders
from market.trade.orders import Order, OrderLine


@dataclass(frozen=True)
class Part:
    """What one line still stands for in its household's book, in fen."""

    line: OrderLine
    standing_fen: int


async def post(session: AsyncSession, order: Order, came: Leg, *, payment_id: UUID, now: datetime) -> None:
    """Post a paid order: the money that came for it to every line's household."""
    legs = [
        Leg(Book.PAYABLE, line.amount_fen, household_id=line.household_id, division_code=line.division_code,
            produce_code=line.produce_code, order_line_id=line.id)
        for line in await orders.lines_of(session, order.id or 0)
    ]  # fmt: skip
    await ledger.post(session, occasion(order, Reason.SALE, payment_id), [*legs, came], at=now)


async def standing(session: AsyncSession, order_id: int) -> list[Part]:
    """What each line of a paid order still stands for: sold minus refunded, from postings."""
    its_lines = select(OrderLine.id).where(OrderLine.order_id == order_id)
    sums = (
        select(Posting.order_line_id, func.sum(col(Posting.amount_fen)).label("fen"))
        .where(Posting.book == Book.PAYABLE, col(Posting.order_line_id).in_(its_lines))
        .group_by(col(Posting.order_line_id))
        .subquery()
    )
    rows = await session.exec(
        select(OrderLine, func.coalesce(sums.c.fen, 0))
        .outerjoin(sums, sums.c.order_line_id == OrderLine.id)
        .where(OrderLine.order_id == order_id)
        .order_by(col(OrderLine.line_no))
    )
    return [Part(line, int(standing_fen)) for line, standing_fen in rows]


@dataclass(frozen=True)
class Return:
    """What goes back of an order: of one line where its goods are the reason, else of all of them by their share."""

    payment_id: UUID
    refund_id: UUID
    amount_fen: int
    line_id: int | None = None


async def take_back(session: AsyncSession, order: Order, back: Return, *, now: datetime) -> None:
    """Post a refund back: the households give up their shares of it; the sum is owed to the buyer.

    Expects the payment's lock. Raises OverLimit above what still stands.
    """
    amount_fen = back.amount_fen
    parts = [p for p in await standing(session, order.id or 0) if back.line_id in (None, p.line.id)]
    whole = sum(part.standing_fen for part in parts)
    if amount_fen > whole:
        raise OverLimit("amount_fen", whole, amount_fen)
    shares = split(amount_fen, [part.standing_fen for part in parts])
    # A payout is approved under the same locks: it sees this refund, or this refund comes after it and is known to.
    await households.lock(session, [part.line.household_id for part in parts])
    legs = [
        Leg(Book.PAYABLE, -share, household_id=part.line.household_id, division_code=part.line.division_code,
            produce_code=part.line.produce_code, order_line_id=part.line.id)
        for part, share in zip(parts, shares, strict=True)
    ]  # fmt: skip
    legs.append(Leg(Book.RETURNS, amount_fen))
    await ledger.post(session, occasion(order, Reason.REFUND, back.payment_id, back.refund_id), legs, at=now)


def occasion(order: Order, reason: Reason, payment_id: UUID, refund_id: UUID | None = None) -> Occasion:
    """What all legs about an order share."""
    return Occasion(
        reason=reason,
        county_code=order.county_code,
        order_id=order.id,
        payment_id=payment_id,
        refund_id=refund_id,
        work_unit_id=order.work_unit_id,
        wallet=order.wallet,
    )


def split(amount_fen: int, weights: list[int]) -> list[int]:
    """Divide an amount in proportion to the weights, to the fen: parts sum to the amount, none above its weight.

    Needs 0 <= amount <= sum(weights). What rounding leaves goes to the largest remainders, the first among equals.
    """
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights]
    parts = [amount_fen * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(amount_fen * weights[at] % whole), at))
    for at in by_remainder[: amount_fen - sum(parts)]:
        parts[at] += 1
    return parts
