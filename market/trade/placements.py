"""Placements: what buyers wish for, the one statement that grants it, and what was placed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from market.ground.express import Statement
from market.ground.idempotency import UNUSED, Claim
from market.ground.measure import Measure
from market.ground.money import MAX_FEN
from market.people.bearers import UNCHANGED, Bearer
from market.people.units import Wallet
from market.trade.orders import HOLD, OrderState


@dataclass(frozen=True)
class Item:
    """How much of which listing, and the price the buyer was shown (None: whatever it is now)."""

    listing_id: int
    quantity: int
    seen_fen: int | None = None


@dataclass(frozen=True)
class Terms:
    """Whose money, where and when: the part all lines share."""

    wallet: Wallet
    stop_id: int
    county_code: str
    handover_on: date
    cutoff_at: datetime
    work_unit_id: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Proof:
    """What was read before the statement's transaction, and is looked at again inside it."""

    bearer: Bearer
    stop_version: str


@dataclass(frozen=True)
class Wish:
    """One order as a buyer wants it, each listing once, in ascending id."""

    no: str
    account_id: int
    items: Sequence[Item]
    terms: Terms
    now: datetime
    claim: Claim | None = None
    proof: Proof | None = None

    @property
    def key(self) -> tuple[int, str]:
        """Wishes of the same key are one: of the caller's choosing, or else nobody else's."""
        return self.account_id, self.claim.key if self.claim else self.no


class PlacedLine(BaseModel):
    """One listing's part of it, with the names and prices of that moment."""

    model_config = ConfigDict(frozen=True)

    listing_id: int
    produce_code: str
    title: str
    grower: str
    division_code: str
    measure: Measure
    grams_each: int | None
    quantity: int
    price_fen: int
    amount_fen: int


class Placed(BaseModel):
    """The order that now holds its goods, as the buyer is told. It reads like an order that was just placed."""

    model_config = ConfigDict(frozen=True)

    id: int
    no: str
    state: OrderState = OrderState.PLACED
    wallet: Wallet
    work_unit_id: int | None
    total_fen: int
    max_fen: int
    placed_at: datetime
    expires_at: datetime
    paid_at: None = None
    holds_stock: Literal[True] = True
    stop_id: int
    handover_on: date
    cutoff_at: datetime
    note: str
    lines: list[PlacedLine]


