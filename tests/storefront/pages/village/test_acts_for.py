"""Whatever an agent does for a household leaves a row both can read: every address that changes something is walked.

An address that is not in the list below fails the first test. Say there what an agent sends to it, or why it is none.
"""

from dataclasses import dataclass, field
from io import BytesIO

import pytest
from PIL import Image
from sqlmodel import col, select

from market.books.costs import Cost, CostKind
from market.goods.disagreements import About, Disagreement
from market.goods.listings import Listing
from market.ground.clock import now
from market.ground.db import Database
from market.people import accounts, card_changes
from market.people.accounts import Account, Grant
from market.people.acts_for import ActFor, HouseholdWord
from market.people.card_changes import NewCard
from market.people.heard import Heard
from market.reports import acting_rules, oversight
from market.trade.orders import OrderLine
from market.trade.placing import Item
from tests import build
from tests.client import Browser
from tests.test_house import page_routes
from tests.world import World


@dataclass(frozen=True)
class Deed:
    """What an agent sends to one address, and which act for the household it is."""

    path: str
    act: str
    form: dict[str, str] = field(default_factory=dict)


_OFFER = {"produce": "pear", "counted": "box-5000", "quantity": "3", "price": "45", "price_for": "box-5000"}
DEEDS = {
    "/village/{household_id:int}/goods": Deed("/village/{wang}/goods", "put_up", _OFFER),
    "/village/goods/{listing_id:int}/price": Deed("/village/goods/{mutton}/price", "change_price", {"price": "36"}),
    "/village/goods/{listing_id:int}/stock": Deed("/village/goods/{mutton}/stock", "change_left", {"step": "-1"}),
    "/village/goods/{listing_id:int}/withdrawal": Deed("/village/goods/{pumpkin}/withdrawal", "withdraw"),
    "/village/goods/{listing_id:int}/restoration": Deed(
        "/village/goods/{pumpkin}/restoration", "put_back", {"quantity": "4"}
    ),
    "/village/goods/{listing_id:int}/photo": Deed("/village/goods/{mutton}/photo", "change_photo", {"removed": "1"}),
    "/village/goods/{listing_id:int}/day": Deed("/village/goods/{pumpkin}/day", "change_day", {"ready": "{today}"}),
    "/village/goods/{listing_id:int}/papers": Deed(
        "/village/goods/{mutton}/papers", "hand_in_papers", {"ask": "slaughter_point", "slaughter_point": "point"}
    ),
    "/village/{household_id:int}/means": Deed("/village/{wang}/means", "enter_means", {"sheep": "12"}),
    "/village/{household_id:int}/orders/acceptances": Deed(
        "/village/{wang}/orders/acceptances", "accept", {"lines": "{line}"}
    ),
    "/village/{household_id:int}/orders/acceptances/removal": Deed(
        "/village/{wang}/orders/acceptances/removal", "take_back", {"lines": "{line}"}
    ),
    "/village/{household_id:int}/orders/{line_id:int}/shortage": Deed(
        "/village/{wang}/orders/{line}/shortage", "say_short", {"bring": "1", "of": "2", "why": "less"}
    ),
    "/village/{household_id:int}/goods/typing": Deed(
        "/village/{wang}/goods/typing", "change_price", {"price-{mutton}": "35.5"}
    ),
    "/village/together": Deed(
        "/village/together", "put_up", {"produce": "pear", "counted": "box-5000", "price": "45", "amount-{wang}": "2"}
    ),
    "/village/{household_id:int}/costs": Deed(
        "/village/{wang}/costs", "note_cost", {"kind": "feed", "amount": "12"}
    ),
    "/village/{household_id:int}/costs/{cost_id:int}/removal": Deed(
        "/village/{wang}/costs/{cost}/removal", "remove_cost"
    ),
    "/village/{household_id:int}/costs/{cost_id:int}/restoration": Deed(
        "/village/{wang}/costs/{cost}/restoration", "restore_cost"
    ),
    "/village/{household_id:int}/card/{card_id:int}/confirmation": Deed(
        "/village/{wang}/card/{card}/confirmation", "confirm_card", {"number": build.card_number(1)}
    ),
    "/village/{household_id:int}/card": Deed(
        "/village/{wang}/card", "ask_card", {"bank": "rural", "whose": "own", "number": build.card_number(2)}
    ),
    "/village/{household_id:int}/card/{card_id:int}/stop": Deed(
        "/village/{wang}/card/{card}/stop", "stop_card", {"why": "lost"}
    ),
    "/village/goods/{listing_id:int}/disagreements/{number:int}": Deed(
        "/village/goods/{mutton}/disagreements/{disagreement}", "keep_left", {"keep": "standing"}
    ),
}  # fmt: skip
_WORD = "the household's own word, or an agent's note of it: the answer to the rows"
NO_DEEDS = {
    "/village/{household_id:int}/drafts/removal": "forgets what only this browser knew",
    "/village/{household_id:int}/acts/agreement": _WORD,
    "/village/{household_id:int}/acts/{act_id:int}/objection": _WORD,
    "/village/{household_id:int}/acts/word": _WORD,
    "/village/uploads/{name}": "a part of a photo; the act is the form it belongs to",
}
"""Addresses that change something and are no act for a household, with the reason."""


