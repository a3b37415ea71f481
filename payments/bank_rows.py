"""Banks' statements as the market keeps them: their lines, what each was found to be, what became of its money."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, SQLModel, col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground.db import choice, fen, key_of, new_id
from market.ground.errors import NotFound
from market.people.accounts import Viewer
from payments import payees
from payments.outcomes import CURRENCY, STANDING, Outcome, PartState, RowState, StatementState, Use
from payments.payees import Payee


class BankStatement(SQLModel, table=True):
    """对账单: one file of a bank about one payee's account."""

    __tablename__ = "bank_statements"
    __table_args__ = (
        Index(
            "uq_bank_statements_file", "payee_id", "sha256", unique=True, postgresql_where=text("state <> 'discarded'")
        ),
        Index("ix_bank_statements_payee_id_id", "payee_id", "id"),
    )

    id: int | None = new_id()
    payee_id: int = key_of("payees.id")
    name: str = Field(max_length=120)
    """As the file was called."""
    sha256: str = Field(max_length=64)
    layout: str = Field(max_length=12)
    state: StatementState = choice(StatementState, name="state", default=StatementState.PREVIEWED)
    sent_at: datetime
    sent_by: int = key_of("accounts.id")
    ended_at: datetime | None = None
    """When it was taken or discarded."""
    ended_by: int | None = key_of("accounts.id", default=None)


class BankRow(SQLModel, table=True):
    """流水: one movement on a payee's account. What came is positive, what went negative."""

    __tablename__ = "bank_rows"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount_fen"),
        Index(
            "uq_bank_rows_taken",
            "payee_id",
            "fingerprint",
            unique=True,
            postgresql_where=text("state <> 'previewed' AND outcome <> 'duplicate'"),
        ),
        Index("ix_bank_rows_open", "payee_id", "id", postgresql_where=text("state = 'open'")),
    )

    id: int | None = new_id()
    statement_id: int = key_of("bank_statements.id", index=True)
    payee_id: int = key_of("payees.id")
    line: int
    booked_on: date
    amount_fen: int = fen()
    currency: str = Field(max_length=8)
    name: str = Field(default="", max_length=80)
    account: str = Field(default="", max_length=12)
    """Masked: no payer's whole number is ever kept."""
    memo: str = Field(default="", max_length=300)
    serial: str = Field(default="", max_length=64)
    fingerprint: str = Field(max_length=64)
    """The same movement has the same one in every file."""
    outcome: Outcome = choice(Outcome, name="outcome")
    state: RowState = choice(RowState, name="state", default=RowState.PREVIEWED)

    @property
    def came(self) -> bool:
        """Whether money came."""
        return self.amount_fen > 0

    @property
    def is_booked(self) -> bool:
        """Whether its money stands in the books from the moment its statement is taken."""
        return self.came and self.currency == CURRENCY and self.outcome is not Outcome.DUPLICATE


class Part(SQLModel, table=True):
    """去向: what a part of a line's money is for: on whose word, when and why."""

    __tablename__ = "bank_parts"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("(use = 'payment') = (payment_id IS NOT NULL)", name="payment_id"),
        CheckConstraint("(use IN ('refund', 'bounced')) = (refund_id IS NOT NULL)", name="refund_id"),
        CheckConstraint("(use = 'returned') = (other_row_id IS NOT NULL)", name="other_row_id"),
        Index("ix_bank_parts_agreed", "id", postgresql_where=text("state = 'agreed'")),
    )

    id: int | None = new_id()
    row_id: int = key_of("bank_rows.id", index=True)
    use: Use = choice(Use, name="use")
    state: PartState = choice(PartState, name="state")
    amount_fen: int = fen()
    payment_id: UUID | None = Field(default=None, foreign_key="payments.id", index=True)
    refund_id: UUID | None = Field(default=None, foreign_key="refunds.id", index=True)
    other_row_id: int | None = key_of("bank_rows.id", default=None)
    at: datetime
    """When it was proposed or decided."""
    account_id: int | None = key_of("accounts.id", default=None)
    """Who decided; nobody as long as it is only proposed."""
    why: str = Field(default="", max_length=200)
    ended_at: datetime | None = None


