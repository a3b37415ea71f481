"""What is written down about cash between two hands, and between a hand and the bank."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from market.ground.db import choice, fen, key_of, new_id, place_code


class HandInState(StrEnum):
    """Where a hand-in is."""

    WAITING = "waiting"
    """Declared by the giver; the receiver has not counted it yet."""
    COUNTED = "counted"
    """Counted by the receiver: it has changed hands in the ledger."""
    WITHDRAWN = "withdrawn"
    """Taken back by who declared it."""
    REFUSED = "refused"
    """Sent back by the receiver, with a reason."""


class HandIn(SQLModel, table=True):
    """交款: one person says how much cash they hand to another, and the other counts it."""

    __tablename__ = "hand_ins"
    __table_args__ = (
        CheckConstraint("giver_id <> receiver_id AND declared_by <> receiver_id", name="two_people"),
        CheckConstraint("declared_fen > 0", name="declared_fen"),
        CheckConstraint("counted_fen BETWEEN 1 AND declared_fen", name="counted_fen"),
        CheckConstraint(
            "(state = 'counted') = (counted_fen IS NOT NULL) AND (state = 'counted') = (entry_id IS NOT NULL)",
            name="counted",
        ),
        CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name="ended_at"),
        CheckConstraint("state <> 'refused' OR remark <> ''", name="remark"),
        # Two taps are one hand-in, and the receiver never wonders which of two bundles is meant.
        Index(
            "uq_hand_ins_waiting", "giver_id", "receiver_id", unique=True, postgresql_where=text("state = 'waiting'")
        ),
        Index("ix_hand_ins_receiver_id_id", "receiver_id", "id"),
    )

    id: int | None = new_id()
    county_code: str = place_code()
    giver_id: int = key_of("accounts.id", index=True)
    receiver_id: int = key_of("accounts.id")
    declared_fen: int = fen()
    declared_at: datetime
    declared_by: int = key_of("accounts.id")
    """The giver; or an accountant, for somebody who takes no more cash and cannot say it themselves."""
    note: str = Field(default="", max_length=200)
    state: HandInState = choice(HandInState, name="state", default=HandInState.WAITING)
    counted_fen: int | None = fen(default=None)
    ended_at: datetime | None = None
    remark: str = Field(default="", max_length=200)
    """What the receiver has to say: why it was refused, why it was less."""
    entry_id: int | None = key_of("entries.id", default=None, unique=True)


class SlipKind(StrEnum):
    """Which way the cash went."""

    PAID_IN = "paid_in"
    TAKEN_OUT = "taken_out"


class BankSlip(SQLModel, table=True):
    """存取款单: the bank's receipt for cash an accountant paid in there, or took out for refunds."""

    __tablename__ = "bank_slips"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount_fen"),
        CheckConstraint("serial <> ''", name="serial"),
        UniqueConstraint("county_code", "slip_on", "serial"),
        Index("ix_bank_slips_account_id_id", "account_id", "id"),
    )

    id: int | None = new_id()
    county_code: str = place_code()
    account_id: int = key_of("accounts.id")
    kind: SlipKind = choice(SlipKind, name="kind")
    amount_fen: int = fen()
    serial: str = Field(max_length=40)
    """The number the bank printed on it."""
    slip_on: date
    entered_at: datetime
    entry_id: int = key_of("entries.id", unique=True)
