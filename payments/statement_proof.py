"""Whether bank statements, payments and ledger tell one story: each rule is one statement that finds what breaks it."""

_ASIDE = "('foreign', 'cash_deposit', 'payout', 'duplicate', 'returned')"
_BOOKED_ROW = "r.state <> 'previewed' AND r.outcome <> 'duplicate' AND r.amount_fen > 0 AND r.currency = 'CNY'"
_ROWS = f"""
    WITH aside AS (
        SELECT row_id, sum(amount_fen) AS fen FROM bank_parts WHERE state = 'done' AND use IN {_ASIDE} GROUP BY row_id
    ), due AS (
        SELECT r.id, CASE WHEN {_BOOKED_ROW} THEN r.amount_fen - coalesce(a.fen, 0) ELSE 0 END AS fen
        FROM bank_rows r LEFT JOIN aside a ON a.row_id = r.id
    ), booked AS (
        SELECT e.bank_row_id AS id, -sum(p.amount_fen) AS fen FROM entries e JOIN postings p ON p.entry_id = e.id
        WHERE e.reason IN ('arrival', 'aside') AND p.book = 'clearing' GROUP BY e.bank_row_id
    )
    SELECT 'bank_row:' || coalesce(d.id::text, b.id::text, 'none'), coalesce(d.fen, 0)::text, coalesce(b.fen, 0)::text
    FROM due d FULL JOIN booked b ON b.id = d.id WHERE coalesce(d.fen, 0) <> coalesce(b.fen, 0)
"""  # noqa: S608  constants of this file
_PARTS = """
    WITH used AS (
        SELECT row_id, sum(amount_fen) FILTER (WHERE state IN ('agreed', 'done')) AS fen,
               count(*) FILTER (WHERE state = 'agreed') AS agreed
        FROM bank_parts GROUP BY row_id
    )
    SELECT 'bank_row:' || r.id, r.state || ' of ' || abs(r.amount_fen), coalesce(u.fen, 0)::text
    FROM bank_rows r LEFT JOIN used u ON u.row_id = r.id
    WHERE coalesce(u.fen, 0) > abs(r.amount_fen)
       OR r.outcome = 'duplicate' AND coalesce(u.fen, 0) <> 0
       OR r.outcome <> 'duplicate' AND CASE r.state
              WHEN 'previewed' THEN coalesce(u.fen, 0) <> 0
              WHEN 'done' THEN coalesce(u.fen, 0) <> abs(r.amount_fen) OR u.agreed <> 0
              WHEN 'open' THEN coalesce(u.fen, 0) = abs(r.amount_fen) OR coalesce(u.agreed, 0) <> 0
              ELSE coalesce(u.agreed, 0) = 0 END
"""
_COVERED = """
    WITH given AS (
        SELECT payment_id, sum(amount_fen) AS fen FROM bank_parts
        WHERE state = 'done' AND use = 'payment' GROUP BY payment_id
    )
    SELECT 'payment:' || p.id, p.state || ' of ' || p.amount_fen, coalesce(g.fen, 0)::text
    FROM payments p LEFT JOIN given g ON g.payment_id = p.id
    WHERE (p.rail = 'transfer' OR g.fen IS NOT NULL) AND CASE p.state
        WHEN 'succeeded' THEN coalesce(g.fen, 0) <> p.amount_fen
        WHEN 'started' THEN coalesce(g.fen, 0) >= p.amount_fen
        ELSE coalesce(g.fen, 0) <> 0 END
"""
_UNASSIGNED = f"""
    WITH used AS (
        SELECT b.row_id, sum(b.amount_fen) AS fen FROM bank_parts b LEFT JOIN payments p ON p.id = b.payment_id
        WHERE b.state = 'done' AND (b.use <> 'payment' OR p.state = 'succeeded') GROUP BY b.row_id
    ), due AS (
        SELECT y.county_code, sum(r.amount_fen - coalesce(u.fen, 0)) AS fen
        FROM bank_rows r JOIN payees y ON y.id = r.payee_id LEFT JOIN used u ON u.row_id = r.id
        WHERE {_BOOKED_ROW} GROUP BY y.county_code
    ), booked AS (
        SELECT e.county_code, sum(p.amount_fen) AS fen FROM postings p JOIN entries e ON e.id = p.entry_id
        WHERE p.book = 'unassigned' GROUP BY e.county_code
    )
    SELECT 'county:' || coalesce(d.county_code, b.county_code), coalesce(d.fen, 0)::text, coalesce(b.fen, 0)::text
    FROM due d FULL JOIN booked b ON b.county_code = d.county_code WHERE coalesce(d.fen, 0) <> coalesce(b.fen, 0)
"""  # noqa: S608  constants of this file
_REMITTED = """
    WITH went AS (
        SELECT refund_id, count(*) AS times FROM remittances WHERE came_back_at IS NULL GROUP BY refund_id
    )
    SELECT 'refund:' || r.id, d.times::text, coalesce(w.times, 0)::text
    FROM refunds r LEFT JOIN went w ON w.refund_id = r.id CROSS JOIN LATERAL (
        SELECT CASE WHEN r.state = 'succeeded' AND r.provider_id LIKE 'transfer-%' THEN 1 ELSE 0 END AS times
    ) d WHERE coalesce(w.times, 0) <> d.times
"""
RULES = {
    "a line's money is booked as far as it was not put aside": _ROWS,
    "no more of a line is used than moved, and all of one that is done": _PARTS,
    "a payment by transfer is covered by lines to the fen": _COVERED,
    "what stands unassigned is what came and has no use yet": _UNASSIGNED,
    "a refund by transfer went once": _REMITTED,
}
