"""answers of households to lines, what they spend, and the calls at the cut-off"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _answers()
    _costs()
    _calls()


def _answers() -> None:
    op.create_table(
        "line_answers",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("order_line_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("short_quantity", sa.Integer(), nullable=False),
        sa.Column(
            "why",
            sa.Enum(
                "less",
                "spoiled",
                "weather",
                "sold",
                "other",
                name="why",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=True,
        ),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("taken_back_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("taken_back_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("taken_back_at IS NULL OR short_quantity = 0", name=op.f("ck_line_answers_taken_back")),
        sa.CheckConstraint("short_quantity >= 0", name=op.f("ck_line_answers_short_quantity")),
        sa.CheckConstraint("(short_quantity = 0) = (why IS NULL)", name=op.f("ck_line_answers_why_given")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_line_answers_account_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_lines.id"], name=op.f("fk_line_answers_order_line_id")),
        sa.ForeignKeyConstraint(["taken_back_by"], ["accounts.id"], name=op.f("fk_line_answers_taken_back_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_answers")),
    )
    op.create_index(op.f("ix_line_answers_order_line_id"), "line_answers", ["order_line_id"], unique=False)


def _costs() -> None:
    op.create_table(
        "household_costs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("spent_on", sa.Date(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "seed",
                "feed",
                "fertiliser",
                "transport",
                "wages",
                "other",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("noted_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("noted_by", sa.BigInteger(), nullable=True),
        sa.Column("removed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_household_costs_amount_fen")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_household_costs_household_id")),
        sa.ForeignKeyConstraint(["noted_by"], ["accounts.id"], name=op.f("fk_household_costs_noted_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_costs")),
    )
    op.create_index(
        "ix_household_costs_household_id_spent_on", "household_costs", ["household_id", "spent_on"], unique=False
    )


def _calls() -> None:
    op.create_table(
        "cutoff_calls",
        sa.Column("stop_id", sa.BigInteger(), nullable=False),
        sa.Column("handover_on", sa.Date(), nullable=False),
        sa.Column("called_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["stop_id"], ["stops.id"], name=op.f("fk_cutoff_calls_stop_id")),
        sa.PrimaryKeyConstraint("stop_id", "handover_on", name=op.f("pk_cutoff_calls")),
    )
