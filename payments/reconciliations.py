"""对账: our books laid beside the provider's own list, every difference with a name, and what became of it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import audit, queue
from market.ground.db import choice, key_of, new_id, place_code, run
from market.ground.errors import Malformed, NotAllowed, NotFound, NotMovable
from market.people.accounts import Viewer
from payments import readers, refunds
from payments.records import Payment, Refund
from payments.refunds import Claim
from payments.stripe import Fate, Gateway

PAGE = 50
TASK = "reconcile"


class Kind(StrEnum):
    """How ours and the provider's may differ."""

    MISSING_NOTICE = "missing_notice"
    """The provider has the money, we had not heard."""
    MISSING_REFUND_NOTICE = "missing_refund_notice"
    """What became of a refund there, we had not heard."""
    REFUND_NOT_SENT = "refund_not_sent"
    """Decided here long ago and never handed over."""
    REFUND_MISSING = "refund_missing"
    """We believe it sent, the provider has none."""
    REFUND_TWICE = "refund_twice"
    """The provider sent back what we sent back another way too."""
    UNKNOWN_REFUND = "unknown_refund"
    """Money went back there without us."""
    UNKNOWN_CHARGE = "unknown_charge"
    """Money came that names none of our payments."""
    CHARGE_MISSING = "charge_missing"
    """Paid by our books, not paid there."""
    AMOUNT_DIFFERS = "amount_differs"
    REFUND_AMOUNT_DIFFERS = "refund_amount_differs"
    CURRENCY_DIFFERS = "currency_differs"
    CHARGE_WITHOUT_ORDER = "charge_without_order"
    """Money that stands for no sale and is not owed back either."""
    LEDGER_DIFFERS = "ledger_differs"
    """The ledger says another sum than payment and refunds."""
    OTHER_MOVEMENT = "other_movement"
    """The provider moved money by itself: a dispute, a reversal."""


class Condition(StrEnum):
    """Where a difference is."""

    OPEN = "open"
    REPAIRED = "repaired"
    """By the normal path, as if nothing had been missed."""
    DEALT_WITH = "dealt_with"
    """By a person, outside this program."""
    GONE = "gone"
    """A later look over the same days no longer found it."""


class Reconciliation(SQLModel, table=True):
    """One comparison: of which window, when, on whose word (nobody's: the clock's), and what it came to."""

    __tablename__ = "reconciliations"
    __table_args__ = (CheckConstraint("from_at < to_at", name="window"),)

    id: int | None = new_id()
    from_at: datetime
    to_at: datetime
    started_at: datetime
    ended_at: datetime | None = None
    account_id: int | None = key_of("accounts.id", default=None)
    charge_count: int = 0
    refund_count: int = 0
    found_count: int = 0
    repaired_count: int = 0
    left_count: int = 0
    failure: str = Field(default="", max_length=40)
    """Why it ended early: the provider did not answer."""


class Difference(SQLModel, table=True):
    """差异: one thing that is not the same on both sides. Found again it is the same row."""

    __tablename__ = "differences"
    __table_args__ = (
        UniqueConstraint("kind", "subject", "expected", "found"),
        Index("ix_differences_open", "id", postgresql_where=text("condition = 'open'")),
    )

    id: int | None = new_id()
    kind: Kind = choice(Kind, name="kind")
    subject: str = Field(max_length=120)
    """The provider's id of what differs, or `payment:` or `refund:` and ours."""
    expected: str = Field(max_length=60)
    found: str = Field(max_length=60)
    at: datetime
    """When the money moved."""
    county_code: str | None = place_code(default=None)
    payment_id: UUID | None = Field(default=None, foreign_key="payments.id", index=True)
    refund_id: UUID | None = Field(default=None, foreign_key="refunds.id")
    condition: Condition = choice(Condition, name="condition")
    first_id: int = key_of("reconciliations.id")
    """The comparison that found it first."""
    last_id: int = key_of("reconciliations.id", index=True)
    found_at: datetime
    settled_at: datetime | None = None
    settled_by: int | None = key_of("accounts.id", default=None)
    why: str = Field(default="", max_length=200)

    @property
    def is_open(self) -> bool:
        """Whether it waits for a person."""
        return self.condition is Condition.OPEN


def latest(most: int = 10) -> SelectOfScalar[Reconciliation]:
    """The last comparisons, the newest first."""
    return select(Reconciliation).order_by(col(Reconciliation.id).desc()).limit(most)


