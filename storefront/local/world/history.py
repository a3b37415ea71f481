"""A year of trade, written set by set: what the market's own acts would have left, had people done them one by one.

`past_orders` and `past_lines` say what happened; the steps below write every row of it, from orders to the roll-up.
All of it was paid in cash, so that no provider is said to have charged anything; what became of the cash stands in
`cash.py`. What households were owed for a month reached them by transfer on the tenth of the next.
"""

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import run
from storefront.local.world import cash

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
_ENTRIES = """
    CREATE TEMPORARY TABLE past_entries ON COMMIT DROP AS
    SELECT nextval(pg_get_serial_sequence('entries', 'id')) AS entry_id, e.*,
           (e.at AT TIME ZONE 'Asia/Shanghai')::date AS day_on
    FROM (
        SELECT p.ended_at AS at, 'sale' AS reason, p.order_id, p.id AS payment_id, NULL::uuid AS refund_id,
               p.amount_fen, o.county_code, NULL::bigint AS giver_id
        FROM payments p JOIN past_orders o USING (order_id)
        UNION ALL
        SELECT r.requested_at, 'refund', p.order_id, p.id, r.id, r.amount_fen, o.county_code, NULL
        FROM refunds r JOIN payments p ON p.id = r.payment_id JOIN past_orders o USING (order_id)
        UNION ALL
        SELECT r.ended_at, 'return', p.order_id, p.id, r.id, r.amount_fen, o.county_code, NULL
        FROM refunds r JOIN payments p ON p.id = r.payment_id JOIN past_orders o USING (order_id)
        UNION ALL
        SELECT at, 'handed_in', NULL, NULL, NULL, fen, county_code, giver_id FROM past_hand_ins
        UNION ALL
        SELECT at, 'banked', NULL, NULL, NULL, fen, county_code, NULL FROM past_slips
        ORDER BY 1, 3, 8
    ) e;
    INSERT INTO entries (id, at, day_on, reason, county_code, order_id, payment_id, refund_id)
    SELECT entry_id, at, day_on, reason, county_code, order_id, payment_id, refund_id FROM past_entries
    ORDER BY entry_id;
    ANALYZE past_entries
"""
_POSTINGS = """
    INSERT INTO postings (entry_id, book, amount_fen, reason, day_on, rail, holder_id, household_id, division_code,
                          produce_code, order_line_id, work_unit_id, wallet)
    SELECT e.entry_id, leg.book, leg.amount_fen, e.reason, e.day_on, leg.rail, leg.holder_id, leg.household_id,
           leg.division_code, leg.produce_code, leg.order_line_id, o.work_unit_id, o.wallet
    FROM past_entries e LEFT JOIN past_orders o USING (order_id) JOIN (
        SELECT e.entry_id, 'payable' AS book, NULL AS rail, NULL::bigint AS holder_id, l.household_id, l.division_code,
               l.produce_code, l.id AS order_line_id,
               -- A claim is always about an order of one line, and a return takes back every line.
               CASE WHEN e.reason = 'sale' THEN l.amount_fen
                    WHEN o.fate = 'claimed' THEN -e.amount_fen ELSE -l.amount_fen END AS amount_fen
        FROM past_entries e JOIN past_orders o USING (order_id) JOIN order_lines l USING (order_id)
        WHERE e.reason IN ('sale', 'refund')
        UNION ALL
        SELECT entry_id, 'returns', NULL, NULL, NULL, NULL, NULL, NULL,
               CASE reason WHEN 'refund' THEN amount_fen ELSE -amount_fen END
        FROM past_entries WHERE reason IN ('refund', 'return')
        UNION ALL
        SELECT entry_id, 'clearing', 'cash', o.taken_by, NULL, NULL, NULL, NULL,
               CASE reason WHEN 'return' THEN amount_fen ELSE -amount_fen END
        FROM past_entries JOIN past_orders o USING (order_id) WHERE reason IN ('sale', 'return')
        UNION ALL
        SELECT entry_id, 'clearing', 'cash', hand.holder_id, NULL, NULL, NULL, NULL, hand.sign * amount_fen
        FROM past_entries
        CROSS JOIN LATERAL (VALUES (giver_id, 1), (CAST(:accountant AS bigint), -1)) hand(holder_id, sign)
        WHERE reason = 'handed_in'
        UNION ALL
        SELECT entry_id, 'clearing', side.rail, side.holder_id, NULL, NULL, NULL, NULL, side.sign * amount_fen
        FROM past_entries
        CROSS JOIN (VALUES ('cash', CAST(:accountant AS bigint), 1), ('transfer', NULL, -1))
            side(rail, holder_id, sign)
        WHERE reason = 'banked'
    ) leg USING (entry_id)
    ORDER BY e.entry_id, leg.order_line_id NULLS LAST, leg.amount_fen
"""
_PAYOUTS = """
    CREATE TEMPORARY TABLE past_payouts ON COMMIT DROP AS
    WITH owed AS (
        SELECT p.household_id, p.division_code, o.county_code,
               date_trunc('month', o.settled_at AT TIME ZONE 'Asia/Shanghai')
                   + interval '1 month 9 days 10 hours' AS at,
               sum(p.amount_fen) AS fen
        FROM postings p JOIN past_entries e USING (entry_id) JOIN past_orders o USING (order_id)
        WHERE p.book = 'payable' GROUP BY 1, 2, 3, 4
    ), batch AS (
        SELECT division_code, county_code, at, nextval(pg_get_serial_sequence('entries', 'id')) AS entry_id
        FROM (SELECT DISTINCT division_code, county_code, at FROM owed
              WHERE fen > 0 AND at AT TIME ZONE 'Asia/Shanghai' < :now ORDER BY at, division_code) b
    )
    SELECT batch.entry_id, owed.at AT TIME ZONE 'Asia/Shanghai' AS at, owed.at::date AS day_on, owed.household_id,
           owed.division_code, owed.county_code, owed.fen
    FROM owed JOIN batch USING (division_code, county_code, at) WHERE owed.fen > 0;
    INSERT INTO entries (id, at, day_on, reason, county_code)
    SELECT DISTINCT entry_id, at, day_on, 'payout', county_code FROM past_payouts;
    INSERT INTO postings (entry_id, book, amount_fen, reason, day_on, rail, household_id, division_code)
    SELECT entry_id, 'payable', -fen, 'payout', day_on, NULL, household_id, division_code FROM past_payouts
    UNION ALL
    SELECT entry_id, 'paid_out', sum(fen), 'payout', day_on, 'transfer', NULL, NULL
    FROM past_payouts GROUP BY entry_id, day_on
"""
_ROLL_UP = """
    INSERT INTO income_days AS d (household_id, day_on, produce_code, work_unit_id, wallet, division_code, gross_fen,
                                  refunded_fen, paid_out_fen, line_count)
    SELECT household_id, day_on, coalesce(produce_code, ''), coalesce(work_unit_id, 0), coalesce(wallet, ''),
           min(division_code), coalesce(sum(amount_fen) FILTER (WHERE reason = 'sale'), 0),
           coalesce(-sum(amount_fen) FILTER (WHERE reason = 'refund'), 0),
           coalesce(-sum(amount_fen) FILTER (WHERE reason = 'payout'), 0), count(*) FILTER (WHERE reason = 'sale')
    FROM postings JOIN (SELECT entry_id FROM past_entries UNION SELECT entry_id FROM past_payouts) e USING (entry_id)
    WHERE book = 'payable' GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (household_id, day_on, produce_code, work_unit_id, wallet) DO UPDATE SET
        gross_fen = d.gross_fen + EXCLUDED.gross_fen, refunded_fen = d.refunded_fen + EXCLUDED.refunded_fen,
        paid_out_fen = d.paid_out_fen + EXCLUDED.paid_out_fen, line_count = d.line_count + EXCLUDED.line_count
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
    cash.HAND_OVERS,
    _ENTRIES,
    _POSTINGS,
    cash.ROWS,
    _PAYOUTS,
    _ROLL_UP,
)


async def plan(session: AsyncSession) -> None:
    """Make the two empty tables that say what happened. They vanish with the transaction."""
    await run_script(session, _PLAN)


async def write(session: AsyncSession, *, accountant: int, now: object) -> None:
    """Write what the plan says. Everything in it must have ended a day before `now`; the accountant got its cash."""
    await run_script(session, "ANALYZE past_orders; ANALYZE past_lines")
    values = {"now": now, "accountant": accountant, "why_cancelled": "改了安排", "why_claimed": "有几斤坏了"}
    for step in (*_STEPS, _STOCK):
        await run_script(session, step, values)


async def run_script(session: AsyncSession, script: str, values: dict[str, object] | None = None) -> None:
    """Run the statements of a script one by one, each with those of the values it names."""
    for statement in script.split(";"):
        prepared = text(statement)
        named = prepared.compile().params
        await run(session, prepared, {name: value for name, value in (values or {}).items() if name in named})
