"""How the market's codes, amounts and times are said to people."""

from datetime import date, datetime, timedelta
from typing import Any

from market.books.costs import CostKind
from market.delivery.stops import Handover, Stop
from market.goods.catalogue import Card
from market.goods.produce import Ready
from market.ground.clock import SHANGHAI, day_of, now
from market.ground.measure import GRAMS_PER_JIN, GRAMS_PER_KG, Measure
from market.ground.money import format_yuan
from market.people.accounts import Role
from market.people.units import Wallet
from market.trade.answers import Short
from market.trade.orders import OrderState
from payments import references
from payments.records import Method, RefundState
from storefront.texts import gettext as _
from storefront.texts import language
from storefront.texts import lazy_gettext as _l

_NOON = 12
_SOON_DAYS = 21
WEEKDAYS = [_l("周一"), _l("周二"), _l("周三"), _l("周四"), _l("周五"), _l("周六"), _l("周日")]
_MONTHS_EN = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

MEASURES = {
    Measure.JIN: _l("斤"),
    Measure.KG: _l("公斤"),
    Measure.HEAD: _l("只"),
    Measure.HALF_HEAD: _l("半只"),
    Measure.PIECE: _l("个"),
    Measure.BAG: _l("袋"),
    Measure.BOX: _l("箱"),
}
WALLETS = {Wallet.PERSONAL: _l("个人"), Wallet.CANTEEN: _l("食堂"), Wallet.UNION: _l("工会")}
METHODS = {
    Method.ALIPAY: _l("支付宝"),
    Method.WECHAT_PAY: _l("微信支付"),
    Method.CARD: _l("银行卡"),
    Method.CASH: _l("取货时付现金"),
    Method.TRANSFER: _l("银行转账"),
}
ROLES = {
    Role.HOUSEHOLD: _l("农户"),
    Role.AGENT: _l("代办员"),
    Role.MEMBER: _l("单位职工"),
    Role.CLERK: _l("单位经办人"),
    Role.OFFICER: _l("局里工作人员"),
    Role.ORGANISER: _l("现场会组织者"),
    Role.ACCOUNTANT: _l("会计"),
    Role.ADMINISTRATOR: _l("管理员"),
}
COSTS = {
    CostKind.SEED: _l("种子苗子"),
    CostKind.FEED: _l("饲料"),
    CostKind.FERTILISER: _l("化肥农药"),
    CostKind.TRANSPORT: _l("运费"),
    CostKind.WAGES: _l("工钱"),
    CostKind.OTHER: _l("别的"),
}
"""What a household spends money on."""
SHORTS = {
    Short.LESS: _l("没有那么多"),
    Short.SPOILED: _l("坏了一些"),
    Short.WEATHER: _l("天气不好"),
    Short.SOLD: _l("已经卖给别人"),
    Short.OTHER: _l("有别的事"),
}
"""Why a household cannot bring all that was ordered."""
READY = {
    Ready.HARVESTED: _l("收的日子"),
    Ready.SLAUGHTERED: _l("宰的日子"),
    Ready.LAID: _l("下的日子"),
    Ready.MADE: _l("做的日子"),
}
ORDER_STATES = {
    OrderState.PLACED: _l("等待付款"),
    OrderState.CONFIRMED: _l("已预订，还没付款"),
    OrderState.PAID: _l("已付款"),
    OrderState.EXPIRED: _l("超时未付，已取消"),
    OrderState.CANCELLED: _l("已取消"),
}
REFUND_STATES = {
    RefundState.REQUESTED: _l("退款已受理"),
    RefundState.PENDING: _l("退款正在路上"),
    RefundState.SUCCEEDED: _l("已退回"),
    RefundState.FAILED: _l("没有退成，工作人员会联系您"),
}

REFUND_REASONS = {
    "cancelled": _l("买家取消了订单"),
    "buyer": _l("买家取消了订单"),
    "already_paid": _l("同一个订单付了两次"),
    "goods_gone": _l("钱到时货已经没有了"),
    "overpaid": _l("转来的钱比订单多"),
    "order_cancelled": _l("钱到时订单已经取消"),
    "round_cancelled": _l("这一趟配送取消了"),
}
"""Refunds the market decides by itself carry one of these; people write their own reason."""


def measure(kind: Measure | str, grams_each: int | None = None) -> str:
    """`斤`, or `袋（10 斤）` for packs that state their weight."""
    word = str(MEASURES[Measure(kind)])
    if Measure(kind).fixed_grams or not grams_each:
        return word
    return _("%(word)s（%(jin)s 斤）", word=word, jin=_trimmed(grams_each, GRAMS_PER_JIN))


def quantity(number: int, kind: Measure | str, grams_each: int | None = None) -> str:
    """`12 斤`, `3 袋（10 斤）`."""
    return _("%(number)s %(measure)s", number=f"{number:,}", measure=measure(kind, grams_each))


def reference(text: str) -> str:
    """`K7M3QX8` as people read it aloud: `K7M 3QX8`."""
    return references.grouped(text)


