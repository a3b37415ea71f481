"""Words for finding Chinese text without a word list: single characters, pairs, and spelled-out beginnings.

PostgreSQL's own parsers keep a whole Chinese run as one word, so the pairs are made here and looked up by a GIN index.
"""

import re

from sqlalchemy import ColumnElement, SQLColumnExpression, String, cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import and_, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods.produce import Produce
from market.ground import places
from market.ground.places import Division, DivisionName

_RUNS = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[a-z0-9]+")
_MAX_QUERY = 40
_MIN_SPLIT = 4
_MIN_BEGINNING = 2


async def text_of(session: AsyncSession, item: Produce, title: str, division_code: str) -> str:
    """Everything a listing is found by: its title, the produce's names, its places' names and aliases, spelled out."""
    codes = [code for code in (*places.parents(division_code), division_code) if len(code) > places.Level.COUNTY]
    rows = await session.exec(select(Division).where(col(Division.code).in_(codes)))
    aliases = await session.exec(select(DivisionName).where(col(DivisionName.division_code).in_(codes)))
    named = [f"{place.name} {place.pinyin} {place.initials}" for place in (*rows, *aliases)]
    words = " ".join(dict.fromkeys([title, item.name, *item.words.split()]))
    spelled = " ".join(" ".join(places.spell(word)) for word in words.split())
    return " ".join([words, spelled, item.name_en.lower(), item.code, *named])


def words_of(*texts: str) -> list[str]:
    """What a listing is found by: characters and pairs of every Han run, beginnings of every spelled word."""
    found: set[str] = set()
    for run in _runs(" ".join(texts)):
        if run[0].isascii():
            found.update(run[:end] for end in range(_MIN_BEGINNING, len(run) + 1))
            found.add(run)
        else:
            found.update(run)
            found.update(_pairs(run))
    return sorted(found)


def matches(words: SQLColumnExpression[list[str]], text: SQLColumnExpression[str], query: str) -> ColumnElement[bool]:
    """SQL: every part of the query is among the words; longer Chinese runs are also found written as two words."""
    return and_(*(_run_matches(words, text, run) for run in _runs(query[:_MAX_QUERY])))


def is_searchable(query: str) -> bool:
    """Whether anything in the query can be looked up."""
    return bool(_runs(query[:_MAX_QUERY]))


def _run_matches(
    words: SQLColumnExpression[list[str]], text: SQLColumnExpression[str], run: str
) -> ColumnElement[bool]:
    if run[0].isascii():
        return _has(words, [run])
    whole = and_(_has(words, _pairs(run) or [run]), text.contains(run, autoescape=True))
    if len(run) < _MIN_SPLIT:
        return whole
    splits = (
        and_(_has(words, _pairs(run[:at])), _has(words, _pairs(run[at:])),
             text.contains(run[:at], autoescape=True), text.contains(run[at:], autoescape=True))
        for at in range(2, len(run) - 1)
    )  # fmt: skip
    return or_(whole, *splits)


def _has(words: SQLColumnExpression[list[str]], wanted: list[str]) -> ColumnElement[bool]:
    return words.op("@>")(cast(wanted, ARRAY(String)))


def _runs(text: str) -> list[str]:
    return _RUNS.findall(text.lower())


def _pairs(run: str) -> list[str]:
    return [run[at : at + 2] for at in range(len(run) - 1)]
