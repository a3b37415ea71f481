"""A county sets itself up from an empty database with the commands and the administrator's pages, and then sells."""

import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import pytest_asyncio
from sqlmodel import select

from market.ground.db import plain_url
from market.ground.settings import Settings
from market.people.accounts import Account, with_phone
from market.trade.orders import Order
from storefront.migrations import ROOT
from tests.client import Browser
from tests.conftest import address_of, browser, maintenance

OFFICE, AGENT, CLERK, FAMILY = "19900006001", "19900006002", "19900006003", "19900006004"
VILLAGE = "141181100201"


@pytest_asyncio.fixture
async def empty_url(server: str) -> AsyncIterator[str]:
    """An empty database: not even migrated."""
    name = f"zero_{os.getpid()}_{os.urandom(4).hex()}"
    async with maintenance(server) as connection:
        await connection.execute(f'CREATE DATABASE "{name}"')
    yield address_of(server, name)
    async with maintenance(server) as connection:
        await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def command(url: str, *words: str) -> tuple[int, str]:
    """Run `bin/yigou` as the county would; exit code and everything it said."""
    wanted = {"DATABASE_URL": plain_url(url), "YIGOU_SECRET_KEY": "only-for-this-test", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "storefront.commands", *words],
        env={**os.environ, **wanted}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


async def account_of(person: Browser, phone: str) -> int:
    async with person.state.database.transaction() as session:
        account: Account = (await session.exec(with_phone(phone))).one()
        return account.id or 0


async def done(person: Browser, url: str, form: dict[str, str]) -> str:
    """Send a form that must succeed; where it led."""
    answer = await person.post(url, form)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_what_commands_refuse_is_one_sentence(server: str) -> None:
    code, said = command(server, "demo", "--scale", "moon")
    assert (code, "Traceback" in said, "village, county, province" in said) == (1, False, True)
    code, said = command(server, "grant", "--phone", "19900006001", "--role", "household", "--over", "x")
    assert (code, "Traceback" in said, "a number" in said) == (1, False, True)
    code, said = command(server, "verify")
    assert (code, "Traceback" in said, "migrate" in said) == (1, False, True)


async def test_from_an_empty_database_to_the_first_order(empty_url: str, tmp_path: Path) -> None:
    _commands(empty_url, tmp_path)
    settings = Settings(
        database_url=empty_url, redis_url=f"memory://{os.urandom(8).hex()}", demo=True, var=tmp_path,
        worker_in_web=False, public_url="http://shop.test",
    )  # fmt: skip
    async with browser(settings) as person:
        await _pages(person)
        await _sells(person)


def _commands(url: str, folder: Path) -> None:
    places, bad = folder / "places.csv", folder / "bad.csv"
    places.write_text(f"code,name\n14,山西省\n1411,吕梁市\n141181,样例市\n141181100,样例镇\n{VILLAGE},样例村\n")
    bad.write_text("code,name\n141181101201,没有上级\n")
    for words in (("migrate",), ("catalogue",), ("catalogue",), ("import-divisions", str(places))):
        code, said = command(url, *words)
        assert code == 0, said
    code, said = command(url, "import-divisions", str(bad))
    assert (code, "第 2 行" in said) == (1, True)
    assert command(url, "import-households", str(bad))[0] == 1
    grant = ("grant", "--phone", OFFICE, "--role", "administrator", "--name", "管理样例", "--over")
    code, said = command(url, *grant, "990101")
    assert (code, "Traceback" in said) == (1, False)
    assert command(url, *grant, "141181")[0] == 0


async def _pages(person: Browser) -> None:
    await person.sign_in(await account_of(person, OFFICE))
    await done(person, "/operator/stations", {"name": "样例镇服务站", "place": "141181100", "phone": ""})
    await done(person, "/operator/units", {"name": "样例市人社局", "short_name": "人社局", "place": "141181"})
    unit = _choice(await _text(person, "/operator/stops/new"), "work_unit_id", "样例市人社局")
    stop = {
        "name": "人社局门口", "place": "141181", "address": "样例路", "work_unit_id": unit, "cutoff_weekday": "2",
        "cutoff_time": "12:00", "handover_weekday": "4", "handover_from": "10:00", "handover_to": "11:30",
    }  # fmt: skip
    await done(person, "/operator/stops", stop)
    register = f"户编号,村代码,户主姓名,人口,类型\nZ1,{VILLAGE},王样例,3,脱贫户\nZ2,{VILLAGE},李样例,4,一般户\n"
    sent = await person.post("/operator/imports", files={"file": ("register.csv", register.encode())})
    await done(person, f"{sent.headers['location']}/application", {})
    station = _choice(await _text(person, "/operator/villages"), "station_id", "样例镇服务站")
    form = {"township": "141181100", "station_id": station, f"village-{VILLAGE}": "1"}
    await done(person, "/operator/villages/assignments", form)
    for phone, over in ((AGENT, f"agent:{station}"), (CLERK, f"clerk:{unit}")):
        await done(person, "/operator/people", {"name": "样例", "phone": phone, "over": over})
    found = re.search(r"/operator/households/(\d+)", await _text(person, "/operator/households?q=Z1"))
    assert found is not None
    await done(person, f"{found[0]}/logins", {"name": "王家", "phone": FAMILY})


async def _sells(person: Browser) -> None:
    await person.sign_in(await account_of(person, AGENT))
    assert "李样例" in await _text(person, "/village")
    await person.sign_in(await account_of(person, FAMILY))
    home = str((await person.get("/village")).url).rsplit("/", 2)[-2]
    asked = "produce=millet&counted=jin&quantity=30&price_for=jin&price=6.5"
    screen = await _text(person, f"/village/{home}/goods/new?{asked}")
    await done(
        person, f"/village/{home}/goods", dict(re.findall(r'type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', screen))
    )
    await person.sign_in(await account_of(person, CLERK))
    listing = re.search(r"/listings/(\d+)", await _text(person, "/"))
    assert listing is not None
    await done(person, "/cart/lines", {"listing_id": listing[1], "quantity": "2"})
    page = await _text(person, "/checkout")
    form = {
        name: unescape(value) for name, value in re.findall(r'type="hidden"\s+name="(\w+)"\s+value="([^"]*)"', page)
    }
    stop = re.search(r'name="stop"\s+value="([^"]+)"', page)
    unit = re.search(r'name="work_unit_id"[^>]*>\s*<option value="(\d+)"', page)
    assert stop is not None
    form |= {"wallet": "personal", "stop": stop[1], "work_unit_id": unit[1] if unit else "", "note": ""}
    assert (await done(person, "/checkout", form)).startswith("/orders/")
    async with person.state.database.transaction() as session:
        (order,) = (await session.exec(select(Order))).all()
    assert (order.county_code, order.total_fen) == ("141181", 1300)


async def _text(person: Browser, url: str) -> str:
    answer = await person.get(url)
    assert answer.status_code == 200, url
    return answer.text


def _choice(page: str, name: str, label: str) -> str:
    """The value of an option by what it says."""
    options = page[page.index(f'name="{name}"') :]
    found = re.search(rf'<option value="(\w+)"[^>]*>[^<]*{label}', options)
    assert found is not None, f"{name} offers no {label}"
    return found[1]
