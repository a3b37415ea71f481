"""moves of payments and refunds"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_PAYMENTS = ("started", "succeeded", "failed", "cancelled")
_REFUNDS = ("requested", "pending", "succeeded", "failed")


def upgrade() -> None:
    _moves("payment", _PAYMENTS)
    _moves("refund", _REFUNDS)


def _moves(what: str, states: tuple[str, ...]) -> None:
    table = f"{what}_moves"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column(f"{what}_id", sa.Uuid(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        *(
            sa.Column(
                name,
                sa.Enum(*states, name=name, native_enum=False, create_constraint=True, length=24),
                nullable=False,
            )
            for name in ("from_state", "to_state")
        ),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id")),
        sa.ForeignKeyConstraint([f"{what}_id"], [f"{what}s.id"], name=op.f(f"fk_{table}_{what}_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_{what}_id"), table, [f"{what}_id"], unique=False)
