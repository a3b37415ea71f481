"""Whatever an agent does for a household leaves a row both can read: every address that changes something is walked.

An address that is not in the list below fails the first test. Say there what an agent sends to it, or why it is none.
"""

from dataclasses import dataclass, field

import pytest
from fastapi.routing import APIRoute
from sqlmodel import col, select

from market.books.costs import Cost, CostKind
from market.ground.clock import now
from market.ground.db import Database
from market.people.acts_for import ActFor
from market.trade.orders import OrderLine
from market.trade.placing import Item
from storefront.pages import routers
from tests import build
from tests.client import Browser
from tests.world import World


@dataclass(frozen=True)
class Deed:
    """What an agent sends to one address, and which act for the household it is."""

    path: str
    act: str
    form: dict[str, str] = field(default_factory=dict)


_OFFER = {"produce": "pear", "counted": "box-5000", "quantity": "3", "price": "45", "price_for": "box-5000"}
DEEDS = {
    "/village/{household_id:int}/goods": Deed("/village/{wang}/goods", "put_up", {**_OFFER, "key": "once"}),
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
    "/village/{household_id:int}/orders/{line_id:int}/shortage": Deed(
        "/village/{wang}/orders/{line}/shortage", "say_short", {"bring": "1", "of": "2", "why": "less"}
    ),
    "/village/{household_id:int}/costs": Deed(
        "/village/{wang}/costs", "note_cost", {"kind": "feed", "amount": "12", "key": "cost"}
    ),
    "/village/{household_id:int}/costs/{cost_id:int}/removal": Deed(
        "/village/{wang}/costs/{cost}/removal", "remove_cost"
    ),
    "/village/{household_id:int}/costs/{cost_id:int}/restoration": Deed(
        "/village/{wang}/costs/{cost}/restoration", "restore_cost"
    ),
}  # fmt: skip
NO_DEEDS: dict[str, str] = {}
"""Addresses that change something and are no act for a household, with the reason."""


@pytest.fixture
async def places(database: Database, world: World) -> dict[str, object]:
    """What the addresses name: the world, a line to answer, a cost of the household's own, today."""
    async with database.transaction() as session:
        placed = await build.cash_order(session, world, Item(world.mutton, 2), now=now())
        line = (await session.exec(select(OrderLine.id).where(OrderLine.order_id == placed.id))).one()
        cost = Cost(
            household_id=world.wang, spent_on=now().date(), kind=CostKind.SEED, amount_fen=900, noted_at=now()
        )  # fmt: skip
        session.add(cost)
        await session.flush()
        return {**vars(world), "line": line, "cost": cost.id, "today": "2026-11-01"}


async def _done(database: Database) -> list[ActFor]:
    async with database.transaction() as session:
        return list(await session.exec(select(ActFor).order_by(col(ActFor.id))))


def test_every_address_of_the_door_is_in_the_list() -> None:
    posts = {
        route.path
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute) and "GET" not in (route.methods or ()) and route.path.startswith("/village")
    }
    assert posts == DEEDS.keys() | NO_DEEDS.keys()


async def test_every_act_of_an_agent_leaves_a_row(
    client: Browser, database: Database, world: World, places: dict[str, object]
) -> None:
    await client.sign_in(world.agent)
    for count, deed in enumerate(DEEDS.values(), 1):
        filled = {name: value.format(**places) for name, value in deed.form.items()}
        answer = await client.post(deed.path.format(**places), filled)
        assert answer.status_code == 303, f"{deed.act}: {answer.text}"
        done = await _done(database)
        assert (len(done), done[-1].act) == (count, deed.act)
    assert {(one.account_id, one.household_id, one.word_id) for one in done} == {(world.agent, world.wang, None)}


async def test_what_a_household_does_itself_leaves_none(
    client: Browser, database: Database, world: World, places: dict[str, object]
) -> None:
    await client.sign_in(world.wang_account)
    for deed in DEEDS.values():
        filled = {name: value.format(**places) for name, value in deed.form.items()}
        assert (await client.post(deed.path.format(**places), filled)).status_code == 303
    assert await _done(database) == []