def visible_to(viewer: Viewer) -> SelectOfScalar[Difference]:
    """Differences this person may see: of their counties' money, and of nobody's."""
    return select(Difference).where(readers.theirs(col(Difference.county_code), viewer))


async def listed(
    session: AsyncSession, viewer: Viewer, *, condition: Condition | None = None, offset: int = 0
) -> list[Difference]:
    """Differences, those of the latest money first; one above a page if there are."""
    wanted = visible_to(viewer).order_by(col(Difference.at).desc(), col(Difference.id).desc())
    if condition is not None:
        wanted = wanted.where(Difference.condition == condition)
    return list(await session.exec(wanted.offset(offset).limit(PAGE + 1)))


async def found_by(session: AsyncSession, made: Reconciliation) -> list[Difference]:
    """Every difference a comparison found, new and known, in order."""
    return list(
        await session.exec(select(Difference).where(Difference.last_id == made.id).order_by(col(Difference.at)))
    )


async def counts(session: AsyncSession, viewer: Viewer) -> dict[Condition, int]:
    """How many differences this person may see, by condition."""
    seen = visible_to(viewer).subquery()
    found = await run(session, select(seen.c.condition, func.count()).group_by(seen.c.condition))
    return {Condition(condition): int(count) for condition, count in found}


async def seen_by(session: AsyncSession, viewer: Viewer, difference_id: int) -> Difference:
    """A difference this person may see; NotFound for any other."""
    found = (await session.exec(visible_to(viewer).where(Difference.id == difference_id))).one_or_none()
    if found is None:
        raise NotFound("difference", str(difference_id))
    return found


async def ask(session: AsyncSession, by: Viewer, *, now: datetime) -> bool:
    """Have the worker compare now. False when one is waiting or running already."""
    if not readers.codes(by):
        raise NotAllowed("reconcile")
    if await queue.is_busy(session, TASK):
        return False
    audit.note(session, by.account_id, "ask_reconciliation", now=now)
    await queue.enqueue(session, TASK, timestamp=int(now.timestamp()), account_id=by.account_id)
    return True


async def deal_with(session: AsyncSession, by: Viewer, difference_id: int, *, why: str, now: datetime) -> Difference:
    """A person has seen to it: who, when and what was done is kept. NotMovable unless it was open."""
    if not why.strip():
        raise Malformed("why", "missing")
    difference = await _locked(session, by, difference_id)
    difference.condition, difference.why = Condition.DEALT_WITH, why.strip()[:200]
    difference.settled_at, difference.settled_by = now, by.account_id
    audit.note(session, by.account_id, "deal_with_difference", subject=f"difference:{difference.id}", note=why, now=now)
    return difference


async def adopt_refund(
    session: AsyncSession, gateway: Gateway, by: Viewer, difference_id: int, *, reason: str, now: datetime
) -> Refund:
    """Book a refund made at the provider without us as one of ours, as if this person had asked for it here.

    Raises NotMovable (another kind of difference, or the provider did not send it after all), OverLimit (more than is
    left of the payment), Malformed (no reason).
    """
    difference = await _locked(session, by, difference_id)
    if not may_adopt(difference):
        raise NotMovable("difference", difference.kind, "adopt")
    seen = await gateway.look_refund(difference.subject)
    if seen.fate in (Fate.FAILED, Fate.CANCELLED):
        raise NotMovable("refund", seen.fate, "adopt")
    claim = Claim(seen.amount_fen, reason, by.account_id)
    refund = await refunds.request(session, difference.payment_id or UUID(int=0), claim, now=now)
    await refunds.record(session, refund.id, seen, now=now)
    difference.condition, difference.refund_id, difference.why = Condition.REPAIRED, refund.id, reason.strip()[:200]
    difference.settled_at, difference.settled_by = now, by.account_id
    return refund


def may_adopt(difference: Difference) -> bool:
    """Whether it is a refund of one of our payments that a person may book."""
    return difference.is_open and difference.kind is Kind.UNKNOWN_REFUND and difference.payment_id is not None


async def payment_of(session: AsyncSession, difference: Difference) -> Payment | None:
    """The payment it is about, where it is about one of ours."""
    return await session.get(Payment, difference.payment_id) if difference.payment_id else None


async def _locked(session: AsyncSession, by: Viewer, difference_id: int) -> Difference:
    wanted = visible_to(by).where(Difference.id == difference_id).with_for_update(key_share=True)
    found = (await session.exec(wanted.execution_options(populate_existing=True))).one_or_none()
    if found is None:
        raise NotFound("difference", str(difference_id))
    if not found.is_open:
        raise NotMovable("difference", found.condition, "settle")
    return found
