"""Imports every table of the market, so that migrations and tests see them all."""

from market.books import costs, ledger, payout_proofs, payouts
from market.delivery import cutoffs, round_cancellations, stops
from market.goods import capacity, disagreements, gates, listings, produce, slaughter_points, stock, uploads, waiting
from market.ground import audit, idempotency, places
from market.ground.db import metadata
from market.people import accounts, acts_for, cards, consent, door_cards, door_devices, households, stations, units
from market.trade import answers, cancellations, carts, orders

__all__ = [
    "accounts", "acts_for", "answers", "audit", "cancellations", "capacity", "cards", "carts", "consent", "costs",
    "cutoffs", "disagreements", "door_cards", "door_devices", "gates", "households", "idempotency", "ledger",
    "listings", "metadata", "orders", "payout_proofs", "payouts", "places", "produce", "round_cancellations",
    "slaughter_points", "stations", "stock", "stops", "units", "uploads", "waiting",
]  # fmt: skip
