"""The provider's client: starting, looking, closing, refunding, listing, and who may send us notices."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

import stripe

from market.ground.errors import MarketError, NotFound, Unavailable
from market.ground.settings import Settings
from payments.records import Method
from payments.stripe import events, listing
from payments.stripe.events import Event
from payments.stripe.seen import Fate, Seen, SentBack, Started, Statement

CURRENCY = "cny"
LEAST_FEN = 400
"""Stripe refuses charges worth less than about 0.50 US dollars."""
_TIMEOUT_SECONDS = 10


class Gateway:
    """The provider's client. One per process; safe for concurrent use."""

    def __init__(self, settings: Settings) -> None:
        """Prepare the client; nothing is called yet. Without a key nothing can be paid online."""
        self._webhook_secret = settings.stripe_webhook_secret
        self._http = stripe.HTTPXClient(timeout=_TIMEOUT_SECONDS)
        self._client: stripe.StripeClient | None = None
        if settings.stripe_secret_key is not None:
            self._client = stripe.StripeClient(
                settings.stripe_secret_key.get_secret_value(),
                base_addresses={"api": settings.stripe_api_base} if settings.stripe_api_base else {},
                http_client=self._http,
                max_network_retries=2,
            )

    @property
    def is_open(self) -> bool:
        """Whether online payment is set up."""
        return self._client is not None

    @property
    def hears_notices(self) -> bool:
        """Whether notices can be verified: an empty secret closes the door to all of them."""
        return self._webhook_secret is not None and bool(self._webhook_secret.get_secret_value())

    async def start(
        self, method: Method, *, payment_id: UUID, order_no: str, amount_fen: int, return_url: str
    ) -> Started:
        """Open a payment at the provider. Our id is the idempotency key: a repeated call finds the same object."""
        options: Any = {"idempotency_key": f"payment-{payment_id}"}
        metadata = {"payment_id": str(payment_id), "order_no": order_no}
        try:
            if method is Method.CARD:
                return await self._start_card(amount_fen, order_no, return_url, metadata, options)
            return await self._start_wallet(method, amount_fen, order_no, return_url, metadata, options)
        except stripe.StripeError as error:
            raise Unavailable("stripe") from error

    async def look(self, provider_id: str) -> Seen:
        """The payment as it stands at the provider now. NotFound where the provider knows of none."""
        try:
            if provider_id.startswith("cs_"):
                return _seen_checkout(await self._open.v1.checkout.sessions.retrieve_async(provider_id))
            return _seen_intent(await self._open.v1.payment_intents.retrieve_async(provider_id))
        except stripe.StripeError as error:
            raise _said(error, provider_id) from error

    async def hang_up(self) -> None:
        """Close the connections."""
        await self._http.close_async()  # type: ignore[no-untyped-call]

    async def close(self, provider_id: str) -> None:
        """Make a payment nobody wants any more impossible to pay. One already paid or closed stays as it is."""
        try:
            if provider_id.startswith("cs_"):
                await self._open.v1.checkout.sessions.expire_async(provider_id)
            else:
                await self._open.v1.payment_intents.cancel_async(provider_id)
        except stripe.InvalidRequestError:
            return
        except stripe.StripeError as error:
            raise Unavailable("stripe") from error

    async def refund(self, charge_key: str, *, refund_id: UUID, key: str, amount_fen: int) -> Seen:
        """Send money back. Under the same idempotency key a repeated call never pays twice."""
        try:
            made = await self._open.v1.refunds.create_async(
                {"payment_intent": charge_key, "amount": amount_fen, "metadata": {"refund_id": str(refund_id)}},
                options={"idempotency_key": key},
            )
        except stripe.InvalidRequestError as error:
            return Seen("", Fate.FAILED, amount_fen, failure=str(error.code or "refused")[:80])
        except stripe.StripeError as error:
            raise Unavailable("stripe") from error
        return _seen_refund(made)

    async def look_refund(self, provider_id: str) -> Seen:
        """The refund as it stands at the provider now. NotFound where the provider knows of none."""
        try:
            return _seen_refund(await self._open.v1.refunds.retrieve_async(provider_id))
        except stripe.StripeError as error:
            raise _said(error, provider_id) from error

    async def refunds_of(self, charge_key: str) -> list[SentBack]:
        """Every refund of a charge the provider has, whoever made it."""
        try:
            return await listing.refunds_of(self._open, charge_key)
        except stripe.StripeError as error:
            raise _said(error, charge_key) from error

    async def statement(self, from_at: datetime, to_at: datetime) -> Statement:
        """All of buyers' money that moved from one instant until before another."""
        try:
            return await listing.statement(self._open, from_at, to_at)
        except stripe.StripeError as error:
            raise Unavailable("stripe") from error

    def verify(self, body: bytes, signature: str) -> Event:
        """The notice behind a signed message. Malformed for a wrong, missing or stale signature, or nonsense."""
        secret = self._webhook_secret.get_secret_value() if self._webhook_secret else ""
        return events.verified(body, signature, secret)

    @property
    def _open(self) -> stripe.StripeClient:
        if self._client is None:
            raise Unavailable("stripe")
        return self._client

    async def _start_wallet(
        self, method: Method, amount_fen: int, order_no: str, return_url: str, metadata: dict[str, str], options: Any
    ) -> Started:
        params: Any = {
            "amount": amount_fen,
            "currency": CURRENCY,
            "allowed_payment_method_types": [method.value],
            "payment_method_data": {"type": method.value},
            "description": order_no,
            "metadata": metadata,
            "confirm": True,
            "return_url": return_url,
        }
        if method is Method.WECHAT_PAY:
            params["payment_method_options"] = {"wechat_pay": {"client": "web"}}
        intent = await self._open.v1.payment_intents.create_async(params, options=options)
        return Started(intent.id, _next_of(intent))

    async def _start_card(
        self, amount_fen: int, order_no: str, return_url: str, metadata: dict[str, str], options: Any
    ) -> Started:
        params: Any = {
            "mode": "payment",
            "allowed_payment_method_types": ["card"],
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": CURRENCY, "unit_amount": amount_fen, "product_data": {"name": f"Yigou {order_no}"},
                    },
                }
            ],
            "success_url": return_url,
            "cancel_url": return_url,
            "metadata": metadata,
            "payment_intent_data": {"metadata": metadata},
        }  # fmt: skip
        session = await self._open.v1.checkout.sessions.create_async(params, options=options)
        return Started(session.id, {"redirect_url": session.url or ""})


