"""What the bar above the desk's pages asks for, read from the address and written back into it."""

from datetime import date, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from market.ground.clock import day_of, parse_month
from market.ground.errors import Malformed
from market.people.accounts import Role, Viewer
from market.reports import income
from market.reports.income import By, Sold, Wanted
from market.reports.scopes import Scope, scope_for
from storefront import words
from storefront.deps import require
from storefront.income_files import Report

OfficerDep = Annotated[Viewer, Depends(require(Role.OFFICER))]
"""Someone who reads the figures of a division."""
DeskDep = Annotated[Viewer, Depends(require(Role.OFFICER, Role.ACCOUNTANT))]
"""Someone with work at the desk."""
USUAL_MONTHS = 12
_CHOSEN_FROM_MONTHS = 36


class Asked(BaseModel):
    """The address of a report page. Empty means what is usual: the officer's own place, twelve months, by household."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    division: Annotated[str, Field(max_length=12)] = ""
    first: Annotated[str, Field(max_length=7, alias="from")] = ""
    last: Annotated[str, Field(max_length=7, alias="to")] = ""
    by: By = By.HOUSEHOLD
    standing: Annotated[str, Field(max_length=24)] = ""
    q: Annotated[str, Field(max_length=40)] = ""
    sold: Sold = Sold.ANY
    sort: Annotated[str, Field(max_length=20)] = ""
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def report(self, viewer: Viewer, now: datetime) -> Report:
        """What is asked for, inside this officer's grant. Months in the wrong order are read the other way round."""
        today = day_of(now)
        last = _month(self.last, "to") or today.replace(day=1)
        first = _month(self.first, "from") or months_before(last, USUAL_MONTHS - 1)
        scope = scope_for(
            viewer, division=self.division, from_on=min(first, last), to_on=max(first, last), standing=self.standing
        )
        sold = self.sold if self.by is By.HOUSEHOLD else Sold.ANY
        return Report(scope, self.by, Wanted(q=self.q, sold=sold, sort=income.check_sort(self.sort)))

    def url(self, path: str = "/desk/income", **changes: Any) -> str:
        """This address with some of it changed; a change of anything but the page goes back to the first page."""
        asked = {**self.model_dump(by_alias=True, mode="json"), "page": 1, **changes}
        said = {key: value for key, value in asked.items() if value not in ("", None, 1) and not _is_usual(key, value)}
        return f"{path}?{urlencode(said)}" if said else path

    def sort_url(self, column: str) -> str:
        """The address that orders by a column, the other way round at the second tap."""
        figures = column not in ("name", "place")
        usual, other = (f"-{column}", column) if figures else (column, f"-{column}")
        return self.url(sort=other if self.sort == usual else usual)

    def direction(self, column: str) -> str:
        """Which way the rows are ordered by this column: `asc`, `desc` or not at all."""
        if self.sort.removeprefix("-") != column:
            return ""
        return "desc" if self.sort.startswith("-") else "asc"


AskedDep = Annotated[Asked, Query()]


def months_before(month: date, count: int) -> date:
    """The first day of the month so many months earlier."""
    at = month.year * 12 + month.month - 1 - count
    return date(at // 12, at % 12 + 1, 1)


def month_choices(scope: Scope, now: datetime) -> list[tuple[str, str]]:
    """The last three years' months, the newest first, and those of the scope."""
    this = day_of(now).replace(day=1)
    months = {months_before(this, n) for n in range(_CHOSEN_FROM_MONTHS)} | {scope.from_on, scope.to_on.replace(day=1)}
    return [(f"{month:%Y-%m}", words.month(f"{month:%Y-%m}")) for month in sorted(months, reverse=True)]


def _is_usual(key: str, value: Any) -> bool:
    return key == "by" and value == By.HOUSEHOLD


def _month(text: str, field: str) -> date | None:
    if not text:
        return None
    try:
        return parse_month(text)
    except ValueError:
        raise Malformed(field, "not_a_month", text) from None
