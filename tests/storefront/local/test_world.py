import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import catalogue
from market.goods.catalogue import Wanted
from market.goods.listings import Listing
from market.ground import clock
from market.ground.db import Database, run
from market.ground.settings import Settings
from market.people import accounts
from market.people.accounts import Account, Role
from market.people.households import Household
from market.reports import income, oversight
from market.trade.orders import Order, OrderState
from payments import bank_slips, cash_keepers, hand_ins, proof
from payments.records import Payment, Refund
from storefront.local.world import DEMO_ACCOUNTS, DEMO_LOGINS, demo_logins, generate, load_demo
from storefront.migrations import migrate
from tests.conftest import address_of, maintenance

NOW = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
VILLAGE = "141102006201"


@dataclass
class Loaded:
    """A database with the demo world and a village's crowd, which the tests only read."""

    settings: Settings
    database: Database


async def _fresh(server: str, bare: str, name: str) -> Settings:
    async with maintenance(server) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{bare}" STRATEGY FILE_COPY')
    return Settings(database_url=address_of(server, name), demo=True, public_url="http://shop.test")


async def _make_bare(server: str, name: str) -> None:
    async with maintenance(server) as connection:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(f'CREATE DATABASE "{name}"')
    await migrate(address_of(server, name))


@pytest.fixture(scope="module")
def bare(server: str, worker_id: str) -> Iterator[str]:
    """Name of a migrated database with nothing in it."""
    name = f"bare_{worker_id}"
    asyncio.run(_make_bare(server, name))
    yield name
    asyncio.run(_drop(server, name))


@pytest.fixture(scope="module")
def demo_settings(server: str, bare: str, worker_id: str) -> Iterator[Settings]:
    """The demo world alone."""
    name = f"demo_{worker_id}"
    settings = asyncio.run(_fresh(server, bare, name))
    assert asyncio.run(load_demo(settings, now=NOW)) is True
    yield settings
    asyncio.run(_drop(server, name))


async def _drop(server: str, name: str) -> None:
    async with maintenance(server) as connection:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest_asyncio.fixture
async def demo(demo_settings: Settings) -> AsyncIterator[AsyncSession]:
    """A reader of the demo world."""
    database = Database(demo_settings.database_url or "", pool=2)
    async with database.transaction() as session:
        yield session
    await database.close()


async def _count(session: AsyncSession, query: str, **values: Any) -> int:
    return int(await session.scalar(text(query), values) or 0)


async def test_the_village_has_the_newspapers_figures(demo: AsyncSession) -> None:
    homes = (await demo.exec(select(Household).where(Household.division_code == VILLAGE))).all()
    counted = await _count(
        demo,
        "SELECT count(*) FROM households h JOIN household_standings s ON s.household_id = h.id AND s.to_on IS NULL "
        "JOIN standing_kinds k ON k.code = s.standing_code WHERE k.counts AND h.division_code = :village",
        village=VILLAGE,
    )
    assert (len(homes), sum(home.people_count for home in homes), counted) == (203, 504, 66)
    villages = set(await demo.exec(select(Household.division_code).distinct()))
    assert len(villages) >= 9


async def test_nobody_is_real(demo: AsyncSession) -> None:
    phones = [phone for phone in await demo.exec(select(Account.phone)) if phone is not None]
    assert all(re.fullmatch(r"1990000\d{4}", phone) for phone in phones)
    names = (await demo.exec(select(Household.head_name))).all()
    assert len(set(names)) == len(names)


async def test_beans_come_from_no_slaughterhouse(demo: AsyncSession) -> None:
    shown = """
        SELECT count(*) FROM listing_papers s JOIN listings l ON l.id = s.listing_id
        JOIN produce p ON p.code = l.produce_code LEFT JOIN gates g ON g.code = p.gate_code
    """
    assert await _count(demo, shown) > 0
    assert await _count(demo, f"{shown} WHERE g.code IS NULL") == 0
    assert await _count(demo, f"{shown} WHERE s.licence_no <> '' AND NOT 'licence_no' = ANY (g.needs)") == 0


async def test_every_invariant_holds(demo: AsyncSession) -> None:
    assert await oversight.differences(demo) == []
    assert await proof.differences(demo) == []


