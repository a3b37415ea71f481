"""Pages: Jinja templates, rendered with what every template may count on."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from market.people.accounts import VISITOR, Role, Viewer
from storefront import cash_words, payout_words, words
from storefront.sessions import BrowserSession, Sessions
from storefront.texts import gettext, language, ngettext

HERE = Path(__file__).parent
_DIST = HERE / "static" / "dist"
_FLASH, _PREFS = "flash", "prefs"
_YEAR = 365 * 24 * 3600
_MOST_FLASHES = 3


@dataclass(frozen=True)
class Prefs:
    """How this browser wants to be shown pages."""

    size: str = "normal"
    contrast: str = "normal"


def read_prefs(request: Request) -> Prefs:
    """From the cookie; anything odd in it is ignored."""
    chosen = dict(part.split(".", 1) for part in request.cookies.get(_PREFS, "").split("-") if "." in part)
    return Prefs(
        size="large" if chosen.get("size") == "large" else "normal",
        contrast="outdoor" if chosen.get("contrast") == "outdoor" else "normal",
    )


def write_prefs(response: Response, prefs: Prefs) -> None:
    """Remember them in the browser for a year."""
    response.set_cookie(_PREFS, f"size.{prefs.size}-contrast.{prefs.contrast}", max_age=_YEAR, samesite="lax")


class Pages:
    """The templates of this process."""

    def __init__(self, secret: str, *, demo: bool, secure: bool) -> None:
        """Prepare the environment; templates are read when first shown."""
        self.demo = demo
        self._secure = secure
        self._flashes = URLSafeSerializer(secret, salt="flash")
        self.env = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        install: Any = getattr(self.env, "install_gettext_callables")  # noqa: B009  added by the extension
        install(gettext, ngettext, newstyle=True)
        self.env.filters |= words.FILTERS
        self.env.globals |= {
            "asset": asset,
            "Role": Role,
            "words": words,
            "cash_words": cash_words,
            "payout_words": payout_words,
        }

    def show(self, request: Request, template: str, context: Mapping[str, Any], *, status: int = 200) -> HTMLResponse:
        """The page as a response; messages carried over from the last page are shown once."""
        values = {
            "request": request,
            "viewer": VISITOR,
            "csrf_token": "",
            "cart_count": 0,
            "once": "",
            "lang": language(),
            "demo": self.demo,
            "prefs": read_prefs(request),
            "flashes": self._read_flashes(request),
            **context,
        }
        response = HTMLResponse(self.env.get_template(template).render(values), status_code=status)
        if _FLASH in request.cookies:
            response.delete_cookie(_FLASH)
        return response

    def redirect(self, url: str, *flashes: tuple[str, str], to: Request | None = None) -> Response:
        """Send the browser on after a form, with messages for the next page: `("success", "已上架")`.

        A phone that brings what waited on it (`to` asks so) is told the same as JSON.
        """
        response: Response = RedirectResponse(url, status_code=303)
        if to is not None and is_delivery(to):
            response = JSONResponse({"to": url, "said": [str(text) for _kind, text in flashes]})
        if flashes:
            said = str(self._flashes.dumps([[kind, str(text)] for kind, text in flashes[:_MOST_FLASHES]]))
            response.set_cookie(_FLASH, said, max_age=60, httponly=True, secure=self._secure, samesite="lax")
        return response

    def _read_flashes(self, request: Request) -> list[tuple[str, str]]:
        try:
            said = self._flashes.loads(request.cookies.get(_FLASH, ""))
        except BadSignature:
            return []
        return [(str(kind), str(text)) for kind, text in said]


@dataclass(frozen=True)
class Page:
    """What a handler needs to answer one person: `page("shop/home.html", offers=…)` or `page.redirect("/cart")`."""

    pages: Pages
    sessions: Sessions
    request: Request
    session: BrowserSession
    viewer: Viewer
    cart_count: int

    def __call__(self, template: str, *, status: int = 200, **context: Any) -> Response:
        """Show a template to this person."""
        everyone = {
            "viewer": self.viewer,
            "csrf_token": self.sessions.csrf_token(self.session),
            "cart_count": self.cart_count,
            "once": self._form_key(),
        }
        response = self.pages.show(self.request, template, {**everyone, **context}, status=status)
        self.sessions.write(response, self.session)
        return response

    def redirect(self, url: str, *flashes: tuple[str, str]) -> Response:
        """Send this person on."""
        self.request.state.sent_on = (url, [(kind, str(text)) for kind, text in flashes])
        response = self.pages.redirect(url, *flashes, to=self.request)
        self.sessions.write(response, self.session)
        return response

    def _form_key(self) -> str:
        """The key of this page's forms; a form that is asked again keeps its own."""
        if not self.viewer.signed_in:
            return ""
        return getattr(self.request.state, "form_key", "") or self.sessions.new_key(self.viewer.id)


def is_delivery(request: Request) -> bool:
    """Whether a phone brings by itself what waited on it, rather than a person sending a form."""
    return "x-outbox" in request.headers


def asset(name: str) -> str:
    """Address of a built file by its logical name; the name carries its content's hash and never changes meaning."""
    return f"/static/{_manifest().get(name, name)}"


def local_path(url: str, default: str = "/") -> str:
    """The address if it stays on this site, else the default: nobody is sent elsewhere by a link they followed."""
    is_local = url.startswith("/") and not url.startswith(("//", "/\\")) and url.isprintable()
    return url if is_local else default


@lru_cache(maxsize=1)
def _manifest() -> dict[str, str]:
    path = _DIST / "manifest.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}
