"""Ways to pay: Stripe's test cards and the two wallets, as payment methods."""

from dataclasses import dataclass

from payments.simulator.faults import ApiError, Json, invalid, missing
from payments.simulator.forms import Form
from payments.simulator.world import World, new_id, now

TYPES = ("alipay", "card", "wechat_pay")
WALLETS = frozenset({"alipay", "wechat_pay"})


@dataclass(frozen=True)
class Decline:
    """Why a bank says no: the error code, the decline code and the sentence."""

    code: str
    decline_code: str
    message: str


@dataclass(frozen=True)
class TestCard:
    """One of Stripe's test cards (docs, Testing) and what it does."""

    number: str
    brand: str = "visa"
    decline: Decline | None = None
    asks: bool = False
    refund: str = "succeeds"


DECLINED = Decline("card_declined", "generic_decline", "Your card was declined.")
NO_FUNDS = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
LOST = Decline("card_declined", "lost_card", "Your card was declined.")
STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
WRONG_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
TROUBLE = Decline(
    "processing_error", "processing_error", "An error occurred while processing your card. Try again in a little bit."
)

VISA = TestCard("4242424242424242")
DECLINED_CARD = TestCard("4000000000000002", decline=DECLINED)
CARDS = {
    "pm_card_visa": VISA,
    "pm_card_mastercard": TestCard("5555555555554444", "mastercard"),
    "pm_card_unionpay": TestCard("6200000000000005", "unionpay"),
    "pm_card_chargeDeclined": DECLINED_CARD,
    "pm_card_visa_chargeDeclined": DECLINED_CARD,
    "pm_card_visa_chargeDeclinedInsufficientFunds": TestCard("4000000000009995", decline=NO_FUNDS),
    "pm_card_chargeDeclinedInsufficientFunds": TestCard("4000000000009995", decline=NO_FUNDS),
    "pm_card_visa_chargeDeclinedLostCard": TestCard("4000000000009987", decline=LOST),
    "pm_card_visa_chargeDeclinedStolenCard": TestCard("4000000000009979", decline=STOLEN),
    "pm_card_chargeDeclinedExpiredCard": TestCard("4000000000000069", decline=EXPIRED),
    "pm_card_chargeDeclinedIncorrectCvc": TestCard("4000000000000127", decline=WRONG_CVC),
    "pm_card_chargeDeclinedProcessingError": TestCard("4000000000000119", decline=TROUBLE),
    "pm_card_chargeCustomerFail": TestCard("4000000000000341", decline=DECLINED),
    "pm_card_authenticationRequired": TestCard("4000002760003184", asks=True),
    "pm_card_pendingRefund": TestCard("4000000000007726", refund="later"),
    "pm_card_refundFail": TestCard("4000000000005126", refund="fails"),
}
BY_NUMBER = {card.number: name for name, card in CARDS.items()}


def allowed_types(form: Form, known: tuple[str, ...]) -> list[str] | None:
    """The ways to pay a call allows, or None where it leaves them open.

    Since API version 2026-09-30 Stripe refuses to be told `payment_method_types` (changelog "Removes the payment method
    types parameter"); it is now only an answer.
    """
    if form.find("payment_method_types") is not None:
        message = "The payment_method_types parameter is no longer supported. Use allowed_payment_method_types instead."
        raise invalid("payment_method_types", message, "payment_method_types_no_longer_supported")
    named = list(dict.fromkeys(form.texts("allowed_payment_method_types")))
    for kind in named:
        if kind not in known:
            message = f"The payment method type provided: {kind} is invalid."
            raise invalid("allowed_payment_method_types", message)
    return named or None


def card_of(method: Json) -> TestCard:
    """The test card behind a card payment method."""
    return CARDS[method["_card"]]


def new_method(world: World, kind: str, card_name: str | None = None) -> Json:
    """A payment method of one use: a wallet, or one of the test cards by its `pm_card_…` name."""
    method: Json = {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {"address": dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))}
        | {"email": None, "name": None, "phone": None, "tax_id": None},
        "created": now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": kind,
        kind: {},
    }
    if card_name:
        method["_card"] = card_name
        method["card"] = card_face(CARDS[card_name]) | {
            "checks": {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"},
            "display_brand": CARDS[card_name].brand,
            "generated_from": None,
            "networks": {"available": [CARDS[card_name].brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        }
    world.store.put(method)
    return method


def card_face(card: TestCard) -> Json:
    """What is told of a card to a merchant: brand, last four digits, expiry, country."""
    return {
        "brand": card.brand,
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": f"fp{card.number[-8:]}",
        "funding": "credit",
        "last4": card.number[-4:],
    }


def chosen_method(world: World, form: Form) -> Json | None:
    """The payment method a call brings along: by id, by the name of a test card, or described by its type."""
    named = form.text("payment_method")
    if named is None:
        return _described_method(world, form)
    if named in CARDS:
        return new_method(world, "card", named)
    method = world.store.get(named, "payment_method")
    if method is None:
        raise ApiError(400, f"No such PaymentMethod: '{named}'", code="resource_missing", param="payment_method")
    return method


def _described_method(world: World, form: Form) -> Json | None:
    if form.find("payment_method_data") is None:
        return None
    kind = form.text("payment_method_data", "type")
    if kind is None:
        raise missing("payment_method_data[type]")
    if kind not in TYPES:
        raise invalid("payment_method_data[type]", f"Invalid payment_method_data[type]: {kind}")
    if kind != "card":
        return new_method(world, kind)
    # A card's number never passes through a shop: it comes as the id of a method, or on Stripe's own page.
    raise invalid("payment_method_data[type]", "A card is given by `payment_method`, not by `payment_method_data`.")
