"""Money going back: bounded by what is left of the charge, at once for cards, later for wallets, or failing."""

import time

from payments.simulator.charges import book
from payments.simulator.faults import ApiError, Json, invalid
from payments.simulator.forms import Form
from payments.simulator.methods import WALLETS, card_of
from payments.simulator.notices import tell
from payments.simulator.world import World, new_id, now

REASONS = ("duplicate", "fraudulent", "requested_by_customer")


def create_refund(world: World, form: Form) -> Json:
    """Gives back a part or all of a charge."""
    charge = _charge_of(world, form)
    fen = form.fen("amount")
    reason = form.choice("reason", among=REASONS)
    left = charge["amount"] - charge["amount_refunded"]
    if not charge["paid"] or not charge["captured"]:
        said = f"Charge {charge['id']} has not been captured, so there is nothing to refund."
        raise ApiError(400, said, code="charge_not_refundable", executed=True)
    if left < 1:
        said = f"Charge {charge['id']} has already been refunded."
        raise ApiError(400, said, code="charge_already_refunded", executed=True)
    if fen is not None and fen > left:
        # Recorded answers of Stripe carry no code here, only the parameter and this sentence.
        said = f"Refund amount (¥{fen / 100:,.2f}) is greater than unrefunded amount on charge (¥{left / 100:,.2f})"
        raise ApiError(400, said, param="amount", executed=True)
    refund = _new_refund(charge, fen or left)
    refund |= {"metadata": form.metadata(), "reason": reason}
    return _send(world, refund, charge)


def settle_refund(world: World, refund_id: str, *, fails: bool) -> Json:
    """The outcome of a refund under way. One that went through may still fail later; one that failed stays failed."""
    refund = world.load("refund", refund_id)
    world.store.drop_chores("settle_refund", refund_id)
    world.store.drop_chores("fail_refund", refund_id)
    if refund["status"] == "failed" or (refund["status"] == "succeeded" and not fails):
        return refund
    before = {"status": refund["status"]}
    refund["pending_reason"] = None
    if fails:
        return _fail(world, refund, before)
    refund["status"] = "succeeded"
    world.store.put(refund)
    tell(world, "refund.updated", refund, before)
    tell(world, "charge.refund.updated", refund, before)
    return refund


def _send(world: World, refund: Json, charge: Json) -> Json:
    wallet = charge["payment_method_details"]["type"] in WALLETS
    ill_fated = _ill_fated(world, charge)
    booked = book(world, refund, "payment_refund" if wallet else "refund", -refund["amount"])
    refund["balance_transaction"] = booked["id"]
    later = wallet or _card_refund(world, charge) == "later"
    if later:
        refund |= {"status": "pending", "pending_reason": "processing"}
    if (later and not world.switches.hold_refunds) or (ill_fated and not later):
        act = "fail_refund" if ill_fated else "settle_refund"
        world.store.do_later(act, refund["id"], time.time() + world.refund_seconds)
    refund["_ill_fated"] = ill_fated
    world.store.put(refund)
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    charge["amount_refunded"] += refund["amount"]
    charge["refunded"] = charge["amount_refunded"] == charge["amount"]
    world.store.put(charge)
    tell(world, "refund.created", refund)
    tell(world, "charge.refunded", charge, before)
    return refund


def _fail(world: World, refund: Json, before: Json) -> Json:
    charge = world.load("charge", refund["charge"])
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False
    world.store.put(charge)
    booked = book(world, refund, "refund_failure", refund["amount"])
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    if charge["payment_method_details"]["type"] in WALLETS:
        refund["failure_reason"] = "declined"
    refund["failure_balance_transaction"] = booked["id"]
    world.store.put(refund)
    tell(world, "refund.updated", refund, before)
    tell(world, "refund.failed", refund, before)
    tell(world, "charge.refund.updated", refund, before)
    return refund


def _charge_of(world: World, form: Form) -> Json:
    charge_id, intent_id = form.text("charge"), form.text("payment_intent")
    if charge_id is None and intent_id is None:
        said = "One of the following params should be provided for this request: payment_intent or charge."
        raise ApiError(400, said)
    if intent_id is not None:
        intent = world.load("payment_intent", intent_id, "payment_intent")
        if intent["status"] not in {"succeeded", "requires_capture"}:
            said = f"This PaymentIntent ({intent_id}) does not have a successful charge to refund."
            raise ApiError(400, said, param="payment_intent", executed=True)
        if charge_id not in {None, intent["latest_charge"]}:
            raise invalid("charge", f"The charge {charge_id} does not belong to the PaymentIntent {intent_id}.")
        charge_id = intent["latest_charge"]
    return world.load("charge", str(charge_id), "charge")


def _new_refund(charge: Json, fen: int) -> Json:
    kind = charge["payment_method_details"]["type"]
    card = {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"}
    return {
        "id": new_id("pyr" if kind in WALLETS else "re"),
        "object": "refund",
        "amount": fen,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now(),
        "currency": charge["currency"],
        "destination_details": {"type": kind, kind: {} if kind in WALLETS else card},
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "reason": None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "succeeded",
        "transfer_reversal": None,
    }


def _ill_fated(world: World, charge: Json) -> bool:
    if world.switches.failing_refund_count > 0:
        world.switches.failing_refund_count -= 1
        return True
    return _card_refund(world, charge) == "fails"


def _card_refund(world: World, charge: Json) -> str:
    method = world.load("payment_method", charge["payment_method"])
    return "succeeds" if method["type"] in WALLETS else card_of(method).refund
