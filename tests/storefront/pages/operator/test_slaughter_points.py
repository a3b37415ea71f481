"""Slaughter points: added, changed, closed and opened again, and never outside the division."""

from collections.abc import Awaitable, Callable

from sqlmodel import select

from market.goods import slaughter_points
from market.goods.slaughter_points import SlaughterPoint
from market.ground.audit import Trace
from market.ground.db import Database
from storefront import reference
from tests.client import Browser
from tests.storefront.pages.operator.conftest import said
from tests.world import COUNTY, VILLAGE

NEW = {"name": "城北屠宰点", "place": COUNTY, "address": "城北路 1 号"}
HERE = "/operator/slaughter-points"


async def test_one_is_added_changed_closed_and_opened_again(operator: Browser, database: Database) -> None:
    assert (await operator.post(HERE, NEW)).status_code == 303
    again = await operator.post(HERE, NEW)
    assert again.status_code == 422
    assert "已经有同名的" in said(again)
    async with database.transaction() as session:
        code = (await session.exec(select(SlaughterPoint.code).where(SlaughterPoint.name == NEW["name"]))).one()
    assert NEW["address"] in said(await operator.get(HERE))
    assert (await operator.get(f"{HERE}/{code}")).status_code == 200
    assert (await operator.post(f"{HERE}/{code}", {"name": "样例屠宰点", "address": ""})).status_code == 422
    assert (await operator.post(f"{HERE}/{code}", {"name": "城北点", "address": ""})).status_code == 303
    for act, open_ones in (("closure", ["point"]), ("closure", ["point"]), ("reopening", [code, "point"])):
        assert (await operator.post(f"{HERE}/{code}/{act}")).status_code == 303
        async with database.transaction() as session:
            usable = await session.exec(slaughter_points.usable_in(VILLAGE))
            assert sorted(point.code for point in usable) == sorted(open_ones)
    async with database.transaction() as session:
        acts = list(await session.exec(select(Trace.act).where(Trace.subject == f"slaughter_point:{code}")))
        assert [act.removesuffix("_slaughter_point") for act in acts] == ["add", "change", "close", "reopen"]


async def test_wrong_input_and_other_counties(
    operator: Browser, stranger: Callable[[], Awaitable[Browser]], database: Database
) -> None:
    for wrong in ({"name": ""}, {"place": "990101"}, {"place": ""}):
        assert (await operator.post(HERE, NEW | wrong)).status_code == 422
    assert (await operator.get(f"{HERE}/new")).status_code == 200
    other = await stranger()
    assert "还没有屠宰点" in said(await other.get(HERE))
    assert (await other.get(f"{HERE}/point")).status_code == 404
    for path, form in ((f"{HERE}/point", NEW), (f"{HERE}/point/closure", {}), (f"{HERE}/point/reopening", {})):
        assert (await other.post(path, form)).status_code == 404
    async with database.transaction() as session:
        assert not (await session.get_one(SlaughterPoint, "point")).closed


async def test_reference_data_never_opens_what_was_closed(database: Database) -> None:
    async with database.transaction() as session:
        await reference.bring(session)
        (first, *_rest) = (await session.exec(select(SlaughterPoint).where(SlaughterPoint.code != "point"))).all()
        first.closed = True
        await session.flush()
        await reference.bring(session)
        assert first.closed
