"""One household's sheet: its lines lead to their payments, and every look is written down."""

from sqlmodel import select

from market.ground.audit import Trace
from market.ground.db import Database
from market.trade.placing import Item
from payments.records import of_order
from tests import build
from tests.client import Browser
from tests.world import World


async def test_lines_lead_to_their_payment(client: Browser, database: Database, world: World) -> None:
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.mutton, 2), Item(world.pumpkin, 3))
        payment = (await session.exec(of_order(placed.id))).one()
    await client.sign_in(world.officer)
    text = (await client.get(f"/desk/households/{world.wang}?from=2026-11&to=2026-11")).text
    for word in ("王样例", "0001", "羊肉", "2 斤", placed.no, "¥70.00", "¥18.00", "¥88.00", "2026-11-02"):
        assert word in text
    assert text.count(f"/desk/payments/{payment.id}") == 2


async def test_every_look_is_written_down(client: Browser, database: Database, world: World) -> None:
    await client.sign_in(world.officer)
    await client.get(f"/desk/households/{world.liu}")
    async with database.transaction() as session:
        traces = (await session.exec(select(Trace).where(Trace.act == "look"))).all()
    assert [(trace.account_id, trace.household_id) for trace in traces] == [(world.officer, world.liu)]


async def test_a_household_without_sales_has_a_sheet_too(client: Browser, world: World) -> None:
    await client.sign_in(world.officer)
    answer = await client.get(f"/desk/households/{world.liu}?from=2026-11&to=2026-11")
    assert answer.status_code == 200
    assert "这段时间没有卖出" in answer.text


async def test_households_outside_the_grant_do_not_exist(client: Browser, database: Database, world: World) -> None:
    await client.sign_in(world.township_officer)
    for household_id in (str(world.wang), "999999", "99999999999999999999", "abc"):
        assert (await client.get(f"/desk/households/{household_id}")).status_code in {404, 422}
    assert (await client.get(f"/desk/households/{world.wang}")).status_code == 404
    async with database.transaction() as session:
        assert (await session.exec(select(Trace).where(Trace.act == "look"))).all() == []
