"""Where a household's money goes: asked for on its phone, agreed to by another, stopped by one."""

import logging
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from market.ground.clock import day_of, now
from market.ground.db import Database, run
from market.people import accounts, card_changes, cards
from market.people.accounts import Viewer
from market.people.cards import PayoutCard
from storefront.notices import tell_card
from tests import build
from tests.client import Browser
from tests.world import World

GOOD = build.card_number(5)
OWN = {"bank": "rural", "whose": "own", "number": GOOD}


async def held(database: Database) -> list[PayoutCard]:
    async with database.transaction() as session:
        return list(await session.exec(select(PayoutCard).order_by(col(PayoutCard.id))))


async def test_three_questions_and_a_number_that_must_add_up(client: Browser, database: Database, world: World) -> None:
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/card"
    assert "还没有收钱的卡" in (await client.get(here)).text
    assert f'href="{here}"' in (await client.get(f"/village/{world.wang}/money")).text
    assert "哪家银行的卡" in (await client.get(f"{here}/new")).text
    assert "户主王样例本人" in (await client.get(f"{here}/new?bank=rural")).text
    asked = await client.get(f"{here}/new?bank=rural&whose=own")
    assert ("卡号" in asked.text, asked.headers["cache-control"]) == (True, "no-store")
    off_by_one = GOOD[:-1] + str((int(GOOD[-1]) + 1) % 10)
    for number, said in ((off_by_one, "卡号不对，请对着银行卡再看一遍"), ("123", "卡号不对"), ("", "请填写这一项")):
        wrong = await client.post(here, OWN | {"number": number})
        assert (wrong.status_code, said in wrong.text) == (422, True)
    for number in (GOOD, f"{GOOD[:4]} {GOOD[4:8]} {GOOD[8:]}"):
        assert (await client.post(here, OWN | {"number": number})).status_code == 303
    (card,) = await held(database)
    assert (card.last_four, card.asked_by, GOOD in card.sealed_number) == (GOOD[-4:], world.wang_account, False)
    page = (await client.get(here)).text
    assert ("等第二个人核对" in page, GOOD[:8] in page, "再输一遍" in page) == (True, False, False)


async def test_a_relatives_card_needs_a_name_and_a_mandate(client: Browser, database: Database, world: World) -> None:
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/card"
    theirs = {"bank": "other", "bank_name": "演示村镇银行", "whose": "relative", "number": GOOD}
    for missing in ("holder", "relation", "mandate_on", "bank_name"):
        full = theirs | {"holder": "王小样", "relation": "儿子", "mandate_on": day_of(now()).isoformat()}
        refused = await client.post(here, full | {missing: ""})
        assert (refused.status_code, f'id="e-{missing}"' in refused.text) == (422, True), missing
    late = theirs | {"holder": "王小样", "relation": "儿子", "mandate_on": "2999-01-01"}
    assert "日期不能在今天以后" in (await client.post(here, late)).text
    assert (await client.post(here, late | {"mandate_on": "2026-01-01"})).status_code == 303
    (card,) = await held(database)
    assert (card.bank, card.relation, "王小样" in card.sealed_holder) == ("演示村镇银行", "儿子", False)
    assert "王样例的儿子" in (await client.get(here)).text


async def test_the_station_confirms_what_the_household_asked_and_not_what_a_station_asked(
    client: Browser, database: Database, world: World
) -> None:
    await client.sign_in(world.wang_account)
    here = f"/village/{world.wang}/card"
    await client.post(here, OWN)
    (card,) = await held(database)
    assert (await client.post(f"{here}/{card.id}/confirmation", {"number": GOOD})).status_code == 404
    await client.sign_in(world.agent)
    assert "把卡号再输一遍" in (await client.get(here)).text
    wrong = await client.post(f"{here}/{card.id}/confirmation", {"number": build.card_number(6)})
    assert (wrong.status_code, "不一样" in wrong.text) == (422, True)
    for _ in range(2):
        assert (await client.post(f"{here}/{card.id}/confirmation", {"number": GOOD})).status_code == 303
    assert "以后才往这张卡上打钱" in (await client.get(here)).text
    assert (await client.post(here, OWN | {"number": build.card_number(7)})).status_code == 303
    second = (await held(database))[-1]
    assert "把卡号再输一遍" not in (await client.get(here)).text
    own = await client.post(f"{here}/{second.id}/confirmation", {"number": build.card_number(7)})
    assert own.status_code == 404
    assert (await held(database))[-1].confirmed_at is None
    await client.sign_in(world.wang_account)
    for _ in range(2):
        assert (await client.post(f"{here}/{second.id}/stop", {"why": "not_ours"})).status_code == 303
    assert "不是我家的意思" in (await client.get(here)).text


async def test_another_households_card_does_not_exist(client: Browser, database: Database, world: World) -> None:
    async with database.transaction() as session:
        zhaos = await build.card(session, world, world.zhao, seal=client.state.seal)
    await client.sign_in(world.wang_account)
    assert (await client.get(f"/village/{world.zhao}/card")).status_code == 404
    assert (await client.post(f"/village/{world.zhao}/card", OWN)).status_code == 404
    for home in (world.wang, world.zhao):
        for act in ("stop", "confirmation"):
            url = f"/village/{home}/card/{zhaos.id}/{act}"
            assert (await client.post(url, {"why": "lost", "number": build.card_number(world.zhao)})).status_code == 404
    await client.sign_in(world.agent)
    assert (await client.get(f"/village/{world.zhao}/card")).status_code == 404
    (card,) = await held(database)
    assert card.ended_at is None


async def test_a_door_card_only_looks(
    client: Browser, database: Database, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.transaction() as session:
        card = await build.card(session, world, world.wang, seal=client.state.seal, now=now())
        in_use = (await session.exec(cards.in_use(now()))).all()
        viewer = replace(await accounts.viewer_of(session, world.wang_account), by_card=True)
    assert [one.id for one in in_use] == [card.id]
    await client.sign_in(world.wang_account)

    async def by_card(*_args: object, **_how: object) -> Viewer:
        return viewer

    monkeypatch.setattr(accounts, "viewer_of", by_card)
    here = f"/village/{world.wang}/card"
    page = (await client.get(here)).text
    assert ("进门卡只能看" in page, "停用这张卡" in page, f"{here}/new" in page) == (True, False, False)
    assert (await client.get(f"{here}/new")).status_code == 403
    assert (await client.post(here, OWN)).status_code == 403
    assert (await client.post(f"{here}/{card.id}/stop", {"why": "lost"})).status_code == 403


async def test_the_household_hears_of_every_step(
    client: Browser, database: Database, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "yigou.sms")
    async with database.transaction() as session:
        card = await build.card(session, world, world.wang, seal=client.state.seal, now=now())
        wang = await accounts.viewer_of(session, world.wang_account)
        for _ in range(2):
            await card_changes.stop(session, wang, card.id or 0, why="lost", now=now())
        queued = text("SELECT args->>'news' FROM procrastinate_jobs WHERE task_name = 'announce_card' ORDER BY id")
        news = list((await run(session, queued)).scalars())
        for one in news:
            await tell_card(session, client.state.settings, card, one)
    assert news == ["asked", "confirmed", "stopped"]
    told = [record.getMessage() for record in caplog.records]
    assert ["还要另一个人对着卡核对" in told[0], "以后，您家卖货的钱" in told[1], "停用了" in told[2]] == [
        True,
        True,
        True,
    ]
    assert card.last_four in told[2]
