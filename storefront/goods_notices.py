"""Messages to households about their goods: near or past their last good day, and what officers decided."""

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.goods.capacity import CapacityPermit
from market.goods.listings import Listing, ListingState
from market.goods.waiting import Halt
from market.ground.settings import Settings
from market.people import accounts
from storefront import words
from storefront.sms import send_sms
from storefront.texts import DEFAULT, speak
from storefront.texts import gettext as _


async def tell_spoiling(session: AsyncSession, settings: Settings, listing_ids: list[int]) -> None:
    """Tell a household which of its goods come near their last good day. All of them are its own."""
    speak(DEFAULT)
    goods = await _listings(session, listing_ids)
    said = "、".join(_("%(title)s（%(day)s）", title=each.title, day=words.day(each.sell_by_on)) for each in goods)
    text = _("【以购】您家的货快到日子了：%(goods)s。最好在这天前卖完，过了会替您停下。", goods=said)
    await _tell(session, settings, goods, text)


async def tell_spoilt(session: AsyncSession, settings: Settings, listing_ids: list[int]) -> None:
    """Tell a household what was stopped because it is past its last good day, and how to sell again."""
    speak(DEFAULT)
    goods = await _listings(session, listing_ids)
    said = "、".join(each.title for each in goods)
    text = _("【以购】您家的%(goods)s放到日子了，已经替您停下不卖。有新的货，点“再卖”就行。", goods=said)
    await _tell(session, settings, goods, text)


async def tell_decision(session: AsyncSession, settings: Settings, listing_id: int, what: str) -> None:
    """Tell a household what an officer decided about a listing, with the reason where it was a no."""
    speak(DEFAULT)
    listing = await session.get_one(Listing, listing_id)
    title = listing.title
    if what == "refused":
        why = await _last(
            session,
            select(CapacityPermit.why).where(CapacityPermit.listing_id == listing_id).order_by(col(CapacityPermit.id)),
        )
        text = _(
            "【以购】您家的%(title)s比家里今年能产的多，工作人员没有同意：%(why)s。把数量改少就能卖。",
            title=title,
            why=why,
        )
    elif what == "halted":
        why = await _last(session, select(Halt.why).where(Halt.listing_id == listing_id).order_by(col(Halt.id)))
        text = _("【以购】您家的%(title)s被工作人员叫停了：%(why)s。改好以后请联系服务站。", title=title, why=why)
    elif listing.state is ListingState.LIVE:
        text = _("【以购】您家的%(title)s可以卖了，买的人能看到了。", title=title)
    else:
        text = _("【以购】您家的%(title)s工作人员同意了，打开看看还差什么。", title=title)
    await _tell(session, settings, [listing], text)


async def _listings(session: AsyncSession, listing_ids: list[int]) -> list[Listing]:
    found = select(Listing).where(col(Listing.id).in_(listing_ids)).order_by(col(Listing.sell_by_on), col(Listing.id))
    return list(await session.exec(found))


async def _last(session: AsyncSession, whys: SelectOfScalar[str]) -> str:
    return (await session.exec(whys)).all()[-1]


async def _tell(session: AsyncSession, settings: Settings, goods: list[Listing], text: str) -> None:
    if goods:
        for phone in await accounts.phones_of(session, goods[0].household_id):
            await send_sms(settings, phone, text)
