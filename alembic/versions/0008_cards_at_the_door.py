"""cards at the door"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "door_cards",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("secret_hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("printed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("printed_by", sa.BigInteger(), nullable=False),
        sa.Column("good_until_on", sa.Date(), nullable=False),
        sa.Column("revoked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("revoked_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "why",
            sa.Enum("replaced", "lost", "returned", name="why", native_enum=False, create_constraint=True, length=24),
            nullable=True,
        ),
        sa.CheckConstraint("(revoked_at IS NULL) = (why IS NULL)", name=op.f("ck_door_cards_revoked")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_door_cards_account_id")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_door_cards_household_id")),
        sa.ForeignKeyConstraint(["printed_by"], ["accounts.id"], name=op.f("fk_door_cards_printed_by")),
        sa.ForeignKeyConstraint(["revoked_by"], ["accounts.id"], name=op.f("fk_door_cards_revoked_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_cards")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_door_cards_secret_hash")),
    )
    op.create_index(op.f("ix_door_cards_household_id"), "door_cards", ["household_id"], unique=False)
    op.create_index(
        "uq_door_cards_live", "door_cards", ["household_id"], unique=True, postgresql_where="revoked_at IS NULL"
    )
    op.create_table(
        "door_devices",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("card_id", sa.BigInteger(), nullable=False),
        sa.Column("device_hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("number", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("asked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("confirmed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=True),
        sa.Column(
            "heard",
            sa.Enum(
                "own", "call", "present", "sheet", name="heard", native_enum=False, create_constraint=True, length=24
            ),
            nullable=True,
        ),
        sa.Column("number_end", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("sheet", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("used_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(confirmed_at, confirmed_by, heard) IN (0, 3)", name=op.f("ck_door_devices_confirmed")
        ),
        sa.ForeignKeyConstraint(["card_id"], ["door_cards.id"], name=op.f("fk_door_devices_card_id")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["accounts.id"], name=op.f("fk_door_devices_confirmed_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["accounts.id"], name=op.f("fk_door_devices_ended_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_door_devices")),
    )
    op.create_index(op.f("ix_door_devices_card_id"), "door_devices", ["card_id"], unique=False)
    op.create_index(
        "uq_door_devices_live",
        "door_devices",
        ["card_id", "device_hash"],
        unique=True,
        postgresql_where="ended_at IS NULL",
    )
