"""payouts"""

import sqlalchemy as sa
import sqlmodel

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


PROMISES = """
-- What was asked for and who agreed stays as it was: a card is changed by another row. Only its seals may be renewed.
CREATE FUNCTION keep_card() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.household_id, NEW.bank, NEW.last_four, NEW.relation, NEW.mandate_on, NEW.asked_at, NEW.asked_by)
            IS DISTINCT FROM
            (OLD.household_id, OLD.bank, OLD.last_four, OLD.relation, OLD.mandate_on, OLD.asked_at, OLD.asked_by)
        OR OLD.confirmed_at IS NOT NULL AND (NEW.confirmed_at, NEW.confirmed_by, NEW.usable_from_at)
            IS DISTINCT FROM (OLD.confirmed_at, OLD.confirmed_by, OLD.usable_from_at)
        OR OLD.ended_at IS NOT NULL AND (NEW.ended_at, NEW.ended_by, NEW.confirmed_at)
            IS DISTINCT FROM (OLD.ended_at, OLD.ended_by, OLD.confirmed_at) THEN
        RAISE EXCEPTION 'a card is changed by a new row' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER keep_card BEFORE UPDATE ON payout_cards FOR EACH ROW EXECUTE FUNCTION keep_card();
CREATE TRIGGER never_deleted BEFORE DELETE ON payout_cards FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def run_script(script: str) -> None:
    """Run many statements at once, inside the migration's transaction: the driver's own call takes them all."""
    bind = op.get_bind()
    bind.execute(sa.text("SELECT 1"))  # the driver begins its transaction at the first statement
    bind.connection.dbapi_connection.run_async(lambda connection: connection.execute(script))


def upgrade() -> None:
    op.create_table(
        "payout_cards",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("bank", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("sealed_holder", sa.Text(), nullable=False),
        sa.Column("sealed_number", sa.Text(), nullable=False),
        sa.Column("last_four", sqlmodel.sql.sqltypes.AutoString(length=4), nullable=False),
        sa.Column("relation", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("mandate_on", sa.Date(), nullable=True),
        sa.Column("asked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("confirmed_by", sa.BigInteger(), nullable=True),
        sa.Column("usable_from_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("end_why", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.CheckConstraint("(relation = '') = (mandate_on IS NULL)", name=op.f("ck_payout_cards_mandate_on")),
        sa.CheckConstraint("last_four ~ '^[0-9]{4}$'", name=op.f("ck_payout_cards_last_four")),
        sa.CheckConstraint(
            "usable_from_at >= confirmed_at + interval '24 hours'", name=op.f("ck_payout_cards_waiting_day")
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_payout_cards_ended")),
        sa.CheckConstraint("confirmed_by <> asked_by", name=op.f("ck_payout_cards_second_person")),
        sa.CheckConstraint(
            "num_nonnulls(confirmed_at, confirmed_by, usable_from_at) IN (0, 3)", name=op.f("ck_payout_cards_confirmed")
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["accounts.id"], name=op.f("fk_payout_cards_asked_by")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["accounts.id"], name=op.f("fk_payout_cards_confirmed_by")),
        sa.ForeignKeyConstraint(["ended_by"], ["accounts.id"], name=op.f("fk_payout_cards_ended_by")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_payout_cards_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_cards")),
    )
    op.create_index(op.f("ix_payout_cards_household_id"), "payout_cards", ["household_id"], unique=False)
    op.create_index(
        "uq_payout_cards_asked",
        "payout_cards",
        ["household_id"],
        unique=True,
        postgresql_where=sa.text("confirmed_at IS NULL AND ended_at IS NULL"),
    )
    run_script(PROMISES)
