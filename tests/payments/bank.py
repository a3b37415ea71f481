"""A bank for tests: writes statements, has them brought, taken and worked off as the door and the worker would."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import Database
from market.ground.settings import Settings
from market.people import accounts
from market.reports import oversight
from market.trade.placing import Item
from payments import bank_files, bank_rows, desk, payees, proof, settling, statements
from payments.bank_rows import BankRow, Part
from payments.decisions import Word
from payments.outcomes import Outcome, RowState
from payments.records import Method, Payment
from payments.statements import Sent
from payments.stripe import Gateway
from tests import build
from tests.world import BEGIN, World

UNIT = "离石区人社局食堂"
HEAD = "交易日期,收入,支出,对方户名,附言,币种,流水号"


@dataclass(frozen=True)
class Wire:
    """One line of a statement to be."""

    yuan: str
    """What came, or with a minus what went."""
    memo: str = ""
    name: str = ""
    serial: str = ""
    currency: str = "人民币"
    day: str = "2026-11-03"

    def __str__(self) -> str:
        came, went = ("", self.yuan[1:]) if self.yuan.startswith("-") else (self.yuan, "")
        return f"{self.day},{came},{went},{self.name},{self.memo},{self.currency},{self.serial}"


def file(*wires: Wire) -> bytes:
    """The bank's file of these lines."""
    return "\n".join([HEAD, *map(str, wires)]).encode()


@dataclass
class Bank:
    """The county's payee and its accountant."""

    database: Database
    world: World
    payee_id: int = 0
    accountant: int = 0

    async def open(self) -> "Bank":
        async with self.database.transaction() as session:
            known = await payees.open_in(session, "141102")
            self.payee_id = (known or await build.payee(session, self.world)).id or 0
        self.accountant = self.world.accountant
        return self

    async def word(self, session: AsyncSession, why: str = "查过了") -> Word:
        return Word(await accounts.viewer_of(session, self.accountant), why)

    async def promised(self, *items: Item, buyer: int = 0, now: datetime = BEGIN) -> Payment:
        """An order somebody promised a transfer for: the work unit's, or this buyer's own."""
        async with self.database.transaction() as session:
            if buyer:
                placed = await build.order(session, self.world, *items, buyer=buyer, now=now)
            else:
                placed = await build.unit_order(session, self.world, *items, now=now)
            payer = await accounts.viewer_of(session, buyer or self.world.clerk)
            closed = Gateway(Settings(demo=True))
            return await desk.start(session, closed, payer, placed.no, Method.TRANSFER, return_url="", now=now)

    async def bring(self, content: bytes, name: str = "对账单.csv") -> int:
        """Have the file previewed; the statement's id."""
        async with self.database.transaction() as session:
            viewer = await accounts.viewer_of(session, self.accountant)
            sent = Sent(name, hashlib.sha256(content).hexdigest(), bank_files.read(content, name))
            statement = await statements.bring(session, viewer, self.payee_id, sent, now=BEGIN)
            return statement.id or 0

    async def take(self, statement_id: int, now: datetime = BEGIN) -> None:
        async with self.database.transaction() as session:
            viewer = await accounts.viewer_of(session, self.accountant)
            await statements.take(session, viewer, statement_id, now=now)

    async def settle(self, statement_id: int, now: datetime = BEGIN) -> None:
        """What the worker does, each part in a transaction of its own."""
        async with self.database.transaction() as session:
            waiting = await settling.agreed(session, statement_id)
        for part_id in waiting:
            async with self.database.transaction() as session:
                await settling.settle(session, part_id, now=now)

    async def tells(self, *wires: Wire, now: datetime = BEGIN) -> int:
        """A statement of these lines, brought, taken and worked off."""
        statement_id = await self.bring(file(*wires))
        await self.take(statement_id, now)
        await self.settle(statement_id, now)
        return statement_id

    async def rows(self, statement_id: int) -> Sequence[BankRow]:
        async with self.database.transaction() as session:
            return (await session.exec(statements.rows_of(statement_id))).all()

    async def found(self, statement_id: int) -> list[tuple[Outcome, RowState]]:
        return [(row.outcome, row.state) for row in await self.rows(statement_id)]

    async def row(self, statement_id: int) -> int:
        """The id of a statement's only line."""
        (row,) = await self.rows(statement_id)
        return row.id or 0

    async def parts(self, row_id: int) -> Sequence[Part]:
        async with self.database.transaction() as session:
            return (await session.exec(bank_rows.parts_of(row_id))).all()

    async def payment(self, payment: Payment) -> Payment:
        """The payment as it is now."""
        async with self.database.transaction() as session:
            return (await session.exec(select(Payment).where(Payment.id == payment.id))).one()

    async def balances(self) -> dict[str, int]:
        async with self.database.transaction() as session:
            return await build.balances(session)

    async def check(self) -> None:
        """Everything adds up."""
        async with self.database.transaction() as session:
            assert await proof.differences(session) == []
            assert await oversight.differences(session) == []
