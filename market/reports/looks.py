"""Who looked at a household's sealed data: the household may always know."""

from datetime import datetime
from typing import NamedTuple

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.audit import Trace
from market.people.accounts import Account

PAGE = 30
LOOKS = ("look", "look_papers", "open_card")
"""Acts that opened something: a sheet, a certificate, a card number."""


class Look(NamedTuple):
    """One person's look, and at what."""

    at: datetime
    who: str
    act: str
    subject: str


async def of_household(session: AsyncSession, household_id: int, *, offset: int = 0) -> list[Look]:
    """Looks at a household's data, the newest first; one more than a page when there are more."""
    query = (
        select(Trace.at, Account.name, Trace.act, Trace.subject)
        .join(Account, col(Account.id) == col(Trace.account_id))
        .where(Trace.household_id == household_id, col(Trace.act).in_(LOOKS))
        .order_by(col(Trace.at).desc(), col(Trace.id).desc())
        .offset(offset)
        .limit(PAGE + 1)
    )
    return [Look._make(row) for row in await session.exec(query)]
