"""What a file brings, counted against what is there, and what is wrong with it, line by line."""

from dataclasses import dataclass, field

from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

REASONS: dict[str, str] = {
    "missing": _l("没有填"),
    "unknown_column": _l("不认识这一列"),
    "not_a_table": _l("这个文件不是 CSV 或 XLSX 表格"),
    "too_large": _l("这个文件太大了"),
    "no_heading": _l("第一行要写列名"),
    "not_a_division_code": _l("不是行政区划代码"),
    "unknown_parent": _l("没有它的上一级地方，请先导入上一级"),
    "unknown_village": _l("没有这个地方，请先导入行政区划"),
    "too_long": _l("太长了"),
    "twice": _l("前面已经有了"),
    "not_a_head_count": _l("人口要填 1 到 30"),
    "unknown_standing": _l("没有这种类型"),
    "outside": _l("不在您管的地方"),
    "of_another_place": _l("这个户编号已经是别处的农户"),
}


@dataclass(frozen=True)
class Problem:
    """Why a line cannot be taken."""

    line: int
    column: str
    reason: str
    """A key of REASONS."""
    given: str = ""

    def __str__(self) -> str:
        """What a person reads: line, column, value, reason."""
        where = _("第 %(line)s 行", line=self.line)
        return " ".join(part for part in (where, self.column, self.given, str(REASONS[self.reason])) if part)


@dataclass(frozen=True)
class Change:
    """A household the file has otherwise: what it was and what it becomes, by column."""

    number: str
    fields: dict[str, tuple[str, str]]


@dataclass
class Summary:
    """What a file brings, counted against what is there."""

    added: int = 0
    changed: int = 0
    same: int = 0
    absent: int = 0
    """Households of the file's villages that the file does not name. They stay as they are: a person decides."""
    ignored: list[str] = field(default_factory=list)
    """Columns that were not read. An ID or bank number in such a file never reaches the database."""
    changes: list[Change] = field(default_factory=list)
    """Households that become different, one by one; `changed` counts them."""
    problems: list[Problem] = field(default_factory=list)
    applied: bool = False

    def __str__(self) -> str:
        """What a person reads: every bad line, or the counts."""
        if self.problems:
            return "\n".join([_("没有导入。请改好这些行再来："), *map(str, self.problems)])
        counts = _(
            "新增 %(added)s，改动 %(changed)s，没有变化 %(same)s",
            added=self.added, changed=self.changed, same=self.same,
        )  # fmt: skip
        lines = [counts]
        if self.absent:
            lines.append(_("这些村还有 %(n)s 户不在表里，没有动", n=self.absent))
        if self.ignored:
            lines.append(_("没有读取的列：%(columns)s", columns="、".join(self.ignored)))
        return "\n".join(lines)
