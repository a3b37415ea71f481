"""What every story stands on: a market of its own, a clock, a provider, and the proof after every step."""

import asyncio
import os
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, multiple
from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import Database, run
from market.ground.errors import MarketError
from market.people import accounts
from market.people.accounts import Viewer
from market.reports import oversight
from payments import proof
from tests import build
from tests.simulator import Cashier
from tests.world import BEGIN, World

TOLD: Counter[str] = Counter()
"""Where everything ended in all stories so far, so that a person sees that they are worth telling."""
_ENDS = text("""
    SELECT 'order ' || state FROM orders UNION ALL SELECT 'payment ' || method || ' ' || state FROM payments
    UNION ALL SELECT 'refund ' || state FROM refunds UNION ALL SELECT 'payout ' || rail || ' ' || state FROM payouts
    UNION ALL SELECT 'bank row ' || outcome || ' ' || state FROM bank_rows
    UNION ALL SELECT 'hand-in ' || state FROM hand_ins UNION ALL SELECT 'slip ' || kind FROM bank_slips
    UNION ALL SELECT 'round order ' || outcome FROM called_off_orders
    UNION ALL SELECT 'household below zero' FROM postings WHERE book = 'payable'
        GROUP BY household_id HAVING sum(amount_fen) < 0
""")
Act = Callable[..., Awaitable[Any]]
"""Something done in a transaction: its session comes first."""
ActOf = Callable[[AsyncSession, Viewer], Awaitable[Any]]


class Stage(RuleBasedStateMachine):
    """One market with one history."""

    def __init__(self, server: str, template: tuple[str, World], cashier: Cashier) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.server, (self.template, self.world), self.cashier = server, template, cashier
        self.now = BEGIN
        self.name = f"story_{os.getpid()}_{os.urandom(4).hex()}"

    @initialize()
    def begin(self) -> None:
        """A fresh copy of the small world, a client of the provider, a bank account, and cards of two households."""
        self._maintain(f'CREATE DATABASE "{self.name}" TEMPLATE "{self.template}" STRATEGY FILE_COPY')
        head, _, query = self.server.partition("?")
        self.database = Database(f"{head.rpartition('/')[0]}/{self.name}?{query}", pool=4)
        self.gateway = self.cashier.gateway()
        self.payee_id = self.do(self._open_accounts)

    async def _open_accounts(self, session: AsyncSession) -> int:
        for household in (self.world.wang, self.world.zhao):
            await build.card(session, self.world, household)
        return (await build.payee(session, self.world)).id or 0

    def teardown(self) -> None:
        """Let everything that is on its way arrive; then nothing may be missing."""
        try:
            if hasattr(self, "database"):
                self.arrive()
                self.adds_up()
                TOLD.update(self.do(_ends))
        finally:
            self.run(self._close())
            self._maintain(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
            self.runner.close()

    @invariant()
    def adds_up(self) -> None:
        """Stock, books, payments, refunds, payouts, cash and bank statements tell one story."""
        if hasattr(self, "database"):
            found = self.do(_differences)
            assert not found, found

    def arrive(self) -> None:
        """Everything that is on its way comes to its end."""

    def run(self, work: Awaitable[Any]) -> Any:
        return self.runner.run(_awaited(work))

    def do(self, act: Act, *args: Any, **kwargs: Any) -> Any:
        """Something that must succeed, in a transaction of its own."""
        return self.run(_in_transaction(self.database, act, *args, **kwargs))

    def load(self, table: type[Any], key: Any) -> Any:
        """A row as it is now."""
        return self.do(AsyncSession.get_one, table, key)

    def attempt(self, act: Act, *args: Any, **kwargs: Any) -> Any:
        """Something the market may refuse: then it is as if it had not been tried, and no value comes of it."""
        try:
            made = self.do(act, *args, **kwargs)
        except MarketError:
            return multiple()
        return multiple() if made is None else made

    def attempt_as(self, who: str, act: ActOf) -> Any:
        """The same, tried by somebody of the small world."""

        async def theirs(session: AsyncSession) -> Any:
            return await act(session, await accounts.viewer_of(session, getattr(self.world, who)))

        return self.attempt(theirs)

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


async def _in_transaction(database: Database, act: Act, *args: Any, **kwargs: Any) -> Any:
    async with database.transaction() as session:
        return await act(session, *args, **kwargs)


async def _ends(session: AsyncSession) -> list[str]:
    return list((await run(session, _ENDS)).scalars())


async def _differences(session: AsyncSession) -> list[Any]:
    return [*await oversight.differences(session), *await proof.differences(session)]
