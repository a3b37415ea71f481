"""Goods on the desk: what waits is seen, decided with a reason, and the household reads it."""

from collections.abc import Awaitable, Callable

import pytest_asyncio
from sqlmodel import select

from market.goods import capacity, listings
from market.goods.capacity import CapacityPermit, HouseholdMeans, Share
from market.goods.listings import Listing, ListingState, Offer
from market.goods.waiting import Halt
from market.ground.audit import Trace
from market.ground.db import Database
from market.ground.measure import Measure
from market.people import accounts, households
from market.reports import looks
from tests.client import Browser
from tests.world import BEGIN, World

State = Callable[[int], Awaitable[ListingState]]


@pytest_asyncio.fixture
async def over(database: Database, world: World) -> int:
    """Liu has one mu, which gives 600 斤 of millet, and puts up more than that."""
    async with database.transaction() as session:
        agent = await accounts.viewer_of(session, world.agent)
        await capacity.enter(session, agent, world.liu, {Share("land"): 10}, now=BEGIN)
        home = await households.seller(session, agent, world.liu)
        listing = await listings.put_up(session, agent, home, Offer("millet", Measure.JIN, 800, 400), now=BEGIN)
        assert listing.state is ListingState.WAITING
        return listing.id or 0


@pytest_asyncio.fixture
async def state_of(database: Database) -> State:
    async def state(listing_id: int) -> ListingState:
        async with database.transaction() as session:
            return (await session.get_one(Listing, listing_id)).state

    return state


async def test_what_is_too_much_waits_on_the_desk_and_a_yes_lets_it_go(
    client: Browser, world: World, database: Database, over: int, state_of: State
) -> None:
    await client.sign_in(world.officer)
    shown = (await client.get("/desk/goods")).text
    assert "刘样例（梁家墕）" in shown
    assert "等同意" in shown
    one = (await client.get(f"/desk/goods/{over}")).text
    for words in ("比家里能产的多，能卖吗？", "600 斤（300 公斤）", "350 斤（175 公斤）", "50 斤（25 公斤）"):
        assert words in one
    assert (await client.post(f"/desk/goods/{over}/permits", {"why": " "})).status_code == 422
    assert await state_of(over) is ListingState.WAITING
    answer = await client.post(f"/desk/goods/{over}/permits", {"why": "今年租了两亩"})
    assert answer.status_code == 303
    assert await state_of(over) is ListingState.LIVE
    assert "同意多卖 50 斤" in (await client.get(f"/desk/goods/{over}")).text
    assert (await client.post(f"/desk/goods/{over}/permits", {"why": "再来"})).status_code == 409
    async with database.transaction() as session:
        (permit,) = (await session.exec(select(CapacityPermit))).all()
        assert (permit.why, permit.grams, permit.account_id) == ("今年租了两亩", 25_000, world.officer)


async def test_a_no_is_said_once_with_its_reason(
    client: Browser, world: World, database: Database, over: int, state_of: State
) -> None:
    await client.sign_in(world.officer)
    for _twice in range(2):
        assert (await client.post(f"/desk/goods/{over}/refusals", {"why": "地不够"})).status_code == 303
    assert await state_of(over) is ListingState.WAITING
    assert "没有同意" in (await client.get(f"/desk/goods/{over}")).text
    async with database.transaction() as session:
        assert len((await session.exec(select(CapacityPermit))).all()) == 1


async def test_a_listing_is_halted_and_lifted(
    client: Browser, world: World, database: Database, state_of: State
) -> None:
    await client.sign_in(world.officer)
    path = f"/desk/goods/{world.pear}"
    assert (await client.post(f"{path}/halts", {"why": "照片不是自家的"})).status_code == 303
    assert await state_of(world.pear) is ListingState.WAITING
    assert "被叫停" in (await client.get("/desk/goods?only=halted")).text
    assert "照片不是自家的" in (await client.get(path)).text
    assert (await client.post(f"{path}/lifting")).status_code == 303
    assert await state_of(world.pear) is ListingState.LIVE
    assert "由officer放行" in (await client.get(path)).text
    assert "没有这样的货" in (await client.get("/desk/goods?only=halted")).text
    async with database.transaction() as session:
        (halt,) = (await session.exec(select(Halt))).all()
        assert halt.lifted_by == world.officer


