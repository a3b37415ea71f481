"""What the bureau reads: sales income, the same figures as on its pages and in its files."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from fastapi import Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from market.ground.clock import day_of, parse_month
from market.ground.errors import Malformed
from market.people.accounts import Viewer
from market.reports import income
from market.reports.income import By, Figure, Sold, Sums, Wanted, Whole
from market.reports.scopes import Scope, scope_for
from storefront import income_files
from storefront.api.faults import faults
from storefront.api.fields import Asked, Code, Cursor, Page, Word
from storefront.api.keys import CallerDep
from storefront.api.routes import noun
from storefront.deps import NowDep, ReportsDep, SessionDep, StateDep

router = noun("reports")
_MOST_DIGITS = 9

Month = Annotated[str, Field(pattern=r"^[12]\d{3}-(0[1-9]|1[0-2])$", examples=["2026-11"])]


class Shape(StrEnum):
    """How the report is handed out."""

    JSON = "json"
    CSV = "csv"
    XLSX = "xlsx"


class IncomeQuery(Asked):
    """Whose figures, over which months, summed how."""

    division: Annotated[Word, Field(description="Inside the caller's own; left out: the caller's first.")] = ""
    from_month: Annotated[Month | None, Field(alias="from", description="First month; January if left out.")] = None
    to_month: Annotated[Month | None, Field(alias="to", description="Last month; this one if left out.")] = None
    by: Annotated[By, Field(description="What a row is.")] = By.HOUSEHOLD
    format: Annotated[Shape, Field(description="csv and xlsx hold every row in one file.")] = Shape.JSON
    q: Annotated[Word, Field(description="Only rows of this name, number or place.")] = ""
    standing: Annotated[Code, Field(description="Only households of this standing.")] = ""
    sold: Annotated[Sold, Field(description="Only households that sold something, or that sold nothing.")] = Sold.ANY
    sort: Annotated[Word, Field(description="A figure's name, `-` before it for the largest first.")] = ""
    cursor: Cursor = ""
    limit: Annotated[int, Field(ge=1, le=1000, description="How many rows at most.")] = 100

    def scope(self, viewer: Viewer, now: datetime) -> Scope:
        """Place and months, inside what the caller may see."""
        today = day_of(now)
        first = parse_month(self.from_month) if self.from_month else today.replace(month=1, day=1)
        last = parse_month(self.to_month) if self.to_month else today
        return scope_for(viewer, division=self.division, from_on=first, to_on=last, standing=self.standing)

    def wanted(self) -> Wanted:
        """Which rows, in which order."""
        return Wanted(q=self.q, sold=self.sold, sort=income.check_sort(self.sort))

    def offset(self) -> int:
        """Where the page starts."""
        if not self.cursor:
            return 0
        if not (self.cursor.isascii() and self.cursor.isdigit() and len(self.cursor) <= _MOST_DIGITS):
            raise Malformed("cursor", "not_a_cursor", self.cursor[:30])
        return int(self.cursor)


class SumsShown(BaseModel):
    """Four figures that are never mixed up, and how many order lines they come from."""

    gross_fen: Annotated[int, Field(description="Paid orders.")]
    refunded_fen: Annotated[int, Field(description="What went back to buyers.")]
    net_fen: Annotated[int, Field(description="Gross minus refunded. Costs of growing are not taken off.")]
    paid_out_fen: Annotated[int, Field(description="What reached the households.")]
    line_count: int

    @classmethod
    def total(cls, sums: Sums) -> Self:
        """The sums for a machine."""
        return cls(**sums._asdict())


class IncomeRow(SumsShown):
    """One row of the report."""

    key: Annotated[str, Field(description="Household's id, place's or produce's code, month, or unit's id.")]
    name: str
    place: Annotated[str, Field(description="Where a household lives.")]
    number: Annotated[str, Field(description="A household's official number.")]
    standing: Annotated[str, Field(description="A household's standing on the last day.")]

    @classmethod
    def of(cls, figure: Figure) -> Self:
        """The row for a machine."""
        return cls(**figure._asdict())


class IncomeShown(Page[IncomeRow]):
    """A page of the report, with the sums of all its pages."""

    division: str
    from_month: Annotated[str, Field(serialization_alias="from")]
    to_month: Annotated[str, Field(serialization_alias="to")]
    by: By
    row_count: int
    sums: SumsShown

    @classmethod
    def of(cls, scope: Scope, query: IncomeQuery, rows: list[Figure], whole: Whole) -> Self:
        """The page for a machine."""
        end = query.offset() + len(rows)
        return cls(
            division=scope.division, from_month=f"{scope.from_on:%Y-%m}", to_month=f"{scope.to_on:%Y-%m}", by=query.by,
            row_count=whole.count, sums=SumsShown.total(whole.sums), items=[IncomeRow.of(row) for row in rows],
            next=str(end) if end < whole.count else None,
        )  # fmt: skip


_FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The report; as a file where `format` says so.",
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
                "schema": {"type": "string", "format": "binary"}
            },
        },
    }
}


@router.get("/reports/income", response_model=IncomeShown, responses={**_FILES, **faults(401, 404, 422)})
async def show_income(
    session: SessionDep,
    reports: ReportsDep,
    caller: CallerDep,
    now: NowDep,
    state: StateDep,
    query: Annotated[IncomeQuery, Query()],
) -> Response | IncomeShown:
    """Sales income out of the ledger, for officers and inside their division: gross, refunded, net and paid out."""
    scope, wanted, by = query.scope(caller, now), query.wanted(), query.by
    if query.format is not Shape.JSON:
        report = income_files.Report(scope, by, wanted)
        return await income_files.respond(session, state, caller, report, kind=query.format, now=now)
    rows = await income.figures(reports, scope, by, wanted=wanted, offset=query.offset(), limit=query.limit)
    return IncomeShown.of(scope, query, rows, await income.whole(reports, scope, by, wanted=wanted))
