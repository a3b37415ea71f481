"""A machine that lives any story: buyers, sellers, clerks, a provider and a clock, each doing what comes to mind.

What the market refuses is part of the story. What it must never do is stop adding up: every invariant is proven after
every step, and at the end, when all notices have come and all jobs have run, nothing may be left hanging.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx
from hypothesis import event
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import listings
from market.ground.clock import day_of
from market.ground.db import Database
from market.ground.errors import MarketError
from market.people import accounts
from market.reports import oversight
from market.trade import orders, placing
from market.trade.orders import Order
from market.trade.placing import Item
from payments import bank_slips, cash, desk, hand_ins, proof, refunds
from payments.bank_slips import Slip
from payments.cash_records import SlipKind
from payments.hand_ins import Wish
from payments.records import Method, Payment, PaymentState, Refund, RefundState
from payments.refunds import Claim
from tests import build
from tests.simulator import Cashier
from tests.world import BEGIN, World

BUYERS = ("buyer", "second_buyer", "clerk")
GOODS = ("mutton", "pumpkin", "millet", "pear", "last_leg")
Act = Callable[[AsyncSession], Awaitable[Any]]


class Story(RuleBasedStateMachine):
    """One market with one history."""

    placed = Bundle("placed")
    started = Bundle("started")
    asked_back = Bundle("asked_back")
    declared = Bundle("declared")

    def __init__(self, server: str, template: tuple[str, World], cashier: Cashier) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.server, (self.template, self.world), self.cashier = server, template, cashier
        self.now = BEGIN
        self.name = f"story_{os.getpid()}_{os.urandom(4).hex()}"

    # --- the stage ---------------------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        """A fresh copy of the small world, and a client of the provider."""
        self._maintain(f'CREATE DATABASE "{self.name}" TEMPLATE "{self.template}" STRATEGY FILE_COPY')
        head, _, query = self.server.partition("?")
        self.database = Database(f"{head.rpartition('/')[0]}/{self.name}?{query}", pool=4)
        self.gateway = self.cashier.gateway()

    def teardown(self) -> None:
        """Let everything that is on its way arrive; then nothing may be missing."""
        try:
            self._arrive()
            self.adds_up()
        finally:
            self.run(self._close())
            self._maintain(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
            self.runner.close()

    @invariant()
    def adds_up(self) -> None:
        """Stock, books, payments and refunds tell one story."""
        if hasattr(self, "database"):
            assert self.do(_differences) == []

    # --- what people do ----------------------------------------------------------------------------------------------

    @rule(
        target=placed,
        who=st.sampled_from(BUYERS),
        wanted=st.lists(st.tuples(st.sampled_from(GOODS), st.integers(1, 25)), min_size=1, max_size=3),
    )
    def place(self, who: str, wanted: list[tuple[str, int]]) -> Any:
        items = [Item(getattr(self.world, goods), quantity) for goods, quantity in wanted]

        async def act(session: AsyncSession) -> tuple[str, str]:
            buyer = await accounts.viewer_of(session, getattr(self.world, who))
            terms = await build.terms(session, self.world, now=self.now)
            return who, (await placing.place(session, buyer, items, terms, now=self.now)).no

        made = self.attempt(act)
        return made if made is not None else multiple()

    @rule(target=started, order=placed, method=st.sampled_from(list(Method)))
    def start(self, order: tuple[str, str], method: Method) -> Any:
        who, no = order

        async def act(session: AsyncSession) -> UUID:
            payer = await accounts.viewer_of(session, getattr(self.world, who))
            way = {"return_url": "http://shop.test", "now": self.now}
            return (await desk.start(session, self.gateway, payer, no, method, **way)).id  # type: ignore[arg-type]

        made = self.attempt(act)
        return made if made is not None else multiple()

    @rule(target=started, who=st.sampled_from(BUYERS), method=st.sampled_from([Method.ALIPAY, Method.WECHAT_PAY]))
    def buy_well(self, who: str, method: Method) -> Any:
        """What mostly happens: ordered, paid and told at once."""
        order = self.place(who, [("pumpkin", 2), ("pear", 1)])
        payment_id = self.start(order, method) if isinstance(order, tuple) else None
        if not isinstance(payment_id, UUID):
            return multiple()
        self.at_the_provider(payment_id, "pay")
        self.hear(payment_id, 1, False, 8)
        return payment_id

    @rule(payment_id=started, end=st.sampled_from(["pay", "pay", "pay", "fail"]))
    def at_the_provider(self, payment_id: UUID, end: str) -> None:
        """The payer pays, or it fails; the provider refuses what is closed."""
        payment = self.do(lambda session: session.get_one(Payment, payment_id))
        if payment.provider_id is not None:
            kind = "sessions" if payment.provider_id.startswith("cs_") else "intents"
            self.run(_try_at(self.cashier, f"{kind}/{payment.provider_id}/{end}"))

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

        async def act(session: AsyncSession) -> None:
            buyer = await accounts.viewer_of(session, getattr(self.world, who))
            await desk.cancel_order(session, buyer, no, why="", now=self.now)

        self.attempt(act)

    @rule(target=asked_back, payment_id=started, fen=st.integers(1, 9000), one_line=st.booleans())
    def refund(self, payment_id: UUID, fen: int, one_line: bool) -> Any:
        async def act(session: AsyncSession) -> UUID:
            payment = await session.get_one(Payment, payment_id)
            line = (await orders.lines_of(session, payment.order_id))[0].id if one_line else None
            claim = Claim(fen, "退", self.world.officer, line)
            return (await refunds.request(session, payment_id, claim, now=self.now)).id

        made = self.attempt(act)
        return made if made is not None else multiple()

    @rule(payment_id=started, who=st.sampled_from(["clerk", "organiser"]))
    def take_cash(self, payment_id: UUID, who: str) -> None:
        async def act(session: AsyncSession) -> None:
            await cash.take(
                session, await accounts.viewer_of(session, getattr(self.world, who)), payment_id, now=self.now
            )

        self.attempt(act)

    @rule(refund_id=consumes(asked_back))
    def hand_back(self, refund_id: UUID) -> None:
        async def act(session: AsyncSession) -> None:
            await cash.hand_back(session, await accounts.viewer_of(session, self.world.clerk), refund_id, now=self.now)

        self.attempt(act)

    @rule(
        target=declared,
        giver=st.sampled_from(["clerk", "organiser", "accountant"]),
        receiver=st.sampled_from(["accountant", "second_accountant", "clerk"]),
        fen=st.integers(1, 20_000),
    )
    def hand_in(self, giver: str, receiver: str, fen: int) -> Any:
        async def act(session: AsyncSession) -> tuple[str, int, int]:
            by = await accounts.viewer_of(session, getattr(self.world, giver))
            made = await hand_ins.declare(session, by, Wish(getattr(self.world, receiver), fen), now=self.now)
            return receiver, made.id or 0, fen

        made = self.attempt(act)
        return made if made is not None else multiple()

    @rule(hand_in=declared, less=st.sampled_from([0, 0, 1, 500]), refused=st.booleans())
    def count(self, hand_in: tuple[str, int, int], less: int, refused: bool) -> None:
        receiver, hand_in_id, fen = hand_in

        async def act(session: AsyncSession) -> None:
            by = await accounts.viewer_of(session, getattr(self.world, receiver))
            if refused:
                await hand_ins.refuse(session, by, hand_in_id, remark="少了", now=self.now)
            else:
                await hand_ins.count(session, by, hand_in_id, fen - less, now=self.now)

        self.attempt(act)

    @rule(kind=st.sampled_from(list(SlipKind)), fen=st.integers(1, 20_000), serial=st.sampled_from("123"))
    def bank(self, kind: SlipKind, fen: int, serial: str) -> None:
        async def act(session: AsyncSession) -> None:
            by = await accounts.viewer_of(session, self.world.accountant)
            await bank_slips.enter(session, by, Slip(kind, fen, serial, day_of(self.now)), now=self.now)

        self.attempt(act)

    @rule(goods=st.sampled_from(["mutton", "pumpkin", "last_leg"]), left=st.integers(0, 60))
    def restock(self, goods: str, left: int) -> None:
        async def act(session: AsyncSession) -> None:
            seller = await accounts.viewer_of(session, self.world.wang_account)
            await listings.change_left(session, seller, getattr(self.world, goods), left, now=self.now)

        self.attempt(act)

    @rule(minutes=st.sampled_from([1, 10, 16, 60, 60 * 24, 60 * 24 * 4]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def the_clock_comes_by(self) -> None:
        """The periodic jobs: holds end, attempts nobody follows are closed, refunds are sent."""

        async def expire(session: AsyncSession) -> None:
            await orders.expire_due(session, now=self.now)

        async def close(session: AsyncSession) -> None:
            await desk.close_left_over(session, now=self.now)

        self.do(expire)
        self.do(close)
        for refund_id in self.do(_unsent):

            async def send(session: AsyncSession, refund_id: UUID = refund_id) -> None:
                await refunds.send(session, self.gateway, refund_id, now=self.now)

            self.attempt(send)

    # --- how it is done ----------------------------------------------------------------------------------------------

    def run(self, work: Awaitable[Any]) -> Any:
        return self.runner.run(_awaited(work))

    def do(self, act: Act) -> Any:
        """Something that must succeed, in a transaction of its own."""
        return self.run(_in_transaction(self.database, act))

    def attempt(self, act: Act) -> Any:
        """Something the market may refuse: then it is as if it had not been tried."""
        try:
            return self.do(act)
        except MarketError:
            return None

    def _arrive(self) -> None:
        if not hasattr(self, "database"):
            return
        for payment in self.do(_all_payments):
            self.hear(payment.id, 1, False, 100)
        self.the_clock_comes_by()
        for payment in self.do(_all_payments):
            self.hear(payment.id, 1, False, 100)
            if payment.provider_id is not None and payment.state is not PaymentState.SUCCEEDED:
                seen = self.run(self.gateway.look(payment.provider_id))
                assert seen.fate != "succeeded", f"money of {payment.id} arrived and nobody knows"
        for order in self.do(_all_orders):
            event(f"an order ends {order.state}")

    async def _close(self) -> None:
        if hasattr(self, "database"):
            await self.gateway.hang_up()
            await self.database.close()

    def _maintain(self, statement: str) -> None:
        async def act() -> None:
            connection: asyncpg.Connection[Any] = await asyncpg.connect(self.server)
            await connection.execute(statement)
            await connection.close()

        self.run(act())


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


async def _in_transaction(database: Database, act: Act) -> Any:
    async with database.transaction() as session:
        return await act(session)


async def _differences(session: AsyncSession) -> list[Any]:
    return [*await oversight.differences(session), *await proof.differences(session)]


async def _unsent(session: AsyncSession) -> list[UUID]:
    return list(await session.exec(select(Refund.id).where(col(Refund.state) == RefundState.REQUESTED)))


async def _all_payments(session: AsyncSession) -> list[Payment]:
    return list(await session.exec(select(Payment)))


async def _all_orders(session: AsyncSession) -> list[Order]:
    return list(await session.exec(select(Order)))


async def _try_at(cashier: Cashier, path: str) -> None:
    """The provider's answer does not matter: what is closed cannot be paid."""
    try:
        await cashier.act(path)
    except httpx.HTTPStatusError:
        return
