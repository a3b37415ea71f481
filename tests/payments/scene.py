"""A market, a provider, and what goes on between them: one payment told or not, one refund sent or not."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

import stripe
from sqlalchemy import text
from sqlmodel import select

from market.ground.db import Database, run
from market.people import accounts
from market.reports import oversight
from market.trade.placing import Item
from payments import desk, proof, reconcile, reconciliations, refunds
from payments.reconcile import Window
from payments.reconciliations import Condition, Difference, Kind, Reconciliation
from payments.records import Method, Payment, Refund
from payments.refunds import Claim
from payments.stripe import Gateway
from tests import build
from tests.simulator import Cashier
from tests.world import World

BACK = "http://shop.test/orders/x/return"


def now() -> datetime:
    return datetime.now(UTC)


@dataclass
class Scene:
    """Everything a comparison stands between."""

    database: Database
    world: World
    gateway: Gateway
    cashier: Cashier
    dashboard: stripe.StripeClient
    """The provider's own dashboard, so to speak: calls the market does not know of."""

    async def start(self, *items: Item, method: Method = Method.ALIPAY) -> Payment:
        """An order somebody is about to pay."""
        async with self.database.transaction() as session:
            no = (await build.order(session, self.world, *items, now=now())).no
        async with self.database.transaction() as session:
            buyer = await accounts.viewer_of(session, self.world.buyer)
            return await desk.start(session, self.gateway, buyer, no, method, return_url=BACK, now=now())

    async def pay(self, *items: Item, method: Method = Method.ALIPAY) -> Payment:
        """The same, paid at the provider; nobody told us."""
        payment = await self.start(*items, method=method)
        await self.cashier.pay(payment)
        return payment

    async def paid(self, *items: Item) -> Payment:
        """The same, and told."""
        payment = await self.pay(*items)
        async with self.database.transaction() as session:
            seen = await self.gateway.look(payment.provider_id or "")
            assert await desk.settle(session, payment.id, seen, now=now()) == "paid"
        return await self.payment(payment.id)

    async def refund(self, payment: Payment, fen: int = 3000, *, sent: bool = True) -> Refund:
        """A refund by staff, handed over or not."""
        async with self.database.transaction() as session:
            refund = await refunds.request(session, payment.id, Claim(fen, "少了", self.world.officer), now=now())
        if sent:
            async with self.database.transaction() as session:
                await refunds.send(session, self.gateway, refund.id, now=now())
        return await self.refund_of(refund.id)

    async def compare(self, window: Window | None = None) -> list[tuple[Kind, Condition]]:
        """Compare; what was found and what became of it."""
        made = await self.run(window)
        async with self.database.transaction() as session:
            return [(found.kind, found.condition) for found in await reconciliations.found_by(session, made)]

    async def run(self, window: Window | None = None) -> Reconciliation:
        """Compare; by default all that happened here, in one piece: a charge and its refund are looked at together."""
        whole = Window(now() - timedelta(hours=20), now() + timedelta(seconds=1))
        return await reconcile.reconcile(self.database, self.gateway, window or whole, now=now())

    async def payment(self, payment_id: UUID) -> Payment:
        async with self.database.transaction() as session:
            return await session.get_one(Payment, payment_id)

    async def refund_of(self, refund_id: UUID) -> Refund:
        async with self.database.transaction() as session:
            return await session.get_one(Refund, refund_id)

    async def differences(self) -> list[Difference]:
        async with self.database.transaction() as session:
            return list(await session.exec(select(Difference).order_by(text("id"))))

    async def harm(self, statement: str, **values: object) -> None:
        """Change rows behind the market's back."""
        async with self.database.transaction() as session:
            await run(session, text("SET LOCAL session_replication_role = replica"))
            await run(session, text(statement), values)

    async def everything(self) -> dict[str, list[str]]:
        """Every row that money leaves, to be compared."""
        tables = ("orders", "order_moves", "payments", "payment_moves", "refunds", "refund_moves", "postings", "stock")
        async with self.database.transaction() as session:
            return {
                table: [str(row) for row in await run(session, text(f"SELECT t FROM {table} t ORDER BY 1"))]  # noqa: S608
                for table in tables
            }

    async def adds_up(self) -> None:
        async with self.database.transaction() as session:
            assert [*await oversight.differences(session), *await proof.differences(session)] == []
