"""What surrounds every answer: the language of whoever asks, and headers that keep their browser safe."""

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storefront.texts import speak

_POLICY = "default-src 'self'; img-src {images}; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(self), geolocation=(), microphone=()"),
]


class Greeting:
    """Plain ASGI: the framework's own way of wrapping answers costs more than many of our pages."""

    def __init__(self, app: ASGIApp, *, images: str = "") -> None:
        """Stand around `app`. `images`: another host photos may be fetched from."""
        self._app = app
        policy = _POLICY.format(images=f"'self' data: blob: {images}".strip())
        self._headers = [(b"content-security-policy", policy.encode()), *_HEADERS]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", [])
                names = {name for name, _ in given}
                more = [header for header in self._headers if header[0] not in names]
                message = {**message, "headers": [*given, *more]}
            await send(message)

        speak(_language(scope))
        await self._app(scope, receive, with_headers)


def _language(scope: Scope) -> str:
    """What they chose in their browser; a machine says it with each call."""
    headers = Headers(scope=scope)
    cookies = headers.get("cookie")
    chosen = cookie_parser(cookies).get("lang", "") if cookies else ""
    if chosen or not scope["path"].startswith("/api/"):
        return chosen
    return headers.get("accept-language", "")[:2]
