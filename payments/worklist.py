"""Lines that wait for a person: the list of them, and which orders each may be for."""

from typing import NamedTuple

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.errors import Malformed
from market.ground.money import parse_yuan
from market.people.accounts import Viewer
from payments import bank_rows, expectations
from payments.bank_rows import BankRow
from payments.expectations import Waiting
from payments.matching import is_called, plain_name
from payments.outcomes import RowState
from payments.payees import Payee

PAGE = 50
_MOST_READ, _MOST_SHOWN = 400, 12


class Candidate(NamedTuple):
    """An order a line may be for."""

    waiting: Waiting
    difference_fen: int
    """How much more came than is due; negative: how much less."""
    is_named: bool
    """Whether its payer is called like the line's."""


def waiting(viewer: Viewer, *, q: str = "") -> SelectOfScalar[BankRow]:
    """Lines of an accountant's counties somebody has to decide about, the oldest first.

    `q`: a piece of the remark, of the name, or the whole amount.
    """
    rows = bank_rows.visible_to(viewer).where(BankRow.state == RowState.OPEN)
    said = q.strip()
    if said:
        found = [col(BankRow.memo).contains(said, autoescape=True), col(BankRow.name).contains(said, autoescape=True)]
        amount = _fen_in(said)
        if amount is not None:
            found.append(func.abs(col(BankRow.amount_fen)) == amount)
        rows = rows.where(or_(*found))
    return rows.order_by(col(BankRow.booked_on), col(BankRow.id))


async def count(session: AsyncSession, viewer: Viewer) -> int:
    """How many there are."""
    ids = waiting(viewer).with_only_columns(col(BankRow.id)).order_by(None).subquery()
    return int((await session.exec(select(func.count()).select_from(ids))).one())


async def came_alike(session: AsyncSession, viewer: Viewer, row: BankRow, *, rest_fen: int) -> list[BankRow]:
    """Open lines that brought exactly what this one took away again: one of them may have been given back by it."""
    same = waiting(viewer).where(
        BankRow.payee_id == row.payee_id, BankRow.amount_fen >= rest_fen, BankRow.currency == row.currency
    )  # fmt: skip
    rows = list(await session.exec(same.limit(_MOST_READ)))
    left = await bank_rows.rest_of(session, [each.id or 0 for each in rows])
    return [each for each in rows if each.is_booked and left[each.id or 0] == rest_fen][:_MOST_SHOWN]


async def candidates(session: AsyncSession, row: BankRow, *, rest_fen: int, q: str = "") -> list[Candidate]:
    """Orders of the county that wait for a transfer: by `q`, else those whose amount or payer fits, then the latest."""
    payee = await session.get_one(Payee, row.payee_id)
    found = await expectations.waiting(session, payee.county_code, q=q, most=_MOST_READ)
    given = frozenset({plain_name(row.name)})
    made = [
        Candidate(each, rest_fen - each.due_fen, is_called(given, frozenset({plain_name(each.payer)})))
        for each in found
    ]
    return sorted(made, key=lambda each: (each.difference_fen != 0, not each.is_named))[:_MOST_SHOWN]


def _fen_in(text: str) -> int | None:
    try:
        return parse_yuan(text, field="q")
    except Malformed:
        return None
