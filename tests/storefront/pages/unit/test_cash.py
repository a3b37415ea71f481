"""Cash at the stop: who sees it, who takes it, and only once."""

from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from market.books.ledger import Entry, Rail, Reason
from market.ground.clock import now
from market.ground.db import Database
from market.ground.settings import Settings
from market.people import accounts
from market.people.stations import Station
from market.trade.orders import Order, OrderState
from payments import desk, refunds
from payments.records import Method, Payment, Refund, RefundState
from payments.refunds import Claim
from payments.stripe import Fate, Gateway, Seen
from tests import build
from tests.client import Browser
from tests.world import COUNTY, World


async def _due(database: Database, world: World) -> tuple[str, UUID]:
    """An order whose buyer will bring the cash."""
    async with database.transaction() as session:
        placed = await build.order(session, world, now=now())
        buyer = await accounts.viewer_of(session, world.buyer)
        gateway = Gateway(Settings(demo=True))
        payment = await desk.start(session, gateway, buyer, placed.no, Method.CASH, return_url="", now=now())
        return placed.no, payment.id


async def _sales(database: Database, payment_id: UUID) -> int:
    async with database.transaction() as session:
        found = await session.exec(select(Entry).where(Entry.payment_id == payment_id, Entry.reason == Reason.SALE))
        return len(found.all())


async def test_the_clerk_takes_the_cash_once(client: Browser, world: World, database: Database) -> None:
    no, payment_id = await _due(database, world)
    await client.sign_in(world.clerk)
    page = await client.get("/unit/cash")
    assert no in page.text
    assert "¥70.00" in page.text
    assert "人社局门口" in page.text
    assert (await client.post(f"/unit/cash/{payment_id}/receipt")).status_code == 303
    said = await client.get("/unit/cash")
    assert "不能撤销" in said.text
    again = await client.post(f"/unit/cash/{payment_id}/receipt")
    assert again.status_code == 303
    assert "没有重复记" in (await client.get(again.headers["location"])).text
    assert await _sales(database, payment_id) == 1
    async with database.transaction() as session:
        order = (await session.exec(select(Order).where(Order.no == no))).one()
        payment = await session.get_one(Payment, payment_id)
    assert (order.state, payment.taken_by) == (OrderState.PAID, world.clerk)


async def test_found_by_the_end_of_its_number(client: Browser, world: World, database: Database) -> None:
    no, _payment_id = await _due(database, world)
    await client.sign_in(world.organiser)
    assert no in (await client.get("/unit/cash", params={"q": no[-4:].lower()})).text
    assert "没有找到这个单号" in (await client.get("/unit/cash", params={"q": "ZZZZ%"})).text


async def test_who_may_take_it(client: Browser, world: World, database: Database) -> None:
    no, payment_id = await _due(database, world)
    for person, may in ((world.clerk, True), (world.organiser, True), (world.agent, False)):
        await client.sign_in(person)
        assert (no in (await client.get("/unit/cash")).text) is may
    assert (await client.post(f"/unit/cash/{payment_id}/receipt")).status_code == 404
    for person in (world.buyer, world.wang_account, world.officer):
        await client.sign_in(person)
        assert (await client.get("/unit/cash")).status_code == 404
        assert (await client.post(f"/unit/cash/{payment_id}/receipt")).status_code == 404
    assert await _sales(database, payment_id) == 0
    async with database.transaction() as session:
        station = await session.get_one(Station, world.station)
        station.division_code = COUNTY
    await client.sign_in(world.agent)
    assert no in (await client.get("/unit/cash")).text


async def test_cash_of_a_cancelled_order_is_not_taken(client: Browser, world: World, database: Database) -> None:
    no, payment_id = await _due(database, world)
    async with database.transaction() as session:
        buyer = await accounts.viewer_of(session, world.buyer)
        await desk.cancel_order(session, buyer, no, why="", now=now())
    await client.sign_in(world.clerk)
    assert no not in (await client.get("/unit/cash")).text
    assert (await client.post(f"/unit/cash/{payment_id}/receipt")).status_code == 409
    assert await _sales(database, payment_id) == 0


@pytest.mark.parametrize("path", ["/unit/cash/{}/receipt", "/unit/cash/refunds/{}/receipt"])
async def test_unknown_ids(client: Browser, world: World, path: str) -> None:
    await client.sign_in(world.clerk)
    assert (await client.post(path.format(uuid4()))).status_code == 404
    assert (await client.post(path.format("x"))).status_code == 404


async def test_cash_goes_back_once(client: Browser, world: World, database: Database) -> None:
    no, payment_id = await _due(database, world)
    async with database.transaction() as session:
        clerk = await accounts.viewer_of(session, world.clerk)
        await desk.take_cash(session, clerk, payment_id, now=now())
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        refund = await refunds.request(session, payment_id, Claim(1500, "有一块不新鲜", officer.account_id), now=now())
    await client.sign_in(world.agent)
    assert (await client.post(f"/unit/cash/refunds/{refund.id}/receipt")).status_code == 404
    await client.sign_in(world.clerk)
    page = await client.get("/unit/cash")
    assert "要退还的现金" in page.text
    assert no in page.text
    for _ in range(2):
        assert (await client.post(f"/unit/cash/refunds/{refund.id}/receipt")).status_code == 303
    async with database.transaction() as session:
        kept = await session.get_one(Refund, refund.id)
        returns = await session.exec(select(Entry).where(Entry.refund_id == refund.id, Entry.reason == Reason.RETURN))
        assert (kept.state, len(returns.all())) == (RefundState.SUCCEEDED, 1)
    assert "要退还的现金" not in (await client.get("/unit/cash")).text


async def test_what_could_not_go_back_online_is_handed_back(client: Browser, world: World, database: Database) -> None:
    """The provider gave up: the buyer gets the money at the stop, once."""
    no, payment_id = await _due(database, world)
    async with database.transaction() as session:
        clerk = await accounts.viewer_of(session, world.clerk)
        await desk.take_cash(session, clerk, payment_id, now=now())
        payment = await session.get_one(Payment, payment_id)
        payment.rail, payment.method, payment.charge_key = Rail.STRIPE, Method.ALIPAY, "pi_1"
    async with database.transaction() as session:
        officer = await accounts.viewer_of(session, world.officer)
        refund = await refunds.request(session, payment_id, Claim(1500, "有一块不新鲜", officer.account_id), now=now())
    await client.sign_in(world.clerk)
    path = f"/unit/cash/refunds/{refund.id}/receipt"
    assert no not in (await client.get("/unit/cash")).text
    assert (await client.post(path)).status_code == 409
    async with database.transaction() as session:
        await refunds.record(session, refund.id, Seen("re_1", Fate.FAILED, 1500), now=now())
    assert no in (await client.get("/unit/cash")).text
    assert (await client.post(path)).status_code == 303
    async with database.transaction() as session:
        assert (await session.get_one(Refund, refund.id)).state is RefundState.SUCCEEDED
