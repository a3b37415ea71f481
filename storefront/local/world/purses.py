"""Where the invented households' money goes: invented cards at invented banks, sealed like real ones."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import run
from market.ground.seal import Seal
from market.people import cards
from market.people.cards import WAITING_DAY, PayoutCard

_BANKS = ("演示农村信用社", "演示农业银行", "演示邮政储蓄银行")
_NOBODYS = "620000"
"""No bank issues cards that begin like this."""
_AT_ONCE = 2_000
_NINE = 9


async def bring(
    session: AsyncSession, seal: Seal, heads: Iterable[tuple[int, str]], accountants: tuple[int, int], *, at: datetime
) -> None:
    """Give each of these households (its id, its head) a card of the head's own, agreed on by both accountants."""
    rows = [
        {
            "household_id": household_id, "bank": _BANKS[household_id % len(_BANKS)], "relation": "", "end_why": "",
            "asked_at": at, "asked_by": accountants[0], "confirmed_at": at, "confirmed_by": accountants[1],
            "usable_from_at": at + WAITING_DAY,
            **cards.sealed(seal, household_id, holder=head, number=number(household_id)),
        }
        for household_id, head in heads
    ]  # fmt: skip
    for first in range(0, len(rows), _AT_ONCE):
        await run(session, insert(PayoutCard).values(rows[first : first + _AT_ONCE]))


def number(household_id: int) -> str:
    """An invented number of nineteen digits that add up as a card's do."""
    body = f"{_NOBODYS}{household_id:012d}"
    doubled = (int(digit) * (2 - at % 2) for at, digit in enumerate(reversed(body)))
    return f"{body}{-sum(value - _NINE if value > _NINE else value for value in doubled) % 10}"
