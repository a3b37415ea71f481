"""Regulars: callers and stops this process has read before, so that a repeated order need not read them again.

Nothing here is believed. Whoever acts on it hands on a proof (`placements.Proof`), and the act's own statement looks
whether it still holds: a revoked token, a grant given or ended, a changed stop count from the next call on.
"""

from dataclasses import replace
from datetime import date, datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from market.delivery import stops
from market.delivery.stops import Handover, Stop
from market.ground.clock import day_of
from market.people import bearers
from market.people.accounts import Viewer, hash_of
from market.people.bearers import Bearer

_MOST = 5_000


class Regulars:
    """Two bounded tables; one that is full begins anew."""

    def __init__(self) -> None:
        """Know nobody yet."""
        self._bearers: dict[str, Bearer] = {}
        self._handovers: dict[tuple[int, tuple[int, ...], date], Handover] = {}

    def bearer(self, token: str) -> Bearer | None:
        """Who bore this token when it was last read."""
        return self._bearers.get(hash_of(token))

    def handover(self, viewer: Viewer, stop_id: int, now: datetime) -> Handover | None:
        """The next handover at a stop, as it was last read for somebody of the same work units today."""
        known = self._handovers.get(_key(viewer, stop_id, now))
        return known if known and now < known.cutoff_at else None

    def remember(self, token: str, viewer: Viewer) -> None:
        """This viewer was just read behind this token."""
        if len(self._bearers) >= _MOST:
            self._bearers.clear()
        self._bearers[hash_of(token)] = bearers.bearing(token, viewer)

    async def look_up(self, session: AsyncSession, viewer: Viewer, stop_id: int, now: datetime) -> Handover:
        """Read the next handover at a stop. NotFound when this person may not choose it."""
        found = await stops.handover_for(session, viewer, stop_id, now=now)
        if len(self._handovers) >= _MOST:
            self._handovers.clear()
        # A copy: the session's own row is emptied when its transaction is rolled back.
        kept = replace(found, stop=Stop(**found.stop.model_dump()))
        self._handovers[_key(viewer, stop_id, now)] = kept
        return kept


def _key(viewer: Viewer, stop_id: int, now: datetime) -> tuple[int, tuple[int, ...], date]:
    return stop_id, tuple(viewer.work_unit_ids()), day_of(now)
