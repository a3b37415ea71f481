"""Kinds of fields: what a column cannot hold is refused at the door, and described in the published schema."""

from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, Field, StringConstraints, model_validator

Item = TypeVar("Item")

_BIGGEST, _BIGGEST_COUNT = 2**63 - 1, 2**31 - 1
_NO_NUL = r"^[^\x00]*$"

Id = Annotated[int, Field(strict=True, ge=1, le=_BIGGEST)]
Fen = Annotated[int, Field(strict=True, ge=-_BIGGEST, le=_BIGGEST, description="Money in whole fen (1/100 yuan).")]
Count = Annotated[
    int,
    Field(strict=True, ge=-_BIGGEST_COUNT, le=_BIGGEST_COUNT, description="A whole number of the listing's measure."),
]
PathId = Annotated[int, Path(ge=1, le=_BIGGEST)]
PathUuid = Annotated[UUID, Path()]
PathNo = Annotated[str, Path(max_length=20, pattern=_NO_NUL, description="The order's number, e.g. 261123-7K3M-QX2P.")]

Code = Annotated[str, StringConstraints(max_length=24, pattern=_NO_NUL)]
Title = Annotated[str, StringConstraints(max_length=30, pattern=_NO_NUL)]
Word = Annotated[str, StringConstraints(max_length=80, pattern=_NO_NUL)]
Remark = Annotated[str, StringConstraints(max_length=200, pattern=_NO_NUL)]
Description = Annotated[str, StringConstraints(max_length=300, pattern=_NO_NUL)]

AskedId = Annotated[int, Field(ge=1, le=_BIGGEST)]
AskedFen = Annotated[int, Field(ge=0, le=_BIGGEST, description="Money in whole fen (1/100 yuan).")]
Cursor = Annotated[Word, Field(description="`next` of the page before; empty for the first page.")]
Limit = Annotated[int, Field(ge=1, le=100, description="How many items at most.")]


class Asked(BaseModel):
    """Query parameters. One left empty (`q=`) is one not given."""

    @model_validator(mode="before")
    @classmethod
    def _without_blanks(cls, given: Any) -> Any:
        return {name: value for name, value in given.items() if value != ""} if isinstance(given, dict) else given


class Paged(Asked):
    """Query parameters of a list that is read page by page."""

    cursor: Cursor = ""
    limit: Limit = 24


class Page(BaseModel, Generic[Item]):
    """A run of items and where the next one starts."""

    items: list[Item]
    next: Annotated[str | None, Field(description="`cursor` of the next page; null on the last one.")]