# `asked` holds one row an order, `wanted` one a line, both with the order's place in the queue. An order that is
# complete and may be placed is `ready`; one whose goods are there is `granted`.
_ASKED = """
    WITH asked AS (
        SELECT a.*, a.placed_at + :hold AS expires_at
        FROM unnest(
            CAST(:nos AS text[]), CAST(:account_ids AS bigint[]), CAST(:work_unit_ids AS bigint[]),
            CAST(:wallets AS text[]), CAST(:stop_ids AS bigint[]), CAST(:county_codes AS text[]),
            CAST(:handover_ons AS date[]), CAST(:cutoff_ats AS timestamptz[]), CAST(:notes AS text[]),
            CAST(:placed_ats AS timestamptz[]), CAST(:line_counts AS int[]),
            CAST(:keys AS text[]), CAST(:fingerprints AS text[]){proof_values}
        ) WITH ORDINALITY AS a(no, account_id, work_unit_id, wallet, stop_id, county_code, handover_on, cutoff_at, note,
                               placed_at, line_count, key, fingerprint{proof_names}, at)
    ), wanted AS (
        SELECT * FROM unnest(
            CAST(:line_ats AS bigint[]), CAST(:line_nos AS int[]), CAST(:listing_ids AS bigint[]),
            CAST(:quantities AS int[]), CAST(:seen AS bigint[])
        ) AS w(at, line_no, listing_id, quantity, seen_fen)
    ), offered AS (
        SELECT w.at, w.listing_id, w.quantity, w.line_no, l.household_id, l.division_code, l.produce_code, l.measure,
               l.grams_each, l.title, l.price_fen, w.quantity * l.price_fen AS amount_fen, h.display_name AS grower
        FROM wanted w
        -- By its key, whatever the planner believes about the number of live ones.
        CROSS JOIN LATERAL (SELECT * FROM listings WHERE id = w.listing_id OFFSET 0) l
        JOIN households h ON h.id = l.household_id
        WHERE l.state = 'live' AND (w.seen_fen IS NULL OR w.seen_fen = l.price_fen)
    ), complete AS (
        SELECT at, count(*) AS line_count, sum(amount_fen)::bigint AS total_fen FROM offered GROUP BY at
    ), ready AS (
        SELECT a.*, c.total_fen FROM asked a JOIN complete c USING (at, line_count)
        WHERE c.total_fen <= :most_fen {proven}
    )
"""
_PLACE = """
    , needed AS (
        SELECT o.listing_id, sum(o.quantity)::int AS quantity FROM offered o JOIN ready USING (at) GROUP BY o.listing_id
    ) {held}
    , placed AS (
        INSERT INTO orders (no, county_code, account_id, work_unit_id, wallet, stop_id, handover_on, cutoff_at, note,
                            state, total_fen, max_fen, placed_at, expires_at)
        SELECT no, county_code, account_id, work_unit_id, wallet, stop_id, handover_on, cutoff_at, note,
               'placed', total_fen, total_fen, placed_at, expires_at
        FROM granted ORDER BY at
        RETURNING id, no
    ), known AS (
        SELECT g.*, p.id FROM granted g JOIN placed p USING (no)
    ), line AS (
        INSERT INTO order_lines (order_id, line_no, listing_id, household_id, division_code, produce_code, measure,
                                 grams_each, title, grower, quantity, price_fen, amount_fen)
        SELECT k.id, o.line_no, o.listing_id, o.household_id, o.division_code, o.produce_code, o.measure,
               o.grams_each, o.title, o.grower, o.quantity, o.price_fen, o.amount_fen
        FROM known k JOIN offered o USING (at) ORDER BY at, o.line_no
    ), told AS (
        SELECT k.no, k.account_id, k.key, k.fingerprint, k.placed_at, jsonb_build_object(
            'id', k.id, 'no', k.no, 'wallet', k.wallet, 'work_unit_id', k.work_unit_id, 'total_fen', k.total_fen,
            'max_fen', k.total_fen, 'placed_at', k.placed_at, 'expires_at', k.expires_at, 'stop_id', k.stop_id,
            'handover_on', k.handover_on, 'cutoff_at', k.cutoff_at, 'note', k.note, 'lines', (
                SELECT jsonb_agg(jsonb_build_object(
                    'listing_id', o.listing_id, 'produce_code', o.produce_code, 'title', o.title,
                    'grower', o.grower, 'division_code', o.division_code, 'measure', o.measure,
                    'grams_each', o.grams_each, 'quantity', o.quantity, 'price_fen', o.price_fen,
                    'amount_fen', o.amount_fen) ORDER BY o.line_no) FROM offered o WHERE o.at = k.at
            )) AS answer
        FROM known k
    ), kept AS (
        INSERT INTO kept_answers (account_id, key, fingerprint, answer, kept_at)
        SELECT account_id, key, fingerprint, answer, placed_at FROM told WHERE key IS NOT NULL
    )
    SELECT no, answer::text AS answer FROM told
"""
# Of orders that were not placed: which goods are short, unless the buyer holds some of them by an attempt of their own.
_SHORT = """
    SELECT r.no, jsonb_agg(jsonb_build_object(
        'listing_id', o.listing_id, 'title', o.title, 'wanted', o.quantity, 'left', greatest(0, s.on_hand - s.reserved)
    ) ORDER BY o.listing_id)::text AS short
    FROM ready r JOIN offered o USING (at) JOIN stock s USING (listing_id)
    WHERE s.on_hand - s.reserved < o.quantity AND (
        SELECT count(*) FROM orders own JOIN order_lines l ON l.order_id = own.id JOIN wanted w USING (listing_id)
        WHERE own.account_id = r.account_id AND own.state = 'placed' AND w.at = r.at
    ) = 0
    GROUP BY r.no
"""
# Of several listings the rows are locked in ascending id, so that two carts in opposite order never wait for each
# other, and looked at before any is changed; where there is not enough for all, nobody here gets of it. What is written
# comes from the locked rows: an UPDATE that counts on from its own snapshot's row is held to the bounds of `stock`
# before it notices that the row has moved on. One listing needs no such care: its UPDATE checks.
_HELD_ONE = """
    , held AS (
        UPDATE stock s SET reserved = s.reserved + n.quantity
        FROM needed n WHERE s.listing_id = n.listing_id AND s.on_hand - s.reserved >= n.quantity
        RETURNING s.listing_id
    ), granted AS (
        SELECT r.* FROM ready r WHERE (SELECT count(*) FROM held) > 0
    )
"""
_HELD_MANY = """
    , locked AS (
        SELECT s.listing_id, s.on_hand, s.reserved, s.on_hand - s.reserved >= n.quantity AS enough
        FROM stock s JOIN needed n USING (listing_id) ORDER BY s.listing_id FOR NO KEY UPDATE OF s
    ), granted AS (
        SELECT r.* FROM ready r WHERE r.line_count = (
            SELECT count(*) FROM offered o JOIN locked l USING (listing_id) WHERE o.at = r.at AND l.enough
        )
    ), taken AS (
        SELECT o.listing_id, sum(o.quantity)::int AS quantity FROM offered o JOIN granted USING (at)
        GROUP BY o.listing_id
    ), held AS (
        UPDATE stock s SET on_hand = l.on_hand, reserved = l.reserved + t.quantity
        FROM taken t JOIN locked l USING (listing_id) WHERE s.listing_id = t.listing_id
    )
"""
_SAME_STOP = "(SELECT s.xmin::text FROM stops s WHERE s.id = a.stop_id) = a.stop_version"
_PROVEN = {
    "proof_values": """, CAST(:locks AS bigint[]), CAST(:token_hashes AS text[]), CAST(:grants_seen AS text[]),
            CAST(:stop_versions AS text[])""",
    "proof_names": ", lock, token_hash, grants_seen, stop_version",
    "proven": f" AND {UNCHANGED} AND {UNUSED} AND {_SAME_STOP}",
}
_UNPROVEN = dict.fromkeys(_PROVEN, "")


