"""Messages in plain words: to households about goods, cards and what was done for them, to buyers about money."""

from datetime import date

from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.measure import Measure
from market.ground.money import format_yuan
from market.ground.settings import Settings
from market.people import accounts
from market.people.accounts import Account
from market.people.cards import PayoutCard
from market.people.door_cards import DoorCard
from market.people.door_devices import DoorDevice
from market.people.households import Household
from market.people.stations import Station
from market.reports import household
from market.trade import orders
from market.trade.answers import LineAnswer, Short
from market.trade.orders import Order, OrderLine, OrderState
from payments.records import Method, Payment
from storefront import words
from storefront.sms import send_sms
from storefront.texts import DEFAULT, speak
from storefront.texts import gettext as _


async def tell_door_opened(session: AsyncSession, settings: Settings, device_id: int) -> None:
    """Tell a household that a phone may come in by its card from now on, in case it was not them."""
    speak(DEFAULT)
    device = await session.get_one(DoorDevice, device_id)
    card = await session.get_one(DoorCard, device.card_id)
    station = await _station_of(session, card.household_id)
    text = _(
        "【以购】您家的进门卡在一台手机上开通了。不是您家的人，马上打站里电话%(phone)s，卡就作废。",
        phone=station.phone if station else "",
    )
    await _tell(session, settings, card.household_id, text)


async def _station_of(session: AsyncSession, household_id: int) -> Station | None:
    home = await session.get_one(Household, household_id)
    return await session.get(Station, home.station_id) if home.station_id else None


async def tell_ordered(session: AsyncSession, settings: Settings, order: Order) -> None:
    """Tell every household of an order what to get ready by when; nobody, if it was cancelled meanwhile.

    Told twice after a crash: harmless.
    """
    if not order.is_to_be_handed_over:
        return
    speak(DEFAULT)
    for line in await orders.lines_of(session, order.id or 0):
        text = _(
            "【以购】有人买了您的%(title)s %(quantity)s，请在%(day)s前备好。",
            title=line.title,
            quantity=words.quantity(line.to_bring, line.measure, line.grams_each),
            day=words.day(order.handover_on),
        )
        await _tell(session, settings, line.household_id, text)


async def tell_cutoff(session: AsyncSession, settings: Settings, household_id: int, *, stop_id: int, on: date) -> None:
    """Tell a household its whole list for one handover, now that nothing more can be ordered for it."""
    speak(DEFAULT)
    wishes = await household.to_prepare(session, household_id, from_on=on, until_on=on)
    here = [wish for wish in wishes if wish.stop_id == stop_id]
    if not here:
        return
    sums: dict[tuple[str, Measure, int | None], int] = {}
    for wish in here:
        kind = (wish.title, wish.measure, wish.grams_each)
        sums[kind] = sums.get(kind, 0) + wish.quantity
    goods = "、".join(
        f"{title}{words.quantity(number, measure, grams_each)}" for (title, measure, grams_each), number in sums.items()
    )
    text = _(
        "【以购】截单了。%(day)s送到%(stop)s：%(goods)s。备不齐请点“备货”说一声。",
        day=words.day(on), stop=here[0].stop, goods=goods,
    )  # fmt: skip
    await _tell(session, settings, household_id, text)


async def tell_short(session: AsyncSession, settings: Settings, answer: LineAnswer) -> None:
    """Tell a buyer what of the order will not be there, and that its money goes back or is not asked for."""
    speak(DEFAULT)
    line = await session.get_one(OrderLine, answer.order_line_id)
    order = await session.get_one(Order, line.order_id)
    buyer = await session.get_one(Account, order.account_id)
    missing = {
        "title": line.title,
        "quantity": words.quantity(answer.short_quantity, line.measure, line.grams_each),
        "why": words.SHORTS[answer.why or Short.OTHER],
        "amount": format_yuan(answer.short_quantity * line.price_fen),
    }
    if order.state is OrderState.CANCELLED:
        text = _("【以购】您订的%(title)s没有了（%(why)s），订单已取消，不用付钱。", **missing)
    elif order.paid_at is not None:
        text = _("【以购】您订的%(title)s少了%(quantity)s（%(why)s），%(amount)s会原路退回。", **missing)
    else:
        text = _("【以购】您订的%(title)s少了%(quantity)s（%(why)s），取货时少付%(amount)s。", **missing)
    await _tell_buyer(settings, buyer, text)


async def tell_returned(session: AsyncSession, settings: Settings, payment: Payment) -> None:
    """Tell a buyer whose money came for goods that were gone, or twice, that it goes back by itself."""
    speak(DEFAULT)
    order = await session.get_one(Order, payment.order_id)
    buyer = await session.get_one(Account, order.account_id)
    amount = format_yuan(payment.amount_fen)
    if order.is_paid and payment.method is Method.TRANSFER:
        text = _(
            "【以购】您为订单%(no)s转来的钱多了%(amount)s，会计会转回您原来的账户，不用您办。",
            no=order.no, amount=amount,
        )  # fmt: skip
    elif order.is_paid:
        text = _("【以购】订单%(no)s付了两次，多付的%(amount)s会原路退回，不用您办。", no=order.no, amount=amount)
    else:
        text = _(
            "【以购】您付的%(amount)s到了，可订单%(no)s的货已经没有了。钱会原路退回，不用您办。",
            amount=amount, no=order.no,
        )  # fmt: skip
    await _tell_buyer(settings, buyer, text)


async def tell_card(session: AsyncSession, settings: Settings, card: PayoutCard, news: str) -> None:
    """Tell a household that its money is to go to this card, that a second person agreed, or that it is stopped."""
    speak(DEFAULT)
    if news == "asked":
        text = _(
            "【以购】有人申请把您家卖货的钱打到%(bank)s尾号%(four)s的卡上，还要另一个人对着卡核对。不是您的意思，请马上告诉代办员。",
            bank=card.bank,
            four=card.last_four,
        )
    elif news == "stopped":
        text = _(
            "【以购】您家收钱的卡（%(bank)s尾号%(four)s）停用了，卖货的钱先不往上打。不是您的意思，请马上告诉代办员。",
            bank=card.bank,
            four=card.last_four,
        )
    else:
        text = _(
            "【以购】%(moment)s以后，您家卖货的钱会打到%(bank)s尾号%(four)s的卡上。不是您的意思，请马上告诉代办员。",
            moment=words.moment(card.usable_from_at),
            bank=card.bank,
            four=card.last_four,
        )
    await _tell(session, settings, card.household_id, text)


async def _tell(session: AsyncSession, settings: Settings, household_id: int, text: str) -> None:
    for phone in await accounts.phones_of(session, household_id):
        await send_sms(settings, phone, text)


async def _tell_buyer(settings: Settings, buyer: Account, text: str) -> None:
    if buyer.phone:
        await send_sms(settings, buyer.phone, text)
