"""Notices: verified by their signature, and read without trusting their shape.

Only a few fields count: what the notice says of the object is never believed, the object is fetched afresh. So a notice
of another API version, of a kind nobody here knows, or without an object is as readable as any.
"""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import stripe

from market.ground.errors import Malformed
from payments.stripe.seen import noted_id

MOST_BYTES = 512 * 1024
"""Stripe's notices have a few kilobytes. What is far above is not read."""
_LONGEST_ID, _LONGEST_KIND = 120, 80
_LATEST = 253402300799
"""The last second of the year 9999."""
_DEEPEST = 100


@dataclass(frozen=True)
class Event:
    """A verified notice: only a hint that something changed."""

    id: str
    kind: str
    object_id: str
    payment_id: UUID | None
    refund_id: UUID | None
    at: datetime | None
    """When the provider wrote it."""
    body: dict[str, Any]


def verified(body: bytes, signature: str, secret: str) -> Event:
    """The notice behind a signed message. Malformed for a wrong, missing or stale signature, or nonsense."""
    if not secret:
        raise Malformed("signature", "not_set_up")
    try:
        stripe.WebhookSignature.verify_header(body, signature, secret, stripe.Webhook.DEFAULT_TOLERANCE)
    except (ValueError, stripe.SignatureVerificationError) as error:
        raise Malformed("signature", "not_verified") from error
    try:
        said = json.loads(body, parse_constant=_no_number, parse_float=_number)
    except (ValueError, RecursionError) as error:
        raise Malformed("notice", "not_json") from error
    return read_event(said)


def read_event(said: Any) -> Event:
    """A notice from its body, as it came or as it was recorded. Malformed where it is none."""
    if not isinstance(said, dict):
        raise Malformed("notice", "not_a_notice")
    thing = _object_of(said)
    notes = thing.get("metadata")
    return Event(
        id=_plain(said.get("id"), "id", _LONGEST_ID),
        kind=_plain(said.get("type"), "type", _LONGEST_KIND),
        object_id=_plain(thing.get("id", ""), "object", _LONGEST_ID, may_lack=True),
        payment_id=noted_id(notes, "payment_id"),
        refund_id=noted_id(notes, "refund_id"),
        at=_moment(said.get("created")),
        body=_storable(said),
    )


def _object_of(said: dict[str, Any]) -> dict[str, Any]:
    """What it is about: inside `data`, or, of a thin event, only named."""
    data = said.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    named = said.get("related_object")
    found = thing if isinstance(thing, dict) else named
    return found if isinstance(found, dict) else {}


def _plain(value: Any, name: str, most: int, *, may_lack: bool = False) -> str:
    """A short word of the provider's: anything else is no notice of theirs."""
    fits = isinstance(value, str) and len(value) <= most and value.isascii() and value.isprintable()
    if fits and (value or may_lack):
        return str(value)
    if may_lack:
        return ""
    raise Malformed("notice", "not_a_notice", name)


def _moment(value: Any) -> datetime | None:
    """Seconds, or of a thin event a date in words."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _LATEST:
        return datetime.fromtimestamp(value, UTC)
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _storable(value: Any, depth: int = 0) -> Any:
    """The same as the database can keep it: JSON can name two kinds of signs that no text of its holds."""
    if depth > _DEEPEST:
        raise Malformed("notice", "not_a_notice", "depth")
    if isinstance(value, str):
        return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_storable(item, depth + 1) for item in value]
    if isinstance(value, dict):
        return {_storable(name, depth + 1): _storable(item, depth + 1) for name, item in value.items()}
    return value


def _no_number(_text: str) -> float:
    raise ValueError("not a number")


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number
