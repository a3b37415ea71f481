"""What every act of the simulator stands in: the store, the addresses, and the switches tests may turn."""

import asyncio
import secrets
import time
from dataclasses import dataclass, field

from payments.simulator.faults import Json, nothing
from payments.simulator.store import Store

API_VERSION = "2026-10-28.endive"


@dataclass
class Switches:
    """What tests turn to make the world behave badly. None of it outlives a restart."""

    hold_notices: bool = False
    delay_seconds: float = 0.0
    shuffle_seconds: float = 0.0
    copy_count: int = 1
    failing_refund_count: int = 0
    hold_refunds: bool = False
    slow_seconds: float = 0.0
    slow_call_count: int = 0
    lost_answer_count: int = 0
    broken_call_count: int = 0


@dataclass
class World:
    """One running simulator."""

    store: Store
    public_url: str
    webhook_url: str | None
    webhook_secret: str
    refund_seconds: float = 1.0
    least_fen: int = 360
    switches: Switches = field(default_factory=Switches)
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    request: Json | None = None
    """The call being answered just now, as events name it: {"id": "req_…", "idempotency_key": …}."""

    def load(self, kind: str, object_id: str, param: str = "id") -> Json:
        """The object, or Stripe's 404."""
        thing = self.store.get(object_id, kind)
        if thing is None:
            raise nothing(kind, object_id, param)
        return thing


def now() -> int:
    """The present second, as Stripe writes times."""
    return int(time.time())


def new_id(prefix: str) -> str:
    """An id nobody can guess: `pi_` and 24 characters."""
    return f"{prefix}_{secrets.token_hex(12)}"


def public(thing: Json) -> Json:
    """The object as callers see it: our own notes, whose names begin with `_`, left out."""
    return {name: value for name, value in thing.items() if not name.startswith("_")}
