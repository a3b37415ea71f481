"""Buyers, sellers, the provider and the clock: orders placed, paid, told of late, run out, taken back, called off."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import calling_off, round_cancellations
from market.goods import listings
from market.people.accounts import Viewer
from market.trade import answers, orders, placing
from market.trade.answers import Gap, Short
from market.trade.orders import HOLD, Order, OrderLine
from market.trade.placing import Item
from payments import called_off, desk, shortages
from payments.records import Method, Payment, PaymentState
from tests import build
from tests.simulator import Cashier
from tests.stories.stage import Stage

BUYERS = ("buyer", "second_buyer", "clerk")
SELLERS = ("wang_account", "zhao_account", "agent")
GOODS = ("mutton", "pumpkin", "millet", "pear", "last_leg")

placed = Bundle("placed")
"""Who ordered, and the order's number."""
started = Bundle("started")
"""Attempts to pay."""


class Buying(Stage):
    """Everything between a buyer's wish and the household's goods."""

    @rule(
        target=placed,
        who=st.sampled_from(BUYERS),
        wanted=st.lists(st.tuples(st.sampled_from(GOODS), st.integers(1, 25)), min_size=1, max_size=3),
    )
    def place(self, who: str, wanted: list[tuple[str, int]]) -> Any:
        items = [Item(getattr(self.world, goods), quantity) for goods, quantity in wanted]

        async def act(session: AsyncSession, buyer: Viewer) -> tuple[str, str]:
            terms = await build.terms(session, self.world, now=self.now)
            return who, (await placing.place(session, buyer, items, terms, now=self.now)).no

        return self.attempt_as(who, act)

    @rule(target=placed, goods=st.sampled_from(GOODS), quantity=st.integers(1, 9))
    def place_for_the_unit(self, goods: str, quantity: int) -> Any:
        async def act(session: AsyncSession) -> tuple[str, str]:
            item = Item(getattr(self.world, goods), quantity)
            return "clerk", (await build.unit_order(session, self.world, item, now=self.now)).no

        return self.attempt(act)

    @rule(target=started, order=placed, method=st.sampled_from(list(Method)))
    def start(self, order: tuple[str, str], method: Method) -> Any:
        who, no = order

        async def act(session: AsyncSession, payer: Viewer) -> UUID:
            way: dict[str, Any] = {"return_url": "http://shop.test", "now": self.now}
            return (await desk.start(session, self.gateway, payer, no, method, **way)).id

        return self.attempt_as(who, act)

    @rule(target=started, who=st.sampled_from(BUYERS), method=st.sampled_from([Method.ALIPAY, Method.WECHAT_PAY]))
    def buy_well(self, who: str, method: Method) -> Any:
        """What mostly happens: ordered, paid and told at once."""
        payment_id = self.wanted(who, [("pumpkin", 2), ("pear", 1)], method)
        if isinstance(payment_id, UUID):
            self.at_the_provider(payment_id, "pay")
            self.hear(payment_id, 1, False, 8)
        return payment_id

    @rule(target=started, who=st.sampled_from(BUYERS), again=st.booleans(), rival=st.booleans())
    def pay_too_late(self, who: str, again: bool, rival: bool) -> Any:
        """The hold runs out at the cashier; perhaps somebody else buys the goods, perhaps the payer pays once more."""
        payment_id = self.wanted(who, [("last_leg", 1)], Method.ALIPAY)
        if not isinstance(payment_id, UUID):
            return multiple()
        self.time_passes(HOLD // timedelta(minutes=1) + 1)
        self.the_clock_comes_by()
        if rival:
            self.place("second_buyer" if who == "buyer" else "buyer", [("last_leg", 1)])
        self.at_the_provider(payment_id, "pay")
        if again:
            payment: Payment = self.load(Payment, payment_id)
            order: Order = self.load(Order, payment.order_id)
            self.start((who, order.no), Method.WECHAT_PAY)
        self.hear(payment_id, 1, False, 8)
        return payment_id

    @rule(payment_id=started, end=st.sampled_from(["pay", "pay", "pay", "fail"]))
    def at_the_provider(self, payment_id: UUID, end: str) -> None:
        """The payer pays, or it fails; the provider refuses what is closed."""
        payment = self.load(Payment, payment_id)
        if payment.provider_id is not None:
            kind = "sessions" if payment.provider_id.startswith("cs_") else "intents"
            self.run(try_at(self.cashier, f"{kind}/{payment.provider_id}/{end}"))

    @rule(payment_id=started, again=st.integers(1, 2), backwards=st.booleans(), most=st.integers(1, 8))
    def hear(self, payment_id: UUID, again: int, backwards: bool, most: int) -> None:
        """Some of the provider's notices arrive, perhaps late, twice or in the wrong order."""
        notices = self.run(self.cashier.notices_about(str(payment_id)))
        for body, signature in (notices[::-1] if backwards else notices)[:most] * again:
            event = self.gateway.verify(body, signature)

            async def act(session: AsyncSession, event: Any = event) -> str:
                return await desk.take_notice(session, self.gateway, event, now=self.now)

            self.attempt(act)

    @rule(order=placed)
    def cancel(self, order: tuple[str, str]) -> None:
        who, no = order

        async def act(session: AsyncSession, buyer: Viewer) -> None:
            await desk.cancel_order(session, buyer, no, why="", now=self.now)

        self.attempt_as(who, act)

    @rule(who=st.sampled_from(SELLERS), order=placed, quantity=st.integers(0, 5), why=st.sampled_from(list(Short)))
    def answer(self, who: str, order: tuple[str, str], quantity: int, why: Short) -> None:
        """A household says it will bring a line, or falls short by so much."""

        async def act(session: AsyncSession, seller: Viewer) -> None:
            own = select(OrderLine.id).join(Order).where(Order.no == order[1])
            for line_id in (await session.exec(own)).all()[:1]:
                if quantity:
                    await shortages.say_short(session, seller, line_id or 0, Gap(quantity, why), now=self.now)
                else:
                    await answers.accept(session, seller, line_id or 0, now=self.now)

        self.attempt_as(who, act)

    @rule(goods=st.sampled_from(["mutton", "pumpkin", "last_leg"]), left=st.integers(0, 60))
    def restock(self, goods: str, left: int) -> None:
        async def act(session: AsyncSession, seller: Viewer) -> None:
            await listings.change_left(session, seller, getattr(self.world, goods), left, now=self.now)

        self.attempt_as("wang_account", act)

    @rule(order=placed, done=st.booleans())
    def call_a_round_off(self, order: tuple[str, str], done: bool) -> None:
        """An officer calls off the round of an order; the worker may come later."""

        async def act(session: AsyncSession, officer: Viewer) -> None:
            found = (await session.exec(select(Order).where(Order.no == order[1]))).one()
            await calling_off.call_off(session, officer, found.stop_id, found.handover_on, why="大雪", now=self.now)

        self.attempt_as("officer", act)
        if done:
            self.end_called_off()

    def end_called_off(self) -> None:
        """What the worker does about rounds called off."""
        for cancellation_id in self.do(round_cancellations.unended):
            waiting = self.do(round_cancellations.waiting, cancellation_id)
            for order_id in waiting:
                self.do(called_off.end, order_id, now=self.now)
            self.do(round_cancellations.finish, cancellation_id, now=self.now)

    @rule(minutes=st.sampled_from([1, 10, 16, 60, 60 * 24, 60 * 24 * 4]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_clock_comes_by(self) -> None:
        """The periodic jobs: holds end, attempts nobody follows are closed."""
        self.do(orders.expire_due, now=self.now)
        self.do(desk.close_left_over, now=self.now)

    def arrive(self) -> None:
        """Every notice comes; no money may have come that nobody knows of."""
        self.end_called_off()
        for payment in self.do(_all_payments):
            self.hear(payment.id, 1, False, 100)
            if payment.provider_id is not None and payment.state is not PaymentState.SUCCEEDED:
                known = self.load(Payment, payment.id)
                seen = self.run(self.gateway.look(payment.provider_id))
                arrived = seen.fate != "succeeded" or known.state is PaymentState.SUCCEEDED
                assert arrived, f"money of {payment.id} arrived and nobody knows"
        super().arrive()

    def wanted(self, who: str, wanted: list[tuple[str, int]], method: Method) -> Any:
        """An order, and an attempt to pay it."""
        order = self.place(who, wanted)
        return self.start(order, method) if isinstance(order, tuple) else multiple()


async def _all_payments(session: AsyncSession) -> list[Payment]:
    return list(await session.exec(select(Payment)))


async def try_at(cashier: Cashier, path: str) -> None:
    """The provider's answer does not matter: what is closed cannot be paid."""
    try:
        await cashier.act(path)
    except httpx.HTTPStatusError:
        return
