"""Checkout sessions: a hosted page that takes a card for us, since a card number must never pass through a shop."""

from payments.simulator.faults import ApiError, Json, invalid, missing
from payments.simulator.forms import MOST_FEN, Form, charged_fen, currency
from payments.simulator.intents import CAPTURE_METHODS, confirm_intent, give_up
from payments.simulator.methods import BY_NUMBER, allowed_types
from payments.simulator.notices import tell
from payments.simulator.shapes import new_intent, new_line, new_session
from payments.simulator.world import World, now

SHORTEST_SECONDS = 30 * 60
LONGEST_SECONDS = 24 * 3600
MOST_LINES = 100


def create_session(world: World, form: Form) -> Json:
    """Opens a hosted page for the sum of the lines, until it is paid or expires."""
    if form.needed("mode") != "payment":
        raise invalid("mode", "Invalid mode: must be one of payment")
    form.choice("ui_mode", among=("hosted_page",))
    success_url = form.url("success_url")
    if success_url is None:
        raise missing("success_url")
    allowed = allowed_types(form, ("card",))
    lines = _lines(form)
    fen = charged_fen(sum(line["amount_total"] for line in lines), least=world.least_fen, param="line_items")
    if fen > MOST_FEN:
        raise invalid("line_items", "Amount must be no more than ¥999,999.99", "amount_too_large")
    page = f"{world.public_url}/cashier/checkout"
    session = new_session(fen, "cny", success_url=success_url, expires_at=_expiry(form), page=page)
    session |= {name: form.text(name) for name in ("client_reference_id", "customer_email", "locale", "submit_type")}
    session |= {"cancel_url": form.url("cancel_url"), "metadata": form.metadata(), "_lines": lines}
    session["allowed_payment_method_types"] = allowed
    session["_intent"] = {
        "description": form.text("payment_intent_data", "description"),
        "metadata": form.metadata("payment_intent_data", "metadata"),
        "capture_method": form.choice("payment_intent_data", "capture_method", among=CAPTURE_METHODS),
    }
    world.store.put(session)
    world.store.do_later("expire_session", session["id"], session["expires_at"])
    return session


def expire_session(world: World, session_id: str) -> Json:
    """Closes an open page; a payment that was begun on it is cancelled."""
    session = world.load("checkout.session", session_id, "session")
    if session["status"] != "open":
        said = 'Only Checkout Sessions with a status in ["open"] can be expired.'
        raise ApiError(400, f"{said} This Checkout Session has a status of {session['status']}.", executed=True)
    if session["payment_intent"]:
        give_up(world, world.load("payment_intent", session["payment_intent"]), "automatic")
    session |= {"status": "expired", "url": None}
    world.store.put(session)
    world.store.drop_chores("expire_session", session_id)
    tell(world, "checkout.session.expired", session)
    return session


def pay_session(world: World, session: Json, number: str, payer: str | None = None) -> Json:
    """Takes a test card. Raises the bank's refusal (ApiError 402, to be kept); a closed page stays closed."""
    if session["status"] != "open":
        return session
    name = BY_NUMBER.get("".join(sign for sign in number if sign.isdigit()))
    if name is None or name == "pm_card_authenticationRequired":
        raise ApiError(402, "Only the test cards are taken here.", kind="card_error", code="incorrect_number")
    intent = _intent_of(world, session)
    paid = confirm_intent(world, intent["id"], Form(f"payment_method={name}"))
    session |= {"status": "complete", "url": None}
    session["payment_status"] = "paid" if paid["status"] == "succeeded" else "unpaid"
    session["customer_details"] = dict.fromkeys(("address", "business_name", "individual_name", "name", "phone")) | {
        "email": session["customer_email"],
        "name": payer,
        "tax_exempt": "none",
        "tax_ids": [],
    }
    world.store.put(session)
    world.store.drop_chores("expire_session", session["id"])
    tell(world, "checkout.session.completed", session)
    return session


def _intent_of(world: World, session: Json) -> Json:
    # Stripe creates a session's intent only when the payer first tries to pay.
    if session["payment_intent"]:
        return world.load("payment_intent", session["payment_intent"])
    wanted = session["_intent"]
    capture = wanted["capture_method"] or "automatic_async"
    intent = new_intent(session["amount_total"], session["currency"], ["card"], capture)
    intent |= {"description": wanted["description"], "metadata": wanted["metadata"]}
    world.store.put(intent)
    tell(world, "payment_intent.created", intent)
    session["payment_intent"] = intent["id"]
    world.store.put(session)
    return intent


def _lines(form: Form) -> list[Json]:
    given = form.find("line_items")
    if not isinstance(given, dict) or not given:
        raise missing("line_items")
    if len(given) > MOST_LINES:
        raise invalid("line_items", f"Checkout Sessions can have up to {MOST_LINES} line items.")
    lines = []
    for position, key in enumerate(sorted(given, key=lambda key: (len(key), key))):
        at = ("line_items", key)
        currency(form, *at, "price_data", "currency")
        name = form.needed(*at, "price_data", "product_data", "name")
        fen, count = form.fen(*at, "price_data", "unit_amount"), form.fen(*at, "quantity")
        if fen is None:
            raise missing(f"line_items[{key}][price_data][unit_amount]")
        lines.append(new_line(position, name, fen, count or 1))
    return lines


def _expiry(form: Form) -> int:
    given = form.number("expires_at")
    if given is None:
        return now() + LONGEST_SECONDS
    if not now() + SHORTEST_SECONDS - 60 <= given <= now() + LONGEST_SECONDS + 60:
        said = "The `expires_at` timestamp must be between 30 minutes and 24 hours from creation."
        raise invalid("expires_at", said)
    return given
