"""What must hold between payouts, cards and books: rules that `oversight` proves with the others."""

_POSTED = """
    WITH entry AS (
        SELECT e.payout_id, e.id, -sum(p.amount_fen) FILTER (WHERE p.book = 'payable') AS fen,
               min(p.household_id) AS household_id, max(p.rail) FILTER (WHERE p.book = 'paid_out') AS rail
        FROM entries e JOIN postings p ON p.entry_id = e.id WHERE e.payout_id IS NOT NULL GROUP BY e.payout_id, e.id
    ), posted AS (
        SELECT payout_id, array_agg(concat_ws(' ', fen, household_id, rail) ORDER BY id) AS entries
        FROM entry GROUP BY payout_id
    ), due AS (
        SELECT id, CASE state
            WHEN 'paid' THEN ARRAY[concat_ws(' ', amount_fen, household_id, rail)]
            WHEN 'returned' THEN ARRAY[concat_ws(' ', amount_fen, household_id, rail),
                                       concat_ws(' ', -amount_fen, household_id, rail)] END AS entries
        FROM payouts
    )
    SELECT 'payout:' || coalesce(d.id, x.payout_id), coalesce(d.entries::text, 'nothing'),
           coalesce(x.entries::text, 'nothing')
    FROM due d FULL JOIN posted x ON x.payout_id = d.id WHERE d.entries IS DISTINCT FROM x.entries
"""
_NAMED = """
    SELECT 'entry:' || id, CASE WHEN reason = 'payout' THEN 'a payout' ELSE 'no payout' END,
           coalesce(payout_id::text, 'none')
    FROM entries WHERE (reason = 'payout') <> (payout_id IS NOT NULL)
"""
_COVERED = """
    WITH entry AS (
        SELECT household_id, entry_id, sum(amount_fen) AS fen FROM postings WHERE book = 'payable' GROUP BY 1, 2
    ), stood AS (
        SELECT household_id, entry_id, sum(fen) OVER (PARTITION BY household_id ORDER BY entry_id) AS fen FROM entry
    )
    SELECT 'payout:' || p.id, 'at most ' || least(p.payable_fen, coalesce(s.fen, 0)),
           greatest(p.amount_fen, p.payable_fen)::text
    FROM payouts p LEFT JOIN stood s ON s.household_id = p.household_id AND s.entry_id = p.book_entry_id
    WHERE p.payable_fen IS NOT NULL AND (p.amount_fen > p.payable_fen OR p.payable_fen > coalesce(s.fen, 0))
"""
_BELOW_ZERO = """
    WITH below AS (
        SELECT household_id, sum(amount_fen) AS fen FROM postings WHERE book = 'payable'
        GROUP BY household_id HAVING sum(amount_fen) < 0
    ), later AS (
        SELECT b.household_id, b.fen, coalesce((
            SELECT -sum(r.amount_fen) FROM postings r
            WHERE r.household_id = b.household_id AND r.book = 'payable' AND r.reason = 'refund'
              AND r.entry_id > (SELECT max(p.book_entry_id) FROM payouts p WHERE p.household_id = b.household_id)
        ), 0) AS refunded
        FROM below b
    )
    SELECT 'household:' || household_id, '>= ' || -refunded, fen::text FROM later WHERE fen + refunded < 0
"""
_MOVES = """
    SELECT 'payout:' || p.id, coalesce(last.to_state, 'proposed'), p.state
    FROM payouts p LEFT JOIN LATERAL (
        SELECT to_state FROM payout_moves m WHERE m.payout_id = p.id ORDER BY m.id DESC LIMIT 1
    ) last ON true WHERE p.state <> coalesce(last.to_state, 'proposed')
"""
_LISTS = """
    WITH rows AS (
        SELECT batch_id, bool_or(state = 'proposed') AS proposed, bool_or(state = 'approved') AS approved,
               bool_and(state = 'dropped') AS dropped FROM payouts GROUP BY batch_id
    ), read AS (
        SELECT b.id, b.state,
               CASE WHEN r.batch_id IS NULL THEN 'nothing' WHEN r.proposed THEN 'proposed'
                    WHEN r.approved THEN 'approved' WHEN r.dropped THEN 'dropped' ELSE 'closed' END AS by_rows
        FROM payout_batches b LEFT JOIN rows r ON r.batch_id = b.id
    )
    SELECT 'payout_batch:' || id, by_rows, state FROM read WHERE state <> by_rows
"""
_CARDS = """
    SELECT 'payout:' || p.id, 'a card of household ' || p.household_id || ' in use at ' || b.approved_at,
           'card ' || c.id || ' of ' || c.household_id || ' from ' || coalesce(c.usable_from_at::text, 'never')
    FROM payouts p JOIN payout_batches b ON b.id = p.batch_id JOIN payout_cards c ON c.id = p.card_id
    WHERE p.payable_fen IS NOT NULL
      AND (c.household_id <> p.household_id OR c.usable_from_at IS NULL OR c.usable_from_at > b.approved_at)
"""
RULES = {
    "a payout that arrived is posted once, one that came back is taken back, no other is posted": _POSTED,
    "an entry of a payout names it, and no other entry does": _NAMED,
    "no payout is above what stood in the book when it was approved": _COVERED,
    "a household stands below zero only by refunds decided after its last approved payout": _BELOW_ZERO,
    "a payout is where its last move left it": _MOVES,
    "a list of payouts is where its rows are": _LISTS,
    "money goes only to a household's own card that was in use": _CARDS,
}
