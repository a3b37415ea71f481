"""A buyer's orders: truthful at every stage, theirs alone, taken back, repeated, printed."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import col, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods.stock import Stock
from market.ground.db import Database
from market.people import accounts
from market.trade.orders import Order
from payments import desk, records
from tests.storefront.pages.shop.visits import Buyer, said
from tests.world import World


async def _change(database: Database, **values: object) -> None:
    async with database.transaction() as session:
        await session.exec(update(Order).values(**values))


async def _take_cash(session: AsyncSession, world: World, url: str) -> None:
    clerk = await accounts.viewer_of(session, world.clerk)
    order = (await session.exec(select(Order).where(Order.no == url.rsplit("/", 1)[1]))).one()
    payment = (await session.exec(records.of_order(order.id or 0))).one()
    await desk.take_cash(session, clerk, payment.id, now=datetime.now(UTC))


async def test_an_unpaid_order_says_until_when(buyer: Buyer) -> None:
    page = said(await buyer.browser.get(await buyer.orders(buyer.world.mutton, 2)))
    for words in (
        "货给您留着，请在",
        "还有 14 分钟",
        "取货时付现金",
        "农户备货",
        "王某 · ¥35.00/斤",
        "人社局门口",
        "取消订单",
    ):
        assert words in page
    assert "支付宝" not in page


async def test_cash_at_the_stop_then_taken_then_cancelled(buyer: Buyer, database: Database) -> None:
    url = await buyer.orders(buyer.world.mutton, 2)
    assert (await buyer.browser.post(f"{url}/payments", {"method": "cash"})).headers["location"] == url
    page = said(await buyer.browser.get(url))
    assert "货给您留着。" in page
    assert "取货，付现金 ¥70.00" in page
    async with database.transaction() as session:
        await _take_cash(session, buyer.world, url)
    assert "已付款 ¥70.00 取货时付现金" in said(await buyer.browser.get(url))
    await _change(database, cutoff_at=datetime.now(UTC) + timedelta(hours=1))
    await buyer.browser.post(f"{url}/cancellation")
    page = said(await buyer.browser.get(url))
    for words in ("订单已取消，付的钱会原路退回。", "退款 ¥70.00 请到取货点领回现金。", "再买一次"):
        assert words in page
    assert "取消订单" not in page
    assert (await buyer.browser.post(f"{url}/cancellation")).status_code == 303
    assert said(await buyer.browser.get(url)).count("退款 ¥70.00") == 1


async def test_after_the_cutoff_it_is_too_late_to_cancel(buyer: Buyer, database: Database) -> None:
    url = await buyer.orders(buyer.world.mutton, 2)
    await buyer.browser.post(f"{url}/payments", {"method": "cash"})
    async with database.transaction() as session:
        await _take_cash(session, buyer.world, url)
    await _change(database, cutoff_at=datetime.now(UTC) - timedelta(minutes=1))
    assert "取消订单" not in said(await buyer.browser.get(url))
    answer = await buyer.browser.post(f"{url}/cancellation")
    assert answer.headers["location"] == url
    assert "现在不能取消了" in said(await buyer.browser.get(url))


async def test_an_unpaid_order_whose_time_is_over_says_so_at_once(buyer: Buyer, database: Database) -> None:
    url = await buyer.orders(buyer.world.mutton, 2)
    await _change(database, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    page = said(await buyer.browser.get(url))
    assert "超时没有付款，订单已取消" in page
    assert "付款时间" not in page
    assert "超时没付" in said(await buyer.browser.get("/orders"))
    refused = await buyer.browser.post(f"{url}/payments", {"method": "cash"})
    assert refused.headers["location"] == url


async def test_another_attempt_for_the_same_goods_takes_over(buyer: Buyer) -> None:
    first = await buyer.orders(buyer.world.last_leg)
    await buyer.browser.post(f"{first}/repeat")
    form_page = said(await buyer.browser.get("/cart"))
    assert "这几样现在都没有了：整只山羊。" in form_page


@pytest.mark.parametrize("path", ["", "/slip", "/payment", "/return", "/payment/state"])
async def test_another_persons_order_is_not_found(buyer: Buyer, path: str) -> None:
    url = await buyer.orders(buyer.world.mutton)
    await buyer.browser.sign_in(buyer.world.second_buyer)
    assert (await buyer.browser.get(url + path)).status_code == 404
    assert "羊肉" not in said(await buyer.browser.get("/orders"))


@pytest.mark.parametrize("path", ["/cancellation", "/payments", "/repeat"])
async def test_nothing_can_be_done_to_another_persons_order(buyer: Buyer, path: str) -> None:
    url = await buyer.orders(buyer.world.mutton)
    await buyer.browser.sign_in(buyer.world.second_buyer)
    assert (await buyer.browser.post(url + path, {"method": "cash"})).status_code == 404


async def test_orders_are_listed_and_paged(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "还没有订单" in said(await buyer.browser.get("/orders"))
    monkeypatch.setattr("storefront.pages.shop.orders._PAGE", 2)
    for listing_id in (buyer.world.mutton, buyer.world.pumpkin, buyer.world.pear):
        await buyer.orders(listing_id)
    first = await buyer.browser.get("/orders")
    assert first.text.count('class="cover strong"') == 2
    older = first.text.split('rel="next" href="')[1].split('"')[0]
    page = await buyer.browser.get(older)
    assert page.text.count('class="cover strong"') == 1
    assert "羊肉" in said(page)
    for nonsense in ("x", "-1", "99999999999999999999"):
        assert (await buyer.browser.get(f"/orders?before={nonsense}")).status_code == 200


async def test_repeating_puts_what_is_left_into_the_cart(buyer: Buyer, database: Database) -> None:
    await buyer.puts(buyer.world.pear, 2)
    url = await buyer.orders(buyer.world.mutton, 3)
    async with database.transaction() as session:
        await session.exec(update(Stock).where(col(Stock.listing_id) == buyer.world.pear).values(on_hand=2))
    for _ in range(2):
        answer = await buyer.browser.post(f"{url}/repeat")
    assert answer.headers["location"] == "/cart"
    page = said(await buyer.browser.get("/cart"))
    assert "已放进购物车 1 样。现在没有的：玉露香梨。" in page
    assert "¥ 105 .00" in page


async def test_the_slip_fits_on_paper(buyer: Buyer) -> None:
    url = await buyer.orders(buyer.world.mutton, 3, note="放门卫处")
    page = said(await buyer.browser.get(f"{url}/slip"))
    for words in ("以购订单", "离石区人社局", "放门卫处", "梁家墕 王某", "3 斤", "¥35.00", "¥105.00", "取货人"):
        assert words in page
