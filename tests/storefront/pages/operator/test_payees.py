"""The administrator enters whom buyers transfer to; it holds only once somebody else has looked."""

from collections.abc import Awaitable, Callable

import pytest

from market.ground.db import Database
from market.people import accounts
from payments import payees
from tests.client import Browser
from tests.storefront.pages.operator.conftest import said
from tests.world import BEGIN, COUNTY, World

FORM = {"county": COUNTY, "name": "样例村股份经济合作社", "bank": "样例信用社", "account_no": "1002 0030 0400"}
HERE = "/operator/payees"


async def test_entered_confirmed_and_closed(operator: Browser, database: Database, world: World) -> None:
    assert "还没有收款账户" in said(await operator.get(HERE))
    assert (await operator.post(HERE, FORM)).status_code == 303
    page = said(await operator.get(HERE))
    assert "等会计确认" in page
    assert "1002 0030 0400" in page
    async with database.transaction() as session:
        accountant = await accounts.viewer_of(session, world.accountant)
        (payee,) = (await session.exec(payees.visible_to(accountant))).all()
        await payees.confirm(session, accountant, payee.id or 0, now=BEGIN)
    assert "正在用" in said(await operator.get(HERE))
    for _ in range(2):
        assert (await operator.post(f"{HERE}/{payee.id}/closure")).status_code == 303
    assert "停用了" in said(await operator.get(HERE))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": " "}, "请填写这一项"),
        ({"bank": ""}, "请填写这一项"),
        ({"account_no": "12"}, "账号是 8 到 34 位数字"),
        ({"county": "141124"}, "请选一个"),
    ],
)
async def test_wrong_input_is_asked_again(operator: Browser, change: dict[str, str], sentence: str) -> None:
    answer = await operator.post(HERE, FORM | change)
    assert answer.status_code == 422
    assert sentence in said(answer)


async def test_the_same_twice_is_said(operator: Browser) -> None:
    await operator.post(HERE, FORM)
    assert "已经登记过一样的账户了" in said(await operator.post(HERE, FORM))


async def test_another_countys_are_not_there(
    operator: Browser, stranger: Callable[[], Awaitable[Browser]], database: Database, world: World
) -> None:
    await operator.post(HERE, FORM)
    async with database.transaction() as session:
        accountant = await accounts.viewer_of(session, world.accountant)
        (payee,) = (await session.exec(payees.visible_to(accountant))).all()
    other = await stranger()
    assert "还没有收款账户" in said(await other.get(HERE))
    assert (await other.post(f"{HERE}/{payee.id}/closure")).status_code == 404
    assert (await other.post(HERE, FORM)).status_code == 422
