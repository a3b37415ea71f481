"""Payment intents: asked for, confirmed, paid or refused at the cashier, captured, cancelled."""

from payments.simulator.charges import book_charge, new_charge
from payments.simulator.codes import qr_code
from payments.simulator.faults import ApiError, Json, illegal_move, invalid, missing
from payments.simulator.forms import Form, charged_fen, currency
from payments.simulator.methods import TYPES, WALLETS, Decline, allowed_types, card_of, chosen_method
from payments.simulator.notices import tell
from payments.simulator.shapes import new_intent
from payments.simulator.world import World, now, public

CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
CANCELLATION_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")
CANCELLABLE = ("requires_payment_method", "requires_capture", "requires_confirmation", "requires_action", "processing")
CONFIRMABLE = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})

WALLET_FAILED = Decline("payment_method_provider_decline", "", "The payment was declined by the wallet.")
WALLET_CANCELLED = Decline("payment_method_customer_decline", "", "The customer declined the payment.")
NOT_AUTHENTICATED = Decline(
    "payment_intent_authentication_failure",
    "",
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod"
    " to attempt to fulfill this PaymentIntent again.",
)


def create_intent(world: World, form: Form) -> Json:
    """Asks for an amount; with `confirm` also starts the payment."""
    fen = form.fen("amount")
    if fen is None:
        raise missing("amount")
    money = currency(form, "currency")
    charged_fen(fen, least=world.least_fen)
    confirmed = form.flag("confirm")
    if not confirmed and form.find("return_url") is not None:
        raise invalid("return_url", "`return_url` can only be passed together with `confirm=true`.")
    capture = form.choice("capture_method", among=CAPTURE_METHODS) or "automatic_async"
    allowed = _allowed(form)
    intent = new_intent(fen, money, _fitting(allowed or list(TYPES), capture), capture)
    intent["allowed_payment_method_types"] = allowed
    intent["automatic_payment_methods"] = _automatic(form)
    intent["description"] = form.text("description")
    intent["metadata"] = form.metadata()
    intent["payment_method_options"] = _options(intent["payment_method_types"])
    _attach(intent, chosen_method(world, form))
    world.store.put(intent)
    tell(world, "payment_intent.created", intent)
    return _start(world, intent, form) if confirmed else intent


def confirm_intent(world: World, intent_id: str, form: Form) -> Json:
    """Starts (or starts anew) the payment of an intent that is not paid yet."""
    intent = world.load("payment_intent", intent_id, "intent")
    if intent["status"] not in CONFIRMABLE:
        said = f"This PaymentIntent's status is {intent['status']}, so it cannot be confirmed"
        raise illegal_move(said, public(intent))
    method = chosen_method(world, form)
    if method is None and intent["status"] == "requires_action":
        return intent
    _attach(intent, method)
    return _start(world, intent, form)


def cancel_intent(world: World, intent_id: str, form: Form) -> Json:
    """Gives an unpaid or only authorised intent up; what was authorised is let go."""
    intent = world.load("payment_intent", intent_id, "intent")
    reason = form.choice("cancellation_reason", among=CANCELLATION_REASONS)
    if intent["status"] not in CANCELLABLE:
        said = (
            f"You cannot cancel this PaymentIntent because it has a status of {intent['status']}. Only a PaymentIntent"
        )
        said += f" with one of the following statuses may be canceled: {', '.join(CANCELLABLE)}."
        raise illegal_move(said, public(intent))
    return give_up(world, intent, reason)


def give_up(world: World, intent: Json, reason: str | None) -> Json:
    """Moves an intent to canceled and lets its authorised money go."""
    if intent["status"] == "requires_capture":
        charge = world.load("charge", intent["latest_charge"])
        charge |= {"amount_refunded": charge["amount"], "refunded": True}
        world.store.put(charge)
        tell(world, "charge.refunded", charge)
    intent |= {"status": "canceled", "canceled_at": now(), "cancellation_reason": reason}
    intent |= {"next_action": None, "amount_capturable": 0}
    world.store.put(intent)
    tell(world, "payment_intent.canceled", intent)
    return intent


def capture_intent(world: World, intent_id: str, form: Form) -> Json:
    """Takes what a card authorised, all of it or less, once; the rest is let go."""
    intent = world.load("payment_intent", intent_id, "intent")
    fen = form.fen("amount_to_capture")
    if intent["status"] != "requires_capture":
        said = f"This PaymentIntent could not be captured because it has a status of {intent['status']}."
        said += " Only a PaymentIntent with one of the following statuses may be captured: requires_capture."
        raise illegal_move(said, public(intent))
    most = intent["amount_capturable"]
    if fen is not None and fen > most:
        raise invalid("amount_to_capture", f"The amount to capture must be at most {most}.", "amount_too_large")
    charge = world.load("charge", intent["latest_charge"])
    taken = fen or most
    charge |= {"captured": True, "amount_captured": taken, "amount_refunded": charge["amount"] - taken}
    book_charge(world, charge)
    world.store.put(charge)
    tell(world, "charge.captured", charge)
    return _paid(world, intent, taken)


