"""Messages in plain words to the households whose goods were ordered."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.settings import Settings
from market.people.accounts import Account, Grant, Role
from market.trade import orders
from market.trade.orders import Order
from storefront import words
from storefront.sms import send_sms
from storefront.texts import DEFAULT, speak
from storefront.texts import gettext as _


async def tell_paid(session: AsyncSession, settings: Settings, order: Order) -> None:
    """Tell every household of a paid order what to get ready by when. Told twice after a crash: harmless."""
    speak(DEFAULT)
    for line in await orders.lines_of(session, order.id or 0):
        sellers = select(Account.phone).join(Grant, col(Grant.account_id) == col(Account.id)).where(
            Grant.role == Role.HOUSEHOLD, Grant.household_id == line.household_id, col(Grant.ended_at).is_(None)
        )  # fmt: skip
        text = _(
            "【以购】有人买了您的%(title)s %(quantity)s，请在%(day)s前备好。",
            title=line.title,
            quantity=words.quantity(line.quantity, line.measure, line.grams_each),
            day=words.day(order.handover_on),
        )
        for phone in await session.exec(sellers):
            await send_sms(settings, phone, text)
