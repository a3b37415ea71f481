"""Messages about a round that was called off: to its buyers about their money, to its households about their goods."""

from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery.round_cancellations import CalledOffOrder, Outcome, RoundCancellation
from market.delivery.stops import Stop
from market.ground.money import format_yuan
from market.ground.settings import Settings
from market.people import accounts
from market.people.accounts import Account
from market.trade.orders import Order
from storefront import words
from storefront.sms import send_sms
from storefront.texts import DEFAULT, speak
from storefront.texts import gettext as _


async def tell_order_off(session: AsyncSession, settings: Settings, order_id: int) -> None:
    """Tell a buyer that the round of an order is off, why, and what becomes of the money."""
    speak(DEFAULT)
    order = await session.get_one(Order, order_id)
    buyer = await session.get_one(Account, order.account_id)
    ended = await session.get_one(CalledOffOrder, order_id)
    off = await session.get_one(RoundCancellation, ended.cancellation_id)
    amount = format_yuan(ended.back_fen)
    money = {
        Outcome.RETURNED: _("付的%(amount)s会原路退回，不用您办。", amount=amount),
        Outcome.CASH_DUE: _("付的%(amount)s现金请到取货点领回。", amount=amount),
    }
    text = _(
        "【以购】%(day)s在%(stop)s取货的那一趟取消了：%(why)s。订单%(no)s已取消，%(money)s",
        day=words.day(off.handover_on), stop=(await session.get_one(Stop, off.stop_id)).name, why=off.why, no=order.no,
        money=money.get(ended.outcome, _("不用付钱。")),
    )  # fmt: skip
    if buyer.phone:
        await send_sms(settings, buyer.phone, text)


async def tell_round_off(session: AsyncSession, settings: Settings, cancellation_id: int, household_id: int) -> None:
    """Tell a household that what was ordered for this round is not to be brought."""
    speak(DEFAULT)
    off = await session.get_one(RoundCancellation, cancellation_id)
    text = _(
        "【以购】%(day)s送到%(stop)s的那一趟取消了：%(why)s。那一趟的货不用备了，会放回货架接着卖。",
        day=words.day(off.handover_on), stop=(await session.get_one(Stop, off.stop_id)).name, why=off.why,
    )  # fmt: skip
    for phone in await accounts.phones_of(session, household_id):
        await send_sms(settings, phone, text)
