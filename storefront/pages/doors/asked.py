"""What the keepers' pages share: who opens them, and which households of the list are looked for."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query

from market.people.accounts import Role, Viewer
from market.people.door_lists import Only
from storefront.deps import require

_MOST_Q, _MOST_START = 40, 1_000_000

KeeperDep = Annotated[Viewer, Depends(require(Role.AGENT, Role.ADMINISTRATOR))]
"""Someone who keeps doors: an agent those of their station, an administrator those of their divisions."""


@dataclass(frozen=True)
class Search:
    """Which households of the list are looked for."""

    q: Annotated[str, Query(max_length=_MOST_Q)] = ""
    only: Annotated[Only, Query()] = Only.ALL
    start: Annotated[int, Query(ge=0, le=_MOST_START)] = 0


SearchDep = Annotated[Search, Depends(Search)]
