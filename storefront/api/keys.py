"""Who calls, and the promise that a call repeated under its key does its work once.

Only a bearer token counts here. A browser's cookie never does, so no other site can make a browser call the API.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.exceptions import HTTPException

from market.ground import idempotency
from market.ground.errors import NotFound
from market.ground.idempotency import Claim
from market.people import accounts
from market.people.accounts import Viewer
from storefront.api.routes import Replay
from storefront.deps import NowDep, SessionDep

_token = HTTPBearer(
    auto_error=False, scheme_name="token", description="An API token, as `bin/yigou token --phone P` prints it."
)
_Answer = TypeVar("_Answer", bound=BaseModel)


async def _caller(
    request: Request, session: SessionDep, given: Annotated[HTTPAuthorizationCredentials | None, Depends(_token)]
) -> Viewer:
    viewer = await _behind(session, given.credentials) if given else accounts.VISITOR
    if not viewer.signed_in:
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer realm="yigou"'})
    request.state.viewer = viewer
    return viewer


async def _behind(session: AsyncSession, token: str) -> Viewer:
    try:
        return await accounts.viewer_of_token(session, token)
    except NotFound:
        return accounts.VISITOR


CallerDep = Annotated[Viewer, Depends(_caller)]
"""The person whose token the call bears; 401 without one."""


@dataclass
class Call:
    """A call that changes something: in which transaction, by whom, when, and under which key."""

    session: AsyncSession
    caller: Viewer
    now: datetime
    claimed: Claim | None
    answered: bool = False

    def keep(self, answer: _Answer) -> _Answer:
        """Keep the answer beside the work, for a repeated call."""
        if self.claimed is not None:
            kept = {"body": answer.model_dump_json(by_alias=True)}
            idempotency.keep(self.session, self.claimed, answer=kept, now=self.now)
        return self.kept(answer)

    def kept(self, answer: _Answer) -> _Answer:
        """The work has kept its answer itself, under `claimed`."""
        self.answered = True
        return answer


async def _call(
    request: Request,
    session: SessionDep,
    caller: CallerDep,
    now: NowDep,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Any text of up to 80 characters, new for every new wish. The same key with the same body gets "
            "the same answer; with another body 422; while the first call still runs 409. Kept for a month."
        ),
    ] = None,
) -> AsyncIterator[Call]:
    claimed = None
    if idempotency_key is not None:
        found = await idempotency.claim(session, caller.id, key=idempotency_key, body=await asked_by(request))
        if not isinstance(found, Claim):
            raise Replay(found)
        claimed = found
    call = Call(session, caller, now, claimed)
    yield call
    if not call.answered:
        msg = f"{request.method} {request.url.path} did its work and kept no answer"
        raise RuntimeError(msg)


async def asked_by(request: Request) -> bytes:
    """What a repeated call must have in common with the first: verb, path and body."""
    return f"{request.method} {request.url.path}\n".encode() + await request.body()


CallDep = Annotated[Call, Depends(_call, scope="function")]
"""What every POST and PATCH asks for: session, caller, time, and `keep(answer)`."""
