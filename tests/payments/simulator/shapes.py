"""Compares what came over the wire with the SDK's typed models, field by field and level by level."""

import re
import sys
from typing import Any, ForwardRef, Literal, Union, get_args, get_origin

import stripe
import stripe.checkout
from stripe._stripe_object import StripeObject, UntypedStripeObject


def strangers(value: Any, model: type[Any], path: str = "") -> list[str]:
    """What in `value` the model does not know or types differently."""
    wrong = []
    for name, item in value.items():
        if name not in model.__annotations__ and model not in {StripeObject, UntypedStripeObject}:
            wrong.append(f"{path}.{name} unknown to {model.__name__}")
        elif name in model.__annotations__ and not _fits(
            item, model.__annotations__[name], model, f"{path}.{name}", wrong
        ):
            wrong.append(f"{path}.{name} = {item!r} is not {model.__annotations__[name]}")
    return wrong


def lacking(value: Any, model: type[Any]) -> list[str]:
    """Which fields the model promises without fail and `value` lacks."""
    promised = {name for name, kind in model.__annotations__.items() if not _optional(kind)} - {"OBJECT_NAME"}
    return sorted(promised - set(value))


def _optional(kind: Any) -> bool:
    return type(None) in get_args(kind) or "Optional" in str(kind)


def _fits(value: Any, kind: Any, model: type[Any], path: str, wrong: list[str]) -> bool:
    origin = get_origin(kind)
    if origin is Union:
        return any(_fits(value, part, model, path, wrong) for part in get_args(kind))
    if origin is Literal:
        return value in get_args(kind)
    if origin is list:
        return isinstance(value, list) and all(_fits(item, get_args(kind)[0], model, path, wrong) for item in value)
    if kind is Any or isinstance(kind, ForwardRef | str):
        # A named Stripe object: the simulator's own objects are compared on their own.
        return isinstance(value, dict)
    return _is(value, origin or kind, path, wrong)


def _is(value: Any, wanted: type[Any], path: str, wrong: list[str]) -> bool:
    if issubclass(wanted, StripeObject):
        if isinstance(value, dict):
            wrong.extend(strangers(value, wanted, path))
        return isinstance(value, dict)
    return isinstance(value, wanted) and not (wanted is int and isinstance(value, bool))


def knows(params: type[Any], field: str) -> bool:
    """Whether the SDK's parameters know a field written as `line_items[][price_data][currency]`."""
    kind: Any = params
    for step in re.findall(r"[^\[\]]+", field):
        if step not in getattr(kind, "__annotations__", {}):
            return False
        named = re.search(r"\w+Params\w+", str(kind.__annotations__[step]))
        kind = getattr(sys.modules[kind.__module__], named.group()) if named else None
    return True


MODELS = {
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "balance_transaction": stripe.BalanceTransaction,
    "event": stripe.Event,
    "checkout.session": stripe.checkout.Session,
    "payment_method": stripe.PaymentMethod,
}
