"""A card payment as its parts see it: the market's order and attempt, and the payer's card at a provider."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import stripe

from market.ground.db import Database
from market.reports import oversight
from market.trade.orders import Order
from payments import desk, proof, refunds
from payments.records import Method, Payment, Refund
from payments.refunds import Claim
from payments.stripe import Gateway, Statement
from payments.stripe.listing import charged, sent_back
from tests import build
from tests.payments.localstripe.runs import Provider
from tests.world import World

GOOD, BAD = "pm_card_visa", "pm_card_chargeCustomerFail"
"""Test cards both providers know."""


class Unwindowed(Gateway):
    """The product's client, but its list is asked for whole: localstripe knows no window of time."""

    async def statement(self, from_at: datetime, to_at: datetime) -> Statement:  # noqa: ARG002  of any time
        """Charges and refunds as the product reads them, of any time."""
        listed = await self._open.v1.balance_transactions.list_async({"limit": 100, "expand": ["data.source"]})
        moved = [item async for item in listed.auto_paging_iter()]
        return Statement(
            [charged(item.source) for item in moved if item.type == "charge"],
            [sent_back(item.source) for item in moved if item.type == "refund"],
        )


@dataclass
class CardScene:
    """One market and one provider."""

    database: Database
    world: World
    gateway: Gateway
    payer: stripe.StripeClient
    provider: Provider

    @classmethod
    @asynccontextmanager
    async def open(cls, database: Database, world: World, provider: Provider) -> "AsyncIterator[CardScene]":
        gateway, http = Unwindowed(provider.settings()), stripe.HTTPXClient()
        yield cls(database, world, gateway, provider.client(http), provider)
        await gateway.hang_up()
        await http.close_async()  # type: ignore[no-untyped-call]  # the SDK left it untyped

    async def attempt(self, order_id: int | None = None) -> Payment:
        """An attempt to pay an order, a new one unless named, by card: 70.00, the intent not confirmed yet."""
        async with self.database.transaction() as session:
            order_id = order_id or (await build.order(session, self.world, now=now())).id
            payment = Payment(
                order_id=order_id, method=Method.CARD, rail=Method.CARD.rail, amount_fen=7000, started_at=now(),
                started_by=self.world.buyer,
            )  # fmt: skip
            made = await self.payer.v1.payment_intents.create_async({
                "amount": payment.amount_fen, "currency": "cny", **self.provider.by_card,  # type: ignore[typeddict-item]
                "metadata": {"payment_id": str(payment.id)},
            })  # fmt: skip
            payment.provider_id = made.id
            session.add(payment)
        return payment

    async def pay(self, payment: Payment, card: str = GOOD) -> None:
        """The payer gives a card; CardError where the bank says no."""
        await self.provider.charge(self.payer, payment.provider_id or "", card)

    async def paid(self) -> Payment:
        """The same, done and told."""
        payment = await self.attempt()
        await self.pay(payment)
        assert await self.told(payment) == "paid"
        return await self.payment(payment.id)

    async def told(self, payment: Payment) -> str:
        """What a notice leads to: the provider is asked, and the payment brought to where it is."""
        async with self.database.transaction() as session:
            return await desk.catch_up(session, self.gateway, payment, now=now())

    async def refund(self, payment: Payment, fen: int, *, times: int = 1) -> Refund:
        """A refund by staff, handed over."""
        async with self.database.transaction() as session:
            made = await refunds.request(session, payment.id, Claim(fen, "少了", self.world.officer), now=now())
        for _ in range(times):
            async with self.database.transaction() as session:
                await refunds.send(session, self.gateway, made.id, now=now())
        async with self.database.transaction() as session:
            return await session.get_one(Refund, made.id)

    async def payment(self, payment_id: UUID) -> Payment:
        async with self.database.transaction() as session:
            return await session.get_one(Payment, payment_id)

    async def order(self, payment: Payment) -> Order:
        async with self.database.transaction() as session:
            return await session.get_one(Order, payment.order_id)

    async def adds_up(self) -> None:
        async with self.database.transaction() as session:
            assert [*await oversight.differences(session), *await proof.differences(session)] == []


def now() -> datetime:
    return datetime.now(UTC)