@pytest.fixture
async def places(client: Browser, database: Database, world: World) -> dict[str, object]:
    """What the addresses name: the world, a line to answer, a cost and a card of the household's own, today."""
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.mutton, 2), now=now())
        line = (await session.exec(select(OrderLine.id).where(OrderLine.order_id == placed.id))).one()
        cost = Cost(
            household_id=world.wang, spent_on=now().date(), kind=CostKind.SEED, amount_fen=900, noted_at=now()
        )  # fmt: skip
        two_words = Disagreement(
            listing_id=world.mutton, about=About.LEFT, seen=9, found=8, wanted=7, said_at=now()
        )  # fmt: skip
        session.add_all([cost, two_words])
        await session.flush()
        wang, wanted = await accounts.viewer_of(session, world.wang_account), NewCard("演示银行", build.card_number(1))
        card = await card_changes.ask(session, client.state.seal, wang, world.wang, wanted, now=now())
        return {
            **vars(world),
            "line": line,
            "cost": cost.id,
            "disagreement": two_words.id,
            "card": card.id,
            "today": "2026-11-01",
        }


async def _done(database: Database) -> list[ActFor]:
    async with database.transaction() as session:
        return list(await session.exec(select(ActFor).order_by(col(ActFor.id))))


def test_every_address_of_the_door_is_in_the_list() -> None:
    posts = {
        route.path
        for route in page_routes()
        if "GET" not in (route.methods or ()) and route.path.startswith("/village")
    }
    assert posts == DEEDS.keys() | NO_DEEDS.keys()


async def test_every_act_of_an_agent_leaves_a_row(
    client: Browser, database: Database, world: World, places: dict[str, object]
) -> None:
    await client.sign_in(world.agent)
    for count, deed in enumerate(DEEDS.values(), 1):
        filled = {name.format(**places): value.format(**places) for name, value in deed.form.items()}
        answer = await client.post(deed.path.format(**places), filled)
        assert answer.status_code == 303, f"{deed.act}: {answer.text}"
        done = await _done(database)
        assert (len(done), done[-1].act) == (count, deed.act)
    assert {(one.account_id, one.household_id, one.word_id) for one in done} == {(world.agent, world.wang, None)}
    shown = (await client.get(f"/village/{world.wang}/acts")).text
    assert [one.act for one in done if f"<strong>{one.act}" in shown] == []  # each has its sentence
    async with database.transaction() as session:
        assert await oversight.look(session, acting_rules.RULES) == []
        await session.delete(await session.get_one(ActFor, done[0].id))
    async with database.transaction() as session:
        (missing,) = await oversight.look(session, acting_rules.RULES)
        assert missing.found == done[0].act


async def test_what_a_household_does_itself_leaves_none(
    client: Browser, database: Database, world: World, places: dict[str, object]
) -> None:
    await client.sign_in(world.wang_account)
    for deed in DEEDS.values():
        filled = {name.format(**places): value.format(**places) for name, value in deed.form.items()}
        # Nobody vouches for its own land, nor for its own card; several at once is an agent's screen.
        expected = 404 if deed.act in ("enter_means", "confirm_card") or deed.path.endswith("/together") else 303
        expected = 403 if deed.path.endswith("/typing") else expected
        assert (await client.post(deed.path.format(**places), filled)).status_code == expected
    assert await _done(database) == []
    assert "等您点头" not in (await client.get(f"/village/{world.wang}/money")).text


async def test_the_household_says_yes_or_no_on_its_own_phone(client: Browser, database: Database, world: World) -> None:
    agent, here = client.another(), f"/village/{world.wang}/acts"
    await agent.sign_in(world.agent)
    for price in ("36", "37", "38"):
        await agent.post(f"/village/goods/{world.mutton}/price", {"price": price})
    first, second, third = [one.id for one in await _done(database)]
    await client.sign_in(world.wang_account)
    assert "代办员替您做了 3 件事" in (await client.get(f"/village/{world.wang}/goods")).text
    shown = (await client.get(here)).text
    assert ("羊肉的价钱从 ¥35.00 改成 ¥36.00" in shown, shown.count("等您点头")) == (True, 3)
    for _ in range(2):
        assert (await client.post(f"{here}/agreement", {"act": [first, second]})).status_code == 303
        said_no = await client.post(f"{here}/{third}/objection", {"note": "没跟我说过"})
        assert said_no.status_code == 303
    assert "没跟我说过" in (await agent.get(here)).text
    words = await _words(database)
    assert [(word.agreed, word.heard, word.account_id) for word in words] == [
        (True, Heard.OWN, world.wang_account), (False, Heard.OWN, world.wang_account),
    ]  # fmt: skip
    assert [one.word_id for one in await _done(database)] == [words[0].id, words[0].id, words[1].id]
    # Neither may speak for the other, nor for a household they have nothing to do with.
    assert (await agent.post(f"{here}/agreement", {"act": [first]})).status_code == 403
    assert (await agent.get(f"{here}/{first}/objection")).status_code == 403
    assert (await client.get(f"{here}/word")).status_code == 403
    await agent.sign_in(world.zhao_account)
    assert (await agent.get(here)).status_code == 404
    assert (await agent.post(f"/village/{world.zhao}/acts/agreement", {"act": [first]})).status_code == 404


