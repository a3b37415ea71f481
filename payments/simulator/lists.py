"""Reading: one object, pages of them by age and owner, and other objects put in the place of their ids (`expand`)."""

import time
from typing import Any

from payments.simulator.faults import ApiError, Json, invalid
from payments.simulator.forms import Form
from payments.simulator.world import World, public

URLS = {
    "payment_intent": "/v1/payment_intents",
    "charge": "/v1/charges",
    "refund": "/v1/refunds",
    "balance_transaction": "/v1/balance_transactions",
    "event": "/v1/events",
    "checkout.session": "/v1/checkout/sessions",
}
NAMED_FILTERS = ("payment_intent", "charge", "source", "type", "currency", "status")
AGES = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
MOST_ON_A_PAGE = 100
EXPANDABLE = {
    "payment_intent": {"latest_charge", "payment_method"},
    "charge": {"balance_transaction", "failure_balance_transaction", "payment_intent", "refunds"},
    "refund": {"balance_transaction", "failure_balance_transaction", "charge", "payment_intent"},
    "balance_transaction": {"source"},
    "checkout.session": {"payment_intent", "line_items"},
}


def one_page(world: World, kind: str, form: Form) -> Json:
    """A page of objects, newest first, as the caller asked for it."""
    limit = form.number("limit")
    if limit is not None and not 1 <= limit <= MOST_ON_A_PAGE:
        raise invalid("limit", f"Invalid integer: must be 1 to {MOST_ON_A_PAGE}", "parameter_invalid_integer")
    where, values = _filters(kind, form)
    order, back = "DESC", form.text("ending_before")
    start = form.text("starting_after")
    if start and back:
        raise invalid("ending_before", "You may only specify one of starting_after, ending_before.")
    if start or back:
        where += " AND seq < ?" if start else " AND seq > ?"
        values.append(_place(world, start or back or "", "starting_after" if start else "ending_before"))
        order = "DESC" if start else "ASC"
    wanted = limit or 10
    found = world.store.select(where, values, order, wanted + 1)
    page = found[:wanted] if order == "DESC" else found[:wanted][::-1]
    return {"object": "list", "data": page, "has_more": len(found) > wanted, "url": URLS[kind]}


def answer(world: World, thing: Json, wishes: list[str]) -> Json:
    """The object (or page) as the caller sees it, with what it wished to have expanded."""
    shown = _shown(thing)
    for wish in wishes:
        _expand(world, shown, wish.split("."), wish)
    return shown


def _shown(thing: Json) -> Json:
    if thing["object"] == "list":
        return thing | {"data": [_shown(item) for item in thing["data"]]}
    seen = public(thing)
    if thing["object"] == "balance_transaction" and thing["available_on"] <= time.time():
        seen["status"] = "available"
    return seen


def _expand(world: World, thing: Json, path: list[str], wish: str) -> None:
    name, *rest = path
    if thing["object"] == "list":
        if name != "data" or not rest:
            raise _not_expandable(wish)
        for item in thing["data"]:
            _expand(world, item, rest, wish)
        return
    if name not in EXPANDABLE.get(thing["object"], set()):
        raise _not_expandable(wish)
    inner = _inner(world, thing, name)
    if inner is None:
        return
    thing[name] = inner
    if rest:
        _expand(world, inner, rest, wish)


def _inner(world: World, thing: Json, name: str) -> Json | None:
    if name == "line_items":
        lines = [public(line) for line in (world.store.get(thing["id"]) or {})["_lines"]]
        return _whole(lines, f"/v1/checkout/sessions/{thing['id']}/line_items")
    if name == "refunds":
        where = "kind = 'refund' AND json_extract(body, '$.charge') = ?"
        found = [public(item) for item in world.store.select(where, [thing["id"]], "DESC", MOST_ON_A_PAGE)]
        return _whole(found, f"/v1/charges/{thing['id']}/refunds")
    value = thing.get(name)
    if isinstance(value, dict):
        return value
    known = world.store.get(value) if value else None
    return _shown(known) if known else None


def _whole(things: list[Json], url: str) -> Json:
    return {"object": "list", "data": things, "has_more": False, "url": url}


def _filters(kind: str, form: Form) -> tuple[str, list[Any]]:
    where = "kind = ?"
    values: list[Any] = [kind]
    for name in NAMED_FILTERS:
        value = form.text(name)
        if value is not None:
            where += f" AND json_extract(body, '$.{name}') = ?"
            values.append(value)
    types = form.texts("types")
    if types:
        where += f" AND json_extract(body, '$.type') IN ({', '.join('?' * len(types))})"
        values += types
    ages: list[tuple[str, int | None]]
    if isinstance(form.find("created"), dict):
        ages = [(sign, form.number("created", name)) for name, sign in AGES.items()]
    else:
        ages = [("=", form.number("created"))]
    for sign, moment in ages:
        if moment is not None:
            where += f" AND created {sign} ?"
            values.append(moment)
    return where, values


def _place(world: World, object_id: str, param: str) -> Any:
    place = world.store.place(object_id)
    if place is None:
        raise ApiError(400, f"No such object: '{object_id}'", code="resource_missing", param=param)
    return place


def _not_expandable(wish: str) -> ApiError:
    return ApiError(400, f"This property cannot be expanded ({wish}).", param="expand")
