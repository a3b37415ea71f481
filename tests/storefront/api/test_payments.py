"""Payments and refunds over the API."""

import asyncio
from typing import Any

from market.ground.db import Database
from payments import references
from tests import build
from tests.storefront.api.conftest import Programs
from tests.storefront.api.test_orders import ordered
from tests.world import World


async def paid_in_cash(api: Programs, world: World, *lines: tuple[int, int]) -> dict[str, Any]:
    """A cash payment that the clerk at the stop has taken."""
    buyer = await api(world.buyer)
    no = await ordered(buyer, world, *lines)
    payment = (await buyer.post(f"/orders/{no}/payments", {"method": "cash"})).json()
    taken = await (await api(world.clerk)).post(f"/payments/{payment['id']}/receipt")
    assert taken.status_code == 200, taken.text
    found: dict[str, Any] = taken.json()
    return found


async def test_cash_is_promised_and_taken_at_the_stop(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    no = await ordered(buyer, world, (world.mutton, 2))
    started = await buyer.post(f"/orders/{no}/payments", {"method": "cash"})
    assert started.status_code == 201, started.text
    payment = started.json()
    assert (payment["state"], payment["next"], payment["amount_fen"]) == ("started", {"reference": no}, 7000)
    assert (await buyer.get(f"/orders/{no}")).json()["state"] == "confirmed"
    assert (await buyer.get(f"/payments/{payment['id']}")).json() == payment
    path = f"/payments/{payment['id']}/receipt"
    for stranger in (world.buyer, world.second_buyer, world.wang_account, world.zhao_account, world.officer):
        assert (await (await api(stranger)).post(path)).status_code == 404
    clerk = await api(world.clerk)
    taken = await clerk.post(path)
    assert (taken.status_code, taken.json()["state"], taken.json()["next"]) == (200, "succeeded", {})
    assert (await clerk.post(path)).status_code == 200
    assert (await buyer.get(f"/orders/{no}")).json()["state"] == "paid"
    again = await buyer.post(f"/orders/{no}/payments", {"method": "cash"})
    assert (again.status_code, again.json()["error"]) == (409, "AlreadyPaid")


async def test_methods_not_offered_are_refused(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    no = await ordered(buyer, world, (world.mutton, 2))
    for method in ("transfer", "alipay", "wechat_pay", "card"):
        refused = await buyer.post(f"/orders/{no}/payments", {"method": method})
        assert (refused.status_code, refused.json()["error"]) == (422, "Malformed")
        assert refused.json()["detail"] == {"field": "method", "problem": "not_offered", "given": method}
    for nonsense in ("gold", None, 1, ""):
        refused = await buyer.post(f"/orders/{no}/payments", {"method": nonsense})
        assert (refused.status_code, refused.json()["detail"]["problem"]) == (422, "choose_one")


async def test_a_transfer_is_promised_and_says_where_to(api: Programs, world: World, database: Database) -> None:
    async with database.transaction() as session:
        payee = await build.payee(session, world)
    buyer = await api(world.buyer)
    no = await ordered(buyer, world, (world.mutton, 2))
    started = await buyer.post(f"/orders/{no}/payments", {"method": "transfer"})
    assert started.status_code == 201, started.text
    step = started.json()["next"]
    assert references.is_one(step["reference"])
    assert step["payee"] == {"name": payee.name, "bank": payee.bank, "account_no": payee.account_no}
    assert (await buyer.get(f"/orders/{no}")).json()["state"] == "confirmed"
    again = await buyer.post(f"/orders/{no}/payments", {"method": "transfer"})
    assert again.json()["next"] == step


async def test_online_methods_say_what_the_payer_does_next(paying_api: Programs, world: World) -> None:
    buyer = await paying_api(world.buyer)
    for method, step in (("alipay", "redirect_url"), ("wechat_pay", "qr_data"), ("card", "redirect_url")):
        no = await ordered(buyer, world, (world.mutton, 1))
        started = await buyer.post(f"/orders/{no}/payments", {"method": method})
        assert started.status_code == 201, started.text
        assert started.json()["state"] == "started"
        assert started.json()["next"][step]
        again = await buyer.post(f"/orders/{no}/payments", {"method": method})
        assert again.json()["id"] == started.json()["id"]


async def test_payments_of_others_are_not_found(api: Programs, world: World) -> None:
    payment = await paid_in_cash(api, world, (world.mutton, 1))
    body = {"amount_fen": 100, "reason": "试试"}
    for stranger in (world.second_buyer, world.wang_account, world.township_officer, world.administrator):
        program = await api(stranger)
        assert (await program.get(f"/payments/{payment['id']}")).status_code == 404
        refused = await program.post(f"/payments/{payment['id']}/refunds", body)
        assert (refused.status_code, refused.json()["error"]) == (404, "NotFound")


async def test_an_officer_of_a_part_may_look_but_not_refund(api: Programs, world: World) -> None:
    payment = await paid_in_cash(api, world, (world.pear, 1))
    township = await api(world.township_officer)
    assert (await township.get(f"/payments/{payment['id']}")).status_code == 200
    refused = await township.post(f"/payments/{payment['id']}/refunds", {"amount_fen": 100, "reason": "试试"})
    assert (refused.status_code, refused.json()["error"]) == (403, "NotAllowed")


async def test_staff_refund_no_more_than_was_paid(api: Programs, world: World) -> None:
    payment = await paid_in_cash(api, world, (world.mutton, 2))
    officer, path = await api(world.officer), f"/payments/{payment['id']}/refunds"
    first = await officer.post(path, {"amount_fen": 5000, "reason": "少了两斤"})
    assert first.status_code == 201, first.text
    assert (first.json()["amount_fen"], first.json()["state"], first.json()["payment_id"]) == (
        5000, "requested", payment["id"],
    )  # fmt: skip
    above = await officer.post(path, {"amount_fen": 2001, "reason": "再退"})
    assert (above.status_code, above.json()["error"]) == (409, "OverLimit")
    assert above.json()["detail"] == {"name": "amount_fen", "limit": 2000, "given": 2001}
    assert (await (await api(world.buyer)).get(f"/payments/{payment['id']}")).json()["refunded_fen"] == 5000
    malformed = [{"amount_fen": amount, "reason": "x"} for amount in (0, -1, "1", 1.5, None, 2**63)]
    malformed += [{"amount_fen": 1, "reason": reason} for reason in (" ", "", None, "\x00", "长" * 201)]
    for wrong in (*malformed, {"amount_fen": 1}, {}):
        assert (await officer.post(path, wrong)).status_code == 422
    assert (await (await api(world.buyer)).post(path, {"amount_fen": 1, "reason": "我要"})).status_code == 404


async def test_ten_refunds_at_once_never_exceed_the_payment(api: Programs, world: World) -> None:
    payment = await paid_in_cash(api, world, (world.pear, 1))
    officer, path = await api(world.officer), f"/payments/{payment['id']}/refunds"
    body = {"amount_fen": 1000, "reason": "坏了"}
    answers = await asyncio.gather(*(officer.post(path, body) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] * 4 + [409] * 6


async def test_a_repeated_refund_is_one_refund(api: Programs, world: World) -> None:
    payment = await paid_in_cash(api, world, (world.pear, 1))
    officer, path = await api(world.officer), f"/payments/{payment['id']}/refunds"
    body = {"amount_fen": 1000, "reason": "坏了"}
    first, again = await officer.post(path, body, key="r"), await officer.post(path, body, key="r")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert (await officer.get(f"/payments/{payment['id']}")).json()["refunded_fen"] == 1000


async def test_an_unpaid_payment_has_nothing_to_refund(api: Programs, world: World) -> None:
    buyer = await api(world.buyer)
    no = await ordered(buyer, world, (world.pear, 1))
    payment = (await buyer.post(f"/orders/{no}/payments", {"method": "cash"})).json()
    officer = await api(world.officer)
    refused = await officer.post(f"/payments/{payment['id']}/refunds", {"amount_fen": 1, "reason": "x"})
    assert (refused.status_code, refused.json()["error"]) == (409, "NotMovable")
