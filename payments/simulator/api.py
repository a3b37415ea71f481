"""Stripe's side of the wire: the key is checked, an idempotency key is honoured, one call is one transaction."""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from payments.simulator.calls import CALLS, Call
from payments.simulator.faults import ApiError, Json
from payments.simulator.forms import Form
from payments.simulator.lists import answer
from payments.simulator.store import Answer
from payments.simulator.world import API_VERSION, World, new_id

KEPT_SECONDS = 24 * 3600
LONGEST_KEY = 255
Handler = Callable[[Request], Awaitable[Response]]


class LostResponse(Response):
    """The act is done, but the line breaks before the caller hears of it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Promises more bytes than it sends, so that the server cuts the line."""
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"{", "more_body": True})


class Desk:
    """Answers the calls of one world; knows which idempotency keys are being worked on."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.working: set[str] = set()

    def routes(self) -> list[Route]:
        """All calls below /v1, and Stripe's 404 for the rest."""
        known = [Route(f"/v1{call.path}", self._handler(call), methods=[call.verb]) for call in CALLS]
        return [*known, Route("/{path:path}", self._nowhere, methods=["GET", "POST", "DELETE"])]

    def _handler(self, call: Call) -> Handler:
        async def handle(request: Request) -> Response:
            request_id = new_id("req")
            try:
                check_key(request)
                raw = await request.body() if call.verb == "POST" else str(request.url.query)
                response = await self._answer(call, request, raw, request_id)
            except ApiError as fault:
                response = said(fault.status, _worded(fault, request_id))
            response.headers["request-id"] = request_id
            response.headers["stripe-version"] = request.headers.get("stripe-version", API_VERSION)
            return response

        return handle

    async def _answer(self, call: Call, request: Request, raw: bytes | str, request_id: str) -> Response:
        key = request.headers.get("idempotency-key") if call.verb == "POST" else None
        self.world.request = None
        object_id = request.path_params.get("id", "")
        if key is None:
            await self._dawdle(call)
            return self._run(call, object_id, Form(raw), Answer("", "", request_id, 0, ""), None)
        if len(key) > LONGEST_KEY:
            raise ApiError(400, f"Idempotency keys have at most {LONGEST_KEY} characters.", kind="idempotency_error")
        form = Form(raw)
        mark = hashlib.sha256(json.dumps(form.fingerprint).encode()).hexdigest()
        ask = Answer(request.url.path, mark, request_id, 0, "")
        replay = self._replay(key, ask)
        if replay:
            return self._maybe_lost(replay)
        self.working.add(key)
        try:
            await self._dawdle(call)
            return self._run(call, object_id, form, ask, key)
        finally:
            self.working.discard(key)

    def _replay(self, key: str, ask: Answer) -> Response | None:
        if key in self.working:
            message = "There is currently another in-progress request using this Idempotent Key (that probably means"
            message += f" you submitted twice, and the other request is still going through): {key}."
            message += " Please try again later."
            raise ApiError(409, message, kind="idempotency_error", code="idempotency_key_in_use")
        self.world.store.forget_answers(time.time() - KEPT_SECONDS)
        before = self.world.store.answer(key)
        if before is None:
            return None
        if before.path != ask.path or before.fingerprint != ask.fingerprint:
            what = "parameters they were" if before.path == ask.path else "endpoint they were"
            message = f"Keys for idempotent requests can only be used with the same {what} first used with."
            message += f" Try using a key other than '{key}' if you meant to execute a different request."
            raise ApiError(400, message, kind="idempotency_error")
        headers = {"idempotent-replayed": "true", "original-request": before.request}
        return Response(before.body, before.status, headers, "application/json")

    def _run(self, call: Call, object_id: str, form: Form, ask: Answer, key: str | None) -> Response:
        world = self.world
        world.request = {"id": ask.request, "idempotency_key": key} if call.verb == "POST" else None
        form.only(call.known)
        refusal: ApiError | None = None
        status, body = 200, ""
        try:
            if call.verb == "GET":
                return said(200, answer(world, call.act(world, object_id, form), form.texts("expand")))
            with world.store.transaction():
                try:
                    done = answer(world, call.act(world, object_id, form), form.texts("expand"))
                    body = json.dumps(done, ensure_ascii=False)
                except ApiError as fault:
                    if not fault.keep:
                        raise
                    refusal, status = fault, fault.status
                    body = json.dumps(_worded(fault, ask.request), ensure_ascii=False)
                self._remember(key, ask, status, body)
        except ApiError as fault:
            if fault.executed:
                with world.store.transaction():
                    self._remember(key, ask, fault.status, json.dumps(_worded(fault, ask.request), ensure_ascii=False))
            raise
        finally:
            world.request = None
        if refusal:
            raise refusal
        return self._maybe_lost(Response(body, status, media_type="application/json"))

    def _remember(self, key: str | None, ask: Answer, status: int, body: str) -> None:
        if key is not None:
            self.world.store.remember(key, Answer(ask.path, ask.fingerprint, ask.request, status, body), time.time())

    async def _dawdle(self, call: Call) -> None:
        turned = self.world.switches
        if call.verb != "POST":
            return
        if turned.broken_call_count > 0:
            turned.broken_call_count -= 1
            raise ApiError(500, "An unknown error occurred", kind="api_error")
        if turned.slow_call_count > 0:
            turned.slow_call_count -= 1
            await asyncio.sleep(turned.slow_seconds)

    def _maybe_lost(self, response: Response) -> Response:
        if self.world.switches.lost_answer_count < 1:
            return response
        self.world.switches.lost_answer_count -= 1
        return LostResponse()

    async def _nowhere(self, request: Request) -> Response:
        try:
            check_key(request)
        except ApiError as fault:
            return said(fault.status, _worded(fault, new_id("req")))
        message = f"Unrecognized request URL ({request.method}: {request.url.path}). If you are"
        message += " trying to list objects, remove the trailing slash."
        return said(404, {"error": {"message": message, "type": "invalid_request_error"}})


def check_key(request: Request) -> None:
    """Refuses a call without a secret key. A live key is refused too: it has no business with a simulator."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    key = rest.strip()
    if scheme.lower() == "basic":
        try:
            key = base64.b64decode(rest, validate=True).decode().partition(":")[0]
        except ValueError:
            key = ""
    if not key:
        raise ApiError(401, "You did not provide an API key. Provide it in the Authorization header (Bearer).")
    if not key.startswith("sk_") or key.startswith("sk_live_"):
        raise ApiError(401, f"Invalid API Key provided: {key[:8]}{'*' * 8}{key[-4:]}")


def said(status: int, body: Json) -> JSONResponse:
    """A JSON answer."""
    return JSONResponse(body, status)


def _worded(fault: ApiError, request_id: str) -> Json:
    return {"error": fault.error | {"request_log_url": f"https://dashboard.stripe.com/test/logs/{request_id}"}}
