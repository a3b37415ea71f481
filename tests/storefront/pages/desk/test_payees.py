"""A payee is confirmed at the desk by somebody who did not enter it, and only then shown to buyers."""

from market.ground.db import Database
from market.people import accounts
from payments import payees
from payments.payees import Details, Payee
from tests.client import Browser
from tests.world import BEGIN, COUNTY, World

HERE = "/desk/payees"


async def entered(database: Database, world: World, account_no: str) -> Payee:
    async with database.transaction() as session:
        administrator = await accounts.viewer_of(session, world.administrator)
        details = Details("样例村股份经济合作社", "样例农村信用合作联社", account_no)
        return await payees.enter(session, administrator, COUNTY, details, now=BEGIN)


async def test_it_waits_is_confirmed_and_takes_the_place_of_the_last(
    client: Browser, database: Database, world: World
) -> None:
    await client.sign_in(world.accountant)
    assert "还没有收款账户" in (await client.get(HERE)).text
    first = await entered(database, world, "100200300400")
    page = (await client.get(HERE)).text
    for said in ("等您确认", "1002 0030 0400", "administrator"):
        assert said in page, said
    assert (await client.post(f"{HERE}/{first.id}/confirmation")).headers["location"] == HERE
    second, url = await entered(database, world, "100200300499"), f"{HERE}/{first.id}"
    assert (await client.post(f"{url}/refusal")).status_code == 303
    assert "已经在用了" in (await client.get(HERE)).text
    await client.post(f"{HERE}/{second.id}/confirmation")
    async with database.transaction() as session:
        known = await payees.open_in(session, COUNTY)
        assert known is not None
        assert known.id == second.id
    await client.post(f"{url}/confirmation")
    assert "已经停用或者换掉了" in (await client.get(HERE)).text


async def test_it_is_turned_down(client: Browser, database: Database, world: World) -> None:
    made = await entered(database, world, "100200300400")
    await client.sign_in(world.township_accountant)
    assert (await client.post(f"{HERE}/{made.id}/confirmation")).status_code == 404
    await client.sign_in(world.second_accountant)
    await client.post(f"{HERE}/{made.id}/refusal")
    assert "没有用过" in (await client.get(HERE)).text
    async with database.transaction() as session:
        assert await payees.open_in(session, COUNTY) is None
