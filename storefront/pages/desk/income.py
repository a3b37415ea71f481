"""What the households of a place sold: on a page, and as files of the same rows."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fastapi import APIRouter
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.clock import day_of
from market.ground.errors import NotFound
from market.people.accounts import Role, Viewer
from market.reports import income, overview, scopes
from market.reports.income import PAGE, By, Figure, Whole
from market.reports.overview import Band, Overview, Sums
from storefront import downloads, income_files, words
from storefront.deps import NowDep, PageDep, ReportsDep, SessionDep, StateDep
from storefront.income_files import FIGURE_HEADS, GROUPINGS, ROW_HEADS, Labels, Report, Said
from storefront.pages.desk.asked import Asked, AskedDep, DeskDep, OfficerDep, month_choices, months_before
from storefront.texts import gettext as _
from storefront.texts import language

router = APIRouter()
_MOST_BARS = 24
_BYS = (By.HOUSEHOLD, By.VILLAGE, By.TOWNSHIP, By.MONTH, By.PRODUCE, By.WORK_UNIT)
_INSIDE = {By.VILLAGE: By.HOUSEHOLD, By.TOWNSHIP: By.VILLAGE, By.COUNTY: By.TOWNSHIP}


@dataclass(frozen=True)
class Shown:
    """Everything the income page says, already read."""

    asked: Asked
    report: Report
    said: Said
    overview: Overview
    months: list[tuple[str, Sums]]
    rows: list[Figure]
    whole: Whole
    labels: Labels

    @property
    def pages(self) -> int:
        """How many pages the table has."""
        return max(1, -(-self.whole.count // PAGE))

    def row_url(self, row: Figure) -> str:
        """Where a row leads: into the place, the month or the household; nowhere for what cannot be opened."""
        by, scope = self.report.by, self.report.scope
        if by is By.HOUSEHOLD:
            return f"/desk/households/{row.key}?from={scope.from_on:%Y-%m}&to={scope.to_on:%Y-%m}"
        if by is By.MONTH:
            return self.asked.url(**{"from": row.key, "to": row.key, "by": By.HOUSEHOLD, "q": "", "sort": ""})
        # A place's own code can be shorter than its level: what is registered there and in none of the places inside.
        if by in _INSIDE and row.key != scope.division:
            return self.asked.url(division=row.key, by=_INSIDE[by], q="", sort="")
        return ""

    def bars(self) -> list[tuple[str, int, str]]:
        """Net sales by month for the chart, by year where months would be too many."""
        if len(self.months) > _MOST_BARS:
            years: dict[str, int] = {}
            for key, sums in self.months:
                years[key[:4]] = years.get(key[:4], 0) + sums.net_fen
            return [(year, fen, "") for year, fen in years.items()]
        said = {at for at, (key, _sums) in enumerate(self.months) if key.endswith("-01")}
        if not said & {0, 1, 2}:  # two years side by side would run into each other
            said.add(0)
        return [
            (_short(key), sums.net_fen, key[:4] if at in said else "") for at, (key, sums) in enumerate(self.months)
        ]

    def month_sums(self) -> list[tuple[str, int]]:
        """The same as figures, with their sum below."""
        if len(self.months) > _MOST_BARS:
            rows = [(_("%(year)s年", year=year), fen) for year, fen, _nothing in self.bars()]
        else:
            rows = [(words.month(key), sums.net_fen) for key, sums in self.months]
        return [*rows, (_("合计"), self.overview.sums.net_fen)]

    def trend(self) -> dict[str, list[int]]:
        """Each of the four figures by month, for the small lines of the tiles."""
        return {name: [getattr(sums, name) for _key, sums in self.months] for name in Sums._fields[:4]}

    def direction(self, column: str) -> str:
        """Which way the rows stand in this column, also where nobody asked."""
        if self.asked.sort:
            return self.asked.direction(column)
        usual = {By.HOUSEHOLD: "net_fen", By.MONTH: "name"}.get(self.report.by, "gross_fen")
        return ("asc" if column == "name" else "desc") if column == usual else ""

    def kept(self) -> list[tuple[str, str]]:
        """What a search in the table must not forget."""
        asked = self.asked
        kept = {
            "division": asked.division, "from": asked.first, "to": asked.last, "by": asked.by.value,
            "standing": asked.standing, "sold": asked.sold.value, "sort": asked.sort,
        }  # fmt: skip
        return [(name, value) for name, value in kept.items() if value]

    def bands(self) -> list[tuple[str, int]]:
        """How many households lie in each band, those without sales first."""
        return [(_("没有销售"), self.overview.silent_count)] + [
            (band_name(band), band.household_count) for band in self.overview.bands
        ]

    def band_facts(self) -> list[tuple[str, str]]:
        """The bands as figures, with the share of all households."""
        every = self.overview.household_count
        rows = [(name, count) for name, count in [*self.bands(), (_("合计"), every)]]
        return [(name, _("%(n)s 户 · %(share)s", n=f"{n:,}", share=words.percent(n, every))) for name, n in rows]


@router.get("/desk")
async def show_desk(page: PageDep, viewer: DeskDep) -> Response:
    """The desk opens with the income, for an accountant with the cash."""
    return page.redirect("/desk/income" if viewer.over(Role.OFFICER) else "/desk/cash")


@router.get("/desk/income")
async def show_income(
    page: PageDep, session: ReportsDep, officer: OfficerDep, asked: AskedDep, now: NowDep
) -> Response:
    """Tiles, charts and a table for one place and period."""
    shown = await _read(session, asked, asked.report(officer, now))
    choices = await _choices(session, officer, shown, now)
    return page(
        "desk/income.html", shown=shown, asked=asked, heads=FIGURE_HEADS, row_head=ROW_HEADS[asked.by], **choices
    )


@router.get("/desk/income.{kind}")
async def download_income(
    session: SessionDep, state: StateDep, officer: OfficerDep, asked: AskedDep, now: NowDep, kind: str
) -> Response:
    """The same rows, all of them, as a file."""
    if kind not in (downloads.CSV, downloads.XLSX):
        raise NotFound("page")
    return await income_files.respond(session, state, officer, asked.report(officer, now), kind=kind, now=now)


def band_name(band: Band) -> str:
    """`500 元以下`, `500 到 1,000 元`, `1 万元以上` in words."""
    low, high = (band.from_fen or 0) // 100, (band.below_fen or 0) // 100
    if band.from_fen is None:
        return _("不到 %(high)s 元", high=f"{high:,}")
    if band.below_fen is None:
        return _("%(low)s 元以上", low=f"{low:,}")
    return _("%(low)s 到 %(high)s 元", low=f"{low:,}", high=f"{high:,}")


async def _read(session: AsyncSession, asked: Asked, report: Report) -> Shown:
    said = await income_files.said(session, report)
    at_a_glance = await overview.overview(session, report.scope)
    if report.by is By.HOUSEHOLD and report.wanted.is_all:
        whole = Whole(at_a_glance.household_count, at_a_glance.sums)
    else:
        whole = await income.whole(session, report.scope, report.by, wanted=report.wanted)
    offset = (asked.page - 1) * PAGE
    rows = await income.figures(session, report.scope, report.by, wanted=report.wanted, offset=offset, limit=PAGE)
    months = await overview.by_month(session, report.scope)
    return Shown(asked, report, said, at_a_glance, months, rows, whole, await income_files.labels(session))


async def _choices(session: AsyncSession, officer: Viewer, shown: Shown, now: datetime) -> dict[str, Any]:
    """What the bar offers: places inside the grant, months, standings, groupings."""
    scope = shown.report.scope
    places = await scopes.reachable(session, officer, scope.division)
    least = min((len(place.code) for place in places), default=0)
    levels = sorted({len(place.code) for place in places})
    this = day_of(now).replace(day=1)
    return {
        "places": [(p.code, "　" * (levels.index(len(p.code)) if len(p.code) > least else 0) + p.name) for p in places],
        "months": month_choices(scope, now),
        "standings": [(scopes.COUNTED, _("计入帮扶统计的")), *shown.labels.standings.items()],
        "bys": [(by.value, GROUPINGS[by]) for by in _BYS],
        "spans": _spans(this),
    }


def _spans(this: date) -> list[tuple[str, str, str]]:
    """Periods one tap away: name, first and last month."""

    def key(month: date) -> str:
        return f"{month:%Y-%m}"

    last_year = this.year - 1
    return [
        (_("近 12 个月"), key(months_before(this, 11)), key(this)),
        (_("今年"), key(this.replace(month=1)), key(this)),
        (_("去年"), f"{last_year}-01", f"{last_year}-12"),
        (_("本月"), key(this), key(this)),
    ]


def _short(key: str) -> str:
    return words.month(key).split(" ")[0] if language() == "en" else _("%(n)s月", n=int(key[5:]))
