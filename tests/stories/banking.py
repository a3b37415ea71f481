"""Bank transfers: promised, told of by statements in every way a bank can tell, decided by people, sent back."""

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, multiple, rule
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.clock import day_of
from market.people import accounts
from market.people.accounts import Viewer
from market.trade.orders import Order
from payments import asides, bank_files, decisions, remittances, settling, statements
from payments.bank_rows import BankRow
from payments.decisions import Word
from payments.outcomes import ASIDE, Use
from payments.records import Method, Payment, Refund
from payments.statements import Sent
from tests.payments.bank import Wire, file
from tests.stories.buying import Buying, placed, started
from tests.stories.money_back import asked_back

told = Bundle("told")
"""Statements brought."""
promised = Bundle("promised")
"""Attempts to pay by transfer."""
Decision = Callable[[AsyncSession, Word, int], Awaitable[BankRow]]
AMOUNTS = st.sampled_from(["due", "due", "due", "half", "half", "a little less", "more", "double"])
MEMOS = st.sampled_from(["reference", "reference", "reference", "spaced", "slip", "number", "nothing", "came back"])


class Banking(Buying):
    """Money that comes and goes by the county's bank account."""

    @rule(target=promised, who=st.sampled_from(["buyer", "second_buyer", "unit"]))
    def promise(self, who: str) -> Any:
        order = (
            self.place_for_the_unit("mutton", 2) if who == "unit" else self.place(who, [("pumpkin", 3), ("millet", 1)])
        )
        return self.start(order, Method.TRANSFER) if isinstance(order, tuple) else multiple()

    @rule(target=promised, who=st.sampled_from(["buyer", "second_buyer", "unit"]))
    def transfer_well(self, who: str) -> Any:
        """What mostly happens: promised, transferred, told of, paid."""
        payment_id = self.promise(who)
        if isinstance(payment_id, UUID):
            self.told_of_money([(payment_id, "due", "reference")], payment_id.hex[:6], "人民币", True)
        return payment_id

    @rule(
        target=told,
        about=st.lists(st.tuples(st.one_of(promised, started), AMOUNTS, MEMOS), min_size=1, max_size=3),
        serial=st.sampled_from(["", "A", "B"]),
        currency=st.sampled_from(["人民币", "人民币", "人民币", "美元"]),
        works=st.booleans(),
    )
    def told_of_money(self, about: list[tuple[UUID, str, str]], serial: str, currency: str, works: bool) -> Any:
        """The bank's file: lines in any order, some wrong, some told before."""
        wires = [self._wire(self.load(Payment, payment_id), amount, memo) for payment_id, amount, memo in about]
        lines = [Wire(yuan, memo, serial=serial, currency=currency, day=self._day()) for yuan, memo in wires]
        return self._bring(lines, works=works)

    @rule(target=told, refund_id=asked_back, sign=st.sampled_from(["-", "-", ""]), named=st.booleans())
    def told_of_money_back(self, refund_id: UUID, sign: str, named: bool) -> Any:
        """A line of money that went to a buyer, or came back from there."""
        refund: Refund = self.load(Refund, refund_id)
        payment: Payment = self.load(Payment, refund.payment_id)
        memo = f"{'退汇 ' if not sign else ''}{payment.reference or '' if named else ''}"
        return self._bring([Wire(sign + _yuan(refund.amount_fen), memo, "离石区人社局", day=self._day())], works=True)

    @rule(statement_id=told, how=st.sampled_from(["take", "take", "discard", "look_again"]))
    def take(self, statement_id: int, how: str) -> None:
        async def act(session: AsyncSession, by: Viewer) -> None:
            await getattr(statements, how)(session, by, statement_id, now=self.now)

        self.attempt_as("second_accountant", act)

    @rule()
    def settle(self) -> None:
        """What the worker does with all that was agreed."""
        for statement_id in self.do(settling.unsettled):
            for part_id in self.do(settling.agreed, statement_id):
                self.do(settling.settle, part_id, now=self.now)

    @rule(statement_id=told, at=st.integers(0, 2), rest_back=st.booleans(), works=st.booleans())
    def confirm(self, statement_id: int, at: int, rest_back: bool, works: bool) -> None:
        def decision(session: AsyncSession, word: Word, row_id: int) -> Awaitable[BankRow]:
            return decisions.confirm(session, word, row_id, rest_back=rest_back, now=self.now)

        self._decide(statement_id, at, decision, works=works)

    @rule(statement_id=told, at=st.integers(0, 2), to=st.lists(placed, min_size=1, max_size=2), works=st.booleans())
    def give(self, statement_id: int, at: int, to: list[tuple[str, str]], works: bool) -> None:
        def decision(session: AsyncSession, word: Word, row_id: int) -> Awaitable[BankRow]:
            return decisions.give(session, word, row_id, [no for _who, no in to], now=self.now)

        self._decide(statement_id, at, decision, works=works)

    @rule(statement_id=told, at=st.integers(0, 2), of=st.one_of(promised, started))
    def send_back(self, statement_id: int, at: int, of: UUID) -> None:
        async def decision(session: AsyncSession, word: Word, row_id: int) -> BankRow:
            order = await session.get_one(Order, (await session.get_one(Payment, of)).order_id)
            return await decisions.send_back(session, word, row_id, order.no, now=self.now)

        self._decide(statement_id, at, decision)

    @rule(statement_id=told, at=st.integers(0, 2), of=st.lists(asked_back, min_size=1, max_size=2, unique=True))
    def give_refunds(self, statement_id: int, at: int, of: list[UUID]) -> None:
        def decision(session: AsyncSession, word: Word, row_id: int) -> Awaitable[BankRow]:
            return decisions.give_refunds(session, word, row_id, of, now=self.now)

        self._decide(statement_id, at, decision, works=True)

    @rule(statement_id=told, at=st.integers(0, 2), use=st.sampled_from([*ASIDE, None]))
    def set_aside(self, statement_id: int, at: int, use: Use | None) -> None:
        """Put aside, or, without a use, taken up again."""

        def decision(session: AsyncSession, word: Word, row_id: int) -> Awaitable[BankRow]:
            if use is None:
                return asides.take_up_again(session, word, row_id, now=self.now)
            return asides.set_aside(session, word, row_id, use, now=self.now)

        self._decide(statement_id, at, decision)

    @rule(statement_id=told, at=st.integers(0, 2), other=told)
    def return_to(self, statement_id: int, at: int, other: int) -> None:
        async def decision(session: AsyncSession, word: Word, row_id: int) -> BankRow:
            came = (await session.exec(statements.rows_of(other))).all()
            return await asides.return_to(session, word, row_id, (came[0].id if came else 0) or 0, now=self.now)

        self._decide(statement_id, at, decision)

    @rule(refund_id=asked_back, serial=st.sampled_from("789"))
    def remit(self, refund_id: UUID, serial: str) -> None:
        """A person sends a refund by transfer and copies the bank's number."""

        async def act(session: AsyncSession, by: Viewer) -> None:
            await remittances.record(session, by, refund_id, serial=serial, sent_on=day_of(self.now), now=self.now)

        self.attempt_as("accountant", act)

    def arrive(self) -> None:
        """All that was agreed is done."""
        self.settle()
        super().arrive()

    def _decide(self, statement_id: int, at: int, decision: Decision, *, works: bool = False) -> None:
        async def act(session: AsyncSession) -> None:
            rows = (await session.exec(statements.rows_of(statement_id))).all()
            if rows:
                by = await accounts.viewer_of(session, self.world.accountant)
                await decision(session, Word(by, "查过了"), rows[at % len(rows)].id or 0)

        self.attempt(act)
        if works:
            self.settle()

    def _bring(self, lines: list[Wire], *, works: bool) -> Any:
        content = file(*lines)

        async def act(session: AsyncSession, by: Viewer) -> int | None:
            sent = Sent("对账单.csv", hashlib.sha256(content).hexdigest(), bank_files.read(content, "对账单.csv"))
            return (await statements.bring(session, by, self.payee_id, sent, now=self.now)).id

        statement_id = self.attempt_as("accountant", act)
        if works and isinstance(statement_id, int):
            self.take(statement_id, "take")
            self.settle()
        return statement_id

    def _wire(self, payment: Payment, amount: str, memo: str) -> tuple[str, str]:
        due, reference = payment.amount_fen, payment.reference or "ZZZZ"
        order: Order = self.load(Order, payment.order_id)
        fen = {"due": due, "half": due // 2, "a little less": due - 50, "more": due + 777, "double": 2 * due}[amount]
        said = {
            "reference": reference, "spaced": f"{reference[:3]} {reference[3:]}", "slip": reference[:-1],
            "number": order.no, "nothing": "谢谢", "came back": f"退汇 {reference}",
        }[memo]  # fmt: skip
        return _yuan(max(fen, 1)), said

    def _day(self) -> str:
        return day_of(self.now).isoformat()


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"
