"""offline: two words about one number, photos on their way"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _disagreements()
    _uploads()


def _disagreements() -> None:
    utc = sqlmodel.sql.sqltypes.UTCDateTime()
    op.create_table(
        "disagreements",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "about",
            sa.Enum("price", "left", name="about", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("said_by", sa.BigInteger(), nullable=True),
        sa.Column("said_at", utc, nullable=False),
        sa.Column("kept", sa.Integer(), nullable=True),
        sa.Column("settled_by", sa.BigInteger(), nullable=True),
        sa.Column("settled_at", utc, nullable=True),
        sa.CheckConstraint("(settled_at IS NULL) = (kept IS NULL)", name=op.f("ck_disagreements_settled")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_disagreements_listing_id")),
        sa.ForeignKeyConstraint(["said_by"], ["accounts.id"], name=op.f("fk_disagreements_said_by")),
        sa.ForeignKeyConstraint(["settled_by"], ["accounts.id"], name=op.f("fk_disagreements_settled_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disagreements")),
    )
    op.create_index(op.f("ix_disagreements_listing_id"), "disagreements", ["listing_id"], unique=False)
    op.create_index(
        "ix_disagreements_open", "disagreements", ["listing_id"], postgresql_where=sa.text("settled_at IS NULL")
    )


def _uploads() -> None:
    op.create_table(
        "upload_parts",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.CheckConstraint("start >= 0 AND octet_length(data) > 0", name=op.f("ck_upload_parts_start")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_upload_parts_account_id")),
        sa.PrimaryKeyConstraint("account_id", "name", "start", name=op.f("pk_upload_parts")),
    )
    op.create_index(op.f("ix_upload_parts_sent_at"), "upload_parts", ["sent_at"], unique=False)
