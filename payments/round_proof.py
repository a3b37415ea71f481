"""Whether cancelled rounds are what they say: nothing stands for them, and each order's money went back once."""

# While a cancellation is worked off its orders stand until their turn comes: then they wait in its list.
_STANDING = """
    SELECT 'order:' || o.no, 'ended', o.state FROM orders o
    JOIN round_cancellations c ON c.stop_id = o.stop_id AND c.handover_on = o.handover_on
    LEFT JOIN called_off_orders l ON l.order_id = o.id AND l.cancellation_id = c.id AND l.outcome = 'waiting'
    WHERE o.state IN ('placed', 'confirmed', 'paid') AND l.order_id IS NULL
"""
_ENDED = """
    SELECT 'round_cancellation:' || c.id, 'no order waits', 'order:' || l.order_id
    FROM round_cancellations c JOIN called_off_orders l ON l.cancellation_id = c.id
    WHERE c.ended_at IS NOT NULL AND l.outcome = 'waiting'
"""
_ONCE = """
    SELECT 'order:' || l.order_id, l.back_fen::text, coalesce(b.fen, 0) || ' in ' || coalesce(b.refunds, 0)
    FROM called_off_orders l LEFT JOIN LATERAL (
        SELECT sum(r.amount_fen) AS fen, count(*) AS refunds FROM refunds r JOIN payments p ON p.id = r.payment_id
        WHERE p.order_id = l.order_id AND r.reason = 'round_cancelled'
    ) b ON true
    WHERE coalesce(b.fen, 0) <> l.back_fen OR coalesce(b.refunds, 0) > 1
"""
_ALL = """
    SELECT 'payment:' || p.id, p.amount_fen::text, coalesce(sum(r.amount_fen), 0)::text
    FROM called_off_orders l JOIN payments p ON p.order_id = l.order_id AND p.state = 'succeeded'
    LEFT JOIN refunds r ON r.payment_id = p.id
    WHERE l.outcome IN ('nothing_due', 'returned', 'cash_due')
    GROUP BY p.id HAVING coalesce(sum(r.amount_fen), 0) <> p.amount_fen
"""
RULES = {
    "no order stands for a cancelled round": _STANDING,
    "a cancelled round that is through leaves no order waiting": _ENDED,
    "the money of a cancelled round's order goes back once": _ONCE,
    "no money of a cancelled round's order is kept": _ALL,
}
