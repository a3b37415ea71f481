"""Administrative divisions: keyed by code, searched by any name they ever had.

The national code has 12 digits; province, city, county, township and village are its first 2, 4, 6, 9 and 12.
"""

import re
from datetime import date
from enum import IntEnum

from sqlalchemy import CheckConstraint, ColumnElement, SQLColumnExpression
from sqlmodel import Field, SQLModel, col, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import place_code
from market.ground.errors import Malformed, NotFound

_FULL = 12
_CODE = re.compile(r"^[1-9][0-9]+$")


class Level(IntEnum):
    """Level of a division, as the number of its code's digits."""

    PROVINCE = 2
    CITY = 4
    COUNTY = 6
    TOWNSHIP = 9
    VILLAGE = 12


class Division(SQLModel, table=True):
    """行政区划: a place by the significant digits of its national code."""

    __tablename__ = "divisions"
    __table_args__ = (CheckConstraint("code ~ '^[1-9][0-9]+$' AND length(code) IN (2, 4, 6, 9, 12)", name="code"),)

    code: str = place_code(primary_key=True)
    name: str = Field(max_length=60)
    pinyin: str = Field(max_length=200, index=True)
    initials: str = Field(max_length=40)
    closed_on: date | None = None

    @property
    def level(self) -> Level:
        """Province to village, read off the code."""
        return Level(len(self.code))


class DivisionName(SQLModel, table=True):
    """Another name of a place: an old one, a newspaper's spelling, what people say."""

    __tablename__ = "division_names"

    division_code: str = place_code(references=True, primary_key=True)
    name: str = Field(primary_key=True, max_length=60)
    pinyin: str = Field(max_length=200)
    initials: str = Field(max_length=40)
    from_on: date | None = None
    to_on: date | None = None


def parse_code(text: str, *, field: str = "division") -> str:
    """The significant digits of a division code: `141102000000` and `141102` are one place. Malformed otherwise."""
    code = text.strip()
    if not _CODE.match(code) or len(code) not in tuple(Level):
        raise Malformed(field, "not_a_division_code", text[:20])
    if len(code) == _FULL:
        for level in (Level.PROVINCE, Level.CITY, Level.COUNTY, Level.TOWNSHIP):
            if code[level:] == "0" * (_FULL - level):
                return code[:level]
    return code


def is_within(code: str, other: str) -> bool:
    """Whether the place `code` lies in the place `other` (a place lies in itself)."""
    return code.startswith(other)


def within(column: SQLColumnExpression[str], code: str) -> ColumnElement[bool]:
    """SQL: the column's place lies in `code`. A range, so that a plain index answers it."""
    return (column >= code) & (column < code + ":")  # ":" is the character after "9"


def parents(code: str) -> list[str]:
    """The places above, from the province down."""
    return [code[:level] for level in Level if level < len(code)]


def spell(name: str) -> tuple[str, str]:
    """Pinyin of a Chinese name without tones, and its initials: `梁家墕` is `liangjiayan`, `ljy`."""
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415  its dictionary is slow to load and few processes spell

    return (
        "".join(lazy_pinyin(name)).lower(),
        "".join(lazy_pinyin(name, style=Style.FIRST_LETTER)).lower(),
    )


def named(code: str, name: str) -> Division:
    """A new division with its spelling."""
    pinyin, initials = spell(name)
    return Division(code=parse_code(code), name=name, pinyin=pinyin, initials=initials)


def alias(code: str, name: str, *, from_on: date | None = None, to_on: date | None = None) -> DivisionName:
    """A further name of a division, with its spelling."""
    pinyin, initials = spell(name)
    return DivisionName(
        division_code=parse_code(code), name=name, pinyin=pinyin, initials=initials, from_on=from_on, to_on=to_on
    )


def below(code: str, level: Level) -> SelectOfScalar[Division]:
    """Divisions of one level inside a place, in the order of their codes."""
    return (
        select(Division)
        .where(within(col(Division.code), code), func.length(col(Division.code)) == int(level))
        .order_by(col(Division.code))
    )


def called(text: str) -> SelectOfScalar[Division]:
    """Divisions whose name, alias, pinyin or initials begin with the text."""
    start = text.strip().lower()
    by_alias = select(DivisionName.division_code).where(
        or_(
            col(DivisionName.name).startswith(start, autoescape=True),
            col(DivisionName.pinyin).startswith(start, autoescape=True),
            col(DivisionName.initials) == start,
        )
    )
    return (
        select(Division)
        .where(
            or_(
                col(Division.name).startswith(start, autoescape=True),
                col(Division.pinyin).startswith(start, autoescape=True),
                col(Division.initials) == start,
                col(Division.code).in_(by_alias),
            )
        )
        .order_by(col(Division.code))
    )


async def get(session: AsyncSession, code: str) -> Division:
    """The division of that code. Malformed for nonsense, NotFound for a code nobody bears."""
    found = await session.get(Division, parse_code(code))
    if found is None:
        raise NotFound("division", code)
    return found


async def path(session: AsyncSession, code: str) -> list[Division]:
    """The division and those above it that are known, from the widest to the narrowest."""
    rows = await session.exec(
        select(Division).where(col(Division.code).in_([*parents(code), code])).order_by(func.length(col(Division.code)))
    )
    return list(rows)


async def names(session: AsyncSession, codes: set[str]) -> dict[str, str]:
    """Names of several divisions by code."""
    rows = await session.exec(select(Division).where(col(Division.code).in_(codes)))
    return {place.code: place.name for place in rows}