def _statement(proof: Mapping[str, str], held: str) -> Statement:
    return Statement((_ASKED + _PLACE).format(held=held, **proof))


_STATEMENTS = {
    (proven, single): _statement(_PROVEN if proven else _UNPROVEN, _HELD_ONE if single else _HELD_MANY)
    for proven in (True, False)
    for single in (True, False)
}


_REFUSAL = Statement((_ASKED + _SHORT).format(**_PROVEN))


def refusing(wishes: Sequence[Wish]) -> tuple[Statement, dict[str, Any]]:
    """The look at what was short for proven wishes that were not placed, and its values. It changes nothing.

    It returns `no` and `short` (JSON: listing_id, title, wanted, left) where that is the whole reason.
    """
    return _REFUSAL, _values(wishes)


def granting(wishes: Sequence[Wish]) -> tuple[Statement, dict[str, Any]]:
    """The statement that places these orders, and its values. It returns `no` and `answer` of each order placed.

    An order is placed whole or left out. Where goods are short for all who want them here, all of these are left out.
    Either all wishes carry a proof, or what they rest on was read in this transaction.
    """
    single = len({item.listing_id for wish in wishes for item in wish.items}) == 1
    return _STATEMENTS[wishes[0].proof is not None, single], _values(wishes)


def _values(wishes: Sequence[Wish]) -> dict[str, Any]:
    lines = [(at, item) for at, wish in enumerate(wishes, 1) for item in wish.items]
    return {
        "hold": HOLD,
        "most_fen": MAX_FEN,
        "nos": [wish.no for wish in wishes],
        "account_ids": [wish.account_id for wish in wishes],
        "work_unit_ids": [wish.terms.work_unit_id for wish in wishes],
        "wallets": [wish.terms.wallet.value for wish in wishes],
        "stop_ids": [wish.terms.stop_id for wish in wishes],
        "county_codes": [wish.terms.county_code for wish in wishes],
        "handover_ons": [wish.terms.handover_on for wish in wishes],
        "cutoff_ats": [wish.terms.cutoff_at for wish in wishes],
        "notes": [wish.terms.note.strip()[:200] for wish in wishes],
        "placed_ats": [wish.now for wish in wishes],
        "line_counts": [len(wish.items) for wish in wishes],
        "keys": [wish.claim and wish.claim.key for wish in wishes],
        "fingerprints": [wish.claim and wish.claim.fingerprint for wish in wishes],
        "line_ats": [at for at, _ in lines],
        "line_nos": [number for wish in wishes for number in range(1, len(wish.items) + 1)],
        "listing_ids": [item.listing_id for _, item in lines],
        "quantities": [item.quantity for _, item in lines],
        "seen": [item.seen_fen for _, item in lines],
        **(_proof_values(wishes) if wishes[0].proof else {}),
    }


def _proof_values(wishes: Sequence[Wish]) -> dict[str, Any]:
    proofs = [wish.proof for wish in wishes if wish.proof is not None]
    return {
        "locks": [wish.claim and wish.claim.lock for wish in wishes],
        "token_hashes": [proof.bearer.token_hash for proof in proofs],
        "grants_seen": [proof.bearer.grants_seen for proof in proofs],
        "stop_versions": [proof.stop_version for proof in proofs],
    }
