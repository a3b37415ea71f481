"""What people said of lines without deciding about their money: why one waits, why one was taken up again."""

from datetime import datetime
from enum import StrEnum

from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import choice, key_of, new_id
from market.ground.errors import Malformed
from payments.bank_rows import BankRow
from payments.decisions import Word, open_row


class Remark(StrEnum):
    """What was said of a line."""

    LEFT = "left"
    """It waits: somebody was asked, or more is to come."""
    TAKEN_UP = "taken_up"
    """It had been put aside by mistake."""


class RowRemark(SQLModel, table=True):
    """批注: what was said of a line that no part of its money tells: who, when, why."""

    __tablename__ = "bank_row_remarks"

    id: int | None = new_id()
    row_id: int = key_of("bank_rows.id", index=True)
    kind: Remark = choice(Remark, name="kind")
    at: datetime
    account_id: int = key_of("accounts.id")
    why: str = Field(default="", max_length=200)


async def of_rows(session: AsyncSession, row_ids: list[int]) -> list[RowRemark]:
    """What was said of these lines, in order."""
    found = select(RowRemark).where(col(RowRemark.row_id).in_(row_ids)).order_by(col(RowRemark.id))
    return list(await session.exec(found))


async def leave(session: AsyncSession, word: Word, row_id: int, *, now: datetime) -> BankRow:
    """It waits, and whoever looks next reads why. Malformed without a reason, NotMovable when it waits no more."""
    row = await open_row(session, word, row_id)
    if not word.why.strip():
        raise Malformed("why", "missing")
    note(session, word, row_id, Remark.LEFT, now=now)
    return row


def note(session: AsyncSession, word: Word, row_id: int, kind: Remark, *, now: datetime) -> None:
    """Keep what somebody said of a line, in the act's own transaction."""
    session.add(RowRemark(row_id=row_id, kind=kind, at=now, account_id=word.by.id, why=word.why.strip()[:200]))
