"""The income report as a file: what the screen shows, all of its rows, through the same query."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.goods.produce import Produce
from market.ground import audit, places
from market.ground.clock import SHANGHAI
from market.people.accounts import Viewer
from market.reports import income, scopes
from market.reports.income import By, Figure, Sold, Sums, Wanted
from market.reports.scopes import Scope
from storefront import downloads, words
from storefront.downloads import Fen, Sheet
from storefront.state import State
from storefront.texts import gettext as _
from storefront.texts import language
from storefront.texts import lazy_gettext as _l

GROUPINGS = {
    By.HOUSEHOLD: _l("按农户"),
    By.VILLAGE: _l("按村"),
    By.TOWNSHIP: _l("按乡镇街道"),
    By.COUNTY: _l("按县区"),
    By.MONTH: _l("按月"),
    By.PRODUCE: _l("按品种"),
    By.WORK_UNIT: _l("按购买单位"),
}
ROW_HEADS = {
    By.HOUSEHOLD: _l("户主"),
    By.VILLAGE: _l("村"),
    By.TOWNSHIP: _l("乡镇街道"),
    By.COUNTY: _l("县区"),
    By.MONTH: _l("月份"),
    By.PRODUCE: _l("品种"),
    By.WORK_UNIT: _l("购买单位"),
}
SOLD = {Sold.SOME: _l("有销售的农户"), Sold.NONE: _l("没有销售的农户")}
FIGURE_HEADS = {
    "gross_fen": _l("销售额"),
    "refunded_fen": _l("已退款"),
    "net_fen": _l("净销售额"),
    "paid_out_fen": _l("已到户"),
    "line_count": _l("卖出笔数"),
}
_NAME_WIDTH, _FIGURE_WIDTH = 18, 14


@dataclass(frozen=True)
class Report:
    """What is asked for: whose figures, how summed, which rows."""

    scope: Scope
    by: By
    wanted: Wanted


@dataclass(frozen=True)
class Said:
    """What is being looked at, in words: the same on the screen and in the file."""

    place: str
    period: str
    households: str
    rows: str
    """How the table is summed and searched."""


async def said(session: AsyncSession, report: Report) -> Said:
    """The scope and the table in words. NotFound for a place nobody knows."""
    scope, by, wanted = report.scope, report.by, report.wanted
    await places.get(session, scope.division)
    path = [division.name for division in await places.path(session, scope.division)]
    parts = [str(GROUPINGS[by])]
    if by is By.HOUSEHOLD and wanted.sold:
        parts.append(_("只列%(households)s", households=SOLD[wanted.sold]))
    if wanted.q.strip():
        parts.append(_("只列含“%(text)s”的", text=wanted.q.strip()))
    return Said(
        place=" ".join(path),
        period=period(scope),
        households=await _standing(session, scope),
        rows=_("，").join(parts),
    )


def period(scope: Scope) -> str:
    """`2026年11月`, or from one month to another."""
    first, last = words.month(f"{scope.from_on:%Y-%m}"), words.month(f"{scope.to_on:%Y-%m}")
    return first if first == last else _("%(first)s到%(last)s", first=first, last=last)


async def respond(
    session: AsyncSession, state: State, viewer: Viewer, report: Report, *, kind: str, now: datetime
) -> Response:
    """The report as a download (`csv` or `xlsx`), noted in the request's transaction before the first byte leaves."""
    shown = await said(session, report)
    scope, by, wanted = report.scope, report.by, report.wanted
    note = f"{kind} {by} {scope.from_on:%Y-%m} {scope.to_on:%Y-%m} {scope.standing} {wanted.sold} {wanted.q}"
    audit.note(session, viewer.account_id, "download", subject=f"income:{scope.division}", note=note, now=now)
    heads = [*_names(by), *(str(head) for head in FIGURE_HEADS.values())]
    sheet = Sheet(
        name=f"income-{scope.division}-{scope.from_on:%Y%m}-{scope.to_on:%Y%m}-{by}",
        title=_("销售收入 %(place)s %(period)s", place=shown.place.split()[-1], period=shown.period),
        preface=[
            (_("地方"), shown.place),
            (_("时间"), shown.period),
            (_("农户范围"), shown.households),
            (_("表里列的"), shown.rows),
            (_("生成时间"), f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"),
            (_("生成人"), viewer.name),
            (_("单位"), _("元")),
        ],
        heads=heads,
        records=lambda: _records(state, report),
        widths=[_NAME_WIDTH] * len(_names(by)) + [_FIGURE_WIDTH] * len(FIGURE_HEADS),
    )
    return downloads.respond(sheet, kind)


@dataclass(frozen=True)
class Labels:
    """Names of standings and produce in the viewer's language."""

    standings: Mapping[str, str]
    produce: Mapping[str, str]

    def row(self, figure: Figure, by: By) -> str:
        """What a row is called: months in words, and what has no name of its own."""
        if by is By.MONTH:
            return words.month(figure.key)
        if by is By.PRODUCE:
            return self.produce.get(figure.key) or figure.name or _("不分品种（到户款）")
        return figure.name or _("没有购买单位")

    def standing(self, code: str) -> str:
        """A standing's name; one that nobody knows stays its code."""
        return self.standings.get(code, code)


async def labels(session: AsyncSession) -> Labels:
    """Read the names once a page."""
    english = language() == "en"
    kinds = await scopes.standings(session)
    items = await session.exec(select(Produce))
    return Labels(
        standings={kind.code: kind.name_en if english else kind.name for kind in kinds},
        produce={item.code: item.name_en if english else item.name for item in items},
    )


@asynccontextmanager
async def _records(state: State, report: Report) -> AsyncIterator[AsyncIterator[Sequence[Any]]]:
    async with (state.reports or state.database).transaction() as session:
        yield _with_total(session, report)


async def _with_total(session: AsyncSession, report: Report) -> AsyncIterator[Sequence[Any]]:
    known = await labels(session)
    total, by = Sums(0, 0, 0, 0, 0), report.by
    async for figure in income.streamed(session, report.scope, by, wanted=report.wanted):
        sums = Sums(*(getattr(figure, name) for name in Sums._fields))
        total = Sums(*(one + other for one, other in zip(total, sums, strict=True)))
        first = [figure.key] if by in _CODED else []
        more = [figure.number, figure.place, known.standing(figure.standing)] if by is By.HOUSEHOLD else []
        yield [*first, known.row(figure, by), *more, *_figures(sums)]
    yield [_("合计"), *[""] * (len(_names(by)) - 1), *_figures(total)]


_CODED = (By.VILLAGE, By.TOWNSHIP, By.COUNTY)


def _names(by: By) -> list[str]:
    first = [_("区划代码")] if by in _CODED else []
    more = [_("户编号"), _("村"), _("农户类别")] if by is By.HOUSEHOLD else []
    return [*first, str(ROW_HEADS[by]), *more]


def _figures(sums: Sums) -> list[Any]:
    return [*(Fen(amount) for amount in sums[:4]), sums.line_count]


async def _standing(session: AsyncSession, scope: Scope) -> str:
    if not scope.standing:
        return _("全部农户")
    if scope.standing == scopes.COUNTED:
        return _("计入帮扶统计的农户")
    return (await labels(session)).standing(scope.standing)
