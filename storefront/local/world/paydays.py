"""What accountants of the demo world have before them today: cards on their way, lists half done, and a late refund."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import approvals, proposals
from market.books.ledger import Rail
from market.books.payouts import PayoutBatch
from market.books.proposals import Terms
from market.ground.clock import day_of
from market.ground.db import run
from market.ground.errors import NothingToPay
from market.ground.seal import Seal
from market.people import card_changes, cards
from market.people.card_changes import NewCard
from market.people.cards import PayoutCard
from market.people.households import Household
from payments import refunds
from payments.refunds import Claim
from storefront.local.world.people import VILLAGE, Cast
from storefront.local.world.purses import number

_WITHOUT = 9
"""Every ninth seller has no card: what it is owed waits."""
_HALF_DONE = "141102101"
"""Township whose list is approved and at the bank."""
_HOUR = timedelta(hours=1)
_ANOTHER = 500_000
"""Added to a household's id for the number of its second card."""
# An order of these goods alone that was paid out long ago: what goes back of it now comes off the next payout.
_PAID_OUT = text("""
    SELECT p.id, o.total_fen FROM order_lines l JOIN orders o ON o.id = l.order_id JOIN payments p ON p.order_id = o.id
    WHERE l.household_id = :household AND o.state = 'paid' AND o.paid_at < :before AND p.state = 'succeeded'
      AND (SELECT count(*) FROM order_lines x WHERE x.order_id = o.id) = 1
      AND NOT EXISTS (SELECT FROM refunds r WHERE r.payment_id = p.id)
    ORDER BY o.paid_at DESC LIMIT 1
""")


def carded(cast: Cast) -> Iterator[tuple[int, str]]:
    """Households that have had a card since they joined."""
    for at, home in enumerate(cast.sellers):
        if at % _WITHOUT != _WITHOUT - 1:
            yield home.id or 0, home.head_name


async def bring(session: AsyncSession, seal: Seal, cast: Cast, *, now: datetime) -> None:
    """Bring cards and lists to where an accountant finds something of each kind to do."""
    await _cards(session, seal, cast, now)
    done = await _propose(session, cast, _HALF_DONE, now - 20 * _HOUR)
    if done:
        at = now - 18 * _HOUR
        seen_fen = sum(row.amount_fen for row in await approvals.findings(session, done, now=at))
        await approvals.approve(session, cast.accountants[1], done.id or 0, seen_fen=seen_fen, now=at)
    await _propose(session, cast, VILLAGE, now - 3 * _HOUR)
    await _late_refund(session, cast, cast.sellers[1].id or 0, now)


async def _cards(session: AsyncSession, seal: Seal, cast: Cast, now: datetime) -> None:
    """One card that was lost; two that wait for a second person; one whose waiting day has begun."""
    lost, sons, first, second = (cast.sellers[at] for at in (4, 6, _WITHOUT - 1, 2 * _WITHOUT - 1))
    card = (await session.exec(cards.in_use(now).where(PayoutCard.household_id == lost.id))).one()
    speaker = cast.seller_viewers[lost.id or 0]
    await card_changes.stop(session, speaker, card.id or 0, why="卡丢了", now=now - 48 * _HOUR)
    await _ask(session, seal, cast, sons, now - 26 * _HOUR, relation="儿子")
    await _ask(session, seal, cast, first, now - 5 * _HOUR)
    asked = await _ask(session, seal, cast, second, now - 30 * _HOUR)
    by, typed = cast.accountants[0], number(_ANOTHER + (second.id or 0))
    await card_changes.confirm(session, seal, by, asked.id or 0, number=typed, now=now - 3 * _HOUR)


async def _ask(
    session: AsyncSession, seal: Seal, cast: Cast, home: Household, now: datetime, *, relation: str = ""
) -> PayoutCard:
    wanted = NewCard("演示农村信用社", number(_ANOTHER + (home.id or 0)))
    if relation:
        wanted = replace(wanted, holder=f"{home.head_name[0]}小演", relation=relation, mandate_on=day_of(now))
    return await card_changes.ask(session, seal, cast.seller_viewers[home.id or 0], home.id or 0, wanted, now=now)


async def _propose(session: AsyncSession, cast: Cast, place: str, now: datetime) -> PayoutBatch | None:
    """A list of the place; none where its households happen to be owed nothing."""
    try:
        return await proposals.propose(session, cast.accountants[0], Terms(place, Rail.TRANSFER), now=now)
    except NothingToPay:
        return None


async def _late_refund(session: AsyncSession, cast: Cast, household_id: int, now: datetime) -> None:
    """A fifth of an order goes back whose money the household has had for weeks."""
    values = {"household": household_id, "before": now - timedelta(days=45)}
    found = (await run(session, _PAID_OUT, values)).one_or_none()
    if found is not None:
        claim = Claim(found.total_fen // 5, "有几个是坏的", by=cast.officer)
        await refunds.request(session, found.id, claim, now=now - _HOUR)
