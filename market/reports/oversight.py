"""Whether stock and books are right: every invariant of the market as one statement that finds what breaks it.

Each statement sees one snapshot, so it may run while the market is open. `payments/proof.py` asks the same of payments.
"""

from dataclasses import dataclass

from sqlalchemy import text
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.db import run
from market.reports import acting_rules, payout_rules
from market.reports.scopes import make_room

MOST = 200
"""Differences named per rule: where there are more, the cause is one."""


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it must be: which rule, about what, and both figures (fen, counts or codes)."""

    rule: str
    subject: str
    expected: str
    found: str


_BALANCE = """
    SELECT 'entry:' || e.id, '0', coalesce(sum(p.amount_fen)::text, 'no postings')
    FROM entries e LEFT JOIN postings p ON p.entry_id = e.id
    GROUP BY e.id HAVING sum(p.amount_fen) IS DISTINCT FROM 0
"""
_ON_HAND = """
    WITH moved AS (SELECT listing_id, sum(quantity) AS quantity FROM stock_moves GROUP BY listing_id),
    sold AS (
        SELECT l.listing_id, sum(l.quantity - l.short_quantity) AS quantity
        FROM order_lines l JOIN orders o ON o.id = l.order_id WHERE o.state = 'paid' GROUP BY l.listing_id
    )
    SELECT 'listing:' || i.id, (coalesce(m.quantity, 0) - coalesce(d.quantity, 0))::text,
           coalesce(s.on_hand::text, 'no stock')
    FROM listings i LEFT JOIN stock s ON s.listing_id = i.id
    LEFT JOIN moved m ON m.listing_id = i.id LEFT JOIN sold d ON d.listing_id = i.id
    WHERE s.on_hand IS DISTINCT FROM coalesce(m.quantity, 0) - coalesce(d.quantity, 0)
"""
_RESERVED = """
    WITH held AS (
        SELECT l.listing_id, sum(l.quantity) AS quantity FROM order_lines l JOIN orders o ON o.id = l.order_id
        WHERE o.state IN ('placed', 'confirmed') GROUP BY l.listing_id
    )
    SELECT 'listing:' || s.listing_id, coalesce(h.quantity, 0)::text, s.reserved::text
    FROM stock s LEFT JOIN held h ON h.listing_id = s.listing_id WHERE s.reserved <> coalesce(h.quantity, 0)
"""
_NEGATIVE_STOCK = """
    SELECT 'listing:' || listing_id, '0 <= reserved <= on_hand', reserved || ' of ' || on_hand
    FROM stock WHERE reserved < 0 OR reserved > on_hand
"""
_SALES = """
    WITH sold AS (
        SELECT order_line_id, household_id, sum(amount_fen) AS fen FROM postings
        WHERE book = 'payable' AND reason = 'sale' GROUP BY order_line_id, household_id
    ), due AS (
        SELECT l.id, l.household_id, o.no, l.line_no,
               CASE WHEN o.state = 'paid' OR (o.state = 'cancelled' AND o.paid_at IS NOT NULL)
                    THEN l.amount_fen ELSE 0 END AS fen
        FROM order_lines l JOIN orders o ON o.id = l.order_id
    )
    SELECT 'order:' || coalesce(d.no || '/' || d.line_no, '? line ' || coalesce(s.order_line_id::text, 'unknown')),
           coalesce(d.fen, 0)::text, coalesce(s.fen, 0)::text
    FROM due d FULL JOIN sold s ON s.order_line_id = d.id AND s.household_id = d.household_id
    WHERE coalesce(d.fen, 0) <> coalesce(s.fen, 0)
