"""reconciliations with the provider, and notices acted on again"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_KINDS = (
    "missing_notice",
    "missing_refund_notice",
    "refund_not_sent",
    "refund_missing",
    "refund_twice",
    "unknown_refund",
    "unknown_charge",
    "charge_missing",
    "amount_differs",
    "refund_amount_differs",
    "currency_differs",
    "charge_without_order",
    "ledger_differs",
    "other_movement",
)
_CONDITIONS = ("open", "repaired", "dealt_with", "gone")


def upgrade() -> None:
    _reconciliations()
    _differences()
    _replays()


def _reconciliations() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        *(_moment(name) for name in ("from_at", "to_at", "started_at")),
        _moment("ended_at", nullable=True),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        *(
            sa.Column(f"{name}_count", sa.Integer(), nullable=False)
            for name in ("charge", "refund", "found", "repaired", "left")
        ),
        _words("failure", 40),
        sa.CheckConstraint("from_at < to_at", name=op.f("ck_reconciliations_window")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_reconciliations_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
    )


def _differences() -> None:
    op.create_table(
        "differences",
        sa.Column("id", sa.BigInteger(), nullable=False),
        _one_of("kind", _KINDS),
        _words("subject", 120),
        _words("expected", 60),
        _words("found", 60),
        _moment("at"),
        sa.Column("county_code", sa.String(length=12, collation="C"), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        _one_of("condition", _CONDITIONS),
        sa.Column("first_id", sa.BigInteger(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        _moment("found_at"),
        _moment("settled_at", nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        _words("why", 200),
        sa.ForeignKeyConstraint(["first_id"], ["reconciliations.id"], name=op.f("fk_differences_first_id")),
        sa.ForeignKeyConstraint(["last_id"], ["reconciliations.id"], name=op.f("fk_differences_last_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_differences_payment_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name=op.f("fk_differences_refund_id")),
        sa.ForeignKeyConstraint(["settled_by"], ["accounts.id"], name=op.f("fk_differences_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_differences")),
        sa.UniqueConstraint(
            "kind", "subject", "expected", "found", name=op.f("uq_differences_kind_subject_expected_found")
        ),
    )
    op.create_index(op.f("ix_differences_last_id"), "differences", ["last_id"], unique=False)
    op.create_index(op.f("ix_differences_payment_id"), "differences", ["payment_id"], unique=False)
    op.create_index(
        "ix_differences_open", "differences", ["id"], unique=False, postgresql_where=sa.text("condition = 'open'")
    )


def _replays() -> None:
    op.create_table(
        "notice_replays",
        sa.Column("id", sa.BigInteger(), nullable=False),
        _words("notice_id", 120),
        _moment("at"),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        _words("before", 40),
        _words("outcome", 40),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_notice_replays_account_id")),
        sa.ForeignKeyConstraint(["notice_id"], ["notices.id"], name=op.f("fk_notice_replays_notice_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice_replays")),
    )
    op.create_index(op.f("ix_notice_replays_notice_id"), "notice_replays", ["notice_id"], unique=False)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sqlmodel.sql.sqltypes.UTCDateTime(), nullable=nullable)


def _words(name: str, most: int) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(length=most), nullable=False)


def _one_of(name: str, values: tuple[str, ...]) -> sa.Column[str]:
    kinds = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)
    return sa.Column(name, kinds, nullable=False)
