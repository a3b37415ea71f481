"""The same request twice does its work once: the answer is kept in the transaction that did the work."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import key_of
from market.ground.errors import Malformed, StillRunning

KEPT = timedelta(days=30)
"""A phone that never heard the answer may come out of its valley weeks later; a sign-in lasts no longer."""
_MAX_KEY = 80


class KeptAnswer(SQLModel, table=True):
    """What was answered to a caller's request under a key of their choosing."""

    __tablename__ = "kept_answers"

    account_id: int = key_of("accounts.id", primary_key=True)
    key: str = Field(primary_key=True, max_length=_MAX_KEY)
    fingerprint: str = Field(max_length=64)
    answer: dict[str, Any] = Field(sa_type=JSONB)
    kept_at: datetime = Field(index=True)


@dataclass(frozen=True)
class Claim:
    """The right to do the work of one key; ends with the transaction."""

    account_id: int
    key: str
    fingerprint: str

    @property
    def lock(self) -> int:
        """The advisory lock that stands for the key."""
        named = f"{self.account_id}:{self.key}".encode()
        return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), signed=True)


UNUSED = """
    (a.key IS NULL OR pg_try_advisory_xact_lock(a.lock))
    AND (SELECT count(*) FROM kept_answers k WHERE k.account_id = a.account_id AND k.key = a.key) = 0
"""
"""Of a statement that claims the key of each row `a` itself: nobody is at work under it, and nothing was answered yet.

Whoever ends between the look and the lock is caught by the table's primary key.
"""


def wanted(account_id: int, *, key: str, body: bytes) -> Claim:
    """The claim a caller makes for this request; not granted yet. Malformed for what cannot be a key."""
    if not 1 <= len(key) <= _MAX_KEY or not key.isprintable():
        raise Malformed("Idempotency-Key", "bad_key", key[:20])
    return Claim(account_id, key, hashlib.sha256(body).hexdigest())


async def claim(session: AsyncSession, account_id: int, *, key: str, body: bytes) -> Claim | dict[str, Any]:
    """The earlier answer under this key, or the claim to do the work now.

    Raises StillRunning while the first request has not ended, Malformed when the key was used with another body.
    """
    claimed = wanted(account_id, key=key, body=body)
    free = await session.scalar(select(func.pg_try_advisory_xact_lock(claimed.lock)))
    if not free:
        raise StillRunning(key)
    earlier = await session.get(KeptAnswer, (account_id, key))
    if earlier is None:
        return claimed
    if earlier.fingerprint != claimed.fingerprint:
        raise Malformed("Idempotency-Key", "key_used_for_another_request", key[:20])
    return earlier.answer


def keep(session: AsyncSession, claimed: Claim, *, answer: dict[str, Any], now: datetime) -> None:
    """Keep the answer beside the work, in the same transaction."""
    session.add(
        KeptAnswer(
            account_id=claimed.account_id,
            key=claimed.key,
            fingerprint=claimed.fingerprint,
            answer=answer,
            kept_at=now,
        )
    )


async def forget_old(session: AsyncSession, *, now: datetime) -> int:
    """Drop answers older than a month; returns how many."""
    gone = await session.exec(delete(KeptAnswer).where(col(KeptAnswer.kept_at) < now - KEPT))
    return int(getattr(gone, "rowcount", 0))
