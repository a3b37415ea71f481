"""Which sales each payout covered, and which refunds came after the money had reached the household.

A payout covers the oldest sales first. What goes back of a sale that was covered already is taken off what waits next.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Book, Entry, Posting, Reason
from market.ground.db import run


class Event(NamedTuple):
    """What an entry did to a household's book for one order line, or as a payout. In fen, as the book has it."""

    entry_id: int
    on: date
    reason: Reason
    line_id: int | None
    fen: int
    refund_id: UUID | None
    payout_id: int | None


class Part(NamedTuple):
    """A part of an order line's money."""

    line_id: int
    fen: int


class Kept(NamedTuple):
    """A part of one line's refund that was set against what another line waited for."""

    line_id: int
    fen: int
    from_line_id: int


@dataclass(frozen=True)
class Covering:
    """A payout: what it covered, and what was kept back of it because goods already paid out were refunded."""

    payout_id: int | None
    on: date
    fen: int
    parts: list[Part]
    kept_back: list[Part]
    came_back_on: date | None = None
    """When the bank sent it back: then it covered nothing."""


@dataclass(frozen=True)
class GivenBack:
    """A refund of a line, and how much of it the household had had already."""

    refund_id: UUID | None
    on: date
    line_id: int
    fen: int
    had_fen: int


@dataclass
class Coverage:
    """A household's book read from its first entry up to some day."""

    sales: list[Event] = field(default_factory=list)
    refunds: list[GivenBack] = field(default_factory=list)
    payouts: list[Covering] = field(default_factory=list)
    waiting: dict[int, int] = field(default_factory=dict)
    """What each line still waits for, the oldest sale first."""
    kept: list[Kept] = field(default_factory=list)
    owed: list[Part] = field(default_factory=list)
    """Refunds of goods already paid out that nothing sold since has settled."""

    @property
    def kept_back(self) -> list[Part]:
        """What the next payout is lower by, from which refunded lines."""
        return [Part(one.line_id, one.fen) for one in self.kept]

    @property
    def waiting_fen(self) -> int:
        """What would be paid out now; below zero when the household owes."""
        return sum(self.waiting.values()) - sum(part.fen for part in self.owed)


async def read(session: AsyncSession, household_id: int, *, until: date) -> Coverage:
    """The household's book up to the end of that day."""
    return cover(await _events(session, household_id, until))


def cover(events: Sequence[Event]) -> Coverage:
    """The same, of entries in the order they were made."""
    found = Coverage()
    came_back = {one.payout_id: one.on for one in events if one.reason is Reason.PAYOUT and one.fen > 0}
    for event in events:
        if event.reason is Reason.SALE:
            found.sales.append(event)
            found.waiting[event.line_id or 0] = found.waiting.get(event.line_id or 0, 0) + event.fen
            _settle(found)
        elif event.reason is Reason.REFUND:
            _give_back(found, event)
        elif event.reason is Reason.PAYOUT and event.fen < 0:
            _pay(found, event, came_back.get(event.payout_id))
    found.waiting = {line: fen for line, fen in found.waiting.items() if fen}
    return found


def _give_back(found: Coverage, event: Event) -> None:
    """First from what the line itself waits for; the rest the household has had."""
    line, fen = event.line_id or 0, -event.fen
    waited = min(fen, found.waiting.get(line, 0))
    if waited:
        found.waiting[line] -= waited
    found.refunds.append(GivenBack(event.refund_id, event.on, line, fen, fen - waited))
    if fen > waited:
        found.owed.append(Part(line, fen - waited))
        _settle(found)


def _settle(found: Coverage) -> None:
    """What is owed comes off what waits, the oldest of either first."""
    for line in found.waiting:
        while found.owed and found.waiting[line]:
            first = found.owed[0]
            fen = min(first.fen, found.waiting[line])
            found.waiting[line] -= fen
            found.kept.append(Kept(first.line_id, fen, line))
            found.owed[:1] = [Part(first.line_id, first.fen - fen)] if first.fen > fen else []


def _pay(found: Coverage, event: Event, came_back_on: date | None) -> None:
    left, parts = -event.fen, list[Part]()
    if came_back_on is not None:
        found.payouts.append(Covering(event.payout_id, event.on, left, parts, [], came_back_on))
        return
    _owe_again(found, left - sum(found.waiting.values()))
    for line, fen in found.waiting.items():
        part = min(fen, left)
        if part:
            parts.append(Part(line, part))
            left -= part
    for line, fen in parts:
        found.waiting[line] -= fen
    found.payouts.append(Covering(event.payout_id, event.on, -event.fen, parts, found.kept_back, None))
    found.kept = []


def _owe_again(found: Coverage, above: int) -> None:
    """A payout above what waits was approved before the last refunds: it was not lowered by them, the next one is."""
    while above > 0 and found.kept:
        last = found.kept.pop()
        fen = min(above, last.fen)
        if last.fen > fen:
            found.kept.append(last._replace(fen=last.fen - fen))
        found.waiting[last.from_line_id] += fen
        found.owed.append(Part(last.line_id, fen))
        above -= fen
    for at in range(len(found.refunds) - 1, -1, -1):
        refund = found.refunds[at]
        fen = min(above, refund.fen - refund.had_fen)
        if fen > 0:
            found.refunds[at] = replace(refund, had_fen=refund.had_fen + fen)
            found.waiting[refund.line_id] += fen
            found.owed.append(Part(refund.line_id, fen))
            above -= fen


async def _events(session: AsyncSession, household_id: int, until: date) -> list[Event]:
    columns: Any = (
        Posting.entry_id, Posting.day_on, Posting.reason, Posting.order_line_id,
        cast(func.sum(col(Posting.amount_fen)), BigInteger), Entry.refund_id, Entry.payout_id,
    )  # fmt: skip
    query = (
        select(*columns)
        .join(Entry, col(Entry.id) == col(Posting.entry_id))
        .where(
            col(Posting.household_id) == household_id, col(Posting.book) == Book.PAYABLE, col(Posting.day_on) <= until
        )
        .group_by(
            col(Posting.entry_id), col(Posting.day_on), col(Posting.reason), col(Posting.order_line_id),
            col(Entry.refund_id), col(Entry.payout_id),
        )
        .order_by(col(Posting.entry_id), col(Posting.order_line_id))
    )  # fmt: skip
    return [Event._make(row) for row in (await run(session, query)).all()]