async def test_lists_are_searched_and_stay_in_the_division(client: Browser, world: World) -> None:
    await client.sign_in(world.officer)
    on_sale = (await client.get("/desk/goods?only=on_sale")).text
    assert "王样例" in on_sale
    assert "赵样例" in on_sale
    found = (await client.get("/desk/goods?only=on_sale&q=回龙塔")).text
    assert "赵样例" in found
    assert "王样例" not in found
    assert "没有这样的货" in (await client.get("/desk/goods?only=on_sale&q=%25&page=3")).text
    assert (await client.get("/desk/goods?only=spoiling")).status_code == 200
    await client.sign_in(world.township_officer)
    assert "王样例" not in (await client.get("/desk/goods?only=on_sale")).text
    for path in (f"/desk/goods/{world.mutton}", f"/desk/households/{world.wang}/means"):
        assert (await client.get(path)).status_code == 404
    for act in ("permits", "refusals", "halts", "lifting"):
        assert (await client.post(f"/desk/goods/{world.mutton}/{act}", {"why": "x"})).status_code == 404
    await client.sign_in(world.buyer)
    assert (await client.get("/desk/goods")).status_code == 404


async def test_a_look_at_a_certificate_is_kept(client: Browser, world: World, database: Database) -> None:
    await client.state.storage.keep(f"papers/{'0' * 32}-page.webp", b"picture")
    await client.sign_in(world.officer)
    assert "140000202611020001" in (await client.get(f"/desk/goods/{world.mutton}")).text
    photo = await client.get(f"/desk/goods/{world.mutton}/papers/photo")
    assert (photo.content, photo.headers["cache-control"]) == (b"picture", "private, no-store")
    async with database.transaction() as session:
        (look,) = await looks.of_household(session, world.wang)
        assert (look.who, look.act) == ("officer", "look_papers")
    assert (await client.get(f"/desk/goods/{world.pear}/papers/photo")).status_code == 404


async def test_land_and_animals_are_entered_and_taken_back(client: Browser, world: World, database: Database) -> None:
    await client.sign_in(world.officer)
    path = f"/desk/households/{world.wang}/means"
    assert (await client.get(path)).status_code == 200
    answer = await client.post(path, {"land": "3.5", "land.millet": "1", "sheep": ""})
    assert answer.status_code == 303
    shown = (await client.get(path)).text
    assert 'value="3.5"' in shown
    assert 'name="land.millet"' in shown
    for wrong in ("很多", "-1", "1.55", "99999"):
        assert (await client.post(path, {"land": wrong})).status_code == 422
    assert (await client.post(path, {"land": "", "land.millet": ""})).status_code == 303
    async with database.transaction() as session:
        assert (await session.exec(select(HouseholdMeans))).all() == []
        traces = (await session.exec(select(Trace.note).where(Trace.act == "enter_means"))).all()
        assert sorted(traces) == ["10 > None", "35 > None", "None > 10", "None > 35"]


async def test_the_agent_enters_them_and_the_household_only_reads(client: Browser, world: World) -> None:
    path = f"/village/{world.wang}/means"
    await client.sign_in(world.agent)
    assert (await client.post(path, {"sheep": "12"})).status_code == 303
    assert (await client.post(path, {"sheep": "x"})).status_code == 422
    await client.sign_in(world.wang_account)
    shown = (await client.get(path)).text
    assert "要登记、要改，请找代办员。" in shown
    assert "<strong>12 只</strong>" in shown
    assert (await client.post(path, {"sheep": "99"})).status_code == 404
