"""What a listing waits for, in a villager's words."""

from typing import Any

from market.goods.produce import Ready
from market.goods.waiting import Waits
from market.ground.measure import GRAMS_PER_JIN
from storefront import goods_words
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

DAY = {
    Ready.HARVESTED: _l("哪天收的"),
    Ready.SLAUGHTERED: _l("哪天宰的"),
    Ready.LAID: _l("哪天下的"),
    Ready.MADE: _l("哪天做的"),
}


def said(waits: Waits) -> list[str]:
    """One sentence for everything it waits for; the first is the one to do something about."""
    sentences = []
    if waits.papers:
        missing = "、".join(str(goods_words.PAPERS[paper]) for paper in waits.papers)
        sentences.append(_("还差：%(papers)s。补上了买的人就能看到。", papers=missing))
    if waits.ceiling is not None:
        sentences.append(
            _(
                "比您家今年能产的多了 %(more)s 斤，要工作人员看过才能卖。想马上卖，把数量改少就行。",
                more=f"{waits.excess_grams / GRAMS_PER_JIN:,.0f}",
            )
        )
    if waits.halt is not None:
        sentences.append(_("工作人员叫停了：%(why)s。改好以后请他们放行。", why=waits.halt.why))
    return sentences


def context(waits: Waits | None) -> dict[str, Any]:
    """What the pages show of it."""
    return {"waits": said(waits) if waits else [], "waits_badge": goods_words.badge(waits) if waits else ""}
