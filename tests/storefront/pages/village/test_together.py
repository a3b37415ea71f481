"""One screen, several households: the same goods with an amount for each."""

import re

from sqlmodel import col, select

from market.goods.capacity import HouseholdMeans
from market.goods.listings import Listing, ListingState
from market.goods.stock import Stock
from market.ground.clock import now
from market.ground.db import Database
from market.people.acts_for import ActFor
from market.people.households import Household
from tests.client import Browser
from tests.world import World

HERE = "/village/together"
PUMPKIN = {"produce": "pumpkin", "counted": "piece", "price": "5"}


async def _listed(database: Database, after: int) -> list[tuple[int, int, ListingState]]:
    async with database.transaction() as session:
        query = (
            select(Listing, Stock).join(Stock, col(Stock.listing_id) == col(Listing.id)).where(col(Listing.id) > after)
        )
        rows = await session.exec(query.order_by(col(Listing.id)))
        return [(listing.household_id, stock.on_hand, listing.state) for listing, stock in rows]


async def test_each_amount_goes_up_once_and_the_others_are_named(
    client: Browser, database: Database, world: World
) -> None:
    async with database.transaction() as session:
        # Liu's land bears a tenth of a mu of pumpkins; Li has nothing written down.
        session.add(
            HouseholdMeans(
                household_id=world.liu, means_code="land", produce_code="pumpkin", tenths=1, changed_at=now()
            )
        )
        wang = await session.get_one(Household, world.wang)
        li = Household(
            number="0009", head_name="李样例", display_name="李某", people_count=2, joined_at=now(),
            division_code=wang.division_code, station_id=world.station,
        )  # fmt: skip
        session.add(li)
        await session.flush()
        li_id = li.id
    await client.sign_in(world.agent)
    assert "几家一起卖什么" in (await client.get(HERE)).text
    shown = (await client.get(f"{HERE}?produce=pumpkin")).text
    assert ("王样例" in shown, "刘样例" in shown, "赵样例" in shown) == (True, True, False)
    found = re.search(r'name="key" value="([^"]+)"', shown)
    assert found is not None
    amounts = {f"amount-{world.wang}": "12", f"amount-{world.liu}": "900", f"amount-{li_id}": "999999"}
    form = {**PUMPKIN, **amounts, "key": found[1]}
    first, again = [await client.post(HERE, form) for _ in range(2)]
    assert first.headers["location"] == again.headers["location"]
    assert await _listed(database, world.last_leg) == [
        (world.wang, 12, ListingState.LIVE), (world.liu, 900, ListingState.WAITING),
    ]  # fmt: skip
    done = (await client.get(first.headers["location"])).text
    assert ("2 家上架了" in done, "李样例" in done, "数量太大" in done) == (True, True, True)
    assert ("买的人能看到了" in done, "还差一步" in done) == (True, True)
    async with database.transaction() as session:
        acts = await session.exec(select(ActFor.household_id, ActFor.act).order_by(col(ActFor.id)))
        assert list(acts) == [(world.wang, "put_up"), (world.liu, "put_up")]


async def test_a_slip_is_asked_again_before_anything_goes_up(client: Browser, database: Database, world: World) -> None:
    await client.sign_in(world.agent)
    one = {f"amount-{world.wang}": "12"}
    for wrong, said in (
        ({"price": "9000"}, "价格太高"), ({"price": ""}, "请填钱数"), ({f"amount-{world.liu}": "x"}, "请填数字"),
        ({f"amount-{world.wang}": "0"}, "还没有填数量"), ({"counted": "jin"}, "重新选"),
        ({"ready": "2099-01-01"}, "太远"),
    ):  # fmt: skip
        refused = await client.post(HERE, {**PUMPKIN, **one, **wrong})
        assert (refused.status_code, said in refused.text) == (422, True), wrong
    assert (await client.post(HERE, {**PUMPKIN, **one, f"amount-{world.zhao}": "1"})).status_code == 404
    assert await _listed(database, world.last_leg) == []
    await client.sign_in(world.wang_account)
    assert (await client.get(HERE)).status_code == 404