"""
_STANDING = """
    WITH standing AS (
        SELECT order_line_id, sum(amount_fen) FILTER (WHERE reason IN ('sale', 'refund')) AS fen FROM postings
        WHERE book = 'payable' AND order_line_id IS NOT NULL GROUP BY order_line_id
    )
    SELECT 'order:' || o.no || '/' || l.line_no,
           CASE WHEN o.state = 'cancelled' THEN '0' ELSE '0 to ' || l.amount_fen END, s.fen::text
    FROM standing s JOIN order_lines l ON l.id = s.order_line_id JOIN orders o ON o.id = l.order_id
    WHERE CASE WHEN o.state = 'cancelled' THEN s.fen <> 0 ELSE s.fen NOT BETWEEN 0 AND l.amount_fen END
"""
_ROLL_UP = """
    WITH summed AS (
        SELECT household_id, day_on, coalesce(produce_code, '') AS produce_code,
               coalesce(work_unit_id, 0) AS work_unit_id, coalesce(wallet, '') AS wallet,
               coalesce(sum(amount_fen) FILTER (WHERE reason = 'sale'), 0) AS gross,
               -coalesce(sum(amount_fen) FILTER (WHERE reason = 'refund'), 0) AS refunded,
               -coalesce(sum(amount_fen) FILTER (WHERE reason = 'payout'), 0) AS paid_out,
               count(*) FILTER (WHERE reason = 'sale') AS lines, min(division_code) AS low, max(division_code) AS high
        FROM postings WHERE book = 'payable' GROUP BY 1, 2, 3, 4, 5
    )
    SELECT concat_ws(' ', 'household:' || coalesce(s.household_id, d.household_id), coalesce(s.day_on, d.day_on),
                     coalesce(s.produce_code, d.produce_code), coalesce(s.work_unit_id, d.work_unit_id),
                     coalesce(s.wallet, d.wallet)),
           CASE WHEN s.household_id IS NULL THEN 'nothing'
                ELSE concat_ws(' ', s.gross, s.refunded, s.paid_out, s.lines, s.low) END,
           CASE WHEN d.household_id IS NULL THEN 'nothing'
                ELSE concat_ws(' ', d.gross_fen, d.refunded_fen, d.paid_out_fen, d.line_count, d.division_code) END
    FROM summed s FULL JOIN income_days d
      ON d.household_id = s.household_id AND d.day_on = s.day_on AND d.produce_code = s.produce_code
         AND d.work_unit_id = s.work_unit_id AND d.wallet = s.wallet
    WHERE (s.gross, s.refunded, s.paid_out, s.lines)
              IS DISTINCT FROM (d.gross_fen, d.refunded_fen, d.paid_out_fen, d.line_count)
       OR d.division_code NOT BETWEEN s.low AND s.high
"""
_ORDER_MOVES = """
    SELECT 'order:' || o.no, coalesce(last.to_state, 'placed'), o.state
    FROM orders o LEFT JOIN LATERAL (
        SELECT to_state FROM order_moves m WHERE m.order_id = o.id ORDER BY m.id DESC LIMIT 1
    ) last ON true WHERE o.state <> coalesce(last.to_state, 'placed')
"""
RULES = {
    **payout_rules.RULES,
    **acting_rules.RULES,
    "an entry's postings sum to zero": _BALANCE,
    "stock on hand is what came less what was sold": _ON_HAND,
    "stock reserved is what unpaid orders hold": _RESERVED,
    "stock is never negative": _NEGATIVE_STOCK,
    "a paid line is posted to its household": _SALES,
    "what stands of a line lies between nothing and its amount": _STANDING,
    "the daily roll-up is the sum of the postings": _ROLL_UP,
    "an order is where its last move left it": _ORDER_MOVES,
}


async def differences(session: AsyncSession) -> list[Difference]:
    """Everything in stock and books that breaks a rule of the market; empty when all is well."""
    return await look(session, RULES)


async def look(session: AsyncSession, rules: dict[str, str]) -> list[Difference]:
    """Run statements that return subject, expected and found, each under the rule it proves."""
    await make_room(session)
    found: list[Difference] = []
    for rule, statement in rules.items():
        broken = await run(session, text(f"{statement} LIMIT {MOST}"))
        found += [Difference(rule, subject, expected, seen) for subject, expected, seen in broken]
    return found
