"""What the market refuses, as one tree. Errors carry data, never prose: each door finds its own words.

MarketError
├── NotFound              not there, or not for these eyes
├── NotAllowed            there, but this person may not
│   └── PhoneFirst          not for whoever came in by a printed card: a phone's code is asked for
├── Refused               the rule says no
│   ├── OutOfStock          one or more lines ask for more than is left
│   ├── PriceChanged        a price moved between the cart and the order
│   ├── NotOnSale           the listing was withdrawn meanwhile
│   ├── RoundCancelled      the round was called off: nothing is handed over there on that day
│   ├── NotMovable          the order, payment or refund is no longer in a state that allows this
│   ├── AlreadyPaid         the money is there already
│   ├── SamePerson          this step needs another person than the one before it
│   ├── NothingToPay        no household of the place has money waiting that can be sent
│   ├── TotalMoved          what is to be paid is no longer what this person saw
│   ├── PlanMoved           what a statement would do is no longer what this person saw
│   ├── OverLimit           above a bound (refund above what was paid, stock above what is plausible)
│   │   └── OverCapacity    more than a household's land and animals give in a season
│   ├── TooManyTries        slow down
│   ├── OtherHands          a form that another account filled in
│   └── StillRunning        the first request with this key has not ended yet
├── Malformed             the input cannot mean anything
└── Unavailable           an outside service is down: try again
    └── SealedShut          the keys at hand do not open what was sealed
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any


class MarketError(Exception):
    """Root of everything the market says no to."""

    @property
    def detail(self) -> dict[str, Any]:
        """The error's data, ready for a machine."""
        return {name: _plain(value) for name, value in vars(self).items()}


@dataclass
class NotFound(MarketError):
    """Not there, or outside the viewer's grant: the two must look alike."""

    what: str
    key: str = ""


@dataclass
class NotAllowed(MarketError):
    """The thing is visible, but this person may not do this to it."""

    act: str


@dataclass
class PhoneFirst(NotAllowed):
    """Whoever came in by a household's printed card may not do this; whoever proved a phone may."""


class Refused(MarketError):
    """A rule of the market says no."""


@dataclass(frozen=True)
class ShortLine:
    """A line that asks for more than is left (quantities in the listing's measure)."""

    listing_id: int
    title: str
    wanted: int
    left: int


@dataclass
class OutOfStock(Refused):
    """At least one line asks for more than is left; nothing was taken."""

    lines: list[ShortLine]


@dataclass(frozen=True)
class MovedPrice:
    """A line whose price is no longer the one the buyer saw."""

    listing_id: int
    title: str
    seen_fen: int
    price_fen: int


@dataclass
class PriceChanged(Refused):
    """At least one price moved since the buyer last looked; nothing was ordered."""

    lines: list[MovedPrice]


@dataclass
class NotOnSale(Refused):
    """At least one listing was withdrawn meanwhile; nothing was ordered."""

    listing_ids: list[int]


@dataclass
class RoundCancelled(Refused):
    """The round was called off: nothing is handed over at this stop on that day, nothing ordered or paid for it."""

    stop_id: int
    handover_on: date


@dataclass
class NotMovable(Refused):
    """The thing's state does not allow this move."""

    what: str
    state: str
    move: str


@dataclass
class AlreadyPaid(Refused):
    """The order is paid for: nothing more to pay."""

    no: str


@dataclass
class SamePerson(Refused):
    """This step needs another person than the one before it."""

    act: str


class NothingToPay(Refused):
    """No household of the place has money waiting that can be sent this way."""


@dataclass
class TotalMoved(Refused):
    """What is to be paid is no longer what this person saw: a refund, or a card that stopped, came between."""

    seen_fen: int
    total_fen: int


@dataclass
class PlanMoved(Refused):
    """What a bank statement's lines would do is no longer what this person saw: somebody had them matched anew."""

    statement_id: int


@dataclass
class OverLimit(Refused):
    """Above a bound. `limit` and `given` share the unit the name tells (`_fen`, count in the measure)."""

    name: str
    limit: int
    given: int


@dataclass
class OverCapacity(OverLimit):
    """More than the household's land and animals give; `limit` more may go up without an officer's yes."""


@dataclass
class TooManyTries(Refused):
    """Too often in too short a time."""

    retry_at: datetime | None = None


class OtherHands(Refused):
    """Filled in by one account and brought by another: only who said it may say it."""


@dataclass
class StillRunning(Refused):
    """The first request under this idempotency key has not ended yet."""

    key: str


@dataclass
class Malformed(MarketError):
    """The input cannot mean anything. `problem` is a short code that each door words for itself."""

    field: str
    problem: str
    given: str = ""


@dataclass
class Unavailable(MarketError):
    """An outside service did not answer: nothing happened, try again."""

    service: str


class SealedShut(Unavailable):
    """The keys at hand do not open what was sealed: `service` says about what."""


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [asdict(item) if isinstance(item, ShortLine | MovedPrice) else item for item in value]
    return value.isoformat() if isinstance(value, date) else value
