"""round cancellations"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# The foreign key of an order being placed holds its stop until the commit; whoever calls a round off holds the stop FOR
# UPDATE. So either the order is seen and listed, or this look, with a snapshot of its own, sees the cancellation. It has
# to come after the key's check: triggers fire by name, and RI_ConstraintTrigger… is before round_… in the bytes' order.
_REFUSE = """
    CREATE FUNCTION refuse_cancelled_round() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF EXISTS (
            SELECT FROM round_cancellations WHERE stop_id = NEW.stop_id AND handover_on = NEW.handover_on
        ) THEN
            RAISE EXCEPTION 'the round of stop % on % was called off', NEW.stop_id, NEW.handover_on
                USING ERRCODE = 'YG001';
        END IF;
        RETURN NULL;
    END
    $$
"""
_GUARD = """
    CREATE TRIGGER round_is_on AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse_cancelled_round()
"""


def upgrade() -> None:
    op.create_table(
        "round_cancellations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("stop_id", sa.BigInteger(), nullable=False),
        sa.Column("handover_on", sa.Date(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(length=100), nullable=False),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.CheckConstraint("why <> ''", name=op.f("ck_round_cancellations_why")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_round_cancellations_account_id")),
        sa.ForeignKeyConstraint(["stop_id"], ["stops.id"], name=op.f("fk_round_cancellations_stop_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_round_cancellations")),
        sa.UniqueConstraint("stop_id", "handover_on", name=op.f("uq_round_cancellations_stop_id_handover_on")),
    )
    op.create_index(
        "ix_round_cancellations_open",
        "round_cancellations",
        ["id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "called_off_orders",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("cancellation_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "outcome",
            sa.Enum(
                "waiting",
                "nothing_due",
                "returned",
                "cash_due",
                "over",
                name="outcome",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("back_fen", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.CheckConstraint("(outcome = 'waiting') = (ended_at IS NULL)", name=op.f("ck_called_off_orders_ended_at")),
        sa.CheckConstraint(
            "(outcome IN ('returned', 'cash_due')) = (back_fen > 0)", name=op.f("ck_called_off_orders_back_fen")
        ),
        sa.ForeignKeyConstraint(
            ["cancellation_id"], ["round_cancellations.id"], name=op.f("fk_called_off_orders_cancellation_id")
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_called_off_orders_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_called_off_orders")),
    )
    op.create_index(
        op.f("ix_called_off_orders_cancellation_id"), "called_off_orders", ["cancellation_id"], unique=False
    )
    op.execute(_REFUSE)
    op.execute(_GUARD)
