"""Photos on their way: parts of a picture, sent one after another over a network that keeps breaking off.

A phone asks how much is here and goes on from there. The form that belongs to the picture takes it away.
"""

from datetime import datetime, timedelta

from sqlalchemy import CheckConstraint, delete
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import key_of, run
from market.ground.errors import Malformed, TooManyTries

KEPT = timedelta(days=3)
MOST_BYTES, MOST_PART_BYTES = 512 * 1024, 64 * 1024
"""Phones shrink photos to some 80 KB before they send them."""
_MOST_AT_ONCE = 12
_MAX_NAME = 40


class UploadPart(SQLModel, table=True):
    """Some bytes of one account's picture, from `start` on."""

    __tablename__ = "upload_parts"
    __table_args__ = (CheckConstraint("start >= 0 AND octet_length(data) > 0", name="start"),)

    account_id: int = key_of("accounts.id", primary_key=True)
    name: str = Field(primary_key=True, max_length=_MAX_NAME)
    """What the phone calls it."""
    start: int = Field(primary_key=True)
    data: bytes
    sent_at: datetime = Field(index=True)


async def received(session: AsyncSession, account_id: int, name: str) -> int:
    """How many bytes of the picture are here."""
    size = func.coalesce(func.sum(func.octet_length(UploadPart.data)), 0)
    found = select(size).where(UploadPart.account_id == account_id, UploadPart.name == name)
    return int((await session.exec(found)).one())


async def add(session: AsyncSession, account_id: int, name: str, *, start: int, data: bytes, now: datetime) -> int:
    """Take a part that goes on where the last one ended; any other is left aside. Returns how many bytes are here.

    Malformed for what is empty or too large, TooManyTries for more pictures at once than anybody takes.
    """
    if not 0 < len(name) <= _MAX_NAME or not name.isascii() or not name.isalnum():
        raise Malformed("photo", "not_a_photo", name[:20])
    here = await received(session, account_id, name)
    if start != here:
        return here
    if not data or len(data) > MOST_PART_BYTES or here + len(data) > MOST_BYTES:
        raise Malformed("photo", "too_large", str(here + len(data)))
    if start == 0:
        await _check_count(session, account_id)
    part = {"account_id": account_id, "name": name, "start": start, "data": data, "sent_at": now}
    # The same part from two tabs at once is there once.
    await session.exec(insert(UploadPart).values(part).on_conflict_do_nothing())
    return await received(session, account_id, name)


async def whole(session: AsyncSession, account_id: int, name: str, *, size: int) -> bytes | None:
    """The picture, if all of it is here."""
    of_it = select(UploadPart.data).where(UploadPart.account_id == account_id, UploadPart.name == name)
    data = b"".join((await run(session, of_it.order_by(col(UploadPart.start)))).scalars())
    return data if data and len(data) == size else None


async def forget(session: AsyncSession, account_id: int, name: str) -> None:
    """It was taken."""
    mine = (col(UploadPart.account_id) == account_id, col(UploadPart.name) == name)
    await session.exec(delete(UploadPart).where(*mine))


async def forget_old(session: AsyncSession, *, now: datetime) -> int:
    """Drop pictures whose form never came: the phone still has them. Returns how many parts."""
    gone = await session.exec(delete(UploadPart).where(col(UploadPart.sent_at) < now - KEPT))
    return int(getattr(gone, "rowcount", 0))


async def _check_count(session: AsyncSession, account_id: int) -> None:
    begun = select(func.count(func.distinct(UploadPart.name))).where(UploadPart.account_id == account_id)
    if (await session.exec(begun)).one() >= _MOST_AT_ONCE:
        raise TooManyTries
