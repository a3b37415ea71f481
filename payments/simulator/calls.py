"""The calls of Stripe's API that are answered here: which fields each knows, and the act it stands for."""

from collections.abc import Callable
from dataclasses import dataclass

from payments.simulator import intents, lists, refunds, sessions
from payments.simulator.faults import Json
from payments.simulator.forms import Form
from payments.simulator.world import World

Act = Callable[[World, str, Form], Json]

PAGE = frozenset(
    [
        "limit",
        "starting_after",
        "ending_before",
        "expand[]",
        "created",
        "created[gt]",
        "created[gte]",
        "created[lt]",
        "created[lte]",
    ]
)
ONE = frozenset({"expand[]"})
METHOD = frozenset(
    [
        "payment_method",
        "payment_method_data[type]",
        "payment_method_options[wechat_pay][client]",
        "return_url",
        "expand[]",
    ]
)
CREATE_INTENT = METHOD | frozenset(
    [
        "amount",
        "currency",
        "allowed_payment_method_types[]",
        "payment_method_types[]",
        "automatic_payment_methods[enabled]",
        "automatic_payment_methods[allow_redirects]",
        "confirm",
        "metadata",
        "metadata[*]",
        "description",
        "capture_method",
    ]
)
CREATE_REFUND = frozenset(["charge", "payment_intent", "amount", "reason", "metadata", "metadata[*]", "expand[]"])
CREATE_SESSION = frozenset(
    [
        "mode",
        "ui_mode",
        "success_url",
        "cancel_url",
        "allowed_payment_method_types[]",
        "payment_method_types[]",
        "client_reference_id",
        "customer_email",
        "locale",
        "submit_type",
        "expires_at",
        "metadata",
        "metadata[*]",
        "line_items[][quantity]",
        "line_items[][price_data][currency]",
        "line_items[][price_data][unit_amount]",
        "line_items[][price_data][product_data][name]",
        "line_items[][price_data][product_data][description]",
        "payment_intent_data[description]",
        "payment_intent_data[capture_method]",
        "payment_intent_data[metadata]",
        "payment_intent_data[metadata][*]",
        "expand[]",
    ]
)


@dataclass(frozen=True)
class Call:
    """One call: HTTP method, path, known fields, act."""

    verb: str
    path: str
    known: frozenset[str]
    act: Act


def _one(kind: str, param: str) -> Act:
    return lambda world, object_id, _: world.load(kind, object_id, param)


def _page(kind: str) -> Act:
    return lambda world, _, form: lists.one_page(world, kind, form)


CALLS = (
    Call("POST", "/payment_intents", CREATE_INTENT, lambda world, _, form: intents.create_intent(world, form)),
    Call("GET", "/payment_intents", PAGE, _page("payment_intent")),
    Call("GET", "/payment_intents/{id}", ONE, _one("payment_intent", "intent")),
    Call("POST", "/payment_intents/{id}/confirm", METHOD, intents.confirm_intent),
    Call("POST", "/payment_intents/{id}/cancel", ONE | {"cancellation_reason"}, intents.cancel_intent),
    Call("POST", "/payment_intents/{id}/capture", ONE | {"amount_to_capture"}, intents.capture_intent),
    Call("GET", "/payment_methods/{id}", ONE, _one("payment_method", "payment_method")),
    Call("GET", "/charges", PAGE | {"payment_intent"}, _page("charge")),
    Call("GET", "/charges/{id}", ONE, _one("charge", "charge")),
    Call("POST", "/refunds", CREATE_REFUND, lambda world, _, form: refunds.create_refund(world, form)),
    Call("GET", "/refunds", PAGE | {"payment_intent", "charge"}, _page("refund")),
    Call("GET", "/refunds/{id}", ONE, _one("refund", "refund")),
    Call("GET", "/balance_transactions", PAGE | {"type", "source", "currency"}, _page("balance_transaction")),
    Call("GET", "/balance_transactions/{id}", ONE, _one("balance_transaction", "id")),
    Call("GET", "/events", PAGE | {"type", "types[]"}, _page("event")),
    Call("GET", "/events/{id}", ONE, _one("event", "id")),
    Call("POST", "/checkout/sessions", CREATE_SESSION, lambda world, _, form: sessions.create_session(world, form)),
    Call("GET", "/checkout/sessions", PAGE | {"payment_intent", "status"}, _page("checkout.session")),
    Call("GET", "/checkout/sessions/{id}", ONE, _one("checkout.session", "session")),
    Call(
        "POST",
        "/checkout/sessions/{id}/expire",
        ONE,
        lambda world, object_id, _: sessions.expire_session(world, object_id),
    ),
)
