"""A county's payee is entered by one person and confirmed by another; the one before stays as history."""

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.audit import Trace
from market.ground.db import Database
from market.ground.errors import Malformed, NotAllowed, NotFound, NotMovable
from market.people import accounts
from market.people.accounts import Role
from payments import payees
from payments.payees import Details, Payee
from tests import build
from tests.world import BEGIN, COUNTY, TOWNSHIP, World

COOP = Details("样例村股份经济合作社", "样例农村信用合作联社", "1002 0030 0400")
OTHER = Details("样例村股份经济合作社", "样例农村信用合作联社", "100200300499")


async def entered(session: AsyncSession, world: World, details: Details = COOP) -> Payee:
    administrator = await accounts.viewer_of(session, world.administrator)
    return await payees.enter(session, administrator, COUNTY, details, now=BEGIN)


async def test_two_people_make_a_payee(session: AsyncSession, world: World) -> None:
    payee = await entered(session, world)
    assert payee.account_no == "100200300400"
    assert await payees.open_in(session, COUNTY) is None
    accountant = await accounts.viewer_of(session, world.accountant)
    for _ in range(2):
        assert (await payees.confirm(session, accountant, payee.id or 0, now=BEGIN)).is_open
    assert await payees.open_in(session, COUNTY) == payee
    acts = (await session.exec(select(Trace.act).where(Trace.subject == f"payee:{payee.id}"))).all()
    assert sorted(acts) == ["confirm_payee", "enter_payee"]


async def test_nobody_confirms_what_they_entered(session: AsyncSession, world: World) -> None:
    both = await accounts.viewer_of(session, world.administrator)
    account = await session.get_one(accounts.Account, world.administrator)
    await accounts.grant(session, account, Role.ACCOUNTANT, now=BEGIN, division_code=COUNTY)
    payee = await payees.enter(session, both, COUNTY, COOP, now=BEGIN)
    both = await accounts.viewer_of(session, world.administrator)
    with pytest.raises(NotAllowed):
        await payees.confirm(session, both, payee.id or 0, now=BEGIN)


async def test_the_database_keeps_it_to_two_people(database: Database, world: World) -> None:
    async def alone() -> None:
        async with database.transaction() as session:
            payee = await entered(session, world)
            payee.confirmed_at, payee.confirmed_by = BEGIN, world.administrator

    with pytest.raises(IntegrityError, match="two_people"):
        await alone()


async def test_a_new_one_takes_the_place_of_the_one_before(session: AsyncSession, world: World) -> None:
    first = await build.payee(session, world)
    second = await entered(session, world, OTHER)
    assert await payees.open_in(session, COUNTY) == first
    third = await entered(session, world, Details("另一家合作社", "样例银行", "99990000"))
    assert not second.is_waiting
    accountant = await accounts.viewer_of(session, world.second_accountant)
    with pytest.raises(NotMovable):
        await payees.confirm(session, accountant, second.id or 0, now=BEGIN)
    await payees.confirm(session, accountant, third.id or 0, now=BEGIN)
    assert await payees.open_in(session, COUNTY) == third
    assert (first.closed_at, first.closed_by) == (BEGIN, world.second_accountant)
    assert len((await session.exec(payees.visible_to(accountant))).all()) == 3


async def test_turned_down_and_closed_is_not_offered(session: AsyncSession, world: World) -> None:
    payee = await build.payee(session, world)
    waiting = await entered(session, world, OTHER)
    accountant = await accounts.viewer_of(session, world.accountant)
    with pytest.raises(NotMovable):
        await payees.turn_down(session, accountant, payee.id or 0, now=BEGIN)
    for _ in range(2):
        await payees.turn_down(session, accountant, waiting.id or 0, now=BEGIN)
    administrator = await accounts.viewer_of(session, world.administrator)
    for _ in range(2):
        await payees.close(session, administrator, payee.id or 0, now=BEGIN)
    assert await payees.open_in(session, COUNTY) is None


@pytest.mark.parametrize("account_no", ["1234567", "12345678x", "", "1" * 35])
async def test_what_is_no_account_number(session: AsyncSession, world: World, account_no: str) -> None:
    with pytest.raises(Malformed, match="not_an_account"):
        await entered(session, world, Details("样例", "样例", account_no))


async def test_the_same_again_is_refused(session: AsyncSession, world: World) -> None:
    await build.payee(session, world)
    with pytest.raises(Malformed, match="same"):
        await entered(session, world)


async def test_outside_the_county_it_is_not_there(session: AsyncSession, world: World) -> None:
    payee = await entered(session, world)
    township = await accounts.viewer_of(session, world.township_accountant)
    officer = await accounts.viewer_of(session, world.officer)
    for stranger in (township, officer):
        with pytest.raises(NotFound):
            await payees.confirm(session, stranger, payee.id or 0, now=BEGIN)
        assert (await session.exec(payees.visible_to(stranger))).all() == []
    with pytest.raises(NotFound):
        await payees.enter(session, officer, COUNTY, OTHER, now=BEGIN)
    administrator = await accounts.viewer_of(session, world.administrator)
    with pytest.raises(NotFound):
        await payees.enter(session, administrator, TOWNSHIP, OTHER, now=BEGIN)
