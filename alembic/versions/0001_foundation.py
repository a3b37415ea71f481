"""foundation"""

import sqlalchemy as sa
import sqlmodel
from procrastinate.schema import SchemaManager
from sqlalchemy.dialects import postgresql

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


PROMISES = """
-- The ledger is append-only, whoever is connected.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON postings FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON traces FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER never_emptied BEFORE TRUNCATE ON postings FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An entry's postings sum to zero at commit, and an entry without postings is none.
CREATE FUNCTION check_balance() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    entry bigint := CASE TG_TABLE_NAME WHEN 'entries' THEN (to_jsonb(NEW) ->> 'id')::bigint
                                       ELSE (to_jsonb(NEW) ->> 'entry_id')::bigint END;
    total bigint;
BEGIN
    SELECT sum(amount_fen) INTO total FROM postings WHERE entry_id = entry;
    IF total IS DISTINCT FROM 0 THEN
        RAISE EXCEPTION 'entry % is off by % fen', entry, coalesce(total::text, 'no postings at all;')
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON entries DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_balance();
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON postings DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION check_balance();
"""


def run_script(script: str) -> None:
    """Run many statements at once, inside the migration's transaction: the driver's own call takes them all."""
    bind = op.get_bind()
    bind.execute(sa.text("SELECT 1"))  # the driver begins its transaction at the first statement
    bind.connection.dbapi_connection.run_async(lambda connection: connection.execute(script))


