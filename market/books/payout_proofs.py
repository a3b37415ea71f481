"""到户凭证: the bank's paper or the signed sheet that shows that money reached its households. Never taken away."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.books import payouts
from market.books.payouts import BatchState, Payout
from market.ground import audit
from market.ground.db import choice, key_of, new_id
from market.ground.errors import NotFound, NotMovable
from market.people.accounts import Account, Viewer


class ProofKind(StrEnum):
    """What was handed in."""

    PHOTO = "photo"
    PDF = "pdf"


class PayoutProof(SQLModel, table=True):
    """One paper of a list, or of one household's row of it."""

    __tablename__ = "payout_proofs"
    __table_args__ = (
        CheckConstraint("content ~ '^[0-9a-f]{32}$'", name="content"),
        Index(
            "uq_payout_proofs_content",
            "batch_id",
            "payout_id",
            "content",
            unique=True,
            postgresql_nulls_not_distinct=True,
        ),
    )

    id: int | None = new_id()
    batch_id: int = key_of("payout_batches.id")
    payout_id: int | None = key_of("payouts.id", default=None, index=True)
    """The household it is about; none: the whole list."""
    kind: ProofKind = choice(ProofKind, name="kind")
    content: str = Field(max_length=32)
    """Hash of the file, which is its name in the storage."""
    attached_at: datetime
    attached_by: int = key_of("accounts.id")


async def attach(
    session: AsyncSession,
    by: Viewer,
    batch_id: int,
    *,
    content: str,
    kind: ProofKind,
    payout_id: int | None = None,
    now: datetime,
) -> PayoutProof:
    """Keep a paper with a list, or with one row of it. The same paper twice is kept once.

    Raises NotFound outside an accountant's divisions or for another list's row, NotMovable before the approval.
    """
    batch = await payouts.lock(session, by, batch_id)
    if batch.state not in (BatchState.APPROVED, BatchState.CLOSED):
        raise NotMovable("payout_batch", batch.state, "prove")
    if payout_id is not None:
        row = await session.get(Payout, payout_id)
        if row is None or row.batch_id != batch_id:
            raise NotFound("payout", str(payout_id))
    same = select(PayoutProof).where(
        PayoutProof.batch_id == batch_id, PayoutProof.content == content, PayoutProof.payout_id == payout_id
    )
    known = (await session.exec(same)).one_or_none()
    if known is not None:
        return known
    proof = PayoutProof(
        batch_id=batch_id, payout_id=payout_id, kind=kind, content=content, attached_at=now, attached_by=by.id
    )
    session.add(proof)
    audit.note(session, by.account_id, "prove_payouts", subject=f"payout_batch:{batch_id}", note=content, now=now)
    await session.flush()  # the page names its id
    return proof


async def seen_by(session: AsyncSession, viewer: Viewer, batch_id: int, proof_id: int) -> PayoutProof:
    """A paper of a list this person may look at; NotFound for any other."""
    await payouts.seen_by(session, viewer, batch_id)
    proof = await session.get(PayoutProof, proof_id)
    if proof is None or proof.batch_id != batch_id:
        raise NotFound("payout_proof", str(proof_id))
    return proof


def of_batch(batch_id: int) -> Select[PayoutProof, str]:
    """Papers of a list and of its rows with who handed them in, the newest first."""
    return (
        select(PayoutProof, Account.name)
        .join(Account, col(Account.id) == col(PayoutProof.attached_by))
        .where(PayoutProof.batch_id == batch_id)
        .order_by(col(PayoutProof.id).desc())
    )
