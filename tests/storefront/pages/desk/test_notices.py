"""The provider's notices on the desk: found by number and by what came of them, and acted on again."""

import pytest
from sqlmodel import select

from payments.notices import Replay
from payments.records import Notice
from tests.client import Browser
from tests.simulator import signed
from tests.world import World

STRANGE = b'{"id": "evt_s", "object": "event", "type": "refund.updated", "data": {"object": {"id": "re_strange"}}}'
OTHER = b'{"id": "evt_o", "object": "event", "type": "customer.created", "data": {"object": {"id": "cus_1"}}}'


@pytest.fixture
async def told(paying_client: Browser) -> Browser:
    """A market that was told two things."""
    for body in (STRANGE, OTHER):
        content, signature = signed(body)
        answer = await paying_client.http.post(
            "/hooks/stripe", content=content, headers={"Stripe-Signature": signature}
        )
        assert answer.is_success
    return paying_client


async def test_notices_are_listed_and_found(told: Browser, world: World) -> None:
    await told.sign_in(world.accountant)
    shown = (await told.get("/desk/notices")).text
    for word in ("退款有了变化", "customer.created", "re_strange", "不是我们的", "不用处理"):
        assert word in shown
    odd = (await told.get("/desk/notices?only=odd")).text
    assert "re_strange" in odd
    assert "customer.created" not in odd
    assert "re_strange" in (await told.get("/desk/notices?q=re_strange")).text
    assert "没有这样的通知" in (await told.get("/desk/notices?q=nothing")).text
    assert (await told.get("/desk/notices?q=%25&page=9")).status_code == 200


async def test_one_is_acted_on_again_and_that_is_kept(told: Browser, world: World) -> None:
    await told.sign_in(world.officer)
    assert "不是我们的订单" in (await told.get("/desk/notices/evt_s")).text
    assert (await told.post("/desk/notices/evt_s/replays")).status_code == 303
    shown = (await told.get("/desk/notices/evt_s")).text
    assert "又办了一次，结果：不是我们的" in shown
    assert "officer" in shown
    async with told.state.database.transaction() as session:
        (again,) = (await session.exec(select(Replay))).all()
        assert (again.account_id, again.before, again.outcome) == (world.officer, "foreign", "foreign")
        assert len((await session.exec(select(Notice))).all()) == 2


async def test_others_find_nothing_here(told: Browser, world: World) -> None:
    await told.sign_in(world.township_accountant)
    assert "没有这样的通知" in (await told.get("/desk/notices")).text
    assert (await told.get("/desk/notices/evt_s")).status_code == 404
    assert (await told.post("/desk/notices/evt_s/replays")).status_code == 404
    await told.sign_in(world.buyer)
    for path in ("/desk/notices", "/desk/notices/evt_s"):
        assert (await told.get(path)).status_code == 404
    assert (await told.http.post("/desk/notices/evt_s/replays", data={})).status_code == 403
