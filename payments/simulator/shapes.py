"""Payment intents and checkout sessions as Stripe draws them: every field, most of them null here."""

import secrets

from payments.simulator.faults import Json
from payments.simulator.world import new_id, now

NULL_IN_INTENTS = [
    "allowed_payment_method_types",
    "application",
    "application_fee_amount",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "customer",
    "customer_account",
    "description",
    "last_payment_error",
    "latest_charge",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "processing",
    "receipt_email",
    "review",
    "setup_future_usage",
    "shipping",
    "source",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
]

NULL_IN_CHARGES = [
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "customer",
    "failure_balance_transaction",
    "on_behalf_of",
    "receipt_email",
    "receipt_number",
    "receipt_url",
    "review",
    "shipping",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
]

NULL_IN_SESSIONS = [
    "adaptive_pricing",
    "after_expiration",
    "allowed_payment_method_types",
    "allow_promotion_codes",
    "billing_address_collection",
    "cancel_url",
    "client_reference_id",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer",
    "customer_account",
    "customer_creation",
    "customer_details",
    "customer_email",
    "invoice",
    "locale",
    "payment_intent",
    "payment_link",
    "payment_method_configuration_details",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "subscription",
    "wallet_options",
]


def new_intent(fen: int, currency: str, types: list[str], capture_method: str) -> Json:
    """An intent nobody has tried to pay yet."""
    intent_id = new_id("pi")
    return dict.fromkeys(NULL_IN_INTENTS) | {
        "id": intent_id,
        "object": "payment_intent",
        "amount": fen,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": capture_method,
        "client_secret": f"{intent_id}_secret_{secrets.token_hex(12)}",
        "confirmation_method": "automatic",
        "created": now(),
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": types,
        "status": "requires_payment_method",
    }


def new_session(fen: int, currency: str, *, success_url: str, expires_at: int, page: str) -> Json:
    """A hosted checkout page waiting for a card; `page` is the cashier's address the id is put after."""
    session_id = new_id("cs_test")
    return dict.fromkeys(NULL_IN_SESSIONS) | {
        "id": session_id,
        "object": "checkout.session",
        "amount_subtotal": fen,
        "amount_total": fen,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": now(),
        "currency": currency,
        "custom_fields": [],
        "custom_text": dict.fromkeys(("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")),
        "discounts": [],
        "expires_at": expires_at,
        "invoice_creation": {"enabled": False, "invoice_data": _no_invoice()},
        "livemode": False,
        "metadata": {},
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "success_url": success_url,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{page}/{session_id}",
    }


def _no_invoice() -> Json:
    nulls = ["account_tax_ids", "custom_fields", "description", "footer", "issuer", "rendering_options"]
    return dict.fromkeys(nulls) | {"metadata": {}}


def new_line(position: int, name: str, fen: int, count: int) -> Json:
    """One line of a checkout session: `count` times `fen`."""
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": fen * count,
        "amount_tax": 0,
        "amount_total": fen * count,
        "currency": "cny",
        "description": name,
        "price": _price(name, fen),
        "quantity": count,
        "_position": position,
    }


def _price(name: str, fen: int) -> Json:
    nulls = ("custom_unit_amount", "lookup_key", "nickname", "recurring", "tiers_mode", "transform_quantity")
    return dict.fromkeys(nulls) | {
        "id": new_id("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": now(),
        "currency": "cny",
        "livemode": False,
        "metadata": {},
        "product": f"prod_{name.encode().hex()[:14]}",
        "tax_behavior": "unspecified",
        "type": "one_time",
        "unit_amount": fen,
        "unit_amount_decimal": str(fen),
    }
