"""goods rules"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gates",
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("name_en", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("needs", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("note_en", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_gates")),
    )
    op.create_table(
        "means",
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("name_en", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("unit", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("unit_en", sqlmodel.sql.sqltypes.AutoString(length=10), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_means")),
    )
    op.create_table(
        "slaughter_points",
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("address", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["division_code"], ["divisions.code"], name=op.f("fk_slaughter_points_division_code")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_slaughter_points")),
    )
    op.create_index(op.f("ix_slaughter_points_division_code"), "slaughter_points", ["division_code"], unique=False)
    op.create_table(
        "household_means",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("means_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("produce_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("tenths", sa.Integer(), nullable=False),
        sa.Column("changed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("changed_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("tenths >= 0", name=op.f("ck_household_means_tenths")),
        sa.ForeignKeyConstraint(["changed_by"], ["accounts.id"], name=op.f("fk_household_means_changed_by")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_household_means_household_id")),
        sa.ForeignKeyConstraint(["means_code"], ["means.code"], name=op.f("fk_household_means_means_code")),
        sa.PrimaryKeyConstraint("household_id", "means_code", "produce_code", name=op.f("pk_household_means")),
    )
    op.create_table(
        "capacity_permits",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("produce_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("season_on", sa.Date(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("grams", sa.BigInteger(), nullable=False),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("why <> ''", name=op.f("ck_capacity_permits_why")),
        sa.CheckConstraint(
            "granted AND grams > 0 OR NOT granted AND grams = 0", name=op.f("ck_capacity_permits_grams")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_capacity_permits_account_id")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_capacity_permits_household_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_capacity_permits_listing_id")),
        sa.ForeignKeyConstraint(["produce_code"], ["produce.code"], name=op.f("fk_capacity_permits_produce_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capacity_permits")),
    )
    op.create_index(
        "ix_capacity_permits_household_id_season_on", "capacity_permits", ["household_id", "season_on"], unique=False
    )
    op.create_index(op.f("ix_capacity_permits_listing_id"), "capacity_permits", ["listing_id"], unique=False)
    op.create_table(
        "halts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("lifted_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("lifted_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("why <> ''", name=op.f("ck_halts_why")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_halts_account_id")),
        sa.ForeignKeyConstraint(["lifted_by"], ["accounts.id"], name=op.f("fk_halts_lifted_by")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_halts_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_halts")),
    )
    op.create_index(op.f("ix_halts_listing_id"), "halts", ["listing_id"], unique=False)
    op.create_index(
        "uq_halts_open", "halts", ["listing_id"], unique=True, postgresql_where=sa.text("lifted_at IS NULL")
    )
    op.create_table(
        "listing_papers",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("ready_on", sa.Date(), nullable=False),
        sa.Column("slaughter_point_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=True),
        sa.Column("certificate_no", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("certificate_photo", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("licence_no", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("given_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("given_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["given_by"], ["accounts.id"], name=op.f("fk_listing_papers_given_by")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_listing_papers_listing_id")),
        sa.ForeignKeyConstraint(
            ["slaughter_point_code"], ["slaughter_points.code"], name=op.f("fk_listing_papers_slaughter_point_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listing_papers")),
        sa.UniqueConstraint("listing_id", "ready_on", name=op.f("uq_listing_papers_listing_id_ready_on")),
    )
    op.create_index(op.f("ix_listing_papers_certificate_no"), "listing_papers", ["certificate_no"], unique=False)
    op.create_foreign_key(op.f("fk_produce_means_code"), "produce", "means", ["means_code"], ["code"])
    op.create_foreign_key(op.f("fk_produce_gate_code"), "produce", "gates", ["gate_code"], ["code"])
