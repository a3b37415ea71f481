"""What buyers find: by Chinese, alias, pinyin, produce, place and price, page after page."""

import pytest
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import catalogue, listings
from market.goods.catalogue import Sort, Wanted
from market.goods.search import words_of
from market.ground.db import Database
from market.ground.errors import Malformed, NotFound
from market.people import accounts
from tests.world import BEGIN, World


async def found(session: AsyncSession, **wanted: object) -> set[int]:
    page = await catalogue.find(session, Wanted(**wanted))  # type: ignore[arg-type]
    return {card.id for card in page.items}


ASKED = ["羊肉", "羊", "yangrou", "yr", "yang", "mutton", "整只山羊", "梁家焉 羊", "梁家焉羊肉", "ljy yr"]


@pytest.mark.parametrize("q", ASKED)
async def test_mutton_is_found_however_it_is_asked_for(session: AsyncSession, world: World, q: str) -> None:
    assert world.last_leg in await found(session, q=q)


@pytest.mark.parametrize("q", ["牛肉", "xyz", "回龙塔 羊肉", "羊羊羊羊"])
async def test_what_is_not_there_is_not_found(session: AsyncSession, world: World, q: str) -> None:
    assert world.mutton not in await found(session, q=q)


@pytest.mark.parametrize("q", ["%", "_", "！！"])
async def test_what_cannot_be_looked_up_is_said(session: AsyncSession, world: World, q: str) -> None:
    with pytest.raises(Malformed) as refused:
        await found(session, q=q)
    assert refused.value.problem == "nothing_to_search"


async def test_places_and_prices_narrow_the_list(session: AsyncSession, world: World) -> None:
    assert await found(session, division="141102101") == {world.pear}
    assert await found(session, division="141102101000") == {world.pear}
    assert await found(session, max_fen=700) == {world.pumpkin}
    assert await found(session, min_fen=100_000) == {world.last_leg}
    assert await found(session, produce="millet") == {world.millet}


@pytest.mark.parametrize("sort", list(Sort))
async def test_pages_follow_each_other_without_gap_or_repeat(session: AsyncSession, world: World, sort: Sort) -> None:
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await catalogue.find(session, Wanted(sort=sort, limit=2, cursor=cursor))
        seen += [card.id for card in page.items]
        cursor = page.next
    everything = await catalogue.find(session, Wanted(sort=sort, limit=100))
    assert seen == [card.id for card in everything.items]
    assert len(seen) == 5


@pytest.mark.parametrize(
    "wanted",
    [{"cursor": "x"}, {"cursor": "1.2"}, {"cursor": "1.9999999.3"}, {"cursor": "9" * 30}, {"division": "9x"}],
)
async def test_nonsense_is_refused(session: AsyncSession, world: World, wanted: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        await found(session, **wanted)


async def test_withdrawn_goods_leave_the_list_and_keep_their_page(database: Database, world: World) -> None:
    async with database.transaction() as session:
        seller = await accounts.viewer_of(session, world.wang_account)
        await listings.withdraw(session, seller, world.pumpkin, now=BEGIN)
    async with database.transaction() as session:
        assert world.pumpkin not in await found(session)
        assert (await catalogue.card(session, world.pumpkin)).is_sold_out
        with pytest.raises(NotFound):
            await catalogue.card(session, 10**12)


def test_words_hold_characters_pairs_and_beginnings() -> None:
    assert {"小", "米", "小米", "xi", "xiaomi"} <= set(words_of("小米 xiaomi"))
