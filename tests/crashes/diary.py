"""What clients were told, and whether it came true: the books and the provider's list are asked, nobody's memory."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from market.ground.db import Database, run
from payments.stripe import Fate, Gateway, Statement


@dataclass
class Diary:
    """Everything acknowledged to a client by an answer, or seen done at the provider's cashier."""

    orders: dict[str, str] = field(default_factory=dict)
    """The key an order was placed under, which its note repeats, and the number answered with 201."""
    started: set[UUID] = field(default_factory=set)
    charged: set[UUID] = field(default_factory=set)
    cash: set[UUID] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    refunds: dict[str, tuple[UUID, int]] = field(default_factory=dict)
    """The key a refund was asked for under, which its reason repeats; its id and amount answered with 201."""
    answers: Counter[str] = field(default_factory=Counter)
    """How often the product said what: a status, or `cut off` where it died before it answered."""

    def told(self) -> str:
        """A line for people."""
        return (
            f"{len(self.orders)} orders, {len(self.charged)} charges, {len(self.cash)} cash, "
            f"{len(self.cancelled)} taken back, {len(self.refunds)} refunds; "
            f"answers {dict(sorted(self.answers.items()))}"
        )


@dataclass(frozen=True)
class Books:
    """What the database holds now."""

    orders: list[Any]
    payments: dict[UUID, Any]
    refunds: dict[UUID, Any]


_ORDERS = text("SELECT no, note, state FROM orders")
_PAYMENTS = text("""
    SELECT p.id, p.state, p.amount_fen, o.state AS order_state,
           (SELECT coalesce(sum(r.amount_fen), 0) FROM refunds r WHERE r.payment_id = p.id) AS refunded_fen
    FROM payments p JOIN orders o ON o.id = p.order_id
""")
_REFUNDS = text(
    "SELECT r.id, r.reason, r.amount_fen, r.state, p.rail FROM refunds r JOIN payments p ON p.id = r.payment_id"
)


async def losses(
    database: Database, gateway: Gateway, diary: Diary, *, from_at: datetime, to_at: datetime
) -> list[str]:
    """A sentence for everything acknowledged that is not there, done twice or left hanging; empty when all is well."""
    async with database.transaction() as session:
        books = Books(
            list(await run(session, _ORDERS)),
            {row.id: row for row in await run(session, _PAYMENTS)},
            {row.id: row for row in await run(session, _REFUNDS)},
        )
    theirs = await gateway.statement(from_at, to_at)
    return [
        *_orders(diary, books), *_payments(diary, books), *_refunds(diary, books), *_charges(theirs, books),
        *_sent_back(theirs, books),
    ]  # fmt: skip


def _orders(diary: Diary, books: Books) -> list[str]:
    state_of = {row.no: row.state for row in books.orders}
    placed = Counter(row.note for row in books.orders)
    return [
        *(f"order {no} was acknowledged and is lost" for no in diary.orders.values() if no not in state_of),
        *(f"order {key} was placed {times} times" for key, times in placed.items() if key and times > 1),
        *(f"order {no} was taken back and is {state_of.get(no)}"
          for no in diary.cancelled if state_of.get(no) != "cancelled"),
    ]  # fmt: skip


def _payments(diary: Diary, books: Books) -> list[str]:
    arrived = {key for key, row in books.payments.items() if row.state == "succeeded"}
    return [
        *(f"payment {key} was acknowledged and is lost" for key in diary.started - set(books.payments)),
        *(f"charge of {key} was made and is not in the books" for key in diary.charged - arrived),
        *(f"cash of {key} was acknowledged and is not in the books" for key in diary.cash - arrived),
    ]


def _refunds(diary: Diary, books: Books) -> list[str]:
    decided = Counter(row.reason for row in books.refunds.values() if row.reason in diary.refunds)
    found = [f"refund {key} was decided {times} times" for key, times in decided.items() if times > 1]
    for key, (refund_id, fen) in diary.refunds.items():
        row = books.refunds.get(refund_id)
        if row is None or row.amount_fen != fen:
            found.append(f"refund {key} of {fen} was acknowledged and is lost")
    return found


def _charges(theirs: Statement, books: Books) -> list[str]:
    found = []
    for payment_id, times in Counter(charge.payment_id for charge in theirs.charges).items():
        row = books.payments.get(payment_id) if payment_id else None
        if row is None:
            found.append(f"{times} charges name {payment_id}, which is no payment of ours")
        elif times > 1:
            found.append(f"payment {payment_id} was charged {times} times")
        elif row.order_state != "paid" and row.refunded_fen != row.amount_fen:
            found.append(f"payment {payment_id} was charged and has neither its order nor its refund")
    return found


def _sent_back(theirs: Statement, books: Books) -> list[str]:
    went = Counter(back.refund_id for back in theirs.refunds if back.fate is Fate.SUCCEEDED)
    ours = {key for key, row in books.refunds.items() if row.rail == "stripe"}
    return [
        *(f"refund {key} went out {went[key]} times" for key in ours if went[key] != 1),
        *(f"refund {key} is {books.refunds[key].state} in the books"
          for key in ours if books.refunds[key].state != "succeeded"),
        *(f"the provider sent {key} back, which is no refund of ours" for key in set(went) - ours),
    ]  # fmt: skip
