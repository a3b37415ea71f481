"""Buyers and staff over HTTP, who notice only that an answer did not come, and then ask again under the same key."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx
from sqlmodel import col, select

from market.goods import listings, stock
from market.goods.listings import Listing
from market.goods.produce import Produce
from market.ground.clock import now as this_instant
from market.ground.db import Database
from market.people import accounts
from market.people.accounts import Account, Role
from tests.crashes.diary import Diary
from tests.webs import Web
from tests.world import World

_LEFT = {"mutton": 400, "pumpkin": 2000, "millet": 500, "pear": 60}
"""Pears run out, so that some are refused and some orders lose their goods."""
_FRESH = httpx.Limits(keepalive_expiry=2)
"""A server closes a connection after five idle seconds; one taken up again at that instant would break."""


@dataclass
class Crowd:
    """Everybody who uses the market, and how they reach it."""

    world: World
    webs: list[Web]
    tokens: list[str]
    officer: str
    clerk: str
    chance: random.Random
    diary: Diary = field(default_factory=Diary)
    http: httpx.AsyncClient = field(
        default_factory=lambda: httpx.AsyncClient(timeout=20, limits=_FRESH, trust_env=False)
    )
    closing: bool = False
    asked: int = 0

    async def live(self) -> None:
        """Everybody buys until the market closes."""
        await asyncio.gather(*(self._buy_on(token) for token in self.tokens))

    async def _buy_on(self, token: str) -> None:
        while not self.closing:
            await self._buy(token)
            await asyncio.sleep(self.chance.uniform(0, 0.05))

    async def _buy(self, token: str) -> None:
        key = self._key()
        lines = [
            {"listing_id": getattr(self.world, goods), "quantity": self.chance.randint(1, 2)}
            for goods in self.chance.sample(sorted(_LEFT), self.chance.randint(1, 3))
        ]
        wish = {"wallet": "personal", "stop_id": self.world.stop, "lines": lines, "note": key}
        order = await self._ask(token, "orders", wish, key)
        if order is None:
            return
        self.diary.orders[key] = order["no"]
        method = self.chance.choice(["alipay", "alipay", "alipay", "cash", None])
        payment = method and await self._ask(token, f"orders/{order['no']}/payments", {"method": method})
        if payment:
            self.diary.started.add(UUID(payment["id"]))
            await self._pay(token, order["no"], payment)
        elif self.chance.random() < 0.5:
            await self._cancel(token, order["no"])

    async def _pay(self, token: str, no: str, payment: dict[str, Any]) -> None:
        """Pay, at times while taking the order back, and then perhaps want some or all of the money again."""
        way = self._at_the_cashier if payment["method"] == "alipay" else self._in_cash
        if self.chance.random() < 0.2:
            await asyncio.gather(way(payment), self._cancel(token, no))
            return
        await way(payment)
        if payment["method"] == "alipay" and self.chance.random() < 0.5:
            await asyncio.sleep(self.chance.uniform(0, 0.3))  # the notice is on its way
            for _ in range(self.chance.randint(1, 3)):
                await self._refund(payment, self.chance.randint(1, payment["amount_fen"]))
        elif self.chance.random() < 0.2:
            await self._cancel(token, no)

    async def _at_the_cashier(self, payment: dict[str, Any]) -> None:
        answer = await self.http.post(payment["next"]["redirect_url"], data={"outcome": "pay"})
        if "redirect_status=succeeded" in answer.headers.get("location", ""):
            self.diary.charged.add(UUID(payment["id"]))

    async def _in_cash(self, payment: dict[str, Any]) -> None:
        if await self._ask(self.clerk, f"payments/{payment['id']}/receipt", {}):
            self.diary.cash.add(UUID(payment["id"]))

    async def _cancel(self, token: str, no: str) -> None:
        if await self._ask(token, f"orders/{no}/cancellation", {}):
            self.diary.cancelled.add(no)

    async def _refund(self, payment: dict[str, Any], fen: int) -> None:
        key = self._key()
        made = await self._ask(
            self.officer, f"payments/{payment['id']}/refunds", {"amount_fen": fen, "reason": key}, key
        )
        if made is not None:
            self.diary.refunds[key] = (UUID(made["id"]), made["amount_fen"])

    async def _ask(self, token: str, path: str, wish: dict[str, Any], key: str = "") -> dict[str, Any] | None:
        """The answer to a call that was done; None where it was refused, or where the caller gave up waiting."""
        headers = {"authorization": f"Bearer {token}", "idempotency-key": key or self._key()}
        gives_up = self.chance.random() < 0.2
        while True:
            url = f"{self.chance.choice(self.webs).url}/api/v1/{path}"
            try:
                answer = await self.http.post(url, json=wish, headers=headers)
            except httpx.TransportError as error:
                never_sent = isinstance(error, httpx.ConnectError)
                self.diary.answers["closed" if never_sent else "cut off"] += 1
                if gives_up and not never_sent:
                    return None
                await asyncio.sleep(0.05)
                continue
            self.diary.answers[str(answer.status_code)] += 1
            if answer.is_success:
                return dict(answer.json())
            if answer.status_code != 503 and answer.json().get("error") != "StillRunning":
                return None
            await asyncio.sleep(0.1)

    def _key(self) -> str:
        self.asked += 1
        return f"wish-{self.asked}"


async def fresh_goods(database: Database) -> None:
    """All goods as if they came in just now: web processes go by the real clock, and every hour stop what is spoilt."""
    now = this_instant()
    async with database.transaction() as session:
        for listing, item in await session.exec(
            select(Listing, Produce).join(Produce, col(Produce.code) == Listing.produce_code)
        ):
            listings.set_ready(listing, item, None, now=now)


async def gathered(database: Database, world: World, webs: list[Web], *, buyers: int, chance: random.Random) -> Crowd:
    """A crowd with its tokens, and enough on the shelves for it."""
    now = this_instant()
    async with database.transaction() as session:
        for goods, left in _LEFT.items():
            await stock.set_left(
                session, getattr(world, goods), left, by=world.wang_account, kind=stock.Move.CHANGED, now=now
            )
        tokens = []
        for at in range(buyers):
            account = await accounts.sign_up(session, phone=f"1970000{at:04d}", now=now)
            await accounts.grant(session, account, Role.MEMBER, now=now, work_unit_id=world.work_unit)
            tokens.append(await accounts.new_token(session, account, now=now))
        staff = [
            await accounts.new_token(session, await session.get_one(Account, account_id), now=now)
            for account_id in (world.officer, world.clerk)
        ]
    return Crowd(world, webs, tokens, staff[0], staff[1], chance)
