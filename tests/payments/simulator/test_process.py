import asyncio
import subprocess
import sys
from pathlib import Path

import httpx

from tests.payments.simulator.runs import Running, free_port, running


async def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    async with running(tmp_path / "stripe.sqlite3") as simulator:
        simulator.stop()
        assert simulator.process.returncode == 0


def test_a_taken_port_is_said(simulator: Running, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "payments.simulator", "--port", str(simulator.port), "--data"]
    ended = subprocess.run([*command, str(tmp_path / "x")], capture_output=True, text=True, timeout=20, check=False)
    assert ended.returncode != 0
    assert "address already in use" in ended.stderr


def test_notices_without_a_secret_are_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "payments.simulator", "--port", str(free_port()), "--data", str(tmp_path / "x")]
    ended = subprocess.run(
        [*command, "--webhook-url", "http://shop.test"], capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.returncode == 1
    assert "--webhook-secret" in ended.stderr


async def test_the_state_adds_up(tmp_path: Path) -> None:
    async with running(tmp_path / "stripe.sqlite3") as simulator:
        paid = await simulator.paid_alipay(10_000)
        await simulator.api.refunds.create_async({"payment_intent": paid.id, "amount": 1_000})
        state = await simulator.probe("state")
        assert (state["balance_fen"], state["fees_fen"]) == (10_000 - 490 - 1_000, 490)
        assert state["objects"]["payment_intent"] == 1


async def test_probes_refuse_what_they_do_not_know(simulator: Running) -> None:
    headers = {"authorization": "Bearer sk_test_1"}
    for path, body in (("switches", {"colour": 1}), ("intents/x/eat", {}), ("refunds/x/eat", {})):
        answer = await simulator.browser.post(f"/_test/{path}", json=body, headers=headers)
        assert answer.status_code in {400, 404}
    assert (await simulator.browser.post("/_test/switches", content=b"{", headers=headers)).status_code == 400


async def test_two_hundred_intents_at_once(tmp_path: Path) -> None:
    async with running(tmp_path / "stripe.sqlite3") as simulator:
        limits = httpx.Limits(max_connections=16)
        form = {
            "amount": "900",
            "currency": "cny",
            "payment_method_data[type]": "alipay",
            "confirm": "true",
            "return_url": "http://shop.test",
        }
        async with httpx.AsyncClient(base_url=simulator.url, limits=limits, trust_env=False) as many:
            headers = {"authorization": "Bearer sk_test_1"}
            asks = [many.post("/v1/payment_intents", data=form, headers=headers) for _ in range(200)]
            answers = await asyncio.gather(*asks)
        assert {answer.status_code for answer in answers} == {200}
