"""What an agent did for a household, in a sentence, and how the household's word to it was heard."""

from collections.abc import Callable
from datetime import date

from market.books.costs import CostKind
from market.goods.listings import Listing
from market.ground.money import format_yuan
from market.people.acts_for import HouseholdWord
from market.people.heard import Heard
from market.reports.trail import Done
from market.trade.answers import Short
from market.trade.orders import OrderLine
from storefront import words
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

Thing = Listing | OrderLine

HEARD = {
    Heard.OWN: _l("自家手机上说的"),
    Heard.CALL: _l("打电话问的"),
    Heard.PRESENT: _l("当面说的"),
    Heard.SHEET: _l("按手印的单子"),
}
_PLAIN = {
    "print_card": _l("印了一张新的进门卡"),
    "revoke_card": _l("作废了进门卡"),
    "confirm_device": _l("让一台手机用进门卡进来"),
    "take_off_device": _l("不让一台手机再用进门卡"),
    "enter_means": _l("登记了家里的地和牲口"),
    "remove_cost": _l("去掉了一笔花费"),
    "restore_cost": _l("放回了一笔花费"),
}


def said(done: Done) -> str:
    """The act as the household itself would tell it."""
    act, note, thing = done.act.act, done.act.note, done.thing
    if act in _PLAIN:
        return str(_PLAIN[act])
    if act == "note_cost":
        kind, _space, fen = note.partition(" ")
        return _("记了一笔花费：%(kind)s %(money)s", kind=words.COSTS[CostKind(kind)], money=format_yuan(int(fen)))
    if act in ("ask_card", "stop_card", "confirm_card"):
        return _card(act, note)
    return _ABOUT[act](thing, note) if thing is not None and act in _ABOUT else act


def heard(word: HouseholdWord) -> str:
    """`打电话问的：王样例，尾号 0001，11月2日（周一）`."""
    about = [word.spoken_to, _("尾号 %(four)s", four=word.number_end) if word.number_end else ""]
    about += [_("单子 %(no)s", no=word.sheet) if word.sheet else "", words.day(word.said_on)]
    return _("%(how)s：%(about)s", how=HEARD[word.heard], about="，".join(filter(None, about)))


def _card(act: str, note: str) -> str:
    if act == "stop_card":
        return _("停用收钱的银行卡：%(card)s", card=note)
    if act == "confirm_card":
        return _("对着卡核对了收钱的银行卡：%(card)s", card=note)
    return _("申请换收钱的银行卡：%(card)s", card=note)


def _many(thing: Thing, number: str) -> str:
    return words.quantity(abs(int(number)), thing.measure, thing.grams_each)


def _put_up(thing: Thing, note: str) -> str:
    count, _sign, fen = note.partition(" @ ")
    one, money = words.measure(thing.measure, thing.grams_each), format_yuan(int(fen))
    return _(
        "上架%(title)s %(quantity)s，一%(one)s %(money)s",
        title=thing.title, quantity=_many(thing, count), one=one, money=money,
    )  # fmt: skip


def _change_price(thing: Thing, note: str) -> str:
    old, _sign, new = note.partition(" > ")
    return _(
        "%(title)s的价钱从 %(old)s 改成 %(new)s",
        title=thing.title, old=format_yuan(int(old)), new=format_yuan(int(new)),
    )  # fmt: skip


def _change_left(thing: Thing, note: str) -> str:
    quantity = _many(thing, note)
    if note.startswith("-"):
        return _("%(title)s少卖 %(quantity)s", title=thing.title, quantity=quantity)
    return _("%(title)s多卖 %(quantity)s", title=thing.title, quantity=quantity)


def _change_day(thing: Thing, note: str) -> str:
    day = words.day(date.fromisoformat(note.partition(" > ")[2]))
    return _("%(title)s的日子改成 %(day)s", title=thing.title, day=day)


def _say_short(thing: Thing, note: str) -> str:
    number, _space, why = note.partition(" ")
    return _(
        "说%(title)s少 %(quantity)s：%(why)s",
        title=thing.title, quantity=_many(thing, number), why=words.SHORTS[Short(why)],
    )  # fmt: skip


def _keep_price(thing: Thing, note: str) -> str:
    return _("%(title)s的价钱两边说的不一样，还照 %(money)s", title=thing.title, money=format_yuan(int(note)))


def _keep_left(thing: Thing, note: str) -> str:
    quantity = _many(thing, note)
    return _("%(title)s的数量两边说的不一样，还照 %(quantity)s", title=thing.title, quantity=quantity)


def _disagree(thing: Thing, _note: str) -> str:
    return _("想改%(title)s，可是别人先改过了，等着选一个", title=thing.title)


_ABOUT: dict[str, Callable[[Thing, str], str]] = {
    "put_up": _put_up,
    "change_price": _change_price,
    "change_left": _change_left,
    "change_day": _change_day,
    "say_short": _say_short,
    "keep_price": _keep_price,
    "keep_left": _keep_left,
    "disagree_price": _disagree,
    "disagree_left": _disagree,
    "put_back": lambda thing, note: _("又开始卖%(title)s %(quantity)s", title=thing.title, quantity=_many(thing, note)),
    "take_back": lambda thing, _note: _("收回了备齐%(title)s的话", title=thing.title),
    "accept": lambda thing, note: _("答应备齐%(title)s %(quantity)s", title=thing.title, quantity=_many(thing, note)),
    "withdraw": lambda thing, _note: _("%(title)s不卖了", title=thing.title),
    "change_photo": lambda thing, _note: _("换了%(title)s的照片", title=thing.title),
    "hand_in_papers": lambda thing, _note: _("补了%(title)s的证件", title=thing.title),
}