def upgrade() -> None:

    op.create_table(
        "accounts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("phone", sqlmodel.sql.sqltypes.AutoString(length=11), nullable=True),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("phone", name=op.f("uq_accounts_phone")),
    )
    op.create_table(
        "divisions",
        sa.Column("code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("pinyin", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("initials", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "code ~ '^[1-9][0-9]+$' AND length(code) IN (2, 4, 6, 9, 12)", name=op.f("ck_divisions_code")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_divisions")),
    )
    op.create_index(op.f("ix_divisions_pinyin"), "divisions", ["pinyin"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.Column("kind", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("object_id", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("received_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("outcome", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("body", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
    )
    op.create_index(op.f("ix_notices_object_id"), "notices", ["object_id"], unique=False)
    op.create_index(op.f("ix_notices_payment_id"), "notices", ["payment_id"], unique=False)
    op.create_table(
        "produce",
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("name_en", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("words", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("season_months", sa.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column(
            "ready",
            sa.Enum(
                "harvested",
                "slaughtered",
                "laid",
                "made",
                name="ready",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("storage_days", sa.Integer(), nullable=True),
        sa.Column("store_low_c", sa.Integer(), nullable=True),
        sa.Column("store_high_c", sa.Integer(), nullable=True),
        sa.Column("cold", sa.Boolean(), nullable=False),
        sa.Column("gate_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=True),
        sa.Column("means_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=True),
        sa.Column("yield_grams", sa.Integer(), nullable=True),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.Column("as_of_on", sa.Date(), nullable=True),
        sa.CheckConstraint("storage_days IS NULL OR storage_days > 0", name=op.f("ck_produce_storage_days")),
        sa.CheckConstraint("store_low_c <= store_high_c", name=op.f("ck_produce_store_c")),
        sa.CheckConstraint(
            "yield_grams IS NULL OR yield_grams > 0 AND means_code IS NOT NULL", name=op.f("ck_produce_yield_grams")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_produce")),
    )
    op.create_table(
        "standing_kinds",
        sa.Column("code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("name_en", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_standing_kinds")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("token_hash", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("created_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("revoked_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_api_tokens_account_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_api_tokens")),
    )
    op.create_table(
        "division_names",
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("pinyin", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column("initials", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=True),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["division_code"], ["divisions.code"], name=op.f("fk_division_names_division_code")),
        sa.PrimaryKeyConstraint("division_code", "name", name=op.f("pk_division_names")),
    )
    op.create_table(
        "kept_answers",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("fingerprint", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("kept_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_kept_answers_account_id")),
        sa.PrimaryKeyConstraint("account_id", "key", name=op.f("pk_kept_answers")),
    )
    op.create_index(op.f("ix_kept_answers_kept_at"), "kept_answers", ["kept_at"], unique=False)
    op.create_table(
        "produce_measures",
        sa.Column("produce_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column(
            "measure",
            sa.Enum(
                "jin",
                "kg",
                "head",
                "half_head",
                "piece",
                "bag",
                "box",
                name="measure",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("per_grams", sa.Integer(), nullable=True),
        sa.Column("least_fen", sa.BigInteger(), nullable=False),
        sa.Column("low_fen", sa.BigInteger(), nullable=False),
        sa.Column("high_fen", sa.BigInteger(), nullable=False),
        sa.Column("most_fen", sa.BigInteger(), nullable=False),
        sa.Column("most_quantity", sa.Integer(), nullable=False),
        sa.Column("pack_grams_choices", sa.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("least_grams", sa.Integer(), nullable=True),
        sa.Column("typical_grams", sa.Integer(), nullable=True),
        sa.Column("most_grams", sa.Integer(), nullable=True),
        sa.Column("source", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("as_of_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "0 < least_fen AND least_fen <= low_fen AND low_fen <= high_fen AND high_fen <= most_fen",
            name=op.f("ck_produce_measures_prices"),
        ),
        sa.CheckConstraint("most_quantity > 0", name=op.f("ck_produce_measures_most_quantity")),
        sa.CheckConstraint("per_grams IS NULL OR per_grams > 0", name=op.f("ck_produce_measures_per_grams")),
        sa.CheckConstraint("0 < least_grams AND least_grams <= most_grams", name=op.f("ck_produce_measures_grams")),
        sa.CheckConstraint(
            "typical_grams BETWEEN least_grams AND most_grams", name=op.f("ck_produce_measures_typical_grams")
        ),
        sa.ForeignKeyConstraint(["produce_code"], ["produce.code"], name=op.f("fk_produce_measures_produce_code")),
        sa.PrimaryKeyConstraint("produce_code", "measure", name=op.f("pk_produce_measures")),
    )
    op.create_table(
        "stations",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("phone", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.ForeignKeyConstraint(["division_code"], ["divisions.code"], name=op.f("fk_stations_division_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stations")),
    )
    op.create_index(op.f("ix_stations_division_code"), "stations", ["division_code"], unique=False)
    op.create_table(
        "work_units",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("short_name", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.ForeignKeyConstraint(["division_code"], ["divisions.code"], name=op.f("fk_work_units_division_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_units")),
    )
    op.create_index(op.f("ix_work_units_division_code"), "work_units", ["division_code"], unique=False)
    op.create_table(
        "households",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("number", sqlmodel.sql.sqltypes.AutoString(length=32), nullable=False),
        sa.Column("head_name", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("display_name", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("people_count", sa.Integer(), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("station_id", sa.BigInteger(), nullable=True),
        sa.Column("joined_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.CheckConstraint("people_count BETWEEN 1 AND 30", name=op.f("ck_households_people_count")),
        sa.ForeignKeyConstraint(["division_code"], ["divisions.code"], name=op.f("fk_households_division_code")),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"], name=op.f("fk_households_station_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_households")),
        sa.UniqueConstraint("number", name=op.f("uq_households_number")),
    )
    op.create_index(op.f("ix_households_division_code"), "households", ["division_code"], unique=False)
    op.create_index(op.f("ix_households_station_id"), "households", ["station_id"], unique=False)
    op.create_table(
        "stops",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("name", sqlmodel.sql.sqltypes.AutoString(length=60), nullable=False),
        sa.Column("address", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("work_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("cutoff_weekday", sa.Integer(), nullable=False),
        sa.Column("cutoff_time", sa.Time(), nullable=False),
        sa.Column("handover_weekday", sa.Integer(), nullable=False),
        sa.Column("handover_from", sa.Time(), nullable=False),
        sa.Column("handover_to", sa.Time(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.CheckConstraint("handover_from < handover_to", name=op.f("ck_stops_hours")),
        sa.CheckConstraint(
            "handover_weekday BETWEEN 0 AND 6 AND cutoff_weekday BETWEEN 0 AND 6", name=op.f("ck_stops_weekdays")
        ),
        sa.ForeignKeyConstraint(["division_code"], ["divisions.code"], name=op.f("fk_stops_division_code")),
        sa.ForeignKeyConstraint(["work_unit_id"], ["work_units.id"], name=op.f("fk_stops_work_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stops")),
    )
    op.create_index(op.f("ix_stops_division_code"), "stops", ["division_code"], unique=False)
    op.create_table(
        "consents",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("name", "photo", "story", name="purpose", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_consents_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consents")),
    )
    op.create_index(
        "uq_consents_open",
        "consents",
        ["household_id", "purpose"],
        unique=True,
        postgresql_where=sa.text("withdrawn_on IS NULL"),
    )
    op.create_table(
        "grants",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "household",
                "agent",
                "member",
                "clerk",
                "officer",
                "organiser",
                "accountant",
                "administrator",
                name="role",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("station_id", sa.BigInteger(), nullable=True),
        sa.Column("work_unit_id", sa.BigInteger(), nullable=True),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=True),
        sa.Column("given_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("given_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "CASE role WHEN 'household' THEN household_id IS NOT NULL WHEN 'agent' THEN station_id IS NOT NULL WHEN 'member' THEN work_unit_id IS NOT NULL WHEN 'clerk' THEN work_unit_id IS NOT NULL ELSE division_code IS NOT NULL END",
            name=op.f("ck_grants_over"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_grants_account_id")),
        sa.ForeignKeyConstraint(["division_code"], ["divisions.code"], name=op.f("fk_grants_division_code")),
        sa.ForeignKeyConstraint(["given_by"], ["accounts.id"], name=op.f("fk_grants_given_by")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_grants_household_id")),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"], name=op.f("fk_grants_station_id")),
        sa.ForeignKeyConstraint(["work_unit_id"], ["work_units.id"], name=op.f("fk_grants_work_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grants")),
    )
    op.create_index(
        "ix_grants_account_id_live", "grants", ["account_id"], unique=False, postgresql_where="ended_at IS NULL"
    )
    op.create_index(op.f("ix_grants_household_id"), "grants", ["household_id"], unique=False)
    op.create_table(
        "household_standings",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("standing_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("from_on", sa.Date(), nullable=False),
        sa.Column("to_on", sa.Date(), nullable=True),
        sa.CheckConstraint("to_on IS NULL OR to_on > from_on", name=op.f("ck_household_standings_period")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_household_standings_household_id")),
        sa.ForeignKeyConstraint(
            ["standing_code"], ["standing_kinds.code"], name=op.f("fk_household_standings_standing_code")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_household_standings")),
    )
    op.create_index(op.f("ix_household_standings_household_id"), "household_standings", ["household_id"], unique=False)
    op.create_index(
        "uq_household_standings_open",
        "household_standings",
        ["household_id"],
        unique=True,
        postgresql_where=sa.text("to_on IS NULL"),
    )
    op.create_table(
        "income_days",
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column("produce_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("work_unit_id", sa.BigInteger(), nullable=False),
        sa.Column("wallet", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("gross_fen", sa.BigInteger(), nullable=False),
        sa.Column("refunded_fen", sa.BigInteger(), nullable=False),
        sa.Column("paid_out_fen", sa.BigInteger(), nullable=False),
        sa.Column("line_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_income_days_household_id")),
        sa.PrimaryKeyConstraint(
            "household_id", "day_on", "produce_code", "work_unit_id", "wallet", name=op.f("pk_income_days")
        ),
    )
    op.create_index("ix_income_days_division_code_day_on", "income_days", ["division_code", "day_on"], unique=False)
    op.create_table(
        "listings",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("produce_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column(
            "measure",
            sa.Enum(
                "jin",
                "kg",
                "head",
                "half_head",
                "piece",
                "bag",
                "box",
                name="measure",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("grams_each", sa.Integer(), nullable=True),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(length=30), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=300), nullable=False),
        sa.Column("photo", sqlmodel.sql.sqltypes.AutoString(length=64), nullable=True),
        sa.Column("ready_on", sa.Date(), nullable=True),
        sa.Column("sell_by_on", sa.Date(), nullable=True),
        sa.Column("warned_on", sa.Date(), nullable=True),
        sa.Column(
            "state",
            sa.Enum("live", "waiting", "withdrawn", name="state", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("listed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("listed_by", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("search_text", sqlmodel.sql.sqltypes.AutoString(), nullable=False),
        sa.Column("words", sa.ARRAY(sa.String()), nullable=False),
        sa.CheckConstraint("grams_each IS NULL OR grams_each > 0", name=op.f("ck_listings_grams_each")),
        sa.CheckConstraint("price_fen > 0", name=op.f("ck_listings_price_fen")),
        sa.CheckConstraint(
            "sell_by_on IS NULL OR sell_by_on >= ready_on AND ready_on IS NOT NULL",
            name=op.f("ck_listings_sell_by_on"),
        ),
        sa.ForeignKeyConstraint(["division_code"], ["divisions.code"], name=op.f("fk_listings_division_code")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_listings_household_id")),
        sa.ForeignKeyConstraint(["listed_by"], ["accounts.id"], name=op.f("fk_listings_listed_by")),
        sa.ForeignKeyConstraint(["produce_code"], ["produce.code"], name=op.f("fk_listings_produce_code")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_listings")),
    )
    op.create_index(op.f("ix_listings_household_id"), "listings", ["household_id"], unique=False)
    op.create_index(
        "ix_listings_live_place", "listings", ["division_code", "id"], unique=False, postgresql_where="state = 'live'"
    )
    op.create_index(
        "ix_listings_live_price",
        "listings",
        ["price_fen", "sell_by_on", "id"],
        unique=False,
        postgresql_where="state = 'live'",
    )
    op.create_index(
        "ix_listings_live_sell_by", "listings", ["sell_by_on", "id"], unique=False, postgresql_where="state = 'live'"
    )
    op.create_index(
        "ix_listings_live_produce", "listings", ["produce_code", "id"], unique=False, postgresql_where="state = 'live'"
    )
    op.create_index("ix_listings_words", "listings", ["words"], unique=False, postgresql_using="gin")
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("no", sqlmodel.sql.sqltypes.AutoString(length=20), nullable=False),
        sa.Column("county_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("work_unit_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "wallet",
            sa.Enum(
                "canteen", "union", "personal", name="wallet", native_enum=False, create_constraint=True, length=24
            ),
            nullable=False,
        ),
        sa.Column("stop_id", sa.BigInteger(), nullable=False),
        sa.Column("handover_on", sa.Date(), nullable=False),
        sa.Column("cutoff_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "placed",
                "confirmed",
                "paid",
                "expired",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("max_fen", sa.BigInteger(), nullable=False),
        sa.Column("placed_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("expires_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("paid_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.CheckConstraint("total_fen > 0 AND max_fen >= total_fen", name=op.f("ck_orders_total_fen")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_orders_account_id")),
        sa.ForeignKeyConstraint(["stop_id"], ["stops.id"], name=op.f("fk_orders_stop_id")),
        sa.ForeignKeyConstraint(["work_unit_id"], ["work_units.id"], name=op.f("fk_orders_work_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("no", name=op.f("uq_orders_no")),
    )
    op.create_index("ix_orders_account_id_id", "orders", ["account_id", "id"], unique=False)
    op.create_index(
        "ix_orders_expires_at",
        "orders",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('placed', 'confirmed')"),
    )
    op.create_index(
        "ix_orders_stop_id_confirmed",
        "orders",
        ["stop_id"],
        unique=False,
        postgresql_where=sa.text("state = 'confirmed'"),
    )
    op.create_index(op.f("ix_orders_work_unit_id"), "orders", ["work_unit_id"], unique=False)
    op.create_table(
        "traces",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("act", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("subject", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("note", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_traces_account_id")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_traces_household_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_traces")),
    )
    op.create_index("ix_traces_household_id_at", "traces", ["household_id", "at"], unique=False)
    op.create_table(
        "cancellations",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_cancellations_account_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_cancellations_order_id")),
        sa.PrimaryKeyConstraint("order_id", name=op.f("pk_cancellations")),
    )
    op.create_table(
        "cart_lines",
        sa.Column("owner", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("seen_fen", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.CheckConstraint("quantity BETWEEN 1 AND 9999", name=op.f("ck_cart_lines_quantity")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_cart_lines_listing_id")),
        sa.PrimaryKeyConstraint("owner", "listing_id", name=op.f("pk_cart_lines")),
    )
    op.create_index(op.f("ix_cart_lines_added_at"), "cart_lines", ["added_at"], unique=False)
    op.create_table(
        "entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "sale",
                "refund",
                "undeliverable",
                "return",
                "payout",
                "handed_in",
                "arrival",
                "aside",
                "banked",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("county_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("bank_row_id", sa.BigInteger(), nullable=True),
        sa.Column("payout_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_entries_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
    )
    op.create_index(op.f("ix_entries_bank_row_id"), "entries", ["bank_row_id"], unique=False)
    op.create_index(op.f("ix_entries_order_id"), "entries", ["order_id"], unique=False)
    op.create_index(op.f("ix_entries_payment_id"), "entries", ["payment_id"], unique=False)
    op.create_index(op.f("ix_entries_payout_id"), "entries", ["payout_id"], unique=False)
    op.create_index(op.f("ix_entries_refund_id"), "entries", ["refund_id"], unique=False)
    op.create_table(
        "order_lines",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("line_no", sa.Integer(), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("household_id", sa.BigInteger(), nullable=False),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=False),
        sa.Column("produce_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=False),
        sa.Column(
            "measure",
            sa.Enum(
                "jin",
                "kg",
                "head",
                "half_head",
                "piece",
                "bag",
                "box",
                name="measure",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("grams_each", sa.Integer(), nullable=True),
        sa.Column("title", sqlmodel.sql.sqltypes.AutoString(length=30), nullable=False),
        sa.Column("grower", sqlmodel.sql.sqltypes.AutoString(length=40), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("price_fen", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("short_quantity", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("amount_fen = quantity * price_fen", name=op.f("ck_order_lines_amount_fen")),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_order_lines_quantity")),
        sa.CheckConstraint("short_quantity BETWEEN 0 AND quantity", name=op.f("ck_order_lines_short_quantity")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_order_lines_household_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_order_lines_listing_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
    )
    op.create_index("ix_order_lines_household_id_id", "order_lines", ["household_id", "id"], unique=False)
    op.create_index(op.f("ix_order_lines_listing_id"), "order_lines", ["listing_id"], unique=False)
    op.create_index(op.f("ix_order_lines_order_id"), "order_lines", ["order_id"], unique=False)
    op.create_table(
        "order_moves",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column(
            "from_state",
            sa.Enum(
                "placed",
                "confirmed",
                "paid",
                "expired",
                "cancelled",
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
                "placed",
                "confirmed",
                "paid",
                "expired",
                "cancelled",
                name="to_state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column("why", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_order_moves_account_id")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_order_moves_order_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_moves")),
    )
    op.create_index(op.f("ix_order_moves_order_id"), "order_moves", ["order_id"], unique=False)
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "method",
            sa.Enum(
                "alipay",
                "wechat_pay",
                "card",
                "cash",
                "transfer",
                name="method",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column(
            "rail",
            sa.Enum("stripe", "cash", "transfer", name="rail", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "started",
                "succeeded",
                "failed",
                "cancelled",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("provider_id", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=True),
        sa.Column("charge_key", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=True),
        sa.Column("reference", sqlmodel.sql.sqltypes.AutoString(length=12), nullable=True),
        sa.Column("next", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("started_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("started_by", sa.BigInteger(), nullable=False),
        sa.Column("taken_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_payments_amount_fen")),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_payments_order_id")),
        sa.ForeignKeyConstraint(["started_by"], ["accounts.id"], name=op.f("fk_payments_started_by")),
        sa.ForeignKeyConstraint(["taken_by"], ["accounts.id"], name=op.f("fk_payments_taken_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("charge_key", name=op.f("uq_payments_charge_key")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_payments_provider_id")),
        sa.UniqueConstraint("reference", name=op.f("uq_payments_reference")),
    )
    op.create_index(op.f("ix_payments_order_id"), "payments", ["order_id"], unique=False)
    op.create_index(
        "uq_payments_open",
        "payments",
        ["order_id", "method"],
        unique=True,
        postgresql_where=sa.text("state = 'started'"),
    )
    op.create_table(
        "stock",
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.CheckConstraint("reserved BETWEEN 0 AND on_hand", name=op.f("ck_stock_reserved")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_stock_listing_id")),
        sa.PrimaryKeyConstraint("listing_id", name=op.f("pk_stock")),
        postgresql_with={"fillfactor": 50},
    )
    op.create_table(
        "stock_moves",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("listing_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "kind",
            sa.Enum(
                "listed",
                "changed",
                "withdrawn",
                "short",
                "spoilt",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_stock_moves_account_id")),
        sa.ForeignKeyConstraint(["listing_id"], ["listings.id"], name=op.f("fk_stock_moves_listing_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_moves")),
    )
    op.create_index(op.f("ix_stock_moves_listing_id"), "stock_moves", ["listing_id"], unique=False)
    op.create_table(
        "postings",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "book",
            sa.Enum(
                "payable",
                "clearing",
                "unassigned",
                "returns",
                "fees",
                "rounding",
                "paid_out",
                name="book",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "sale",
                "refund",
                "undeliverable",
                "return",
                "payout",
                "handed_in",
                "arrival",
                "aside",
                "banked",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("day_on", sa.Date(), nullable=False),
        sa.Column(
            "rail",
            sa.Enum("stripe", "cash", "transfer", name="rail", native_enum=False, create_constraint=True, length=24),
            nullable=True,
        ),
        sa.Column("holder_id", sa.BigInteger(), nullable=True),
        sa.Column("household_id", sa.BigInteger(), nullable=True),
        sa.Column("division_code", sa.String(length=12, collation="C"), nullable=True),
        sa.Column("produce_code", sqlmodel.sql.sqltypes.AutoString(length=24), nullable=True),
        sa.Column("order_line_id", sa.BigInteger(), nullable=True),
        sa.Column("work_unit_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "wallet",
            sa.Enum(
                "canteen", "union", "personal", name="wallet", native_enum=False, create_constraint=True, length=24
            ),
            nullable=True,
        ),
        sa.CheckConstraint("(book = 'payable') = (household_id IS NOT NULL)", name=op.f("ck_postings_household_id")),
        sa.CheckConstraint(
            "(book IN ('clearing', 'paid_out') AND rail IS NOT DISTINCT FROM 'cash') = (holder_id IS NOT NULL)",
            name=op.f("ck_postings_holder_id"),
        ),
        sa.CheckConstraint("amount_fen <> 0", name=op.f("ck_postings_amount_fen")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_postings_entry_id")),
        sa.ForeignKeyConstraint(["holder_id"], ["accounts.id"], name=op.f("fk_postings_holder_id")),
        sa.ForeignKeyConstraint(["household_id"], ["households.id"], name=op.f("fk_postings_household_id")),
        sa.ForeignKeyConstraint(["order_line_id"], ["order_lines.id"], name=op.f("fk_postings_order_line_id")),
        sa.ForeignKeyConstraint(["work_unit_id"], ["work_units.id"], name=op.f("fk_postings_work_unit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_postings")),
    )
    op.create_index(op.f("ix_postings_entry_id"), "postings", ["entry_id"], unique=False)
    op.create_index(
        "ix_postings_holder_id_id",
        "postings",
        ["holder_id", "id"],
        unique=False,
        postgresql_include=["amount_fen"],
        postgresql_where=sa.text("holder_id IS NOT NULL"),
    )
    op.create_index("ix_postings_household_id_day_on", "postings", ["household_id", "day_on"], unique=False)
    op.create_index(op.f("ix_postings_order_line_id"), "postings", ["order_line_id"], unique=False)
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("reason", sqlmodel.sql.sqltypes.AutoString(length=200), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "requested",
                "pending",
                "succeeded",
                "failed",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("provider_id", sqlmodel.sql.sqltypes.AutoString(length=120), nullable=True),
        sa.Column("requested_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=False),
        sa.Column("requested_by", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sqlmodel.sql.sqltypes.UTCDateTime(), nullable=True),
        sa.Column("failure", sqlmodel.sql.sqltypes.AutoString(length=80), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_refunds_amount_fen")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_refunds_payment_id")),
        sa.ForeignKeyConstraint(["requested_by"], ["accounts.id"], name=op.f("fk_refunds_requested_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_refunds_provider_id")),
    )
    op.create_index(op.f("ix_refunds_payment_id"), "refunds", ["payment_id"], unique=False)
    run_script(PROMISES)
    run_script(SchemaManager.get_schema())


def downgrade() -> None:
    """The first migration is undone by dropping the database."""
    msg = "drop the database instead"
    raise RuntimeError(msg)
