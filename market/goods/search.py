"""Words for finding Chinese text without a word list: single characters, pairs, and spelled-out beginnings.

PostgreSQL's own parsers keep a whole Chinese run as one word, so the pairs are made here and looked up by a GIN index.
"""

import re

from sqlalchemy import ColumnElement, SQLColumnExpression, String, cast
from sqlalchemy.dialects.postgresql import ARRAY
from sqlmodel import and_, or_

_RUNS = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[a-z0-9]+")
_MAX_QUERY = 40
_MIN_SPLIT = 4
_MIN_BEGINNING = 2


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
