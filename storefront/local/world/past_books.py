"""The money of the past year: entries in the order of time, postings, payouts with their lists, and the roll-up.

What a household was owed for a month was listed, approved and paid to its card on the tenth of the next; who has no
card waits.
"""

_OWED = """
    CREATE TEMPORARY TABLE past_payouts ON COMMIT DROP AS
    WITH owed AS (
        SELECT l.household_id, l.division_code,
               date_trunc('month', o.settled_at AT TIME ZONE 'Asia/Shanghai') + interval '1 month 9 days 10 hours'
                   AS at_noon,
               -- A claim is always about an order of one line, and a return takes back every line.
               sum(CASE o.fate WHEN 'kept' THEN l.amount_fen WHEN 'claimed' THEN l.amount_fen - r.amount_fen ELSE 0 END)
                   AS amount_fen
        FROM past_orders o JOIN order_lines l USING (order_id)
        LEFT JOIN payments p USING (order_id) LEFT JOIN refunds r ON r.payment_id = p.id
        WHERE o.settled_at IS NOT NULL GROUP BY 1, 2, 3
    ), due AS (
        SELECT o.household_id, o.division_code, o.at_noon AT TIME ZONE 'Asia/Shanghai' AS at, o.amount_fen
        FROM owed o WHERE o.amount_fen > 0 AND o.at_noon AT TIME ZONE 'Asia/Shanghai' < :now
    ), carded AS (
        SELECT d.*, c.id AS card_id FROM due d CROSS JOIN LATERAL (
            SELECT id FROM payout_cards c
            WHERE c.household_id = d.household_id AND c.usable_from_at < d.at - interval '1 hour'
            ORDER BY c.usable_from_at DESC LIMIT 1
        ) c
    ), list AS (
        SELECT division_code, at, nextval(pg_get_serial_sequence('payout_batches', 'id')) AS batch_id
        FROM (SELECT DISTINCT at, division_code FROM carded ORDER BY at, division_code) l
    )
    SELECT nextval(pg_get_serial_sequence('payouts', 'id')) AS payout_id, listed.* FROM (
        SELECT list.batch_id, c.* FROM carded c JOIN list USING (division_code, at)
        ORDER BY list.batch_id, c.household_id
    ) listed
"""
_ENTRIES = """
    CREATE TEMPORARY TABLE past_entries ON COMMIT DROP AS
    SELECT nextval(pg_get_serial_sequence('entries', 'id')) AS entry_id, e.*,
           (e.at AT TIME ZONE 'Asia/Shanghai')::date AS day_on
    FROM (
        SELECT p.ended_at AS at, 'sale' AS reason, p.order_id, p.id AS payment_id, NULL::uuid AS refund_id,
               p.amount_fen, o.county_code, NULL::bigint AS giver_id, NULL::bigint AS payout_id
        FROM payments p JOIN past_orders o USING (order_id)
        UNION ALL
        SELECT r.requested_at, 'refund', p.order_id, p.id, r.id, r.amount_fen, o.county_code, NULL, NULL
        FROM refunds r JOIN payments p ON p.id = r.payment_id JOIN past_orders o USING (order_id)
        UNION ALL
        SELECT r.ended_at, 'return', p.order_id, p.id, r.id, r.amount_fen, o.county_code, NULL, NULL
        FROM refunds r JOIN payments p ON p.id = r.payment_id JOIN past_orders o USING (order_id)
        UNION ALL
        SELECT at, 'handed_in', NULL, NULL, NULL, fen, county_code, giver_id, NULL FROM past_hand_ins
        UNION ALL
        SELECT at, 'banked', NULL, NULL, NULL, fen, county_code, NULL, NULL FROM past_slips
        UNION ALL
        SELECT at, 'payout', NULL, NULL, NULL, amount_fen, left(division_code, 6), NULL, payout_id FROM past_payouts
        ORDER BY 1, 3, 8, 9
    ) e;
    ANALYZE past_entries
"""
# What each entry did to each household's book, with what stood there just before.
_BOOKS = """
    CREATE TEMPORARY TABLE past_books ON COMMIT DROP AS
    SELECT payout_id, coalesce(sum(fen) OVER earlier, 0) AS stood_fen,
           coalesce(max(entry_id) OVER earlier, 0) AS last_entry_id
    FROM (
        SELECT l.household_id, e.entry_id, NULL::bigint AS payout_id,
               sum(CASE WHEN e.reason = 'sale' THEN l.amount_fen
                        WHEN o.fate = 'claimed' THEN -e.amount_fen ELSE -l.amount_fen END) AS fen
        FROM past_entries e JOIN past_orders o USING (order_id) JOIN order_lines l USING (order_id)
        WHERE e.reason IN ('sale', 'refund') GROUP BY 1, 2
        UNION ALL
        SELECT p.household_id, e.entry_id, p.payout_id, -p.amount_fen
        FROM past_entries e JOIN past_payouts p USING (payout_id)
    ) moved
    WINDOW earlier AS (PARTITION BY household_id ORDER BY entry_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
"""
_LISTS = """
    INSERT INTO payout_batches (id, division_code, rail, state, proposed_at, proposed_by, approved_at, approved_by,
                                ended_at, ended_by, end_why)
    SELECT DISTINCT batch_id, division_code, 'transfer', 'closed', at - interval '1 day', CAST(:accountant AS bigint),
           at - interval '1 hour', CAST(:second AS bigint), at, CAST(:accountant AS bigint), '' FROM past_payouts;
    INSERT INTO payouts (id, batch_id, household_id, division_code, rail, card_id, amount_fen, proposed_fen,
                         payable_fen, book_entry_id, state)
    SELECT p.payout_id, p.batch_id, p.household_id, p.division_code, 'transfer', p.card_id, p.amount_fen, p.amount_fen,
           b.stood_fen, b.last_entry_id, 'paid'
    FROM past_payouts p JOIN past_books b USING (payout_id) ORDER BY p.payout_id;
    INSERT INTO payout_moves (payout_id, at, from_state, to_state, account_id, why)
    SELECT payout_id, at - interval '1 hour', 'proposed', 'approved', CAST(:second AS bigint), '' FROM past_payouts
    UNION ALL
    SELECT payout_id, at, 'approved', 'paid', CAST(:accountant AS bigint), '' FROM past_payouts ORDER BY 2, 1
"""
_POSTINGS = """
    INSERT INTO entries (id, at, day_on, reason, county_code, order_id, payment_id, refund_id, payout_id)
    SELECT entry_id, at, day_on, reason, county_code, order_id, payment_id, refund_id, payout_id FROM past_entries
    ORDER BY entry_id;
    INSERT INTO postings (entry_id, book, amount_fen, reason, day_on, rail, holder_id, household_id, division_code,
                          produce_code, order_line_id, work_unit_id, wallet)
    SELECT e.entry_id, leg.book, leg.amount_fen, e.reason, e.day_on, leg.rail, leg.holder_id, leg.household_id,
           leg.division_code, leg.produce_code, leg.order_line_id, o.work_unit_id, o.wallet
    FROM past_entries e LEFT JOIN past_orders o USING (order_id) JOIN (
        SELECT e.entry_id, 'payable' AS book, NULL AS rail, NULL::bigint AS holder_id, l.household_id, l.division_code,
               l.produce_code, l.id AS order_line_id,
               CASE WHEN e.reason = 'sale' THEN l.amount_fen
                    WHEN o.fate = 'claimed' THEN -e.amount_fen ELSE -l.amount_fen END AS amount_fen
        FROM past_entries e JOIN past_orders o USING (order_id) JOIN order_lines l USING (order_id)
        WHERE e.reason IN ('sale', 'refund')
        UNION ALL
        SELECT e.entry_id, 'payable', NULL, NULL, p.household_id, p.division_code, NULL, NULL, -p.amount_fen
        FROM past_entries e JOIN past_payouts p USING (payout_id)
        UNION ALL
        SELECT entry_id, 'paid_out', 'transfer', NULL, NULL, NULL, NULL, NULL, amount_fen
        FROM past_entries WHERE reason = 'payout'
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
_ROLL_UP = """
    INSERT INTO income_days AS d (household_id, day_on, produce_code, work_unit_id, wallet, division_code, gross_fen,
                                  refunded_fen, paid_out_fen, line_count)
    SELECT household_id, p.day_on, coalesce(produce_code, ''), coalesce(work_unit_id, 0), coalesce(wallet, ''),
           min(division_code), coalesce(sum(p.amount_fen) FILTER (WHERE p.reason = 'sale'), 0),
           coalesce(-sum(p.amount_fen) FILTER (WHERE p.reason = 'refund'), 0),
           coalesce(-sum(p.amount_fen) FILTER (WHERE p.reason = 'payout'), 0),
           count(*) FILTER (WHERE p.reason = 'sale')
    FROM postings p JOIN past_entries USING (entry_id) WHERE book = 'payable' GROUP BY 1, 2, 3, 4, 5
    ON CONFLICT (household_id, day_on, produce_code, work_unit_id, wallet) DO UPDATE SET
        gross_fen = d.gross_fen + EXCLUDED.gross_fen, refunded_fen = d.refunded_fen + EXCLUDED.refunded_fen,
        paid_out_fen = d.paid_out_fen + EXCLUDED.paid_out_fen, line_count = d.line_count + EXCLUDED.line_count
"""
STEPS = (_OWED, _ENTRIES, _BOOKS, _LISTS, _POSTINGS, _ROLL_UP)
