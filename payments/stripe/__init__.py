"""Stripe: Alipay by redirect, WeChat Pay by QR code, cards on its own checkout page. Only this folder imports it."""

from payments.stripe.events import MOST_BYTES, Event, read_event
from payments.stripe.gateway import CURRENCY, LEAST_FEN, Gateway
from payments.stripe.seen import Charged, Fate, Moved, Seen, SentBack, Started, Statement

__all__ = [
    "CURRENCY", "LEAST_FEN", "MOST_BYTES", "Charged", "Event", "Fate", "Gateway", "Moved", "Seen", "SentBack",
    "Started", "Statement", "read_event",
]  # fmt: skip
