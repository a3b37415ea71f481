"""Whatever is sent, the answer is JSON in the contract's shape, and never a 500."""

import json
from typing import Any

import pytest
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.storefront.api.conftest import Program, Programs
from tests.world import World

_FUZZ = settings(
    max_examples=120,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def is_fault(answer: Response) -> bool:
    """The one shape of every failure."""
    body = answer.json()
    return body.keys() == {"error", "detail", "message"} and isinstance(body["detail"], dict) and body["message"] != ""


ADDRESSES = [
    ("GET", "/nothing", 404, "NotFound"),
    ("POST", "/nothing/here", 404, "NotFound"),
    ("DELETE", "/listings", 405, "MethodNotAllowed"),
    ("PUT", "/orders", 405, "MethodNotAllowed"),
    ("GET", "/listings/abc", 422, "Malformed"),
    ("GET", "/listings/0", 422, "Malformed"),
    ("GET", "/listings/-1", 422, "Malformed"),
    ("GET", f"/listings/{2**63}", 422, "Malformed"),
    ("GET", "/listings/%00", 422, "Malformed"),
    ("GET", "/orders/%00", 422, "Malformed"),
    ("GET", "/orders/" + "9" * 21, 422, "Malformed"),
    ("GET", "/payments/7", 422, "Malformed"),
    ("GET", "/payments/00000000-0000-4000-8000-000000000000", 404, "NotFound"),
]
QUERIES = [
    {"q": "\x00"}, {"q": "。。。"}, {"q": "x" * 81}, {"produce": "a\x00"}, {"division": "14110"}, {"division": "abc"},
    {"division": "\x00"}, {"min_fen": "-1"}, {"min_fen": "1.5"}, {"max_fen": str(2**63)}, {"max_fen": "9" * 5000},
    {"sort": "cheapest"}, {"limit": "0"}, {"limit": "101"}, {"limit": "many"}, {"cursor": "x"}, {"cursor": "1.2"},
    {"cursor": "9" * 40}, {"cursor": "1", "sort": "price"}, {"cursor": "\x00"},
]  # fmt: skip
BODIES = [
    b"", b"{", b"null", b"[]", b"7", b'"order"', b"\xff\xfe", b"{'wallet': 1}", b"\x00", b"[" * 100_000,
    b'{"stop_id": ' + b"9" * 5000 + b"}", b'{"wallet": NaN}', b'{"note": "\\ud800"}', b'{"wallet": "\\u0000"}',
]  # fmt: skip


async def test_strange_addresses(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    for verb, path, status, error in ADDRESSES:
        answer = await buyer.send(verb, path)
        assert (answer.status_code, answer.json()["error"]) == (status, error), path
        assert is_fault(answer)


async def test_strange_queries(api: Programs) -> None:
    program = await api(None)
    for asked in QUERIES:
        answer = await program.get("/listings", **asked)
        assert (answer.status_code, answer.json()["error"]) == (422, "Malformed"), asked
        assert is_fault(answer)


async def test_strange_bodies(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    for body in BODIES:
        answer = await buyer.post("/orders", body)
        assert (answer.status_code, answer.json()["error"]) == (422, "Malformed"), body[:40]
        assert is_fault(answer)


async def test_a_lone_surrogate_is_no_text(api: Programs, world: World) -> None:
    body = json.dumps({"wallet": "personal", "stop_id": world.stop, "note": "\ud800",
                       "lines": [{"listing_id": world.pear, "quantity": 1}]}).encode()  # fmt: skip
    answer = await (await api(world.buyer)).post("/orders", body)
    assert (answer.status_code, answer.json()["detail"]["field"]) == (422, "note")


async def test_a_form_is_not_json(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    answer = await buyer.http.post("/api/v1/orders", data={"wallet": "personal"}, headers=buyer.headers)
    assert answer.status_code == 422
    assert is_fault(answer)


@pytest.mark.parametrize("announced", [True, False])
async def test_a_huge_body_is_not_read(api: Programs, world: World, announced: bool) -> None:
    buyer = await api(world.buyer)
    huge = b'{"note": "' + b"x" * 400_000 + b'"}'

    async def in_parts() -> Any:
        for at in range(0, len(huge), 50_000):
            yield huge[at : at + 50_000]

    content = huge if announced else in_parts()
    headers = {**buyer.headers, "Content-Type": "application/json"}
    answer = await buyer.http.post("/api/v1/orders", content=content, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (413, "TooLarge")
    assert is_fault(answer)


_text = st.text(max_size=100)
_number = st.one_of(
    st.integers(), st.integers(min_value=-3, max_value=120), st.floats(), st.booleans(), st.none(), _text
)
_query = st.fixed_dictionaries(
    {},
    optional={
        "q": _text,
        "produce": st.one_of(st.sampled_from(["mutton", "pear"]), _text),
        "division": st.one_of(st.sampled_from(["1411", "141102006201"]), st.from_regex(r"\d{1,14}"), _text),
        "min_fen": st.one_of(st.integers(), _text),
        "max_fen": st.one_of(st.integers(), _text),
        "sort": st.one_of(st.sampled_from(["new", "price", "-price"]), _text),
        "cursor": st.one_of(st.from_regex(r"\d{1,20}(\.\d{1,20})?"), _text),
        "limit": st.one_of(st.integers(), _text),
    },
)


@_FUZZ
@given(asked=_query)
async def test_no_query_breaks_the_listings(nobody: Program, asked: dict[str, Any]) -> None:
    answer = await nobody.get("/listings", **{name: str(value) for name, value in asked.items()})
    assert answer.status_code == 200 or (answer.status_code == 422 and is_fault(answer)), answer.text


def _orders(world_ids: st.SearchStrategy[int]) -> st.SearchStrategy[Any]:
    line = st.fixed_dictionaries(
        {"listing_id": st.one_of(world_ids, _number), "quantity": _number, "seen_fen": _number}
    )
    order = st.fixed_dictionaries(
        {
            "wallet": st.one_of(st.sampled_from(["personal", "canteen"]), _number),
            "stop_id": st.one_of(st.just(1), _number),
        },
        optional={
            "lines": st.one_of(st.lists(line, max_size=6), _number),
            "work_unit_id": _number,
            "note": _text,
            "extra": _text,
        },
    )
    return st.one_of(order, st.recursive(_number, lambda inner: st.lists(inner) | st.dictionaries(_text, inner)))


@_FUZZ
@given(body=_orders(st.integers(min_value=1, max_value=7)), key=st.one_of(st.none(), st.text("ab", max_size=2)))
async def test_no_body_breaks_the_orders(buying: Program, body: Any, key: str | None) -> None:
    answer = await buying.post("/orders", json.dumps(body).encode(), key=key)
    assert answer.status_code in {201, 403, 404, 409, 422}, answer.text
    assert answer.status_code == 201 or is_fault(answer)


@pytest.fixture
async def nobody(api: Programs) -> Program:
    """A program without a token."""
    return await api(None)


@pytest.fixture
async def buying(api: Programs, world: World) -> Program:
    """A buyer's program."""
    return await api(world.buyer)
