"""Answering an order: we bring it, or we fall short of it; one question a screen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.clock import day_of
from market.ground.errors import NotFound
from market.ground.money import format_yuan
from market.reports import household as reports
from market.reports.household import Wish
from market.trade import answers
from market.trade.answers import Gap, Short
from market.trade.orders import OrderLine
from payments import shortages
from storefront import words
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain
from storefront.forms import Form, read_form
from storefront.pages.village import counts
from storefront.pages.village.houses import House, HouseDep
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/{household_id:int}/orders")
_MOST = 10_000_000
_ICONS = {
    Short.LESS: "scales", Short.SPOILED: "warning", Short.WEATHER: "clock", Short.SOLD: "store",
    Short.OTHER: "pencil",
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """How much of the line will be brought, as far as the address says; `of`: how much there was to bring then."""

    bring: Annotated[str, Query(max_length=12)] = ""
    of: Annotated[int, Query(ge=0, le=_MOST)] = 0


AskedDep = Annotated[Asked, Depends(Asked)]


@router.post("/acceptances")
async def create_acceptances(
    request: Request, page: PageDep, session: SessionDep, house: HouseDep, now: NowDep
) -> Response:
    """Everything of one day at one stop will be there: one tap for all that was not answered yet."""
    for wish in await _named(request, session, house, now):
        if not wish.is_answered:
            await answers.accept(session, page.viewer, wish.line_id, now=now)
    return page.redirect(f"/village/{house.id}/orders", ("success", _("记下了：这一天的货都能备齐")))


@router.post("/acceptances/removal")
async def remove_acceptances(
    request: Request, page: PageDep, session: SessionDep, house: HouseDep, now: NowDep
) -> Response:
    """It was said too early: the lines are open again."""
    wishes = await _named(request, session, house, now)
    taken = [await answers.take_back(session, page.viewer, wish.line_id, now=now) for wish in wishes]
    said = ("success", _("收回了，备好了再点")) if any(taken) else ("info", _("没有可以收回的；说了备不齐的收不回来"))
    return page.redirect(f"/village/{house.id}/orders", said)


@router.get("/{line_id:int}/shortage")
async def show_shortage(page: PageDep, session: SessionDep, house: HouseDep, asked: AskedDep, line_id: int) -> Response:
    """How much of it can be brought? Then: why not all?"""
    line = await _line(session, page, house.id, line_id)
    if line.to_bring < 1:
        raise NotFound("order_line", str(line_id))
    form = Form({"bring": asked.bring} if asked.bring else {}, {})
    if not asked.bring:
        return _ask_how_much(page, house, line, form)
    bring = _bring(form, line)
    return _ask_how_much(page, house, line, form) if bring is None else _ask_why(page, house, line, bring, form)


@router.post("/{line_id:int}/shortage")
async def create_shortage(
    request: Request, page: PageDep, session: SessionDep, house: HouseDep, now: NowDep, line_id: int
) -> Response:
    """Fall short of it. Pressed twice it is said once: the second press speaks of a number that is past."""
    form = await read_form(request)
    line = await _line(session, page, house.id, line_id)
    if form.whole("of", most=_MOST) != line.to_bring:
        raise StartAgain(f"/village/{house.id}/orders", "info", _("这一样已经记过了，请看一下现在要备多少。"))
    why = form.one_of("why", [short.value for short in Short])
    bring = _bring(form, line)
    if bring is None:
        return _ask_how_much(page, house, line, form)
    if not form.ok:
        return _ask_why(page, house, line, bring, form)
    gap = Gap(line.to_bring - bring, Short(why), form.text("note", most=100))
    await shortages.say_short(session, page.viewer, line_id, gap, now=now)
    short = words.quantity(gap.quantity, line.measure, line.grams_each)
    said = _("记下了：%(title)s少%(quantity)s，已经告诉买的人", title=line.title, quantity=short)
    return page.redirect(f"/village/{house.id}/orders", ("success", said))


async def _named(request: Request, session: AsyncSession, house: House, now: datetime) -> list[Wish]:
    """The lines the form names, in the order of the orders' ids: two phones never wait for each other."""
    form = await read_form(request)
    wanted = {int(line_id) for line_id in form.text("lines").split(",") if line_id.isascii() and line_id.isdigit()}
    today = day_of(now)
    ahead = await reports.to_prepare(session, house.id, from_on=today, until_on=today + reports.AHEAD)
    return sorted((wish for wish in ahead if wish.line_id in wanted), key=lambda wish: wish.order_id)


async def _line(session: AsyncSession, page: PageDep, household_id: int, line_id: int) -> OrderLine:
    line = await answers.answerable(session, page.viewer, line_id)
    if line.household_id != household_id:
        raise NotFound("order_line", str(line_id))
    return line


def _bring(form: Form, line: OrderLine) -> int | None:
    """How much will be brought: less than was ordered. None, with the reason in the form, for anything else."""
    bring = form.whole("bring", most=_MOST)
    if "bring" not in form.errors and bring >= line.to_bring:
        form.errors["bring"] = _("要比订的少。都能备齐的话，回上一页按“都能备齐”。")
    return None if "bring" in form.errors else bring


def _ask_how_much(page: PageDep, house: HouseDep, line: OrderLine, form: Form) -> Response:
    one = counts.short(line.measure, line.grams_each)
    status = 200 if form.ok else 422
    return page("village/shortage.html", status=status, house=house, line=line, form=form, unit=one)


def _ask_why(page: PageDep, house: HouseDep, line: OrderLine, bring: int, form: Form) -> Response:
    status = 200 if form.ok else 422
    less = format_yuan((line.to_bring - bring) * line.price_fen)
    choices = [{"value": short.value, "label": words.SHORTS[short], "icon": _ICONS[short]} for short in Short]
    context = {"line": line, "bring": bring, "less": less, "choices": choices, "form": form}
    return page("village/shortage_why.html", status=status, house=house, **context)