async def test_a_year_of_trade_in_every_state_and_all_of_it_cash_but_some_units_transfers(demo: AsyncSession) -> None:
    states = dict((await demo.exec(select(Order.state, func.count()).group_by(col(Order.state)))).all())
    assert states[OrderState.PAID] > 250
    assert {*states} == {OrderState.PAID, OrderState.CONFIRMED, OrderState.EXPIRED, OrderState.CANCELLED}
    assert set(await demo.exec(select(Payment.rail).distinct())) == {"cash", "transfer"}
    assert len((await demo.exec(select(Refund))).all()) > 10
    in_future = await _count(demo, "SELECT count(*) FROM entries WHERE at > :now", now=NOW)
    assert in_future == 0


async def test_clerks_hand_in_what_they_took_and_hold_the_last_weeks(demo: AsyncSession) -> None:
    account = (await demo.exec(accounts.with_phone(DEMO_ACCOUNTS["accountant"]))).one()
    accountant = await accounts.viewer_of(demo, account.id or 0)
    books = await cash_keepers.held(demo, accountant)
    assert len(books) >= 4
    assert all(book.fen > 0 and book.since is not None and book.since < NOW for book in books)
    assert len(await hand_ins.waiting(demo, receiver_id=account.id)) == 2
    assert await bank_slips.overseen_by(demo, accountant)
    assert await _count(demo, "SELECT count(*) FROM hand_ins WHERE state = 'counted'") > 50


async def test_the_bureaus_page_has_months_a_median_and_silent_households(demo: AsyncSession) -> None:
    months = await _count(demo, "SELECT count(DISTINCT date_trunc('month', day_on)) FROM income_days")
    assert months >= 12
    sold = await _count(demo, "SELECT count(DISTINCT household_id) FROM income_days WHERE gross_fen > 0")
    registered_that_sold = await _count(
        demo,
        "SELECT count(DISTINCT d.household_id) FROM income_days d JOIN household_standings s USING (household_id) "
        "WHERE s.to_on IS NULL AND s.standing_code = 'exited'",
    )
    exited = await _count(
        demo, "SELECT count(*) FROM household_standings WHERE to_on IS NULL AND standing_code = 'exited'"
    )
    assert sold > 40
    assert exited / 2 < registered_that_sold < exited
    paid_out = await _count(demo, "SELECT sum(paid_out_fen) FROM income_days")
    assert 0 < paid_out < await _count(demo, "SELECT sum(gross_fen - refunded_fen) FROM income_days")


async def test_no_household_was_ever_paid_out_more_than_it_was_owed(demo: AsyncSession) -> None:
    behind = await _count(
        demo,
        "SELECT count(*) FROM (SELECT sum(p.amount_fen) OVER (PARTITION BY p.household_id ORDER BY e.at) AS fen "
        "FROM postings p JOIN entries e ON e.id = p.entry_id WHERE p.book = 'payable') b WHERE fen < 0",
    )
    assert behind == 0


async def test_what_is_on_sale_is_found_by_alias_and_pinyin(demo: AsyncSession) -> None:
    live = await _count(demo, "SELECT count(*) FROM listings WHERE state = 'live'")
    assert 60 <= live <= 110
    for q in ("梁家焉", "liangjiayan", "小米", "yangrou"):
        assert (await catalogue.find(demo, Wanted(q=q))).items, q
    last = await _count(demo, "SELECT count(*) FROM stock WHERE on_hand - reserved = 1")
    assert last >= 1
    prices = await demo.exec(select(Listing.price_fen))
    assert min(prices) >= 10


async def test_consent_decides_what_buyers_see(demo: AsyncSession) -> None:
    shown = (await demo.exec(select(Household.head_name, Household.display_name))).all()
    agreed = await _count(demo, "SELECT count(*) FROM consents WHERE withdrawn_on IS NULL")
    assert sum(name == head for head, name in shown) == agreed
    assert all(name in (head, f"{head[0]}某") for head, name in shown)


@pytest.mark.parametrize("login", DEMO_LOGINS, ids=lambda login: login.key)
async def test_everybody_offered_can_sign_in_and_has_the_role(demo: AsyncSession, login: Any) -> None:
    account = (await demo.exec(accounts.with_phone(DEMO_ACCOUNTS[login.key]))).one()
    viewer = await accounts.viewer_of(demo, account.id or 0)
    assert viewer.roles == {Role(login.role)}


