"""What a household spent, noted on the keypad, so that it sees what is left of its sales."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from market.books import costs
from market.books.costs import CostKind
from market.ground.clock import day_of
from market.ground.errors import Malformed
from market.ground.money import format_yuan, parse_yuan
from market.reports import household as reports
from storefront import words
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.village.houses import HouseDep
from storefront.texts import gettext as _

router = APIRouter(prefix="/village/{household_id:int}/costs")
_PAGE, _MOST_START = 30, 100_000


@router.get("")
async def list_costs(
    page: PageDep, session: SessionDep, house: HouseDep, removed: Annotated[int, Query(ge=0, le=2**62)] = 0,
    start: Annotated[int, Query(ge=0, le=_MOST_START)] = 0,
) -> Response:  # fmt: skip
    """What was noted, and what is left of the sales; right after taking one back, the way back."""
    sums, spent_fen = await reports.sums(session, house.id), await costs.total_fen(session, house.id)
    noted = (await session.exec(costs.of_household(house.id).offset(start).limit(_PAGE + 1))).all()
    turns = (max(start - _PAGE, 0) if start else None, start + _PAGE if len(noted) > _PAGE else None)
    return page(
        "village/costs.html", house=house, noted=noted[:_PAGE], removed=removed, turns=turns, net_fen=sums.net_fen,
        spent_fen=spent_fen,
    )  # fmt: skip


@router.get("/new")
async def show_question(page: PageDep, house: HouseDep, kind: CostKind | None = None) -> Response:
    """On what? Then: how much?"""
    return _ask(page, house, kind, Form({}, {}))


@router.post("")
async def create_cost(request: Request, page: PageDep, session: SessionDep, house: HouseDep, now: NowDep) -> Response:
    """Note it. The same form twice is one cost."""
    form = await read_form(request)
    kind = form.one_of("kind", [kind.value for kind in CostKind])
    if not form.ok:
        return _ask(page, house, None, form)
    try:
        amount_fen = parse_yuan(form.text("amount", most=20), field="amount")
        await costs.note(session, page.viewer, house.id, CostKind(kind), amount_fen, on=day_of(now), now=now)
    except Malformed as error:
        form.reject_for(error)
        return _ask(page, house, CostKind(kind), form)
    said = _("记下了：%(kind)s %(amount)s", kind=words.COSTS[CostKind(kind)], amount=format_yuan(amount_fen))
    return page.redirect(f"/village/{house.id}/costs", ("success", said))


@router.post("/{cost_id:int}/removal")
async def create_removal(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep, cost_id: int) -> Response:
    """Take it back."""
    await costs.remove(session, page.viewer, house.id, cost_id, now=now)
    return page.redirect(f"/village/{house.id}/costs?removed={cost_id}", ("success", _("已经去掉")))


@router.post("/{cost_id:int}/restoration")
async def create_restoration(
    page: PageDep, session: SessionDep, house: HouseDep, now: NowDep, cost_id: int
) -> Response:
    """It was right after all."""
    await costs.restore(session, page.viewer, house.id, cost_id, now=now)
    return page.redirect(f"/village/{house.id}/costs", ("success", _("已经放回来")))


def _ask(page: PageDep, house: HouseDep, kind: CostKind | None, form: Form) -> Response:
    status = 200 if form.ok else 422
    template = "village/new_cost.html" if kind else "village/new_cost_kind.html"
    return page(template, status=status, house=house, kind=kind, kinds=list(CostKind), form=form)