def pay(world: World, intent: Json) -> Json:
    """The payer agrees. An intent that waits for nothing stays as it is, so a second click does nothing."""
    if intent["status"] != "requires_action":
        return intent
    method = world.load("payment_method", intent["payment_method"])
    charge = new_charge(world, intent, method)
    intent |= {"latest_charge": charge["id"], "next_action": None, "last_payment_error": None}
    if charge["captured"]:
        return _paid(world, intent, intent["amount"])
    intent |= {"status": "requires_capture", "amount_capturable": intent["amount"]}
    world.store.put(intent)
    tell(world, "payment_intent.amount_capturable_updated", intent)
    return intent


def refuse(world: World, intent: Json, why: Decline, charge: Json | None = None) -> Json:
    """The payer or the bank says no: the intent waits for another way to pay. Harmless when it waits for nothing."""
    if intent["status"] != "requires_action":
        return intent
    method = world.load("payment_method", intent["payment_method"])
    error: Json = {"code": why.code, "message": why.message, "payment_method": public(method)}
    error["type"] = "card_error" if charge or method["type"] == "card" else "invalid_request_error"
    error["doc_url"] = f"https://stripe.com/docs/error-codes/{why.code.replace('_', '-')}"
    if charge:
        error |= {"charge": charge["id"], "decline_code": why.decline_code}
        intent["latest_charge"] = charge["id"]
    intent |= {"status": "requires_payment_method", "last_payment_error": error, "next_action": None}
    intent["payment_method"] = None
    world.store.put(intent)
    tell(world, "payment_intent.payment_failed", intent)
    return intent


def _start(world: World, intent: Json, form: Form) -> Json:
    if intent["payment_method"] is None:
        said = "You cannot confirm this PaymentIntent because it's missing a payment method."
        raise illegal_move(
            f"{said} Update the PaymentIntent with a payment method and then confirm it again.", public(intent)
        )
    method = world.load("payment_method", intent["payment_method"])
    kind = method["type"]
    intent["_return_url"] = form.url("return_url") or intent.get("_return_url")
    intent["status"] = "requires_action"
    intent["last_payment_error"] = None
    if kind == "card" and not card_of(method).asks:
        return _run_card(world, intent, method)
    intent["next_action"] = _next_action(world, intent, kind, form)
    world.store.put(intent)
    tell(world, "payment_intent.requires_action", intent)
    return intent


def _run_card(world: World, intent: Json, method: Json) -> Json:
    decline = card_of(method).decline
    if decline is None:
        return pay(world, intent)
    charge = new_charge(world, intent, method, decline)
    refused = public(refuse(world, intent, decline, charge))
    raise ApiError(
        402,
        decline.message,
        kind="card_error",
        code=decline.code,
        decline_code=decline.decline_code,
        charge=charge["id"],
        payment_intent=refused,
        payment_method=public(method),
        keep=True,
    )


def _next_action(world: World, intent: Json, kind: str, form: Form) -> Json:
    page = f"{world.public_url}/cashier/{kind}/{intent['id']}"
    back = intent["_return_url"]
    if kind == "wechat_pay":
        if form.find("payment_method_options", "wechat_pay", "client") is None:
            raise missing("payment_method_options[wechat_pay][client]")
        form.choice("payment_method_options", "wechat_pay", "client", among=("web",))
        intent["payment_method_options"] = {"wechat_pay": {"app_id": None, "client": "web"}}
        return {"type": "wechat_pay_display_qr_code", "wechat_pay_display_qr_code": qr_code(page)}
    if back is None:
        raise missing("return_url")
    if kind == "alipay":
        action = {"native_data": None, "native_url": None, "return_url": back, "url": page}
        return {"type": "alipay_handle_redirect", "alipay_handle_redirect": action}
    return {"type": "redirect_to_url", "redirect_to_url": {"return_url": back, "url": page}}


def _paid(world: World, intent: Json, fen: int) -> Json:
    intent |= {"status": "succeeded", "amount_received": fen, "amount_capturable": 0, "next_action": None}
    world.store.put(intent)
    tell(world, "payment_intent.succeeded", intent)
    return intent


def _attach(intent: Json, method: Json | None) -> None:
    if method is None:
        return
    if method["type"] not in intent["payment_method_types"]:
        allowed = ", ".join(intent["payment_method_types"])
        said = f"The PaymentMethod provided ({method['type']}) is not allowed for this PaymentIntent: {allowed}."
        raise invalid("payment_method", said, "payment_intent_incompatible_payment_method")
    intent |= {"payment_method": method["id"], "status": "requires_confirmation"}


def _allowed(form: Form) -> list[str] | None:
    allowed = allowed_types(form, TYPES)
    if allowed and form.find("automatic_payment_methods") is not None:
        said = "You may only specify one of allowed_payment_method_types, automatic_payment_methods."
        raise invalid("allowed_payment_method_types", said, "parameters_exclusive")
    return allowed


def _automatic(form: Form) -> Json | None:
    if form.find("allowed_payment_method_types") is not None:
        return None
    redirects = form.choice("automatic_payment_methods", "allow_redirects", among=("always", "never"))
    return {"allow_redirects": redirects or "always", "enabled": True}


def _fitting(allowed: list[str], capture: str) -> list[str]:
    # Neither wallet can be authorised now and captured later, so Stripe leaves them out.
    return [kind for kind in allowed if capture != "manual" or kind not in WALLETS]


def _options(types: list[str]) -> Json:
    card = {"installments": None, "mandate_options": None, "network": None, "request_three_d_secure": "automatic"}
    known: Json = {"alipay": {}, "card": card, "wechat_pay": {"app_id": None, "client": None}}
    return {kind: known[kind] for kind in types}
