"""Money that came: charges, and the balance transactions that say what of it is left after the fee."""

import secrets

from payments.simulator.faults import Json
from payments.simulator.methods import WALLETS, Decline, card_face, card_of
from payments.simulator.notices import tell
from payments.simulator.shapes import NULL_IN_CHARGES
from payments.simulator.world import World, new_id, now

FEE_PER_MILLE = {"alipay": 29, "wechat_pay": 29, "card": 34}
FIXED_FEE_FEN = 200
DAYS_UNTIL_AVAILABLE = 7


def new_charge(world: World, intent: Json, method: Json, decline: Decline | None = None) -> Json:
    """A charge for the intent: captured and booked, or only authorised (manual capture), or failed as the bank says."""
    wallet = method["type"] in WALLETS
    captured = decline is None and intent["capture_method"] != "manual"
    charge: Json = dict.fromkeys(NULL_IN_CHARGES) | {
        "id": new_id("py" if wallet else "ch"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"] if captured else 0,
        "amount_refunded": 0,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": None if wallet else "YIGOU",
        "captured": captured,
        "created": now(),
        "currency": intent["currency"],
        "description": intent["description"],
        "disputed": False,
        "failure_code": decline.code if decline else None,
        "failure_message": decline.message if decline else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "outcome": _outcome(decline),
        "paid": decline is None,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _details(method),
        "refunded": False,
        "status": "failed" if decline else "succeeded",
    }
    if captured:
        book_charge(world, charge)
    world.store.put(charge)
    tell(world, "charge.failed" if decline else "charge.succeeded", charge)
    return charge


def book_charge(world: World, charge: Json) -> None:
    """Books what was captured to the balance, less the fee."""
    fen = charge["amount_captured"]
    kind = charge["payment_method_details"]["type"]
    fee_fen = (fen * FEE_PER_MILLE[kind] + 500) // 1000 + FIXED_FEE_FEN
    booked = book(world, charge, "payment" if kind in WALLETS else "charge", fen, fee_fen)
    charge["balance_transaction"] = booked["id"]


def dispute(world: World, intent: Json) -> Json:
    """The payer's bank takes the money back: the balance loses it at once."""
    quarrel: Json = {
        "id": new_id("dp"),
        "object": "dispute",
        "amount": intent["amount"],
        "charge": intent["latest_charge"],
        "created": now(),
        "currency": intent["currency"],
        "livemode": False,
        "metadata": {},
        "payment_intent": intent["id"],
        "reason": "fraudulent",
        "status": "needs_response",
    }
    world.store.put(quarrel)
    book(world, quarrel, "adjustment", -intent["amount"])
    tell(world, "charge.dispute.created", quarrel)
    return quarrel


def book(world: World, source: Json, kind: str, fen: int, fee_fen: int = 0) -> Json:
    """One balance transaction: `fen` signed from our side, the fee always positive, net what remains."""
    fee = {"application": None, "currency": source["currency"], "description": "Stripe processing fees"}
    back = {"payment_refund": "refund"}.get(kind, kind)
    booked: Json = {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": fen,
        "available_on": now() + DAYS_UNTIL_AVAILABLE * 86400,
        "balance_type": "payments",
        "created": now(),
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee_fen,
        "fee_details": [fee | {"amount": fee_fen, "type": "stripe_fee"}] if fee_fen else [],
        "net": fen - fee_fen,
        "reporting_category": "charge" if kind == "payment" else back,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    world.store.put(booked)
    return booked


def _outcome(decline: Decline | None) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": decline.decline_code if decline else None,
        "risk_level": "normal",
        "seller_message": "The bank did not complete the payment." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def _details(method: Json) -> Json:
    kind = method["type"]
    if kind in WALLETS:
        paid = {"fingerprint": secrets.token_hex(8), "transaction_id": f"{now()}{secrets.randbelow(10**12):012d}"}
        place = {"buyer_id": f"2088{secrets.randbelow(10**12):012d}"} if kind == "alipay" else _NO_TERMINAL
        return {"type": kind, kind: paid | place}
    card = card_of(method)
    checks = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
    return {"type": kind, kind: card_face(card) | {"checks": checks, "network": card.brand, "three_d_secure": None}}


_NO_TERMINAL: Json = {"location": None, "reader": None}