async def test_the_officers_report_opens(demo: AsyncSession) -> None:
    account = (await demo.exec(accounts.with_phone(DEMO_ACCOUNTS["officer"]))).one()
    viewer = await accounts.viewer_of(demo, account.id or 0)
    scope = income.scope_for(viewer, division=None, from_on=clock.day_of(NOW).replace(year=2025), to_on=NOW.date())
    rows = await income.figures(demo, scope, income.By.HOUSEHOLD)
    assert len(rows) == await _count(demo, "SELECT count(*) FROM households")
    assert sum(row.gross_fen for row in rows) == await _count(demo, "SELECT sum(gross_fen) FROM income_days")


async def test_loading_twice_changes_nothing(demo_settings: Settings) -> None:
    assert await load_demo(demo_settings, now=NOW) is False


def test_every_role_is_offered(demo_settings: Settings) -> None:
    assert {login.role for login in DEMO_LOGINS} == {role.value for role in Role}
    assert ("http://shop.test/demo-logins/officer") in {url for _label, url in demo_logins(demo_settings)}


async def test_a_load_cut_off_half_way_leaves_nothing(
    server: str, bare: str, worker_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = await _fresh(server, bare, f"cut_{worker_id}")

    async def cut(*_args: Any, **_more: Any) -> None:
        raise ConnectionResetError

    with monkeypatch.context() as patch:
        patch.setattr("storefront.local.world.goods.take_down", cut)
        with pytest.raises(ConnectionResetError):
            await load_demo(settings, now=NOW)
    database = Database(settings.database_url or "", pool=1)
    async with database.transaction() as session:
        assert await _count(session, "SELECT count(*) FROM divisions") == 0
    await database.close()
    both = await asyncio.gather(load_demo(settings, now=NOW), load_demo(settings, now=NOW))
    assert sorted(both) == [False, True]
    await _drop(server, f"cut_{worker_id}")


async def _of_crowd(session: AsyncSession, query: str) -> int:
    crowd = "household_id IN (SELECT id FROM households WHERE number LIKE 'G%')"
    return await _count(session, f"{query} WHERE {crowd}")


async def test_a_generated_village_is_whole_and_the_same_every_time(server: str, bare: str, worker_id: str) -> None:
    seen = []
    for name in ("one", "two"):
        settings = await _fresh(server, bare, f"{name}_{worker_id}")
        assert await generate(settings, "village", 5, now=NOW, orders=400) is True
        assert await generate(settings, "village", 5, now=NOW, orders=400) is False
        database = Database(settings.database_url or "", pool=1)
        async with database.transaction() as session:
            assert await oversight.differences(session) == []
            assert await proof.differences(session) == []
            assert await _count(session, "SELECT count(*) FROM households WHERE number LIKE 'G%'") == 66
            assert await _of_crowd(session, "SELECT count(*) FROM listings") == 200
            assert await _of_crowd(session, "SELECT count(DISTINCT order_id) FROM order_lines") == 400
            digest = "SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) FROM (SELECT {}) t"
            seen.append(
                [
                    await session.scalar(text(digest.format(what)))
                    for what in (
                        "* FROM income_days", "no, total_fen, state FROM orders",
                        "head_name, people_count FROM households",
                        "title, price_fen, words FROM listings", "* FROM stock",
                    )
                ]
            )  # fmt: skip
        await database.close()
        await _drop(server, f"{name}_{worker_id}")
    # Orders of the current week carry a number nobody can guess.
    assert [mark for at, mark in enumerate(seen[0]) if at != 1] == [mark for at, mark in enumerate(seen[1]) if at != 1]


async def test_a_province_is_made_of_counties(server: str, bare: str, worker_id: str) -> None:
    settings = await _fresh(server, bare, f"province_{worker_id}")
    sizes = {"counties": 3, "households": 600, "listings": 300, "buyers": 300, "orders": 900}
    assert await generate(settings, "province", 5, now=NOW, **sizes) is True
    database = Database(settings.database_url or "", pool=1)
    async with database.transaction() as session:
        assert await oversight.differences(session) == []
        assert await proof.differences(session) == []
        counties = await run(
            session,
            text("SELECT DISTINCT left(division_code, 6) AS c FROM households WHERE number LIKE 'G%' ORDER BY c"),
        )
        assert counties.scalars().all() == ["141102", "149901", "149902"]
        account = (await session.exec(accounts.with_phone(DEMO_ACCOUNTS["officer"]))).one()
        viewer = await accounts.viewer_of(session, account.id or 0)
        assert viewer.division_codes(Role.OFFICER) == ["141102", "14"]
    await database.close()
    await _drop(server, f"province_{worker_id}")
