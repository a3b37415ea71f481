"""Whether payments, refunds and the ledger tell one story: each rule is one statement that finds what breaks it."""

from sqlmodel.ext.asyncio.session import AsyncSession

from market.reports import oversight
from market.reports.oversight import Difference
from payments import round_proof, statement_proof

_ONE_PAYMENT = """
    WITH standing AS (
        SELECT e.order_id, count(*) AS payments, min(p.amount_fen) AS fen
        FROM entries e JOIN payments p ON p.id = e.payment_id AND p.order_id = e.order_id AND p.state = 'succeeded'
        WHERE e.reason = 'sale' GROUP BY e.order_id
    )
    SELECT 'order:' || o.no, '1 of ' || o.total_fen, coalesce(s.payments, 0) || ' of ' || coalesce(s.fen, 0)
    FROM orders o LEFT JOIN standing s ON s.order_id = o.id
    WHERE (o.state = 'paid' OR (o.state = 'cancelled' AND o.paid_at IS NOT NULL))
      AND (s.payments IS DISTINCT FROM 1 OR s.fen <> o.total_fen)
"""
_ENTRY = """
    WITH booked AS (
        SELECT payment_id, count(*) AS entries FROM entries
        WHERE reason IN ('sale', 'undeliverable') AND payment_id IS NOT NULL GROUP BY payment_id
    )
    SELECT 'payment:' || coalesce(p.id, b.payment_id), CASE WHEN p.state = 'succeeded' THEN '1' ELSE '0' END,
           coalesce(b.entries, 0)::text
    FROM payments p FULL JOIN booked b ON b.payment_id = p.id
    WHERE coalesce(b.entries, 0) <> CASE WHEN p.state = 'succeeded' THEN 1 ELSE 0 END
"""
_REFUNDS = """
    SELECT 'payment:' || p.id, '<= ' || CASE WHEN p.state = 'succeeded' THEN p.amount_fen ELSE 0 END,
           sum(r.amount_fen)::text
    FROM payments p JOIN refunds r ON r.payment_id = p.id
    GROUP BY p.id HAVING sum(r.amount_fen) > CASE WHEN p.state = 'succeeded' THEN p.amount_fen ELSE 0 END
"""
_RETURNS = """
    WITH owed AS (
        SELECT payment_id, sum(amount_fen) AS fen FROM refunds WHERE state <> 'succeeded' GROUP BY payment_id
    ), booked AS (
        SELECT e.payment_id, sum(p.amount_fen) AS fen FROM postings p JOIN entries e ON e.id = p.entry_id
        WHERE p.book = 'returns' GROUP BY e.payment_id
    )
    SELECT 'payment:' || coalesce(o.payment_id::text, b.payment_id::text, 'none'),
           coalesce(o.fen, 0)::text, coalesce(b.fen, 0)::text
    FROM owed o FULL JOIN booked b ON b.payment_id = o.payment_id WHERE coalesce(o.fen, 0) <> coalesce(b.fen, 0)
"""
# A refund the provider could not make may be handed back in cash: it leaves by that rail. What a bank's statement tells
# of comes into clearing and unassigned at once; a payment takes it out of the latter: the two are looked at together.
_CLEARING = """
    WITH moved AS (
        SELECT id AS payment_id, rail, amount_fen AS fen FROM payments WHERE state = 'succeeded'
        UNION ALL
        SELECT p.id, CASE WHEN r.provider_id LIKE 'cash-%' THEN 'cash' ELSE p.rail END, -r.amount_fen
        FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.state = 'succeeded'
    ), due AS (
        SELECT payment_id, rail, sum(fen) AS fen FROM moved GROUP BY payment_id, rail
    ), booked AS (
        SELECT e.payment_id, p.rail, -sum(p.amount_fen) AS fen FROM postings p JOIN entries e ON e.id = p.entry_id
        WHERE p.book IN ('clearing', 'unassigned') AND e.reason NOT IN ('handed_in', 'banked')
        GROUP BY e.payment_id, p.rail
    )
    SELECT 'payment:' || coalesce(d.payment_id::text, b.payment_id::text, 'none') || ' '
               || coalesce(d.rail, b.rail, 'no rail'),
           coalesce(d.fen, 0)::text, coalesce(b.fen, 0)::text
    FROM due d FULL JOIN booked b ON b.payment_id = d.payment_id AND b.rail = d.rail
    WHERE coalesce(d.fen, 0) <> coalesce(b.fen, 0)
"""
_RAILS = """
    WITH moved AS (
        SELECT rail, amount_fen AS fen FROM payments WHERE state = 'succeeded'
        UNION ALL
        SELECT CASE WHEN r.provider_id LIKE 'cash-%' THEN 'cash' ELSE p.rail END, -r.amount_fen
        FROM refunds r JOIN payments p ON p.id = r.payment_id WHERE r.state = 'succeeded'
        UNION ALL
        SELECT 'cash', CASE kind WHEN 'paid_in' THEN -amount_fen ELSE amount_fen END FROM bank_slips
        UNION ALL
        SELECT 'transfer', CASE kind WHEN 'paid_in' THEN amount_fen ELSE -amount_fen END FROM bank_slips
    ), due AS (
        SELECT rail, sum(fen) AS fen FROM moved GROUP BY rail
    ), booked AS (
        SELECT rail, -sum(amount_fen) AS fen FROM postings WHERE book IN ('clearing', 'unassigned') GROUP BY rail
    )
    SELECT 'rail:' || coalesce(d.rail, b.rail, 'none'), coalesce(d.fen, 0)::text, coalesce(b.fen, 0)::text
    FROM due d FULL JOIN booked b ON b.rail = d.rail WHERE coalesce(d.fen, 0) <> coalesce(b.fen, 0)
"""
_PAYMENT_MOVES = """
    SELECT 'payment:' || p.id, coalesce(last.to_state, 'started'), p.state
    FROM payments p LEFT JOIN LATERAL (
        SELECT to_state FROM payment_moves m WHERE m.payment_id = p.id ORDER BY m.id DESC LIMIT 1
    ) last ON true WHERE p.state <> coalesce(last.to_state, 'started')
"""
_REFUND_MOVES = """
    SELECT 'refund:' || r.id, coalesce(last.to_state, 'requested'), r.state
    FROM refunds r LEFT JOIN LATERAL (
        SELECT to_state FROM refund_moves m WHERE m.refund_id = r.id ORDER BY m.id DESC LIMIT 1
    ) last ON true WHERE r.state <> coalesce(last.to_state, 'requested')
"""
_TAKEN = """
    SELECT 'payment:' || t.id, coalesce(t.taken_by::text, 'nobody'), p.holder_id::text
    FROM postings p JOIN entries e ON e.id = p.entry_id JOIN payments t ON t.id = e.payment_id
    WHERE p.holder_id IS DISTINCT FROM t.taken_by AND p.rail = 'cash' AND p.reason IN ('sale', 'undeliverable')
"""
# What leaves a hand is bounded under its lock, so the postings' own order shows a sum that never falls below zero.
_IN_HAND = """
    SELECT 'account:' || holder_id, '>= 0', min(fen)::text FROM (
        SELECT holder_id, sum(-amount_fen) OVER (PARTITION BY holder_id ORDER BY id) AS fen
        FROM postings WHERE holder_id IS NOT NULL
    ) held GROUP BY holder_id HAVING min(fen) < 0
"""
_HAND_INS = """
    WITH due AS (
        SELECT entry_id, giver_id AS holder_id, counted_fen AS fen FROM hand_ins WHERE state = 'counted'
        UNION ALL
        SELECT entry_id, receiver_id, -counted_fen FROM hand_ins WHERE state = 'counted'
    ), booked AS (
        SELECT entry_id, holder_id, sum(amount_fen) AS fen FROM postings
        WHERE reason = 'handed_in' GROUP BY entry_id, holder_id
    )
    SELECT 'entry:' || coalesce(d.entry_id, b.entry_id) || ' account:'
               || coalesce(d.holder_id::text, b.holder_id::text, 'nobody'),
           coalesce(d.fen, 0)::text, coalesce(b.fen, 0)::text
    FROM due d FULL JOIN booked b ON b.entry_id = d.entry_id AND b.holder_id = d.holder_id
    WHERE coalesce(d.fen, 0) <> coalesce(b.fen, 0) OR b.holder_id IS NULL
"""
_SLIPS = """
    WITH due AS (
        SELECT entry_id, 'cash' AS rail, account_id AS holder_id,
               CASE kind WHEN 'paid_in' THEN amount_fen ELSE -amount_fen END AS fen FROM bank_slips
        UNION ALL
        SELECT entry_id, 'transfer', 0, CASE kind WHEN 'paid_in' THEN -amount_fen ELSE amount_fen END FROM bank_slips
    ), booked AS (
        SELECT entry_id, coalesce(rail, book) AS rail, coalesce(holder_id, 0) AS holder_id, sum(amount_fen) AS fen
        FROM postings WHERE reason = 'banked' GROUP BY 1, 2, 3
    )
    SELECT 'entry:' || coalesce(d.entry_id, b.entry_id) || ' ' || coalesce(d.rail, b.rail),
           coalesce(d.fen, 0)::text, coalesce(b.fen, 0)::text
    FROM due d FULL JOIN booked b
      ON b.entry_id = d.entry_id AND b.rail = d.rail AND b.holder_id = d.holder_id
    WHERE coalesce(d.fen, 0) <> coalesce(b.fen, 0)
"""
RULES = {
    "a paid order has exactly one payment that stands, of its total": _ONE_PAYMENT,
    "money that arrived is booked once, money that did not is not": _ENTRY,
    "no more goes back than was paid": _REFUNDS,
    "what is owed back to buyers is the refunds not yet finished": _RETURNS,
    "what a payment left in clearing is what came less what went back": _CLEARING,
    "a payment is where its last move left it": _PAYMENT_MOVES,
    "a refund is where its last move left it": _REFUND_MOVES,
    "clearing of a rail is what came less what went back by it": _RAILS,
    "cash is in the hand of whoever took it": _TAKEN,
    "nobody ever held less than no cash": _IN_HAND,
    "cash changes hands by a counted hand-in, and each of them once": _HAND_INS,
    "cash comes from and goes to the bank by a slip, and each of them once": _SLIPS,
}


async def differences(session: AsyncSession) -> list[Difference]:
    """Everything in which payments, refunds and ledger disagree; empty when all is well."""
    return await oversight.look(session, RULES | statement_proof.RULES | round_proof.RULES)
