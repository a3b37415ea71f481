"""Payouts: proposed, approved by another, dropped, arrived, failed, come back, while cards change and refunds come."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, consumes, rule
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import approvals, outcomes, proposals
from market.books.ledger import Rail
from market.books.payouts import Payout, PayoutBatch
from market.books.proposals import Terms
from market.people import card_changes
from market.people.accounts import Viewer
from market.people.card_changes import NewCard
from payments import cash_payouts
from tests import build
from tests.stories.stage import Stage
from tests.world import COUNTY

ACCOUNTANTS = ("accountant", "second_accountant")
HOMES = ("wang", "liu", "zhao")

lists = Bundle("lists")
"""Lists of payouts."""
new_cards = Bundle("new_cards")
"""Cards asked for, with their numbers."""


class PayingOut(Stage):
    """What reaches households."""

    @rule(
        target=lists,
        who=st.sampled_from([*ACCOUNTANTS, "township_accountant"]),
        rail=st.sampled_from([*[Rail.TRANSFER] * 4, Rail.CASH]),
        least_fen=st.sampled_from([0, 0, 5000]),
    )
    def propose(self, who: str, rail: Rail, least_fen: int) -> Any:
        place = COUNTY if who in ACCOUNTANTS else "141102101"

        async def act(session: AsyncSession, by: Viewer) -> int | None:
            return (await proposals.propose(session, by, Terms(place, rail, least_fen), now=self.now)).id

        return self.attempt_as(who, act)

    @rule(batch_id=lists, who=st.sampled_from(ACCOUNTANTS), beside=st.sampled_from([0, 0, 0, 1]))
    def approve(self, batch_id: int, who: str, beside: int) -> None:
        """Approve what was seen; at times it was another sum by then."""

        async def act(session: AsyncSession, by: Viewer) -> None:
            batch = await session.get_one(PayoutBatch, batch_id)
            seen = sum(row.amount_fen for row in await approvals.findings(session, batch, now=self.now))
            await approvals.approve(session, by, batch_id, seen_fen=seen + beside, now=self.now)

        self.attempt_as(who, act)

    @rule(batch_id=lists, who=st.sampled_from(ACCOUNTANTS))
    def drop(self, batch_id: int, who: str) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            await approvals.drop(session, by, batch_id, why="不发了", now=self.now)

        self.attempt_as(who, act)

    @rule(batch_id=lists, who=st.sampled_from(ACCOUNTANTS), row=st.integers(-1, 2))
    def arrives(self, batch_id: int, who: str, row: int) -> None:
        """The money reached one household, or (-1) all that are left of the list."""

        async def act(session: AsyncSession, by: Viewer) -> None:
            await cash_payouts.pay(session, by, batch_id, payout_id=await _row(session, batch_id, row), now=self.now)

        self.attempt_as(who, act)

    @rule(batch_id=lists, who=st.sampled_from(ACCOUNTANTS), row=st.integers(-1, 2))
    def fails(self, batch_id: int, who: str, row: int) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            payout_id = await _row(session, batch_id, row)
            await outcomes.fail(session, by, batch_id, payout_id=payout_id, why="账号不对", now=self.now)

        self.attempt_as(who, act)

    @rule(batch_id=lists, who=st.sampled_from(ACCOUNTANTS), row=st.integers(0, 2))
    def comes_back(self, batch_id: int, who: str, row: int) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            payout_id = await _row(session, batch_id, row) or 0
            await outcomes.take_back(session, by, batch_id, payout_id, why="退汇", now=self.now)

        self.attempt_as(who, act)

    @rule(target=lists, rail=st.sampled_from([*[Rail.TRANSFER] * 3, Rail.CASH]))
    def pay_out_well(self, rail: Rail) -> Any:
        """What mostly happens: proposed, approved and arrived."""
        batch_id = self.propose("accountant", rail, 0)
        if isinstance(batch_id, int):
            self.approve(batch_id, "second_accountant", 0)
            self.arrives(batch_id, "accountant", -1)
        return batch_id

    @rule(target=new_cards, home=st.sampled_from(HOMES), who=st.sampled_from(ACCOUNTANTS), n=st.integers(100, 103))
    def ask_card(self, home: str, who: str, n: int) -> Any:
        number = build.card_number(n)

        async def act(session: AsyncSession, by: Viewer) -> tuple[int, str]:
            wanted = NewCard("演示信用社", number)
            card = await card_changes.ask(session, build.SEAL, by, getattr(self.world, home), wanted, now=self.now)
            return card.id or 0, number

        return self.attempt_as(who, act)

    @rule(card=new_cards, who=st.sampled_from(ACCOUNTANTS))
    def confirm_card(self, card: tuple[int, str], who: str) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            await card_changes.confirm(session, build.SEAL, by, card[0], number=card[1], now=self.now)

        self.attempt_as(who, act)

    @rule(card=consumes(new_cards), who=st.sampled_from([*ACCOUNTANTS, "wang_account"]))
    def stop_card(self, card: tuple[int, str], who: str) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            await card_changes.stop(session, by, card[0], why="丢了", now=self.now)

        self.attempt_as(who, act)


async def _row(session: AsyncSession, batch_id: int, at: int) -> int | None:
    """A row of a list by its place; None for all of it."""
    rows = select(Payout.id).where(Payout.batch_id == batch_id).order_by(col(Payout.id))
    ids = (await session.exec(rows)).all()
    return None if at < 0 else ids[at % len(ids)]
