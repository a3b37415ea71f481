"""Whether no helper spoke unseen: every trace of an agent's act for a household has its row that asks for a word."""

_ACTED = """
    SELECT 'trace:' || t.id, 'an act for household ' || t.household_id, t.act
    FROM traces t
    JOIN households h ON h.id = t.household_id
    JOIN grants g ON g.account_id = t.account_id AND g.role = 'agent' AND g.station_id = h.station_id
                 AND g.given_at <= t.at AND (g.ended_at IS NULL OR g.ended_at > t.at)
    WHERE t.act NOT IN (
              'look', 'open_card', 'agree_to_acts', 'object_to_acts', 'settle_objection', 'give_role',
              'permit_more', 'refuse_more', 'halt', 'lift_halt'
          )
      AND NOT EXISTS (
              SELECT FROM grants own
              WHERE own.account_id = t.account_id AND own.role = 'household' AND own.household_id = t.household_id
                AND own.given_at <= t.at AND (own.ended_at IS NULL OR own.ended_at > t.at)
          )
      AND NOT EXISTS (
              SELECT FROM acts_for a
              WHERE a.household_id = t.household_id AND a.account_id = t.account_id
                AND a.at = t.at AND a.act = t.act AND a.subject = t.subject
          )
"""
RULES = {"an agent's act for a household has its row": _ACTED}
"""Looks, words and an officer's decisions are no acts for a household, whoever holds both roles."""
