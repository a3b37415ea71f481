"""What became of a year's cash: handed in to the county's accountant week by week, and taken to the bank.

Steps of `history`, set by set. An order's money is handed in once nothing more happens to it, so that no hand is ever
emptier than empty. The last two weeks are still in people's hands.
"""

HAND_OVERS = """
    CREATE TEMPORARY TABLE past_hand_ins ON COMMIT DROP AS
    SELECT o.county_code, o.taken_by AS giver_id, week.at, sum(p.amount_fen - coalesce(r.fen, 0))::bigint AS fen
    FROM past_orders o JOIN payments p USING (order_id)
    LEFT JOIN (SELECT payment_id, sum(amount_fen) AS fen, max(ended_at) AS at FROM refunds GROUP BY payment_id) r
        ON r.payment_id = p.id
    CROSS JOIN LATERAL (
        SELECT (date_trunc('week', greatest(p.ended_at, r.at) AT TIME ZONE 'Asia/Shanghai')
                + interval '7 days 10 hours' + o.taken_by % 50 * interval '1 minute') AT TIME ZONE 'Asia/Shanghai' AS at
    ) week
    WHERE week.at < CAST(:now AS timestamptz) - interval '7 days'
    GROUP BY 1, 2, 3 HAVING sum(p.amount_fen - coalesce(r.fen, 0)) > 0;
    CREATE TEMPORARY TABLE past_slips ON COMMIT DROP AS
    SELECT county_code, (day + interval '1 day 9 hours 30 minutes') AT TIME ZONE 'Asia/Shanghai' AS at, fen
    FROM (
        SELECT county_code, date_trunc('day', at AT TIME ZONE 'Asia/Shanghai') AS day, sum(fen)::bigint AS fen
        FROM past_hand_ins WHERE at < CAST(:now AS timestamptz) - interval '14 days' GROUP BY 1, 2
    ) days
"""
ROWS = """
    INSERT INTO hand_ins (county_code, giver_id, receiver_id, declared_fen, declared_at, declared_by, note, state,
                          counted_fen, ended_at, remark, entry_id)
    SELECT county_code, giver_id, :accountant, amount_fen, at - interval '25 minutes', giver_id, '', 'counted',
           amount_fen, at, '', entry_id
    FROM past_entries WHERE reason = 'handed_in' ORDER BY entry_id;
    INSERT INTO bank_slips (county_code, account_id, kind, amount_fen, serial, slip_on, entered_at, entry_id)
    SELECT county_code, :accountant, 'paid_in', amount_fen, 'YS' || lpad(entry_id::text, 10, '0'), day_on,
           at + interval '2 hours', entry_id
    FROM past_entries WHERE reason = 'banked' ORDER BY entry_id
"""
