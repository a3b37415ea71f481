"""How the API says no: one shape for every failure, described in the published schema."""

from typing import Annotated, Any

from pydantic import BaseModel, Field


class Fault(BaseModel):
    """Why nothing was done. `error` and `detail` are for programs, `message` is for the person before the screen."""

    error: Annotated[str, Field(description="The kind of refusal, e.g. `OutOfStock`.", examples=["OutOfStock"])]
    detail: Annotated[
        dict[str, Any],
        Field(
            description="The refusal's data; its members depend on `error`.",
            examples=[{"lines": [{"listing_id": 7, "title": "小米", "wanted": 3, "left": 1}]}],
        ),
    ]
    message: Annotated[str, Field(description="One sentence in the language of Accept-Language (zh or en).")]


_MEANINGS = {
    401: "`TokenNeeded`: no token, or one that was never given or is revoked.",
    403: "`NotAllowed`: there, but this person may not do this to it.",
    404: "`NotFound`: not there, or not for this caller; the two look alike.",
    413: "`TooLarge`: the body is larger than 256 KiB.",
    422: "`Malformed`: `detail.field` cannot mean anything, `detail.problem` says why; or the Idempotency-Key was used "
    "for another request.",
    429: "`TooManyTries`: slow down.",
    503: "`Unavailable`: the payment provider did not answer; nothing happened, try again with the same key.",
}
_OF_A_CHANGE = (401, 404, 413, 422)


def faults(*statuses: int, refused: str = "") -> dict[int | str, dict[str, Any]]:
    """The failures of a call, for the published schema; `refused` says which rules may refuse it (409)."""
    described = {status: _MEANINGS[status] for status in statuses} | ({409: refused} if refused else {})
    return {status: {"model": Fault, "description": described[status]} for status in sorted(described)}


def faults_of_a_change(*more: int, refused: str = "") -> dict[int | str, dict[str, Any]]:
    """The failures of a call that changes something."""
    still = "`StillRunning`: the first call with this Idempotency-Key has not ended."
    return faults(*_OF_A_CHANGE, *more, refused=f"{refused} {still}".strip())
