"""transfers"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _payees()


def _payees() -> None:
    op.create_table(
        "payees",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("county_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("bank", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("account_no", sqlmodel.sql.sqltypes.AutoString(length=34), nullable=False),
        sa.Column("entered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("entered_by", sa.BigInteger(), nullable=True),
        sa.Column("confirmed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("closed_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("confirmed_by <> entered_by", name=op.f("ck_payees_two_people")),
        sa.CheckConstraint("(confirmed_at IS NULL) = (confirmed_by IS NULL)", name=op.f("ck_payees_confirmed")),
        sa.ForeignKeyConstraint(["closed_by"], ["accounts.id"], name=op.f("fk_payees_closed_by")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["accounts.id"], name=op.f("fk_payees_confirmed_by")),
        sa.ForeignKeyConstraint(["county_code"], ["divisions.code"], name=op.f("fk_payees_county_code")),
        sa.ForeignKeyConstraint(["entered_by"], ["accounts.id"], name=op.f("fk_payees_entered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payees")),
    )
    states = {
        "uq_payees_open": "confirmed_at IS NOT NULL AND closed_at IS NULL",
        "uq_payees_waiting": "confirmed_at IS NULL AND closed_at IS NULL",
    }
    for name, state in states.items():
        op.create_index(name, "payees", ["county_code"], unique=True, postgresql_where=sa.text(state))
