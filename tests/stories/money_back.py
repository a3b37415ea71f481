"""Refunds by staff, sent and not, handed back in cash, and the cash books they come from: hand-ins, counts, slips."""

from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, rule
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.clock import day_of
from market.people.accounts import Viewer
from market.trade import orders
from payments import bank_slips, cash, followup, hand_ins, refunds
from payments.bank_slips import Slip
from payments.cash_records import SlipKind
from payments.hand_ins import Wish
from payments.records import Method, Payment, Refund, RefundState
from payments.refunds import Claim
from tests.stories.buying import Buying, started, try_at

asked_back = Bundle("asked_back")
"""Refunds."""
declared = Bundle("declared")
"""Cash on its way: who receives it, the hand-in, the fen."""


class MoneyBack(Buying):
    """Money going back to buyers, and cash going from hand to hand."""

    @rule(target=asked_back, payment_id=started, fen=st.integers(1, 9000), one_line=st.booleans())
    def refund(self, payment_id: UUID, fen: int, one_line: bool) -> Any:
        async def act(session: AsyncSession) -> UUID:
            payment = await session.get_one(Payment, payment_id)
            line = (await orders.lines_of(session, payment.order_id))[0].id if one_line else None
            claim = Claim(fen, "退", self.world.officer, line)
            return (await refunds.request(session, payment_id, claim, now=self.now)).id

        return self.attempt(act)

    @rule()
    def send_refunds(self) -> None:
        """The worker hands over what was decided."""
        for refund_id in self.do(_unsent):
            self.attempt(refunds.send, self.gateway, refund_id, now=self.now)

    @rule(refund_id=asked_back, end=st.sampled_from(["succeed", "fail"]), look=st.booleans())
    def refund_ends(self, refund_id: UUID, end: str, look: bool) -> None:
        """The provider ends a refund, or it comes back from the bank; the market looks after it or will hear."""
        refund: Refund = self.load(Refund, refund_id)
        if (refund.provider_id or "").startswith(("re_", "pyr_")):
            self.run(try_at(self.cashier, f"refunds/{refund.provider_id}/{end}"))
            if look:
                self.attempt(followup.look_after_refund, self.gateway, refund_id, now=self.now)

    @rule(refund_id=asked_back, who=st.sampled_from(["officer", "accountant"]))
    def try_again(self, refund_id: UUID, who: str) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            await refunds.try_again(session, by, refund_id, now=self.now)

        self.attempt_as(who, act)

    @rule(payment_id=started, who=st.sampled_from(["clerk", "organiser"]))
    def take_cash(self, payment_id: UUID, who: str) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            await cash.take(session, by, payment_id, now=self.now)

        self.attempt_as(who, act)

    @rule(target=started, who=st.sampled_from(["buyer", "second_buyer"]), taker=st.sampled_from(["clerk", "organiser"]))
    def buy_with_cash(self, who: str, taker: str) -> Any:
        """What mostly happens with cash: promised, and handed over at the stop."""
        payment_id = self.wanted(who, [("pumpkin", 5), ("millet", 1)], Method.CASH)
        if isinstance(payment_id, UUID):
            self.take_cash(payment_id, taker)
        return payment_id

    @rule(refund_id=asked_back, who=st.sampled_from(["clerk", "organiser", "officer"]))
    def hand_back(self, refund_id: UUID, who: str) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            await cash.hand_back(session, by, refund_id, now=self.now)

        self.attempt_as(who, act)

    @rule(
        target=declared,
        giver=st.sampled_from(["clerk", "organiser", "accountant"]),
        receiver=st.sampled_from(["accountant", "second_accountant", "clerk"]),
        fen=st.integers(1, 20_000),
    )
    def hand_in(self, giver: str, receiver: str, fen: int) -> Any:
        async def act(session: AsyncSession, by: Viewer) -> tuple[str, str, int, int]:
            made = await hand_ins.declare(session, by, Wish(getattr(self.world, receiver), fen), now=self.now)
            return giver, receiver, made.id or 0, fen

        return self.attempt_as(giver, act)

    @rule(hand_in=declared, less=st.sampled_from([0, 0, 1, 500]), how=st.sampled_from(["count", "count", "refuse"]))
    def count(self, hand_in: tuple[str, str, int, int], less: int, how: str) -> None:
        _giver, receiver, hand_in_id, fen = hand_in

        async def act(session: AsyncSession, by: Viewer) -> None:
            if how == "refuse":
                await hand_ins.refuse(session, by, hand_in_id, remark="少了", now=self.now)
            else:
                await hand_ins.count(session, by, hand_in_id, fen - less, now=self.now)

        self.attempt_as(receiver, act)

    @rule(hand_in=declared)
    def keep_after_all(self, hand_in: tuple[str, str, int, int]) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            await hand_ins.withdraw(session, by, hand_in[2], now=self.now)

        self.attempt_as(hand_in[0], act)

    @rule(kind=st.sampled_from(list(SlipKind)), fen=st.integers(1, 20_000), serial=st.sampled_from("123"))
    def bank(self, kind: SlipKind, fen: int, serial: str) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            await bank_slips.enter(session, by, Slip(kind, fen, serial, day_of(self.now)), now=self.now)

        self.attempt_as("accountant", act)

    def arrive(self) -> None:
        """What was decided is sent, and nothing is left that only waits for the worker."""
        self.send_refunds()
        super().arrive()


async def _unsent(session: AsyncSession) -> list[UUID]:
    return list(await session.exec(select(Refund.id).where(col(Refund.state) == RefundState.REQUESTED)))
