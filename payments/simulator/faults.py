"""Stripe's error answers: HTTP status and the JSON shape the SDK turns into its exceptions."""

from typing import Any

Json = dict[str, Any]


class ApiError(Exception):
    """One error answer. `keep`: what was written before it stays written (a declined card leaves a failed charge).

    `executed` says that the call got past its parameters, so its idempotency key remembers this answer.
    """

    def __init__(self, status: int, message: str, *, kind: str = "invalid_request_error", **extra: Any) -> None:
        super().__init__(message)
        self.status = status
        self.keep = bool(extra.pop("keep", False))
        self.executed = bool(extra.pop("executed", False)) or self.keep
        self.error: Json = {name: value for name, value in extra.items() if value is not None}
        self.error |= {"message": message, "type": kind}
        if "code" in self.error:
            self.error["doc_url"] = f"https://stripe.com/docs/error-codes/{self.error['code'].replace('_', '-')}"


def missing(param: str) -> ApiError:
    """A required parameter is not there."""
    return ApiError(400, f"Missing required param: {param}.", code="parameter_missing", param=param)


def invalid(param: str, message: str, code: str | None = None) -> ApiError:
    """A parameter has a value Stripe does not take."""
    return ApiError(400, message, code=code, param=param)


def unknown(param: str) -> ApiError:
    """A parameter this call does not know."""
    return ApiError(400, f"Received unknown parameter: {param}", code="parameter_unknown", param=param)


def nothing(kind: str, object_id: str, param: str = "id") -> ApiError:
    """No object of that kind has that id."""
    return ApiError(404, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)


def illegal_move(message: str, intent: Json) -> ApiError:
    """The intent is in a state that does not allow this; the answer carries the intent as it is."""
    return ApiError(400, message, code="payment_intent_unexpected_state", payment_intent=intent, executed=True)
