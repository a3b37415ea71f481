"""acting for households, and what they say to it"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _words()
    _acts()


def _words() -> None:
    op.create_table(
        "household_words",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.Column(
            "heard",
            sa.Enum(
                "own", "call", "present", "sheet", name="heard", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("spoken_to", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("number_end", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("sheet", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("photo", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("settled_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("settled_note", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.CheckConstraint("heard <> 'call' OR number_end ~ '^[0-9]{4}$'", name=op.f("ck_household_words_call")),
        sa.CheckConstraint("heard <> 'sheet' OR sheet <> ''", name=op.f("ck_household_words_sheet")),
        sa.CheckConstraint("num_nulls(settled_at, settled_by) IN (0, 2)", name=op.f("ck_household_words_settled")),
        sa.CheckConstraint("NOT agreed OR settled_at IS NULL", name=op.f("ck_household_words_nothing_to_settle")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_household_words_account_id")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_household_words_household_id")),
        sa.ForeignKeyConstraint(["settled_by"], ["accounts.id"], name=op.f("fk_household_words_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_words")),
    )
    op.create_index(op.f("ix_household_words_household_id"), "household_words", ["household_id"], unique=False)
    op.create_index(
        "ix_household_words_objections",
        "household_words",
        ["household_id"],
        unique=False,
        postgresql_where="NOT agreed AND settled_at IS NULL",
    )


def _acts() -> None:
    op.create_table(
        "acts_for",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("act", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("word_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_acts_for_account_id")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_acts_for_household_id")),
        sa.ForeignKeyConstraint(["word_id"], ["household_words.id"], name=op.f("fk_acts_for_word_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_acts_for")),
    )
    op.create_index(op.f("ix_acts_for_account_id"), "acts_for", ["account_id"], unique=False)
    op.create_index(op.f("ix_acts_for_word_id"), "acts_for", ["word_id"], unique=False)
    op.create_index("ix_acts_for_household_id_id", "acts_for", ["household_id", "id"], unique=False)
    op.create_index("ix_acts_for_open", "acts_for", ["household_id"], unique=False, postgresql_where="word_id IS NULL")
