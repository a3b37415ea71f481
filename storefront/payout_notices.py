"""Messages to households about their money: it reached them, it could not be sent, it came back."""

from procrastinate import App, RetryStrategy
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.books.ledger import Rail
from market.books.payouts import Payout, PayoutMove, PayoutState
from market.ground.money import format_yuan
from market.ground.settings import Settings
from market.people import accounts
from market.people.cards import PayoutCard
from storefront import payout_words
from storefront.sms import send_sms
from storefront.state import State
from storefront.texts import DEFAULT, speak
from storefront.texts import gettext as _


def add(app: App, state: State) -> None:
    """Put this task beside the others."""

    @app.task(name="announce_payout", retry=RetryStrategy(max_attempts=5, wait=30))
    async def announce_payout(payout_id: int, news: str) -> None:
        async with state.database.transaction() as session:
            await tell_payout(session, state.settings, payout_id, PayoutState(news))


async def tell_payout(session: AsyncSession, settings: Settings, payout_id: int, news: PayoutState) -> None:
    """Tell a household what became of its money. News that something newer has overtaken is not told any more."""
    speak(DEFAULT)
    payout = await session.get_one(Payout, payout_id)
    if payout.state is not news:
        return
    text = await _text(session, payout)
    for phone in await accounts.phones_of(session, payout.household_id):
        await send_sms(settings, phone, text)


async def _text(session: AsyncSession, payout: Payout) -> str:
    amount = format_yuan(payout.amount_fen)
    if payout.state is PayoutState.PAID and payout.rail is Rail.CASH:
        return _(
            "【以购】卖货的钱%(amount)s，会计记了已经当面给您家。没有拿到，马上打服务站电话。点“我的钱”看是哪些货。",
            amount=amount,
        )
    card = await session.get(PayoutCard, payout.card_id) if payout.card_id else None
    where = payout_words.where_to(card)
    if payout.state is PayoutState.PAID:
        return _(
            "【以购】卖货的钱%(amount)s打到您家的卡上了（%(where)s）。点“我的钱”看是哪些货。",
            amount=amount,
            where=where,
        )
    why = payout_words.why(await _why(session, payout))
    if payout.state is PayoutState.FAILED:
        text = _(
            "【以购】卖货的钱%(amount)s这次没有给成（%(where)s）：%(why)s。钱还是您家的，下次再给。",
            amount=amount,
            where=where,
            why=why,
        )
    else:
        text = _(
            "【以购】打给您家的%(amount)s被银行退回了（%(where)s）：%(why)s。钱还是您家的，下次再给。",
            amount=amount,
            where=where,
            why=why,
        )
    return f"{text}{_('要换卡，找代办员。')}" if card is not None else text


async def _why(session: AsyncSession, payout: Payout) -> str:
    last = select(PayoutMove.why).where(PayoutMove.payout_id == payout.id).order_by(col(PayoutMove.id).desc()).limit(1)
    return (await session.exec(last)).one()
