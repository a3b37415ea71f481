"""Promises: money to come later, past any provider: cash at the stop, or a bank transfer with a reference."""

from datetime import datetime, timedelta

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.clock import start_of
from market.ground.errors import Malformed
from market.people.units import Wallet
from market.trade import orders
from market.trade.orders import Order
from payments import payees, references
from payments.records import Method, Payment

CASH_HOLD = timedelta(days=2)
"""How long after the handover day an order to be paid in cash keeps its goods."""
TRANSFER_HOLD = timedelta(days=7)
"""How long a person has for a transfer; not longer than cash would be waited for."""
UNIT_HOLD = timedelta(days=30)
"""How long after the handover day a work unit has: its money is paid on the acceptance sheet, after the goods came."""


def held_until(order: Order, method: Method, now: datetime) -> datetime:
    """Until when an order keeps its goods on the promise to pay in this way."""
    day_ends = start_of(order.handover_on) + timedelta(days=1)
    if method is Method.CASH:
        return day_ends + CASH_HOLD
    if order.wallet is Wallet.PERSONAL:
        return min(now + TRANSFER_HOLD, day_ends + CASH_HOLD)
    return day_ends + UNIT_HOLD


async def give(session: AsyncSession, payment: Payment, order: Order, *, by: int | None, now: datetime) -> None:
    """The buyer gives a word: the goods stay held, and the payer is told what to say or write. Expects a locked order.

    Nothing happens for methods a provider answers for.
    """
    if not payment.method.is_promise:
        return
    until = held_until(order, payment.method, now)
    await orders.confirm(session, order, by=by, why=payment.method.value, until=until, now=now)
    if payment.method is Method.CASH:
        payment.next = {"reference": order.no}
    elif payment.reference is None:
        await _say_where_to(session, payment, order)


async def _say_where_to(session: AsyncSession, payment: Payment, order: Order) -> None:
    payee = await payees.open_in(session, order.county_code)
    if payee is None:
        raise Malformed("method", "not_offered", payment.method)
    payment.reference = await _free_reference(session)
    payment.next = {
        "reference": payment.reference,
        "payee": {"name": payee.name, "bank": payee.bank, "account_no": payee.account_no},
    }


async def _free_reference(session: AsyncSession) -> str:
    """One that was never given: of 600 million, so that the loop hardly ever turns."""
    while True:
        reference = references.new()
        taken = select(Payment.id).where(col(Payment.reference) == reference)
        if (await session.exec(taken)).first() is None:
            return reference
