"""Handles for tests below /_test/ (JSON): turn switches, act as the payer, send notices again, look inside."""

import dataclasses
import json
import time
from typing import Any

import httpx
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from payments.simulator.api import check_key, said
from payments.simulator.charges import dispute
from payments.simulator.faults import ApiError, Json
from payments.simulator.intents import WALLET_CANCELLED, WALLET_FAILED, pay, refuse
from payments.simulator.notices import attempt
from payments.simulator.refunds import settle_refund
from payments.simulator.sessions import pay_session
from payments.simulator.store import Delivery
from payments.simulator.world import Switches, World, public


class Probes:
    """The test handles of one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """Every handle; each wants a secret key as the API does."""
        table = {
            "/_test/switches": self._switch,
            "/_test/state": self._state,
            "/_test/oblivion": self._forget,
            "/_test/notices": self._notices,
            "/_test/notices/deliver": self._deliver,
            "/_test/intents/{id}/{outcome}": self._intent,
            "/_test/sessions/{id}/pay": self._session,
            "/_test/refunds/{id}/{outcome}": self._refund,
        }
        return [Route(path, self._guarded(act), methods=["GET", "POST"]) for path, act in table.items()]

    def _guarded(self, act: Any) -> Any:
        async def handle(request: Request) -> Response:
            try:
                check_key(request)
                raw = await request.body()
                return said(200, await act(request, json.loads(raw) if raw else {}))
            except ApiError as fault:
                return said(fault.status, {"error": fault.error})
            except (ValueError, TypeError) as wrong:
                return said(400, {"error": {"message": str(wrong), "type": "invalid_request_error"}})

        return handle

    async def _switch(self, request: Request, wishes: Json) -> Json:
        if wishes.pop("reset", False):
            self.world.switches = Switches()
        if request.method == "POST":
            self.world.switches = dataclasses.replace(self.world.switches, **wishes)
        self.world.stirred.set()
        return dataclasses.asdict(self.world.switches)

    async def _state(self, _request: Request, _wishes: Json) -> Json:
        store = self.world.store
        balance = store.select("kind = 'balance_transaction'", [], "DESC", 10_000_000)
        return {
            "objects": store.counts(),
            "notices": {state: len(store.deliveries(state, most=10_000_000)) for state in _STATES},
            "balance_fen": sum(item["net"] for item in balance),
            "fees_fen": sum(item["fee"] for item in balance),
            "switches": dataclasses.asdict(self.world.switches),
        }

    async def _forget(self, _request: Request, _wishes: Json) -> Json:
        """Begins anew: a test that counts everything must not find what another left."""
        with self.world.store.transaction():
            self.world.store.forget_everything()
        return {}

    async def _notices(self, _request: Request, _wishes: Json) -> Json:
        known = [notice for state in _STATES for notice in self.world.store.deliveries(state, most=100_000)]
        return {"notices": [self._shown(notice) for notice in sorted(known, key=lambda notice: notice.seq)]}

    async def _deliver(self, _request: Request, wishes: Json) -> Json:
        """Sends now, one after the other: the named events (again, if need be), or all that wait."""
        chosen = sorted(self.world.store.deliveries(most=100_000), key=lambda notice: notice.seq)
        if "events" in wishes:
            chosen = self._named(wishes["events"], chosen)
        if wishes.get("order") == "reversed":
            chosen.reverse()
        return {"sent": await self._send(chosen)}

    def _named(self, events: list[str], waiting: list[Delivery]) -> list[Delivery]:
        named = []
        for event in events:
            self.world.load("event", event)
            under_way = next((notice for notice in waiting if notice.event == event), None)
            if under_way:
                waiting.remove(under_way)
            named.append(under_way or self._copy(event))
        return named

    def _copy(self, event: str) -> Delivery:
        seq = self.world.store.send_later(event, time.time())
        return Delivery(seq, event, time.time(), 0, "waiting", None)

    async def _send(self, chosen: list[Delivery]) -> list[Json]:
        with self.world.store.transaction():
            for notice in chosen:
                self.world.store.claim(notice.seq)
        sent = []
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            for notice in chosen:
                status = await attempt(self.world, client, notice)
                sent.append(self._shown(notice) | {"status": status})
        return sent

    async def _intent(self, request: Request, _wishes: Json) -> Json:
        outcome = request.path_params["outcome"]
        with self.world.store.transaction():
            intent = self.world.load("payment_intent", request.path_params["id"], "intent")
            if outcome == "pay":
                return public(pay(self.world, intent))
            if outcome in {"fail", "cancel"}:
                return public(refuse(self.world, intent, WALLET_FAILED if outcome == "fail" else WALLET_CANCELLED))
            if outcome == "dispute":
                return public(dispute(self.world, intent))
        message = "outcome must be pay, fail, cancel or dispute"
        raise ValueError(message)

    async def _session(self, request: Request, wishes: Json) -> Json:
        with self.world.store.transaction():
            session = self.world.load("checkout.session", request.path_params["id"], "session")
            try:
                return public(pay_session(self.world, session, wishes.get("card", "4242424242424242")))
            except ApiError as fault:
                if not fault.keep:
                    raise
                refusal = fault
        raise refusal

    async def _refund(self, request: Request, _wishes: Json) -> Json:
        outcome = request.path_params["outcome"]
        if outcome not in {"succeed", "fail"}:
            message = "outcome must be succeed or fail"
            raise ValueError(message)
        with self.world.store.transaction():
            return public(settle_refund(self.world, request.path_params["id"], fails=outcome == "fail"))

    def _shown(self, notice: Delivery) -> Json:
        event = self.world.store.get(notice.event, "event") or {"type": None, "data": {"object": {"id": None}}}
        about = {"type": event["type"], "object": event["data"]["object"]["id"]}
        return about | dataclasses.asdict(notice) | {"waits_seconds": round(notice.due_at - time.time(), 3)}


_STATES = ("waiting", "sending", "taken", "given_up")