def _next_of(intent: stripe.PaymentIntent) -> dict[str, str]:
    action = intent.next_action
    if action is None:
        return {}
    if action.type == "alipay_handle_redirect" and action.alipay_handle_redirect is not None:
        return {"redirect_url": action.alipay_handle_redirect.url or ""}
    if action.type == "wechat_pay_display_qr_code" and action.wechat_pay_display_qr_code is not None:
        code = action.wechat_pay_display_qr_code
        return {"qr_data": code.data, "qr_image": code.image_data_url, "redirect_url": code.hosted_instructions_url}
    return {}


def _seen_intent(intent: stripe.PaymentIntent) -> Seen:
    fates = {"succeeded": Fate.SUCCEEDED, "canceled": Fate.CANCELLED, "requires_payment_method": Fate.FAILED}
    fate = fates.get(intent.status, Fate.WAITING)
    return Seen(intent.id, fate, intent.amount, intent.id)


def _seen_checkout(session: stripe.checkout.Session) -> Seen:
    if session.payment_status == "paid":
        fate = Fate.SUCCEEDED
    else:
        fate = Fate.CANCELLED if session.status == "expired" else Fate.WAITING
    intent = session.payment_intent
    key = intent if isinstance(intent, str) or intent is None else intent.id
    return Seen(session.id, fate, session.amount_total or 0, key)


def _seen_refund(refund: stripe.Refund) -> Seen:
    # Only a refund that failed has a reason at all: of any other the field is not sent.
    return Seen(
        refund.id, listing.fate_of(refund), refund.amount, failure=getattr(refund, "failure_reason", None) or ""
    )


def _said(error: stripe.StripeError, provider_id: str) -> MarketError:
    """The provider's no in the market's words: not there, or not to be asked just now."""
    if isinstance(error, stripe.InvalidRequestError) and error.http_status == HTTPStatus.NOT_FOUND:
        return NotFound("stripe", provider_id)
    return Unavailable("stripe")
