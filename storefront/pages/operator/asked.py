"""What the administrator's pages share: who opens them, where a list is, and which places may be chosen."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.places import Level
from market.people import precincts
from market.people.accounts import Role, Viewer
from storefront.deps import require

AdministratorDep = Annotated[Viewer, Depends(require(Role.ADMINISTRATOR))]
"""Someone who sets up a division and gives its roles."""
PAGE = 50


class Asked(BaseModel):
    """The address of a list: what is looked for, and which page of it."""

    model_config = ConfigDict(frozen=True)

    q: Annotated[str, Field(max_length=60)] = ""
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    @property
    def text(self) -> str:
        """What is looked for, without blanks around it."""
        return self.q.strip()

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.page - 1) * PAGE

    def url(self, path: str, page: int) -> str:
        """The address of another page of this list."""
        said: dict[str, Any] = {"q": self.text, "page": page if page > 1 else ""}
        found = urlencode({name: value for name, value in said.items() if value})
        return f"{path}?{found}" if found else path

    def turns(self, path: str, count: int) -> tuple[str | None, str | None]:
        """Addresses of the page before and the page after, where there are any; `count` rows were found from here."""
        before = self.url(path, self.page - 1) if self.page > 1 else None
        return before, self.url(path, self.page + 1) if count > PAGE else None


AskedDep = Annotated[Asked, Query()]


async def place_options(
    session: AsyncSession, viewer: Viewer, *, deepest: Level = Level.TOWNSHIP
) -> list[tuple[str, str]]:
    """Code and name of the administrator's places for a choice, each indented below the place it lies in."""
    found = await precincts.divisions(session, viewer, deepest=deepest)
    levels = sorted({len(place.code) for place in found})
    return [(place.code, "　" * levels.index(len(place.code)) + place.name) for place in found]
