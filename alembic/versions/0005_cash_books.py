"""cash books"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hand_ins",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("county_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("giver_id", sa.BigInteger(), nullable=False),
        sa.Column("receiver_id", sa.BigInteger(), nullable=False),
        sa.Column("declared_fen", sa.BigInteger(), nullable=False),
        sa.Column("declared_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("declared_by", sa.BigInteger(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "waiting",
                "counted",
                "withdrawn",
                "refused",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("counted_fen", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("remark", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "giver_id <> receiver_id AND declared_by <> receiver_id", name=op.f("ck_hand_ins_two_people")
        ),
        sa.CheckConstraint("declared_fen > 0", name=op.f("ck_hand_ins_declared_fen")),
        sa.CheckConstraint("counted_fen BETWEEN 1 AND declared_fen", name=op.f("ck_hand_ins_counted_fen")),
        sa.CheckConstraint(
            "(state = 'counted') = (counted_fen IS NOT NULL) AND (state = 'counted') = (entry_id IS NOT NULL)",
            name=op.f("ck_hand_ins_counted"),
        ),
        sa.CheckConstraint("(state = 'waiting') = (ended_at IS NULL)", name=op.f("ck_hand_ins_ended_at")),
        sa.CheckConstraint("state <> 'refused' OR remark <> ''", name=op.f("ck_hand_ins_remark")),
        sa.ForeignKeyConstraint(["declared_by"], ["accounts.id"], name=op.f("fk_hand_ins_declared_by")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_hand_ins_entry_id")),
        sa.ForeignKeyConstraint(["giver_id"], ["accounts.id"], name=op.f("fk_hand_ins_giver_id")),
        sa.ForeignKeyConstraint(["receiver_id"], ["accounts.id"], name=op.f("fk_hand_ins_receiver_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_ins")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_hand_ins_entry_id")),
    )
    op.create_index(op.f("ix_hand_ins_giver_id"), "hand_ins", ["giver_id"], unique=False)
    op.create_index("ix_hand_ins_receiver_id_id", "hand_ins", ["receiver_id", "id"], unique=False)
    op.create_index(
        "uq_hand_ins_waiting",
        "hand_ins",
        ["giver_id", "receiver_id"],
        unique=True,
        postgresql_where=sa.text("state = 'waiting'"),
    )
    op.create_table(
        "bank_slips",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("county_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("paid_in", "taken_out", name="kind", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("serial", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("slip_on", sa.Date(), nullable=False),
        sa.Column("entered_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_bank_slips_amount_fen")),
        sa.CheckConstraint("serial <> ''", name=op.f("ck_bank_slips_serial")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_bank_slips_account_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_bank_slips_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_slips")),
        sa.UniqueConstraint("county_code", "slip_on", "serial", name=op.f("uq_bank_slips_county_code_slip_on_serial")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_bank_slips_entry_id")),
    )
    op.create_index("ix_bank_slips_account_id_id", "bank_slips", ["account_id", "id"], unique=False)
