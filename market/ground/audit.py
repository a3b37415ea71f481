"""Who did what to whom, and who looked at what is sealed. Written in the act's own transaction, never changed."""

from datetime import datetime

from sqlalchemy import Index
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import key_of, new_id


class Trace(SQLModel, table=True):
    """One act or one look: who, when, on behalf of which household, and at what."""

    __tablename__ = "traces"
    __table_args__ = (Index("ix_traces_household_id_at", "household_id", "at"),)

    id: int | None = new_id()
    at: datetime
    account_id: int | None = key_of("accounts.id", default=None)
    household_id: int | None = key_of("households.id", default=None)
    act: str = Field(max_length=40)
    subject: str = Field(default="", max_length=80)
    note: str = Field(default="", max_length=200)


def note(
    session: AsyncSession,
    account_id: int | None,
    act: str,
    *,
    now: datetime,
    household_id: int | None = None,
    subject: str = "",
    note: str = "",
) -> None:
    """Add a trace to the running transaction: it exists if, and only if, the act does."""
    session.add(
        Trace(at=now, account_id=account_id, household_id=household_id, act=act, subject=subject, note=note[:200])
    )


def about(household_id: int) -> SelectOfScalar[Trace]:
    """Everything noted about a household, newest first."""
    return select(Trace).where(col(Trace.household_id) == household_id).order_by(col(Trace.at).desc())