def account_no(digits: str) -> str:
    """An account number in groups of four."""
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def weight(grams: int) -> str:
    """`12 斤（6 公斤）`."""
    jin, kg = _trimmed(grams, GRAMS_PER_JIN), _trimmed(grams, GRAMS_PER_KG)
    return _("%(jin)s 斤（%(kg)s 公斤）", jin=jin, kg=kg)


def left(card: Card) -> str:
    """`还剩 12 斤`, `卖完了`."""
    if card.left <= 0:
        return _("卖完了")
    return _("还剩 %(quantity)s", quantity=quantity(card.left, card.measure))


def produce_name(card: Any) -> str:
    """A produce's name in the viewer's language."""
    return str(card.name_en if language() == "en" else card.name)


def offer(card: Card, *, fresh_since: datetime | None = None) -> dict[str, Any]:
    """A card as the offer macros want it."""
    english = language() == "en" and card.title == card.produce_name
    return {
        "url": f"/listings/{card.id}",
        "name": card.produce_name_en if english else card.title,
        "produce_code": card.produce_code,
        "photo_url": photo_url(card.photo, "card"),
        "village": card.village,
        "grower": card.grower,
        "price_fen": card.price_fen,
        "unit": measure(card.measure, card.grams_each),
        "kilo_fen": card.kg_fen if card.measure is Measure.JIN else None,
        "left_text": left(card),
        "sold_out": card.is_sold_out,
        "sell_by": best_before(card.sell_by_on),
        "is_cold": card.cold,
        "is_new": fresh_since is not None and card.listed_at >= fresh_since,
    }


def best_before(day: date | None) -> date | None:
    """A last good day near enough to be worth a word on a small card."""
    return day if day is not None and day <= day_of(now()) + timedelta(days=_SOON_DAYS) else None


def photo_url(photo: str | None, size: str) -> str | None:
    """Address of a photo in a size (`card`, `page`, `thumb`)."""
    return f"/photos/{photo}-{size}.webp" if photo else None


def day(on: date | None) -> str:
    """`12月2日（周日）`, `Sun 2 Dec`; with its year when that is not this one."""
    if on is None:
        return ""
    year = "" if on.year == day_of(now()).year else str(on.year)
    if language() == "en":
        return f"{WEEKDAYS[on.weekday()]} {on.day} {_MONTHS_EN[on.month - 1]} {year}".rstrip()
    return f"{year}{'年' if year else ''}{on.month}月{on.day}日（{WEEKDAYS[on.weekday()]}）"


def clock(at: Any) -> str:
    """`上午10:00`, `中午12:00`; takes an instant or a time of day."""
    here = at.astimezone(SHANGHAI) if isinstance(at, datetime) else at
    if language() == "en":
        return f"{here:%H:%M}"
    half = "上午" if here.hour < _NOON else "中午" if here.hour == _NOON else "下午"
    return f"{half}{here.hour if here.hour <= _NOON else here.hour - _NOON}:{here:%M}"


def moment(at: datetime | None) -> str:
    """`12月2日（周日）上午10:00`."""
    if at is None:
        return ""
    return f"{day(day_of(at))}{' ' if language() == 'en' else ''}{clock(at)}"


def hours(stop: Stop) -> str:
    """`上午10:00–11:30`: when goods are handed over at a stop."""
    return f"{clock(stop.handover_from)}–{stop.handover_to:%H:%M}"


def next_round(handover: Handover) -> str:
    """Until when to order, and when to come: what a buyer reads of a stop."""
    cutoff, on = moment(handover.cutoff_at), day(handover.on)
    return _("%(cutoff)s前下单，%(day)s%(hours)s来取", cutoff=cutoff, day=on, hours=hours(handover.stop))


def month(key: str) -> str:
    """`2026-11` as `2026年11月`, `Nov 2026`."""
    year, number = key.split("-")
    return f"{_MONTHS_EN[int(number) - 1]} {year}" if language() == "en" else f"{year}年{int(number)}月"


def yuan_parts(fen: int) -> tuple[str, str, str]:
    """Sign, whole yuan with separators, and two digits of fen."""
    yuan, rest = divmod(abs(fen), 100)
    return ("-" if fen < 0 else "", f"{yuan:,}", f"{rest:02d}")


def percent(part: int, whole: int) -> str:
    """`37 %`; nothing of nothing is nothing."""
    return f"{part * 100 / whole:.0f} %" if whole else "–"


def refund_reason(reason: str) -> str:
    """Why money goes back: in the market's own words where it decided by itself, else as somebody wrote it."""
    return str(REFUND_REASONS.get(reason, reason))


FILTERS = {
    "yuan": format_yuan,
    "yuan_parts": yuan_parts,
    "day": day,
    "clock": clock,
    "moment": moment,
    "month": month,
    "count": lambda number: f"{number:,}",
    "percent": percent,
    "measure": measure,
    "weight": weight,
    "reference": reference,
    "account_no": account_no,
}


def _trimmed(grams: int, per: int) -> str:
    return f"{grams / per:.2f}".rstrip("0").rstrip(".")
