"""What a bank's statement may tell of: the references payers were given, and the refunds that go back by transfer."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlmodel import col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.books.ledger import Rail
from market.people.accounts import Account
from market.people.units import WorkUnit
from market.trade.orders import HOLDING, Order
from payments import references
from payments.bank_rows import Part
from payments.matching import Expected, Known, Movement, Owed, plain_name
from payments.outcomes import PartState
from payments.records import Payment, PaymentState, Refund
from payments.remittances import OWED, Remittance

_MOST_OPEN = 5000
"""Open transfers of one county that misspellings and sums are looked for among."""


class Waiting(NamedTuple):
    """An order somebody promised a transfer for, as a list shows it."""

    payment: Payment
    order: Order
    payer: str
    given_fen: int

    @property
    def due_fen(self) -> int:
        """What is still missing."""
        return self.payment.amount_fen - self.given_fen


async def known(session: AsyncSession, county_code: str, rows: Sequence[Movement]) -> Known:
    """Everything these lines may be about: what they name, whatever became of it, and all that is open."""
    said = {one for row in rows for one in (*references.written_in(row.memo), *references.scattered_in(row.memo))}
    numbers = {one for row in rows for one in references.order_numbers_in(row.memo)}
    named = or_(col(Payment.reference).in_(said), col(Order.no).in_(numbers))
    query = _transfers(county_code)
    found = list(await session.exec(query.where(named)))
    waiting = query.where(Payment.state == PaymentState.STARTED, col(Order.state).in_(HOLDING)).limit(_MOST_OPEN)
    found += [each for each in await session.exec(waiting) if each not in found]
    given = await given_to(session, [payment.id for payment, _order, _unit, _buyer in found])
    expected = {
        payment.id: _expected(payment, order, unit, buyer, given.get(payment.id, 0))
        for payment, order, unit, buyer in found
    }
    return Known(list(expected.values()), await _owed(session, county_code))


async def waiting(session: AsyncSession, county_code: str, *, q: str = "", most: int = 50) -> list[Waiting]:
    """Transfers a county waits for, the latest first; `q`: part of a reference, an order's number or a payer's name."""
    query = _transfers(county_code).where(
        Payment.state == PaymentState.STARTED, col(Order.state).in_(HOLDING)
    )  # fmt: skip
    if q.strip():
        said = references.squeezed(q)
        places = [col(WorkUnit.name).contains(q.strip(), autoescape=True), col(Account.name) == q.strip()]
        if said:
            places += [col(Payment.reference).contains(said), func.replace(col(Order.no), "-", "").contains(said)]
        query = query.where(or_(*places))
    found = (await session.exec(query.limit(most))).all()
    given = await given_to(session, [payment.id for payment, _order, _unit, _buyer in found])
    return [
        Waiting(payment, order, unit.name if unit else buyer, given.get(payment.id, 0))
        for payment, order, unit, buyer in found
    ]


async def given_to(session: AsyncSession, payment_ids: list[UUID]) -> dict[UUID, int]:
    """How much has come for several payments by lines that are done."""
    given = (
        select(Part.payment_id, func.sum(col(Part.amount_fen)))
        .where(col(Part.payment_id).in_(payment_ids), Part.state == PartState.DONE)
        .group_by(col(Part.payment_id))
    )
    return {payment_id: int(amount) for payment_id, amount in await session.exec(given) if payment_id is not None}


def _transfers(county_code: str) -> Select[Payment, Order, WorkUnit | None, str]:
    """Transfers with a reference in a county, the latest first, with whose money it is."""
    return (
        select(Payment, Order, WorkUnit, Account.name)
        .join(Order, col(Order.id) == col(Payment.order_id))
        .join(Account, col(Account.id) == col(Order.account_id))
        .outerjoin(WorkUnit, col(WorkUnit.id) == col(Order.work_unit_id))
        .where(col(Payment.reference).is_not(None), Order.county_code == county_code)
        .order_by(col(Payment.started_at).desc(), col(Payment.id))
    )


def _expected(payment: Payment, order: Order, unit: WorkUnit | None, buyer: str, given_fen: int) -> Expected:
    paid = payment.state is PaymentState.SUCCEEDED
    return Expected(
        payment_id=payment.id,
        reference=payment.reference or "",
        order_no=order.no,
        order_state=order.state,
        due_fen=payment.amount_fen if paid else payment.amount_fen - given_fen,
        waits=payment.state is PaymentState.STARTED,
        has_parts=bool(given_fen) and not paid,
        names=_names(unit, buyer),
    )


def _names(unit: WorkUnit | None, buyer: str) -> frozenset[str]:
    called = [unit.name, unit.short_name] if unit else []
    return frozenset(plain_name(name) for name in [*called, buyer])


async def _owed(session: AsyncSession, county_code: str) -> list[Owed]:
    """Refunds to be sent by transfer, those a person has recorded and no line has told of, and those that went."""
    told = select(Remittance).where(col(Remittance.came_back_at).is_(None))
    rows = (
        await session.exec(
            select(Refund, func.coalesce(Payment.reference, Order.no), WorkUnit, Account.name)
            .join(Payment, col(Payment.id) == col(Refund.payment_id))
            .join(Order, col(Order.id) == col(Payment.order_id))
            .join(Account, col(Account.id) == col(Order.account_id))
            .outerjoin(WorkUnit, col(WorkUnit.id) == col(Order.work_unit_id))
            .where(
                Payment.rail == Rail.TRANSFER,
                Order.county_code == county_code,
                or_(
                    col(Refund.state).in_(OWED),
                    col(Refund.id).in_(told.with_only_columns(col(Remittance.refund_id))),
                ),
            )
            .order_by(col(Refund.requested_at))
        )
    ).all()
    ids = [refund.id for refund, *_more in rows]
    sent = {each.refund_id: each for each in await session.exec(told.where(col(Remittance.refund_id).in_(ids)))}
    return [
        Owed(
            refund_id=refund.id,
            reference=reference,
            amount_fen=refund.amount_fen,
            names=_names(unit, buyer),
            serial=sent[refund.id].serial if refund.id in sent else "",
            is_done=refund.id in sent,
            is_told=refund.id in sent and sent[refund.id].row_id is not None,
        )
        for refund, reference, unit, buyer in rows
    ]
