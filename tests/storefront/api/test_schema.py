"""The published schema is valid, complete, and true."""

from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.client import Browser

OPEN = {"/api/v1/listings", "/api/v1/listings/{listing_id}", "/api/v1/divisions", "/api/v1/stops", "/api/v1/produce"}
CONTRACT = {
    ("get", "/listings"),
    ("post", "/listings"),
    ("get", "/listings/{listing_id}"),
    ("patch", "/listings/{listing_id}"),
    ("post", "/listings/{listing_id}/withdrawal"),
    ("post", "/orders"),
    ("get", "/orders"),
    ("get", "/orders/{no}"),
    ("post", "/orders/{no}/cancellation"),
    ("post", "/orders/{no}/payments"),
    ("get", "/payments/{payment_id}"),
    ("post", "/payments/{payment_id}/refunds"),
    ("post", "/payments/{payment_id}/receipt"),
    ("get", "/reports/income"),
    ("get", "/divisions"),
    ("get", "/produce"),
    ("get", "/stops"),
    ("get", "/me"),
}


@pytest.fixture
async def schema(client: Browser) -> dict[str, Any]:
    """The schema as programs fetch it."""
    answer = await client.http.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def calls(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every call: verb, path, description."""
    return [(verb, path, call) for path, verbs in schema["paths"].items() for verb, call in verbs.items()]


async def test_the_schema_is_valid_and_holds_the_whole_contract(schema: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(schema).validate()
    published = {(verb, path.removeprefix("/api/v1")) for verb, path, _ in calls(schema)}
    assert published == CONTRACT


async def test_every_call_is_described(schema: dict[str, Any]) -> None:
    names = [call["operationId"] for _, _, call in calls(schema)]
    assert len(names) == len(set(names))
    for verb, path, call in calls(schema):
        assert call["tags"], path
        assert call["description"], path
        success = next(answer for status, answer in call["responses"].items() if status.startswith("2"))
        assert "schema" in success["content"]["application/json"], path
        for status, answer in call["responses"].items():
            if not status.startswith("2"):
                assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Fault"}, path
        headers = {given["name"].lower() for given in call.get("parameters", []) if given["in"] == "header"}
        assert headers == ({"idempotency-key"} if verb in {"post", "patch"} else set()), path


async def test_every_closed_call_names_its_token(schema: dict[str, Any]) -> None:
    assert schema["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for verb, path, call in calls(schema):
        closed = verb != "get" or path not in OPEN
        assert call.get("security") == ([{"token": []}] if closed else None), path
        assert ("401" in call["responses"]) == closed, path
