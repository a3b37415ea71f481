"""What taking a statement would do, counted and summed, and the mark that holds the taker to what was shown."""

import hashlib
from dataclasses import dataclass
from datetime import date

from sqlmodel import case, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import run
from market.reports.scopes import columns
from payments.bank_rows import BankRow, Part
from payments.outcomes import CURRENCY, Outcome, RowState

PAGE = 50


@dataclass(frozen=True)
class Tally:
    """How many lines of a statement were found to be this and stand like that, and their money."""

    outcome: Outcome
    state: RowState
    came: bool
    count: int
    fen: int
    """Without other currencies, of which the books know nothing."""


@dataclass(frozen=True)
class Sum:
    """Some lines together."""

    count: int
    fen: int


@dataclass(frozen=True)
class Sums:
    """What stands on top of a preview. The first four together are all lines; known ones count in nothing else."""

    clear: Sum
    """Money that came and finds its way by itself."""
    unclear: Sum
    """Money that came and waits for a person."""
    went: Sum
    known: Sum
    """Taken before, by another statement."""
    for_people: int
    """Lines a person has to decide about, in whichever direction their money went."""


async def tallies(session: AsyncSession, statement_id: int) -> list[Tally]:
    """A statement's lines by what they are and where they stand, in the order their names are listed."""
    came = col(BankRow.amount_fen) > 0
    fen = case((col(BankRow.currency) == CURRENCY, func.abs(col(BankRow.amount_fen))), else_=0)
    query = (
        columns(BankRow.outcome, BankRow.state, came, func.count(), func.sum(fen))
        .where(col(BankRow.statement_id) == statement_id)
        .group_by(col(BankRow.outcome), col(BankRow.state), came)
    )
    found = [
        Tally(Outcome(outcome), RowState(state), is_in, count, int(fen))
        for outcome, state, is_in, count, fen in await run(session, query)
    ]
    return sorted(found, key=lambda tally: (list(Outcome).index(tally.outcome), list(RowState).index(tally.state)))


def sums(found: list[Tally]) -> Sums:
    """The tallies as a preview says them."""
    fresh = [tally for tally in found if tally.outcome is not Outcome.DUPLICATE]
    came = [tally for tally in fresh if tally.came]
    return Sums(
        clear=_sum([tally for tally in came if tally.outcome.is_clear]),
        unclear=_sum([tally for tally in came if not tally.outcome.is_clear]),
        went=_sum([tally for tally in fresh if not tally.came]),
        known=_sum([tally for tally in found if tally.outcome is Outcome.DUPLICATE]),
        for_people=sum(tally.count for tally in fresh if not tally.outcome.is_clear),
    )


def by_outcome(found: list[Tally]) -> dict[Outcome, int]:
    """How many lines are what, in the order their names are listed."""
    counts: dict[Outcome, int] = {}
    for tally in found:
        counts[tally.outcome] = counts.get(tally.outcome, 0) + tally.count
    return counts


def _sum(some: list[Tally]) -> Sum:
    return Sum(sum(tally.count for tally in some), sum(tally.fen for tally in some))


def listed(statement_id: int, outcome: Outcome | None = None) -> SelectOfScalar[BankRow]:
    """A statement's lines in the order of the file, or those that were found to be this."""
    rows = select(BankRow).where(BankRow.statement_id == statement_id).order_by(col(BankRow.id))
    return rows.where(BankRow.outcome == outcome) if outcome is not None else rows


async def days(session: AsyncSession, statement_ids: list[int]) -> dict[int, tuple[date, date]]:
    """The first and the last day the lines of several statements were booked."""
    query = (
        columns(BankRow.statement_id, func.min(BankRow.booked_on), func.max(BankRow.booked_on))
        .where(col(BankRow.statement_id).in_(statement_ids))
        .group_by(col(BankRow.statement_id))
    )
    return {statement_id: (first, last) for statement_id, first, last in await run(session, query)}


async def mark(session: AsyncSession, statement_id: int) -> str:
    """A word that is another one as soon as any line would do anything other than what was shown."""
    query = (
        columns(BankRow.id, BankRow.outcome, Part.use, Part.amount_fen, Part.payment_id, Part.refund_id)
        .outerjoin(Part, col(Part.row_id) == col(BankRow.id))
        .where(col(BankRow.statement_id) == statement_id)
        .order_by(col(BankRow.id), col(Part.id))
    )
    said = hashlib.sha256()
    for row in await run(session, query):
        said.update("\x1f".join(map(str, row)).encode() + b"\x1e")
    return said.hexdigest()[:32]
