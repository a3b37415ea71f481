"""What every route of the API has in common: a bound on the body, errors in the market's words, repeated answers."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive

from market.ground.errors import Malformed

MOST_BYTES = 256 * 1024
"""The largest order we take is a fiftieth of this."""
_BAD_REQUEST, _TOO_LARGE = 400, 413
_PROBLEMS = {
    "enum": "choose_one",
    "finite_number": "not_a_number",
    "greater_than_equal": "too_small",
    "int_from_float": "not_a_number",
    "int_parsing": "not_a_number",
    "int_parsing_size": "out_of_range",
    "int_type": "not_a_number",
    "less_than_equal": "out_of_range",
    "literal_error": "choose_one",
    "missing": "missing",
    "string_pattern_mismatch": "not_text",
    "string_too_long": "too_large",
    "string_type": "not_text",
    "string_unicode": "not_text",
    "too_long": "too_large",
}


class Replay(Exception):
    """The call was answered before: here is what was kept of it."""

    def __init__(self, kept: dict[str, Any]) -> None:
        """Answer from this, with the route's own status."""
        super().__init__(kept)
        self.kept = kept


class ApiRoute(APIRoute):
    """A route for machines."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler FastAPI makes, with what every call here can rely on around it."""
        handler = super().get_route_handler()
        status = self.status_code or 200

        async def answer(given: Request) -> Response:
            request = Request(given.scope, _bounded(given.receive))
            try:
                return await self.shortcut(request) or await handler(request)
            except Replay as earlier:
                headers = {"Idempotency-Replayed": "true"}
                return Response(
                    self.answer_from(earlier.kept), status_code=status, headers=headers, media_type="application/json"
                )
            except RequestValidationError as error:
                raise _in_our_words(error) from error
            except HTTPException as error:
                if error.status_code != _BAD_REQUEST:
                    raise
                # FastAPI's word for JSON that Python will not read: nested too deep, a number of thousands of digits.
                raise Malformed("body", "not_json") from error

        return answer

    def answer_from(self, kept: dict[str, Any]) -> str:
        """The body that was answered first, from what was kept."""
        return str(kept["body"])

    async def shortcut(self, request: Request) -> Response | None:  # noqa: ARG002  for those that have one
        """An answer before the handler is asked; None lets it speak. Does everything or nothing."""
        return None


def noun(tag: str, *, route_class: type[ApiRoute] = ApiRoute) -> APIRouter:
    """A router for one noun's calls."""
    return APIRouter(tags=[tag], route_class=route_class, generate_unique_id_function=lambda route: route.name)


def _bounded(receive: Receive) -> Receive:
    """Read no more than the bound, whatever length was announced. (The library's own limit answers in plain text.)"""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > MOST_BYTES:
            raise HTTPException(_TOO_LARGE)
        return message

    return bounded


def _in_our_words(error: RequestValidationError) -> Malformed:
    first = error.errors()[0]
    place, problem = [str(part) for part in first["loc"]], str(first["type"])
    if problem == "json_invalid":
        return Malformed("body", "not_json")
    return Malformed(".".join(place[1:]) or place[0], _PROBLEMS.get(problem, problem))
