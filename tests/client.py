"""A browser without scripts: follows redirects when told, and fills the CSRF token into every form it sends."""

import re
from dataclasses import dataclass, replace
from typing import Any

from fastapi import FastAPI
from httpx import AsyncClient, Response

from storefront.cache import open_redis
from storefront.sessions import COOKIE
from storefront.state import State

_TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]+)"')


@dataclass
class Browser:
    """One person's browser."""

    http: AsyncClient
    app: FastAPI

    @property
    def state(self) -> State:
        """The application's connections."""
        state: State = self.app.state.yigou
        return state

    async def get(self, url: str, **kwargs: Any) -> Response:
        """Open a page; redirects are followed, as a person's browser would."""
        return await self.http.get(url, follow_redirects=True, **kwargs)

    async def post(self, url: str, data: dict[str, Any] | None = None, **kwargs: Any) -> Response:
        """Send a form with this browser's CSRF token; the answer is not followed."""
        values = {"csrf_token": await self.csrf_token(), **(data or {})}
        return await self.http.post(url, data=values, **kwargs)

    async def csrf_token(self) -> str:
        """The token the pages of this browser carry."""
        found = _TOKEN.search((await self.get("/sign-in")).text) or _TOKEN.search((await self.get("/account")).text)
        assert found is not None, "a page without a form token"
        return found[1]

    async def sign_in(self, account_id: int) -> None:
        """Be this account from now on (how a code gets one here is tested elsewhere)."""
        sessions = self.state.sessions
        opened = await sessions.sign_in(await sessions.open(_NoCookie()), account_id)  # type: ignore[arg-type]
        answer = Response(200)
        name = sessions._signer.sign(opened.name).decode()
        self.http.cookies.set(COOKIE, name)
        assert answer.is_success

    def another(self) -> "Browser":
        """A second browser on the same application, with nothing in common."""
        fresh = AsyncClient(transport=self.http._transport, base_url=self.http.base_url)
        return replace(self, http=fresh)


class _NoCookie:
    cookies: dict[str, str] = {}  # noqa: RUF012


__all__ = ["Browser", "open_redis"]
