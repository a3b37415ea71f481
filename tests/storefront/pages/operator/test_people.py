"""Giving and ending roles inside a division."""

from collections.abc import Awaitable, Callable

import pytest
from sqlmodel import col, select

from market.ground.audit import Trace
from market.ground.db import Database
from market.people.accounts import Account, Grant, Role
from tests.client import Browser
from tests.storefront.pages.operator.conftest import said
from tests.world import World


async def grants_of(database: Database, phone: str) -> list[Grant]:
    async with database.transaction() as session:
        found = await session.exec(
            select(Grant).join(Account, col(Account.id) == col(Grant.account_id)).where(Account.phone == phone)
        )
        return list(found)


async def test_the_door_is_only_for_administrators(client: Browser, world: World) -> None:
    paths = ("people", "stations", "units", "stops", "households", "villages", "imports/new")
    assert (await client.http.get("/operator/people")).headers["location"].startswith("/sign-in")
    for person in (world.officer, world.agent, world.clerk, world.buyer):
        await client.sign_in(person)
        assert {(await client.get(f"/operator/{path}")).status_code for path in paths} == {404}
    await client.sign_in(world.administrator)
    assert {(await client.get(f"/operator/{path}")).status_code for path in paths} == {200}
    assert str((await client.get("/operator")).url).endswith("/operator/people")


async def test_a_role_is_given_once_and_taken_back(operator: Browser, database: Database, world: World) -> None:
    form = {"name": "经办样例", "phone": "199 0000 5001", "over": f"clerk:{world.work_unit}"}
    for _twice in range(2):
        assert (await operator.post("/operator/people", form)).status_code == 303
    (given,) = await grants_of(database, "19900005001")
    assert (given.role, given.work_unit_id, given.given_by) == (Role.CLERK, world.work_unit, world.administrator)
    assert "经办样例" in said(await operator.get("/operator/people", params={"q": "经办"}))
    assert (await operator.post(f"/operator/people/{given.id}/end")).status_code == 303
    assert (await operator.post(f"/operator/people/{given.id}/end")).status_code == 404
    (ended,) = await grants_of(database, "19900005001")
    assert ended.ended_at is not None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [({"name": " "}, "请填写这一项"), ({"phone": "123"}, "请填 11 位手机号"), ({"over": "officer:11"}, "请选一个")],
)
async def test_wrong_input_is_asked_again(operator: Browser, change: dict[str, str], sentence: str) -> None:
    form = {"name": "经办样例", "phone": "19900005001", "over": "officer:141102"}
    answer = await operator.post("/operator/people", form | change)
    assert answer.status_code == 422
    assert sentence in said(answer)


async def test_nobody_reaches_outside_their_division(
    operator: Browser, stranger: Callable[[], Awaitable[Browser]], database: Database, world: World
) -> None:
    other = await stranger()
    (clerk,) = await grants_of(database, "19900000005")
    assert "clerk" not in said(await other.get("/operator/people"))
    assert (await other.post(f"/operator/people/{clerk.id}/end")).status_code == 404
    form = {"name": "外人", "phone": "19900005002", "over": f"clerk:{world.work_unit}"}
    assert (await other.post("/operator/people", form)).status_code == 422
    assert await grants_of(database, "19900005002") == []


async def test_the_last_administrator_does_not_lock_themselves_out(operator: Browser, database: Database) -> None:
    (own,) = await grants_of(database, "19900000009")
    assert (await operator.post(f"/operator/people/{own.id}/end")).status_code == 403


async def test_lists_have_pages_and_odd_addresses_are_answered(operator: Browser) -> None:
    assert "没有找到人" in said(await operator.get("/operator/people", params={"page": 3}))
    for odd in ({"page": "0"}, {"page": "x"}, {"page": str(2**70)}, {"q": "字" * 61}, {"q": "\x00"}):
        assert (await operator.get("/operator/people", params=odd)).status_code == 422, odd


async def test_a_household_gets_a_login_of_its_own(operator: Browser, database: Database, world: World) -> None:
    assert "刘样例" in said(await operator.get("/operator/households", params={"q": "0002"}))
    assert "刘样例" in said(await operator.get("/operator/households", params={"q": "梁家焉"}))
    assert "没有找到" in said(await operator.get("/operator/households", params={"q": "%"}))
    here = f"/operator/households/{world.liu}"
    for _twice in range(2):
        answer = await operator.post(f"{here}/logins", {"name": "刘家女儿", "phone": "19900005003"})
        assert answer.status_code == 303
    (given,) = await grants_of(database, "19900005003")
    assert (given.role, given.household_id) == (Role.HOUSEHOLD, world.liu)
    assert "199****5003" in said(await operator.get(here))
    assert (await operator.post(f"{here}/logins", {"name": "", "phone": "1"})).status_code == 422
    assert (await operator.post(f"/operator/households/{world.wang}/logins/{given.id}/ending")).status_code == 404
    assert (await operator.post(f"{here}/logins/{given.id}/ending")).status_code == 303
    assert (await operator.post(f"{here}/logins/{given.id}/ending")).status_code == 404
    async with database.transaction() as session:
        traces = await session.exec(select(Trace).where(Trace.household_id == world.liu, Trace.act != "put_up"))
        assert [(trace.act, trace.account_id) for trace in traces] == [("give_role", world.administrator)]
        ended = await session.exec(select(Trace).where(Trace.act == "end_grant"))
        assert [trace.subject for trace in ended] == [f"grant:{given.id}"]


async def test_a_household_of_another_county_is_not_there(
    stranger: Callable[[], Awaitable[Browser]], database: Database, world: World
) -> None:
    other, here = await stranger(), f"/operator/households/{world.liu}"
    assert "名册还是空的" in said(await other.get("/operator/households"))
    assert (await other.get(here)).status_code == 404
    assert (await other.post(f"{here}/logins", {"name": "外人", "phone": "19900005004"})).status_code == 404
    assert await grants_of(database, "19900005004") == []
