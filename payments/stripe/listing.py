"""The provider's own list of what moved, page by page, in the market's words.

Balance transactions are the list that misses nothing: whatever changed the account's balance has one. Amounts are read
from their source, because the balance may be kept in another currency than the one buyers paid in. A field that may be
empty may as well not be sent, and the SDK's objects raise for it: such fields are asked for, not taken for granted.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import stripe

from payments.stripe.seen import Charged, Fate, Moved, SentBack, Statement, noted_id

_PAGE = 100
_IN = {"charge", "payment"}
_BACK = {"refund", "payment_refund", "refund_failure"}
_OTHER = {"adjustment", "payment_failure_refund", "payment_reversal", "payment_unreconciled"}
"""Buyers' money again, but neither: disputes and what banks take back. Fees and payouts to our bank are not buyers'."""


async def statement(client: stripe.StripeClient, from_at: datetime, to_at: datetime) -> Statement:
    """Charges, refunds and the rest of a window; each refund once, as it stands now."""
    window = {"gte": _second(from_at), "lt": _second(to_at)}
    charges: list[Charged] = []
    others: list[Moved] = []
    refunds: dict[str, SentBack] = {}
    asked: Any = {"created": window, "limit": _PAGE}
    whole: Any = {**asked, "expand": ["data.source"]}
    async for moved in _all(await client.v1.balance_transactions.list_async(whole)):
        source = moved.source
        if moved.type in _IN and source is not None:
            charges.append(charged(source))
        elif moved.type in _BACK and source is not None:
            refunds[source.id] = sent_back(source)
        elif moved.type in _OTHER:
            others.append(_other(moved))
    # A refund's end changes no balance, so those of the window are listed by themselves too.
    async for refund in _all(await client.v1.refunds.list_async(asked)):
        refunds[refund.id] = sent_back(refund)
    return Statement(charges, list(refunds.values()), others)


async def refunds_of(client: stripe.StripeClient, charge_key: str) -> list[SentBack]:
    """Every refund of one charge."""
    listed = await client.v1.refunds.list_async({"payment_intent": charge_key, "limit": _PAGE})
    return [sent_back(refund) async for refund in _all(listed)]


def charged(charge: Any) -> Charged:
    """A charge as the market reads it."""
    return Charged(
        key=_id(getattr(charge, "payment_intent", None)) or charge.id,
        payment_id=noted_id(getattr(charge, "metadata", None), "payment_id"),
        amount_fen=getattr(charge, "amount_captured", charge.amount),
        currency=charge.currency,
        at=_moment(charge.created),
    )


def sent_back(refund: Any) -> SentBack:
    """A refund as the market reads it."""
    return SentBack(
        provider_id=refund.id,
        refund_id=noted_id(getattr(refund, "metadata", None), "refund_id"),
        charge_key=_id(getattr(refund, "payment_intent", None)) or _id(getattr(refund, "charge", None)),
        amount_fen=refund.amount,
        currency=refund.currency,
        fate=fate_of(refund),
        at=_moment(refund.created),
    )


def fate_of(refund: stripe.Refund) -> Fate:
    """What became of a refund."""
    fates = {"succeeded": Fate.SUCCEEDED, "failed": Fate.FAILED, "canceled": Fate.FAILED}
    return fates.get(getattr(refund, "status", None) or "", Fate.WAITING)


async def _all(listed: Any) -> AsyncIterator[Any]:
    """Every item of every page."""
    async for item in listed.auto_paging_iter():
        yield item


def _other(moved: Any) -> Moved:
    """`source` is an object or an id, of whatever it was that moved the money; its charge may lead to our payment."""
    source = moved.source
    about = getattr(source, "payment_intent", None) or getattr(source, "charge", None) or source
    return Moved(moved.id, moved.type, _id(about), moved.amount, moved.currency, _moment(moved.created))


def _id(thing: Any) -> str:
    """An id, or the id of what was put in its place."""
    return thing if isinstance(thing, str) else str(getattr(thing, "id", "") or "")


def _second(at: datetime) -> int:
    return int(at.timestamp())


def _moment(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