def visible_to(viewer: Viewer) -> SelectOfScalar[BankRow]:
    """Lines of the statements of an accountant's counties."""
    own = payees.visible_to(viewer).with_only_columns(col(Payee.id)).order_by(None)
    return select(BankRow).where(col(BankRow.payee_id).in_(own))


def parts_of(row_id: int) -> SelectOfScalar[Part]:
    """What became of a line's money, and what was proposed, in order."""
    return select(Part).where(Part.row_id == row_id).order_by(col(Part.id))


async def seen_by(session: AsyncSession, viewer: Viewer, row_id: int) -> BankRow:
    """A line of an accountant's counties; NotFound for any other."""
    found = (await session.exec(visible_to(viewer).where(BankRow.id == row_id))).one_or_none()
    if found is None:
        raise NotFound("bank_row", str(row_id))
    return found


async def lock(session: AsyncSession, row_id: int) -> BankRow:
    """A line, held until the transaction ends. Orders and payments are locked before it, stock after it."""
    held = select(BankRow).where(BankRow.id == row_id).with_for_update(key_share=True)
    return (await session.exec(held.execution_options(populate_existing=True))).one()


async def rest_fen(session: AsyncSession, row: BankRow) -> int:
    """How much of a locked line nobody has agreed a use for."""
    used = select(func.coalesce(func.sum(col(Part.amount_fen)), 0)).where(
        Part.row_id == row.id, col(Part.state).in_(STANDING)
    )
    return abs(row.amount_fen) - int((await session.exec(used)).one())


async def given_fen(session: AsyncSession, payment_id: UUID) -> int:
    """How much has come for a payment by lines that are done. Read under the payment's lock."""
    given = select(func.coalesce(func.sum(col(Part.amount_fen)), 0)).where(
        Part.payment_id == payment_id, Part.state == PartState.DONE
    )
    return int((await session.exec(given)).one())


async def rest_of(session: AsyncSession, row_ids: list[int]) -> dict[int, int]:
    """How much of several lines is still without a use."""
    used = (
        select(Part.row_id, func.sum(col(Part.amount_fen)))
        .where(col(Part.row_id).in_(row_ids), col(Part.state).in_(STANDING))
        .group_by(col(Part.row_id))
    )
    given = {row_id: int(amount) for row_id, amount in await session.exec(used)}
    amounts = await session.exec(select(BankRow.id, BankRow.amount_fen).where(col(BankRow.id).in_(row_ids)))
    return {row_id or 0: abs(amount) - given.get(row_id or 0, 0) for row_id, amount in amounts}


async def set_state(session: AsyncSession, row: BankRow, outcome: Outcome | None = None) -> None:
    """Bring a locked line's state to where its parts are; `outcome`: what it turned out to be."""
    await session.flush()  # the parts just changed are counted
    states = set(await session.exec(select(Part.state).where(Part.row_id == row.id)))
    if outcome is not None:
        row.outcome = outcome
    if PartState.AGREED in states:
        row.state = RowState.SETTLING
    else:
        row.state = RowState.OPEN if await rest_fen(session, row) else RowState.DONE


async def release(session: AsyncSession, payment_id: UUID, *, now: datetime) -> None:
    """What came in part for a payment that no longer waits is free again: a person decides. Expects its lock."""
    given = select(Part).where(Part.payment_id == payment_id, Part.state == PartState.DONE)
    for part in (await session.exec(given.order_by(col(Part.row_id)))).all():
        part.state, part.ended_at = PartState.VOID, now
        await set_state(session, await lock(session, part.row_id), Outcome.FREED)
