"""Home, the catalogue and one offer, as any visitor sees them."""

import pytest
from sqlmodel import col, update
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods.listings import Listing, ListingState
from market.goods.stock import Stock
from market.ground.db import Database
from tests.client import Browser
from tests.storefront.pages.shop.visits import said
from tests.world import OTHER_VILLAGE, TOWNSHIP, VILLAGE, World


async def test_home_shows_what_is_in_season_and_what_is_new(client: Browser) -> None:
    page = await client.get("/")
    assert page.status_code == 200
    assert 'href="/listings?produce=mutton"' in page.text
    for words in ("整只山羊", "玉露香梨", "¥ 1,200 .00 /只", "还剩 1 只", "梁家墕 · 王某"):
        assert words in said(page)


async def test_home_without_goods_has_a_way_out(client: Browser, database: Database) -> None:
    async with database.transaction() as session:
        await session.exec(update(Listing).values(state=ListingState.WITHDRAWN))
    assert "现在没有在卖的货" in said(await client.get("/"))


@pytest.mark.parametrize(
    "words", ["羊肉", "南瓜", "nangua", "梁家焉", "梁家墕", "liangjiayan", "ljy", "交口", "pumpkin"]
)
async def test_goods_are_found_by_produce_place_alias_and_pinyin(client: Browser, words: str) -> None:
    page = said(await client.get("/listings", params={"q": words}))
    assert "南瓜" in page or words == "羊肉"
    assert "玉露香梨" not in page.split("全部去掉")[1]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 5), ({"produce": "mutton"}, 2), ({"division": VILLAGE}, 4), ({"division": OTHER_VILLAGE}, 1),
        ({"division": TOWNSHIP}, 4), ({"min": "40"}, 3), ({"max": "40"}, 3), ({"min": "45", "max": "6"}, 4),
        ({"q": "羊", "max": "100"}, 1), ({"sort": "nonsense"}, 5), ({"produce": "dragon"}, 0), ({"cursor": "x.y"}, 5),
    ],
)  # fmt: skip
async def test_filters_narrow_what_is_shown(client: Browser, query: dict[str, str], count: int) -> None:
    page = await client.get("/listings", params=query)
    assert page.status_code == 200
    assert page.text.count('<li class="offer') == count
    assert (f"找到 {count} 样" if count else "没有找到") in said(page)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ({"q": "！？"}, "请输入汉字、拼音或数字"), ({"min": "三块"}, "请填钱数"), ({"division": "99x"}, "没有这个地方"),
    ],
)  # fmt: skip
async def test_nonsense_in_the_address_is_said_kindly(client: Browser, query: dict[str, str], sentence: str) -> None:
    page = await client.get("/listings", params=query)
    assert page.status_code == 422
    assert sentence in said(page)
    assert page.text.count('<li class="offer') == 5


async def test_sorting_and_paging_show_every_offer_once(client: Browser, database: Database, world: World) -> None:
    async with database.transaction() as session:
        await _copy(session, world.pumpkin, 30)
    for sort in ("new", "price", "-price"):
        seen: list[str] = []
        url: str | None = f"/listings?sort={sort}"
        while url:
            page = await client.get(url)
            seen += [part.split('"')[0] for part in page.text.split('class="cover" href="')[1:]]
            more = page.text.split('hx-get="')
            url = more[1].split('"')[0].replace("&amp;", "&") if len(more) > 1 else None
        assert len(seen) == len(set(seen)) == 35


async def test_an_offer_tells_where_it_is_from_and_what_it_costs(client: Browser, world: World) -> None:
    page = said(await client.get(f"/listings/{world.mutton}"))
    for words in (
        "交口街道 · 梁家墕",
        "王某",
        "¥ 35 .00 /斤",
        "¥70.00/公斤",
        "还剩 60 斤",
        "最好在哪天前吃",
        "样例屠宰点",
        "140000202611020001",
        "要冷藏",
        "梁家墕的其他货",
    ):
        assert words in page
    assert "合 ¥8.00/斤，¥16.00/公斤" in said(await client.get(f"/listings/{world.millet}"))


async def test_sold_out_and_withdrawn_offers_still_answer(client: Browser, database: Database, world: World) -> None:
    async with database.transaction() as session:
        await session.exec(update(Stock).where(col(Stock.listing_id) == world.pear).values(on_hand=0))
        await session.exec(update(Listing).where(col(Listing.id) == world.millet).values(state=ListingState.WITHDRAWN))
    for listing_id, words in ((world.pear, "这样货卖完了"), (world.millet, "已经停止卖这样货")):
        page = await client.get(f"/listings/{listing_id}")
        assert page.status_code == 200
        assert words in said(page)
        assert "放进购物车" not in said(page)


@pytest.mark.parametrize("listing", ["0", "999999", "99999999999999999999", "abc"])
async def test_an_unknown_offer_is_a_page_not_found(client: Browser, listing: str) -> None:
    assert (await client.get(f"/listings/{listing}")).status_code == 404


async def _copy(session: AsyncSession, listing_id: int, times: int) -> None:
    one = await session.get_one(Listing, listing_id)
    for at in range(times):
        copy = Listing(**{**one.model_dump(exclude={"id"}), "price_fen": 500 + at % 3})
        session.add(copy)
        await session.flush()
        session.add(Stock(listing_id=copy.id or 0, on_hand=5))
