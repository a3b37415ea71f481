"""One household's sheet: the lines, refunds and payouts behind its figures. Every look leaves a trace."""

from fastapi import APIRouter
from starlette.responses import Response

from market.ground.clock import day_of
from market.reports import sheets
from storefront import income_files, statements
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.pages.desk.asked import AskedDep, OfficerDep, month_choices
from storefront.texts import lazy_gettext as _l

router = APIRouter()
LINE_STATES = {
    "sold": ("paid", _l("已卖出")),
    "refunded": ("refunded", _l("部分退款")),
    "returned": ("refunded", _l("全部退款")),
    "earlier": ("refunded", _l("以前卖出，这段时间退款")),
}


@router.get("/desk/households/{household_id}")
async def show_household(
    page: PageDep, session: SessionDep, officer: OfficerDep, asked: AskedDep, now: NowDep, household_id: int
) -> Response:
    """The sheet of one household for a period."""
    scope = asked.report(officer, now).scope
    home = await sheets.open_sheet(session, officer, household_id, on=scope.to_on, now=now)
    from_on, to_on, offset = scope.from_on, scope.to_on, (asked.page - 1) * sheets.PAGE
    return page(
        "desk/household.html", home=home, asked=asked, scope=scope, line_states=LINE_STATES, most=sheets.PAGE,
        standing=(await income_files.labels(session)).standing(home.standing),
        sums=await sheets.sums(session, household_id, from_on=from_on, to_on=to_on),
        lines=await sheets.lines(session, household_id, from_on=from_on, to_on=to_on, offset=offset),
        reached=await sheets.reached(session, household_id, from_on=from_on, to_on=to_on),
        months=month_choices(scope, now), period=income_files.period(scope),
    )  # fmt: skip


@router.get("/desk/households/{household_id}/statement")
async def show_statement(
    page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, asked: statements.AskedDep, household_id: int
) -> Response:
    """The household's month or season on one sheet. A look like any other: it leaves a trace."""
    home = await sheets.open_sheet(session, officer, household_id, on=day_of(now), now=now)
    shown = await statements.shown(session, household_id, asked, now=now)
    return page("desk/household_statement.html", home=home.household, village=home.village, **shown)
