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
CREATE TRIGGER never_changed BEFORE UPDATE OR DELETE ON payout_proofs FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def run_script(script: str) -> None:
    """Run many statements at once, inside the migration's transaction: the driver's own call takes them all."""
    bind = op.get_bind()
    bind.execute(sa.text("SELECT 1"))  # the driver begins its transaction at the first statement
    bind.connection.dbapi_connection.run_async(lambda connection: connection.execute(script))


def upgrade() -> None:
    op.create_table(
        "payout_batches",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column(
            "rail",
            sa.Enum("stripe", "cash", "transfer", name="rail", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "approved",
                "closed",
                "dropped",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("proposed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("proposed_by", sa.BigInteger(), nullable=False),
        sa.Column("approved_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("approved_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.Column("end_why", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.CheckConstraint(
            "(approved_at IS NOT NULL) = (state IN ('approved', 'closed')) AND (approved_at IS NULL) = (approved_by IS NULL)",
            name=op.f("ck_payout_batches_approved"),
        ),
        sa.CheckConstraint(
            "(ended_at IS NOT NULL) = (state IN ('closed', 'dropped')) AND (ended_at IS NULL) = (ended_by IS NULL)",
            name=op.f("ck_payout_batches_ended"),
        ),
        sa.CheckConstraint("rail IN ('transfer', 'cash')", name=op.f("ck_payout_batches_way")),
        sa.CheckConstraint("approved_by <> proposed_by", name=op.f("ck_payout_batches_second_person")),
        sa.ForeignKeyConstraint(["approved_by"], ["accounts.id"], name=op.f("fk_payout_batches_approved_by")),
        sa.ForeignKeyConstraint(["division_code"], ["divisions.code"], name=op.f("fk_payout_batches_division_code")),
        sa.ForeignKeyConstraint(["ended_by"], ["accounts.id"], name=op.f("fk_payout_batches_ended_by")),
        sa.ForeignKeyConstraint(["proposed_by"], ["accounts.id"], name=op.f("fk_payout_batches_proposed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_batches")),
    )
    op.create_index("ix_payout_batches_division_code_id", "payout_batches", ["division_code", "id"], unique=False)
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
    op.create_table(
        "payouts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column(
            "rail",
            sa.Enum("stripe", "cash", "transfer", name="rail", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("card_id", sa.BigInteger(), nullable=True),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("proposed_fen", sa.BigInteger(), nullable=False),
        sa.Column("payable_fen", sa.BigInteger(), nullable=True),
        sa.Column("book_entry_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "proposed",
                "approved",
                "paid",
                "failed",
                "returned",
                "dropped",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(payable_fen IS NULL) = (state IN ('proposed', 'dropped')) AND (payable_fen IS NULL) = (book_entry_id IS NULL)",
            name=op.f("ck_payouts_approved"),
        ),
        sa.CheckConstraint("(rail = 'transfer') = (card_id IS NOT NULL)", name=op.f("ck_payouts_card_id")),
        sa.CheckConstraint("amount_fen <= payable_fen", name=op.f("ck_payouts_payable_fen")),
        sa.CheckConstraint("amount_fen > 0 AND amount_fen <= proposed_fen", name=op.f("ck_payouts_amount_fen")),
        sa.ForeignKeyConstraint(["batch_id"], ["payout_batches.id"], name=op.f("fk_payouts_batch_id")),
        sa.ForeignKeyConstraint(["card_id"], ["payout_cards.id"], name=op.f("fk_payouts_card_id")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_payouts_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
    )
    op.create_index(op.f("ix_payouts_card_id"), "payouts", ["card_id"], unique=False)
    op.create_index("ix_payouts_household_id", "payouts", ["household_id"], unique=False)
    op.create_index(
        "ix_payouts_open",
        "payouts",
        ["household_id"],
        unique=False,
        postgresql_where=sa.text("state IN ('proposed', 'approved')"),
    )
    op.create_index("uq_payouts_batch_id_household_id", "payouts", ["batch_id", "household_id"], unique=True)
    op.create_table(
        "payout_moves",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("payout_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column(
            "from_state",
            sa.Enum(
                "proposed",
                "approved",
                "paid",
                "failed",
                "returned",
                "dropped",
                name="from_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "to_state",
            sa.Enum(
                "proposed",
                "approved",
                "paid",
                "failed",
                "returned",
                "dropped",
                name="to_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_payout_moves_account_id")),
        sa.ForeignKeyConstraint(["payout_id"], ["payouts.id"], name=op.f("fk_payout_moves_payout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_moves")),
    )
    op.create_index(op.f("ix_payout_moves_payout_id"), "payout_moves", ["payout_id"], unique=False)
    op.create_table(
        "payout_proofs",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("payout_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum("photo", "pdf", name="kind", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("content", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("attached_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("attached_by", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("content ~ '^[0-9a-f]{32}$'", name=op.f("ck_payout_proofs_content")),
        sa.ForeignKeyConstraint(["attached_by"], ["accounts.id"], name=op.f("fk_payout_proofs_attached_by")),
        sa.ForeignKeyConstraint(["batch_id"], ["payout_batches.id"], name=op.f("fk_payout_proofs_batch_id")),
        sa.ForeignKeyConstraint(["payout_id"], ["payouts.id"], name=op.f("fk_payout_proofs_payout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_proofs")),
    )
    op.create_index(op.f("ix_payout_proofs_payout_id"), "payout_proofs", ["payout_id"], unique=False)
    op.create_index(
        "uq_payout_proofs_content",
        "payout_proofs",
        ["batch_id", "payout_id", "content"],
        unique=True,
        postgresql_nulls_not_distinct=True,
    )
    op.create_foreign_key(op.f("fk_entries_payout_id"), "entries", "payouts", ["payout_id"], ["id"])
    run_script(PROMISES)
