"""The day goods came in, as few taps as it takes: near days by name, far ones by about how long ago."""

from datetime import date, timedelta

from market.goods.produce import Produce
from market.ground.errors import Malformed
from storefront.texts import lazy_gettext as _l

_NEAR = {0: _l("今天"), 1: _l("昨天"), 2: _l("前天"), 5: _l("四五天前"), 10: _l("十来天前")}
_FAR = {0: _l("今天"), 10: _l("十来天前"), 30: _l("一个月前"), 60: _l("两个月前"), 90: _l("三个月前")}
_KEEPS_LONG_DAYS = 45


def ago(item: Produce) -> list[tuple[int, str]]:
    """How many days ago it may have come in, with the word for it; nothing where the day does not matter."""
    if item.storage_days is None:
        return [(0, str(_NEAR[0]))] if item.gate_code else []
    names = _FAR if item.storage_days >= _KEEPS_LONG_DAYS else _NEAR
    return [(days, str(name)) for days, name in names.items() if days < item.storage_days]


def choices(item: Produce, on: date) -> list[tuple[str, str]]:
    """The same as days of the calendar: `2026-12-02`, 今天."""
    return [((on - timedelta(days=days)).isoformat(), name) for days, name in ago(item)]


def usual(item: Produce, on: date) -> str:
    """The choice nearest to when such goods usually come in."""
    day, offered = item.usually_ready_on(on), [date.fromisoformat(each) for each, _name in choices(item, on)]
    if day is None or not offered:
        return ""
    return min(offered, key=lambda each: abs((each - day).days)).isoformat()


def parse(text: str) -> date | None:
    """A day as a form carries it; None when it was not asked. Malformed for what is no day."""
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Malformed("ready_on", "not_a_day", text[:20]) from None
