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
    _statements()
    _rows()
    _parts()
    _remarks()
    _remittances()


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


_OUTCOMES = (
    "exact", "spaced", "rest", "late", "several", "partial", "refund", "over", "under", "misspelt", "guessed",
    "already_paid", "cancelled", "goods_gone", "freed", "no_reference", "wrong_currency", "bounced", "outgoing",
    "duplicate",
)  # fmt: skip
_USES = ("payment", "refund", "bounced", "returned", "foreign", "cash_deposit", "payout", "duplicate")


def _choice(name: str, *values: str) -> sa.Column[str]:
    kind = sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)
    return sa.Column(name, kind, nullable=False)


def _text(name: str, length: int) -> sa.Column[str]:
    return sa.Column(name, sqlmodel.sql.sqltypes.AutoString(length=length), nullable=False)


def _at(name: str, *, nullable: bool = False) -> sa.Column[sa.DateTime]:
    return sa.Column(name, sqlmodel.sql.sqltypes.UTCDateTime(), nullable=nullable)


def _statements() -> None:
    table = "bank_statements"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("payee_id", sa.BigInteger(), nullable=False),
        _text("name", 120),
        _text("sha256", 64),
        _text("layout", 12),
        _choice("state", "previewed", "taken", "discarded"),
        _at("sent_at"),
        sa.Column("sent_by", sa.BigInteger(), nullable=False),
        _at("ended_at", nullable=True),
        sa.Column("ended_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["ended_by"], ["accounts.id"], name=op.f(f"fk_{table}_ended_by")),
        sa.ForeignKeyConstraint(["payee_id"], ["payees.id"], name=op.f(f"fk_{table}_payee_id")),
        sa.ForeignKeyConstraint(["sent_by"], ["accounts.id"], name=op.f(f"fk_{table}_sent_by")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    standing = sa.text("state <> 'discarded'")
    op.create_index(f"uq_{table}_file", table, ["payee_id", "sha256"], unique=True, postgresql_where=standing)
    op.create_index(f"ix_{table}_payee_id_id", table, ["payee_id", "id"], unique=False)


def _rows() -> None:
    table = "bank_rows"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("payee_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        _text("currency", 8),
        _text("name", 80),
        _text("account", 12),
        _text("memo", 300),
        _text("serial", 64),
        _text("fingerprint", 64),
        _choice("outcome", *_OUTCOMES),
        _choice("state", "previewed", "settling", "open", "done"),
        sa.CheckConstraint("amount_fen <> 0", name=op.f(f"ck_{table}_amount_fen")),
        sa.ForeignKeyConstraint(["payee_id"], ["payees.id"], name=op.f(f"fk_{table}_payee_id")),
        sa.ForeignKeyConstraint(["statement_id"], ["bank_statements.id"], name=op.f(f"fk_{table}_statement_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_statement_id"), table, ["statement_id"], unique=False)
    taken = sa.text("state <> 'previewed' AND outcome <> 'duplicate'")
    op.create_index(f"uq_{table}_taken", table, ["payee_id", "fingerprint"], unique=True, postgresql_where=taken)
    op.create_index(
        f"ix_{table}_open", table, ["payee_id", "id"], unique=False, postgresql_where=sa.text("state = 'open'")
    )


def _parts() -> None:
    table = "bank_parts"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        _choice("use", *_USES),
        _choice("state", "proposed", "agreed", "done", "void"),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.Column("other_row_id", sa.BigInteger(), nullable=True),
        _at("at"),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        _text("why", 200),
        _at("ended_at", nullable=True),
        sa.CheckConstraint("(use = 'payment') = (payment_id IS NOT NULL)", name=op.f(f"ck_{table}_payment_id")),
        sa.CheckConstraint(
            "(use IN ('refund', 'bounced')) = (refund_id IS NOT NULL)", name=op.f(f"ck_{table}_refund_id")
        ),
        sa.CheckConstraint("(use = 'returned') = (other_row_id IS NOT NULL)", name=op.f(f"ck_{table}_other_row_id")),
        sa.CheckConstraint("amount_fen > 0", name=op.f(f"ck_{table}_amount_fen")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id")),
        sa.ForeignKeyConstraint(["other_row_id"], ["bank_rows.id"], name=op.f(f"fk_{table}_other_row_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f(f"fk_{table}_payment_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name=op.f(f"fk_{table}_refund_id")),
        sa.ForeignKeyConstraint(["row_id"], ["bank_rows.id"], name=op.f(f"fk_{table}_row_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    for column in ("payment_id", "refund_id", "row_id"):
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column], unique=False)
    op.create_index(f"ix_{table}_agreed", table, ["id"], unique=False, postgresql_where=sa.text("state = 'agreed'"))


def _remarks() -> None:
    table = "bank_row_remarks"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        _choice("kind", "left", "taken_up"),
        _at("at"),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        _text("why", 200),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id")),
        sa.ForeignKeyConstraint(["row_id"], ["bank_rows.id"], name=op.f(f"fk_{table}_row_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_row_id"), table, ["row_id"], unique=False)


def _remittances() -> None:
    table = "remittances"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        _text("serial", 64),
        sa.Column("sent_on", sa.Date(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=True),
        _at("at"),
        sa.Column("account_id", sa.BigInteger(), nullable=True),
        _at("came_back_at", nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id")),
        sa.ForeignKeyConstraint(["refund_id"], ["refunds.id"], name=op.f(f"fk_{table}_refund_id")),
        sa.ForeignKeyConstraint(["row_id"], ["bank_rows.id"], name=op.f(f"fk_{table}_row_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    standing = sa.text("came_back_at IS NULL")
    op.create_index(f"uq_{table}_refund_id", table, ["refund_id"], unique=True, postgresql_where=standing)
