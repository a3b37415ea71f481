"""A year of trade, written set by set: what the market's own acts would have left, had people done them one by one.

`past_orders` and `past_lines` say what happened; the steps below write every row of it, from orders to the roll-up.
All of it was paid in cash, so that no provider is said to have charged anything. What households were owed for a month
reached them by transfer on the tenth of the next.
"""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import run
from storefront.local.world import cash, past_books

_PLAN = """
    CREATE TEMPORARY TABLE past_orders (
        order_id bigint PRIMARY KEY DEFAULT nextval(pg_get_serial_sequence('orders', 'id')),
        county_code text NOT NULL, account_id bigint NOT NULL, work_unit_id bigint, wallet text NOT NULL,
        stop_id bigint NOT NULL, handover_on date NOT NULL, cutoff_at timestamptz NOT NULL,
        placed_at timestamptz NOT NULL,
        -- kept: paid, claimed: a part went back, returned: paid and taken back, cancelled and expired: never paid
        fate text NOT NULL,
        settled_at timestamptz, ended_at timestamptz, taken_by bigint, refunded_by bigint
    ) ON COMMIT DROP;
    CREATE TEMPORARY TABLE past_lines (
        order_id bigint NOT NULL, line_no int NOT NULL, listing_id bigint NOT NULL, quantity int NOT NULL
    ) ON COMMIT DROP
"""
_ORDERS = """
    INSERT INTO orders (id, no, county_code, account_id, work_unit_id, wallet, stop_id, handover_on, cutoff_at, note,
                        state, total_fen, max_fen, placed_at, expires_at, paid_at)
    SELECT o.order_id, to_char(o.placed_at AT TIME ZONE 'Asia/Shanghai', 'YYMMDD') || '-' ||
           left(code.letters, 4) || '-' || right(code.letters, 4),
           o.county_code, o.account_id, o.work_unit_id, o.wallet, o.stop_id, o.handover_on, o.cutoff_at, '',
           CASE o.fate WHEN 'expired' THEN 'expired' WHEN 'cancelled' THEN 'cancelled' WHEN 'returned' THEN 'cancelled'
                       ELSE 'paid' END,
           sums.fen, sums.fen, o.placed_at,
           CASE WHEN o.settled_at IS NULL THEN o.placed_at + interval '15 minutes'
                ELSE (o.handover_on + 3)::timestamp AT TIME ZONE 'Asia/Shanghai' END,
           o.settled_at
    FROM past_orders o
    JOIN (SELECT p.order_id, sum(p.quantity * l.price_fen) AS fen
          FROM past_lines p JOIN listings l ON l.id = p.listing_id GROUP BY p.order_id) sums USING (order_id)
    -- No two orders share their letters: the multiplier and 31 have no common divisor.
    CROSS JOIN LATERAL (
        SELECT string_agg(substr('23456789ABCDEFGHJKMNPQRSTUVWXYZ',
                                 1 + (o.order_id * 36180339887 % 852891037441 / (31 ^ place)::bigint % 31)::int, 1),
                          '') AS letters
        FROM generate_series(0, 7) AS place) code
"""
_LINES = """
    INSERT INTO order_lines (order_id, line_no, listing_id, household_id, division_code, produce_code, measure,
                             grams_each, title, grower, quantity, price_fen, amount_fen)
    SELECT p.order_id, p.line_no, l.id, l.household_id, l.division_code, l.produce_code, l.measure, l.grams_each,
           l.title, h.display_name, p.quantity, l.price_fen, p.quantity * l.price_fen
    FROM past_lines p JOIN listings l ON l.id = p.listing_id JOIN households h ON h.id = l.household_id
    ORDER BY p.order_id, p.line_no
"""
_MOVES = """
    INSERT INTO order_moves (order_id, at, from_state, to_state, account_id, why)
    SELECT order_id, at, from_state, to_state, account_id, why FROM (
        SELECT order_id, placed_at + interval '1 minute' AS at, 'placed' AS from_state, 'confirmed' AS to_state,
               account_id, 'cash' AS why FROM past_orders WHERE settled_at IS NOT NULL
        UNION ALL
        SELECT order_id, settled_at, 'confirmed', 'paid', taken_by, 'cash'
        FROM past_orders WHERE settled_at IS NOT NULL
        UNION ALL
        SELECT order_id, placed_at + interval '15 minutes', 'placed', 'expired', NULL, 'unpaid'
        FROM past_orders WHERE fate = 'expired'
        UNION ALL
        SELECT order_id, ended_at, CASE fate WHEN 'returned' THEN 'paid' ELSE 'placed' END, 'cancelled', account_id,
               :why_cancelled FROM past_orders WHERE fate IN ('returned', 'cancelled')
    ) moves ORDER BY at, order_id
"""
_CANCELLATIONS = """
    INSERT INTO cancellations (order_id, at, account_id, why)
    SELECT order_id, ended_at, account_id, :why_cancelled FROM past_orders WHERE fate IN ('returned', 'cancelled')
"""
_PAYMENTS = """
    INSERT INTO payments (id, order_id, method, rail, amount_fen, state, next, started_at, started_by, taken_by,
                          ended_at)
    SELECT md5('payment ' || o.no)::uuid, o.id, 'cash', 'cash', o.total_fen, 'succeeded',
           jsonb_build_object('reference', o.no), p.placed_at + interval '1 minute', o.account_id, p.taken_by,
           p.settled_at
    FROM past_orders p JOIN orders o ON o.id = p.order_id WHERE p.settled_at IS NOT NULL
"""
_REFUNDS = """
    INSERT INTO refunds (id, payment_id, amount_fen, reason, state, provider_id, requested_at, requested_by, ended_at,
                         failure, attempt)
    SELECT r.id, md5('payment ' || r.no)::uuid, r.fen, r.reason, 'succeeded', 'cash-' || r.id, r.ended_at, r.by,
           r.ended_at + interval '1 day', '', 0
    FROM (
        SELECT md5('refund ' || o.no)::uuid AS id, o.no, p.ended_at,
               CASE p.fate WHEN 'returned' THEN o.total_fen ELSE greatest(1, o.total_fen * 3 / 10) END AS fen,
               CASE p.fate WHEN 'returned' THEN :why_cancelled ELSE :why_claimed END AS reason,
               CASE p.fate WHEN 'returned' THEN p.account_id ELSE p.refunded_by END AS by
        FROM past_orders p JOIN orders o ON o.id = p.order_id WHERE p.fate IN ('returned', 'claimed')
    ) r
"""
_MONEY_MOVES = """
    INSERT INTO payment_moves (payment_id, at, from_state, to_state, account_id, why)
    SELECT p.id, p.ended_at, 'started', 'succeeded', p.taken_by, 'arrived'
    FROM payments p JOIN past_orders USING (order_id) ORDER BY p.ended_at;
    INSERT INTO refund_moves (refund_id, at, from_state, to_state, account_id, why)
    SELECT r.id, r.ended_at, 'requested', 'succeeded', p.taken_by, 'handed_back'
    FROM refunds r JOIN payments p ON p.id = r.payment_id JOIN past_orders USING (order_id) ORDER BY r.ended_at
"""
_TRACES = """
    INSERT INTO traces (at, account_id, act, subject, note)
    SELECT at, account_id, act, subject, note FROM (
        SELECT r.requested_at AS at, r.requested_by AS account_id, 'refund' AS act, 'order:' || o.no AS subject,
               r.amount_fen || ' ' || r.reason AS note
        FROM refunds r JOIN payments p ON p.id = r.payment_id JOIN orders o ON o.id = p.order_id
        JOIN past_orders past ON past.order_id = o.id WHERE past.fate = 'claimed'
        UNION ALL
        SELECT r.ended_at, p.taken_by, 'hand_back_cash', 'refund:' || r.id, ''
        FROM refunds r JOIN payments p ON p.id = r.payment_id JOIN past_orders o ON o.order_id = p.order_id
    ) traces ORDER BY at
"""
_STOCK = """
    UPDATE stock s SET on_hand = s.on_hand - sold.quantity
    FROM (SELECT l.listing_id, sum(l.quantity)::int AS quantity FROM past_lines l JOIN past_orders o USING (order_id)
          WHERE o.fate IN ('kept', 'claimed') GROUP BY l.listing_id) sold
    WHERE sold.listing_id = s.listing_id
"""
_STEPS = (
    _ORDERS,
    _LINES,
    _MOVES,
    _CANCELLATIONS,
    _PAYMENTS,
    _REFUNDS,
    _MONEY_MOVES,
    _TRACES,
)


async def plan(session: AsyncSession) -> None:
    """Make the two empty tables that say what happened. They vanish with the transaction."""
    await run_script(session, _PLAN)


async def write(session: AsyncSession, *, accountants: tuple[int, int], now: object) -> None:
    """Write what the plan says. Everything in it must have ended a day before `now`.

    Of two accountants the first got the cash and proposed every payout, the second approved it.
    """
    await run_script(session, "ANALYZE past_orders; ANALYZE past_lines")
    values = {
        "now": now, "why_cancelled": "改了安排", "why_claimed": "有几斤坏了",
        "accountant": accountants[0], "second": accountants[1],
    }  # fmt: skip
    for step in (*_STEPS, cash.HAND_OVERS, *past_books.STEPS, cash.ROWS, _STOCK):
        await run_script(session, step, values)


async def run_script(session: AsyncSession, script: str, values: dict[str, object] | None = None) -> None:
    """Run the statements of a script one by one, each with those of the values it names."""
    for statement in script.split(";"):
        prepared = text(statement)
        named = prepared.compile().params
        await run(session, prepared, {name: value for name, value in (values or {}).items() if name in named})