async def test_the_agent_writes_down_a_call_or_a_sheet_and_the_household_may_still_say_no(
    client: Browser, database: Database, world: World
) -> None:
    agent, here = client.another(), f"/village/{world.wang}/acts"
    await agent.sign_in(world.agent)
    for price in ("36", "37"):
        await agent.post(f"/village/goods/{world.mutton}/price", {"price": price})
    first, second = [one.id for one in await _done(database)]
    call = {"act": [first], "agreed": "yes", "heard": "call", "spoken_to": "王样例", "number_end": "0001"}
    for wrong, said in (
        ({"act": []}, "打勾"), ({"agreed": ""}, "请选一个"), ({"number_end": "1"}, "后四位"),
        ({"spoken_to": ""}, "请填写"), ({"said_on": "2099-01-01"}, "今天以后"), ({"said_on": ""}, "请填"),
        ({"heard": "sheet", "sheet": "7"}, "还没有照片"),
    ):  # fmt: skip
        refused = await agent.post(f"{here}/word", {**call, "said_on": "2026-11-03", **wrong})
        assert (refused.status_code, said in refused.text) == (422, True), wrong
    for _ in range(2):
        assert (await agent.post(f"{here}/word", {**call, "said_on": "2026-11-03"})).status_code == 303
    sheet = {"act": [second], "agreed": "yes", "heard": "sheet", "spoken_to": "王样例", "sheet": "7"}
    photo = {"sheet_photo": ("sheet.png", _png(), "image/png")}
    await agent.post(f"{here}/word", {**sheet, "said_on": "2026-11-03"}, files=photo)
    words = await _words(database)
    assert [(word.heard, word.number_end, word.sheet) for word in words] == [
        (Heard.CALL, "0001", ""), (Heard.SHEET, "", "7"),
    ]  # fmt: skip
    await client.sign_in(world.wang_account)
    shown = (await client.get(here)).text
    assert "打电话问的：王样例，尾号 0001，11月3日（周二）" in shown
    assert (await client.get(f"{here}/sheets/{words[1].id}")).headers["content-type"] == "image/webp"
    assert (await client.get(f"{here}/sheets/{words[0].id}")).status_code == 404
    await client.post(f"{here}/{first}/objection", {"note": "没人打过电话"})
    assert [word.agreed for word in await _words(database)] == [True, True, False]


async def test_an_agent_who_leaves_is_out_with_the_next_request(
    client: Browser, database: Database, world: World
) -> None:
    agent, administrator = client.another(), client.another()
    await agent.sign_in(world.agent)
    async with database.transaction() as session:
        token = await accounts.new_token(session, await session.get_one(Account, world.agent), now=now())
        grant = (await session.exec(select(Grant.id).where(Grant.account_id == world.agent))).one()
    program = {"Authorization": f"Bearer {token}", "Idempotency-Key": "a-key-of-the-program"}
    price, body = f"/village/goods/{world.mutton}/price", {"price_fen": 3700}
    assert (await agent.post(price, {"price": "36"})).status_code == 303
    await administrator.sign_in(world.administrator)
    assert (await administrator.post(f"/operator/people/{grant}/end")).status_code == 303
    assert (await agent.post(price, {"price": "38"})).status_code == 404
    for path in (f"/village/{world.wang}/goods", f"/village/{world.wang}/acts", "/village/together", "/cards"):
        assert (await agent.get(path)).status_code == 404, path
    assert "王样例" not in (await agent.get("/village")).text
    there = f"/api/v1/listings/{world.mutton}"
    assert (await client.http.patch(there, json=body, headers=program)).status_code == 404
    async with database.transaction() as session:
        assert (await session.get_one(Listing, world.mutton)).price_fen == 3600
    # What was done stays in the trail, with the name.
    await client.sign_in(world.wang_account)
    assert "agent，" in (await client.get(f"/village/{world.wang}/acts")).text


async def _words(database: Database) -> list[HouseholdWord]:
    async with database.transaction() as session:
        return list(await session.exec(select(HouseholdWord).order_by(col(HouseholdWord.id))))


def _png() -> bytes:
    packed = BytesIO()
    Image.new("RGB", (40, 60), "white").save(packed, "PNG")
    return packed.getvalue()
