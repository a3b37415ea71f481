"""One page a phone keeps for the valley: without network it asks every question of this door by itself.

The worker (`static/js/worker.js`) shows it in place of a page it cannot fetch; `static/js/offline.js` reads the address
and shows the question that belongs there. The market checks everything again when the answers arrive.
"""

from collections import defaultdict
from datetime import date
from typing import Any

from fastapi import APIRouter
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods import gates, produce
from market.goods.produce import Produce, ProduceMeasure
from market.ground.clock import day_of
from storefront import goods_words, words
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.pages.village import bands, counts, days, drafts, shelves, waits
from storefront.pages.village.drafts import Way
from storefront.pages.village.houses import House, HouseDep
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/{household_id:int}")


@router.get("/offline")
async def show_offline(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep) -> Response:
    """Every question of this door for one household, with what the answers are checked against."""
    on = day_of(now)
    known = await _measures(session)
    items = (await session.exec(produce.on_offer())).all()
    kept = {
        "house": house.id,
        "produce": [await _item(session, item, known[item.code], on) for item in items],
        "goods": await _goods(session, house, known, on),
    }
    return _shown(page, house, list(items), kept)


async def _measures(session: AsyncSession) -> dict[str, list[ProduceMeasure]]:
    found: dict[str, list[ProduceMeasure]] = defaultdict(list)
    for row in await session.exec(select(ProduceMeasure)):
        found[row.produce_code].append(row)
    return found


async def _item(session: AsyncSession, item: Produce, rows: list[ProduceMeasure], on: date) -> dict[str, Any]:
    gate = await gates.of_produce(session, item.gate_code)
    ago, usual = days.ago(item), days.usual(item, on)
    return {
        "code": item.code,
        "name": words.produce_name(item),
        "ways": [_way(way) for way in drafts.ways_of(rows)],
        "days": ago,
        "usual": (on - date.fromisoformat(usual)).days if usual else 0,
        "day": str(waits.DAY[item.ready]),
        "gate": goods_words.why(gate) if gate else "",
    }


def _way(way: Way) -> dict[str, Any]:
    band, quiet = way.band, bands.said(way.band)
    return {
        "key": way.key,
        "short": counts.short(way.measure, way.grams_each),
        "one": counts.one(way.measure, way.grams_each),
        "unit": words.measure(way.measure, way.grams_each),
        "per": _("元一%(word)s", word=words.measure(way.measure)),
        "most": way.row.most_quantity,
        "least_fen": band.least_fen,
        "most_fen": band.most_fen,
        "quiet": [quiet["low"], quiet["high"]],
        "low": bands.short_yuan(band.low_fen),
        "high": bands.short_yuan(band.high_fen),
    }


async def _goods(
    session: AsyncSession, house: House, known: dict[str, list[ProduceMeasure]], on: date
) -> list[dict[str, Any]]:
    """What is on sale, each with the one way it is counted."""
    shown = []
    for each in await shelves.all_of(session, house, on=on):
        listing = each["listing"]
        row = next((row for row in known[listing.produce_code] if row.measure is listing.measure), None)
        if each["is_live"] and row is not None:
            kept = {name: each[name] for name in ("id", "name", "left", "price_fen")}
            shown.append({**kept, "code": listing.produce_code, "way": _way(Way(row, listing.grams_each))})
    return shown


def _shown(page: Page, house: House, items: list[Produce], kept: dict[str, Any]) -> Response:
    said = {
        "amount": _("有多少{name}？"),
        "left": _("还有多少{name}能卖？"),
        "price": _("{one}卖多少钱？"),
        "new_price": _("{one}改成多少钱？"),
        "costs": _("{price} 元 {one}"),
        "remaining": _("还剩 {n} {unit}"),
        "put_up": _("上架{name}，{n} {unit}，{price} 元 {one}"),
        "set_left": _("{name}改成 {quantity} {unit}"),
        "set_price": _("{name}改成 {price} 元"),
        "usual": _("附近一般卖 %(low)s–%(high)s 元", low="{low}", high="{high}"),
        "below": _("比附近便宜不少，您可能吃亏。%(usual)s", usual="{usual}"),
        "above": _("比附近贵不少，可能难卖。%(usual)s", usual="{usual}"),
        "done": _("改好了"),
        "not_a_number": _("请填数字"),
        "far_too_many": _("数量太大了，请检查是不是多按了 0"),
        "far_too_low": _("价格太低了，请检查是不是少按了一位"),
        "far_too_high": _("价格太高了，请检查是不是多按了一位"),
    }
    return page("village/offline.html", house=house, items=items, kept={**kept, "words": said})
