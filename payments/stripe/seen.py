"""What the provider has, in the market's words: one object as it stands now, or all that moved in a while."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID


class Fate(StrEnum):
    """What became of something at the provider."""

    WAITING = "waiting"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Started:
    """The provider's object, and what the payer does next."""

    provider_id: str
    next: dict[str, str]


@dataclass(frozen=True)
class Seen:
    """A payment or refund as the provider has it right now."""

    provider_id: str
    fate: Fate
    amount_fen: int
    charge_key: str | None = None
    failure: str = ""


@dataclass(frozen=True)
class Charged:
    """Money that came in at the provider."""

    key: str
    """The payment intent, as `Payment.charge_key` names it."""
    payment_id: UUID | None
    """Ours, by the provider's notes; nobody's where somebody else made the charge."""
    amount_fen: int
    currency: str
    at: datetime


@dataclass(frozen=True)
class SentBack:
    """A refund at the provider, as it stands there now."""

    provider_id: str
    refund_id: UUID | None
    charge_key: str
    amount_fen: int
    currency: str
    fate: Fate
    at: datetime


@dataclass(frozen=True)
class Moved:
    """Money that moved at the provider by neither charge nor refund: a dispute, a reversal."""

    provider_id: str
    kind: str
    charge_key: str
    amount_fen: int
    currency: str
    at: datetime


@dataclass(frozen=True)
class Statement:
    """Everything of buyers' money that moved at the provider in a window."""

    charges: list[Charged] = field(default_factory=list)
    refunds: list[SentBack] = field(default_factory=list)
    others: list[Moved] = field(default_factory=list)


def noted_id(metadata: Any, name: str) -> UUID | None:
    """One of our ids in the notes the provider keeps beside its object; None where there is none to be read."""
    try:
        return UUID(str(metadata[name]))
    except (KeyError, TypeError, ValueError, IndexError):
        return None
