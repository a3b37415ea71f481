"""Why an order could not be placed, in one sentence that names the goods."""

from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import catalogue
from market.ground.errors import NotOnSale, OutOfStock, OverLimit, PriceChanged
from market.ground.money import MAX_FEN, format_yuan
from storefront import words
from storefront.texts import gettext as _


async def refusal(session: AsyncSession, error: OutOfStock | PriceChanged | NotOnSale | OverLimit) -> str:
    """What happened and what to do; nothing was ordered and nothing is lost from the cart."""
    match error:
        case OutOfStock(lines=[]):
            return _("刚才有别人正拿着这些货，现在又放出来了，请再提交一次。")
        case OutOfStock(lines=lines):
            cards = await catalogue.cards_of(session, [line.listing_id for line in lines])
            short = [(line.title, words.left(cards[line.listing_id])) for line in lines if line.listing_id in cards]
            goods = "、".join(_("%(title)s（%(left)s）", title=title, left=left) for title, left in short)
            return _("刚刚有人先买了：%(goods)s。订单没有提交，购物车里别的都还在。", goods=goods)
        case PriceChanged(lines=lines):
            goods = "、".join(
                _(
                    "%(title)s %(old)s → %(new)s",
                    title=line.title,
                    old=format_yuan(line.seen_fen),
                    new=format_yuan(line.price_fen),
                )
                for line in lines
            )
            return _("价格刚刚变了：%(goods)s。订单没有提交，请看一下新价格再决定。", goods=goods)
        case NotOnSale(listing_ids=listing_ids):
            cards = await catalogue.cards_of(session, listing_ids)
            goods = "、".join(card.title for card in cards.values())
            return _("刚刚停止销售：%(goods)s。订单没有提交，拿掉它就可以继续。", goods=goods or _("有一样货"))
        case OverLimit(name="total_fen"):
            return _("一张单子最多 %(most)s，请分成几张下。", most=format_yuan(MAX_FEN))
        case _:
            return _("一张单子放不下这么多样，请分成几张下。")
