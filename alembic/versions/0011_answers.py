"""answers of households to lines"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
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
        sa.CheckConstraint("short_quantity >= 0", name=op.f("ck_line_answers_short_quantity")),
        sa.CheckConstraint("(short_quantity = 0) = (why IS NULL)", name=op.f("ck_line_answers_why_given")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_line_answers_account_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_lines.id"], name=op.f("fk_line_answers_order_line_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_line_answers")),
    )
    op.create_index(op.f("ix_line_answers_order_line_id"), "line_answers", ["order_line_id"], unique=False)
