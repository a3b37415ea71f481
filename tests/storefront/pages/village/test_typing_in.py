"""A paper sheet typed in: all of it or nothing, with the household's thumb beside it."""

from io import BytesIO

from PIL import Image
from sqlmodel import col, select

from market.goods.listings import Listing, ListingState
from market.goods.stock import Stock
from market.ground.db import Database
from market.people.acts_for import ActFor, HouseholdWord
from tests.client import Browser
from tests.world import World

SIGNED = {"sheet": "0001-1128", "spoken_to": "王样例", "said_on": "2026-11-03"}


def _photo() -> dict[str, tuple[str, bytes, str]]:
    packed = BytesIO()
    Image.new("RGB", (40, 60), "white").save(packed, "PNG")
    return {"sheet_photo": ("sheet.png", packed.getvalue(), "image/png")}


async def test_a_signed_sheet_is_done_line_by_line_and_agreed_to(
    client: Browser, database: Database, world: World
) -> None:
    await client.sign_in(world.agent)
    here = f"/village/{world.wang}/goods/typing"
    assert "照王样例家的单子录入" in (await client.get(here)).text
    form = {
        f"left-{world.mutton}": "40", f"price-{world.mutton}": "36", f"stop-{world.last_leg}": "1",
        "new-1": "millet:jin", "many-1": "30", "cost-1": "8.5",
    }  # fmt: skip
    assert (await client.post(here, {**form, **SIGNED}, files=_photo())).status_code == 303
    async with database.transaction() as session:
        mutton, stock = await session.get_one(Listing, world.mutton), await session.get_one(Stock, world.mutton)
        assert (mutton.price_fen, stock.left) == (3600, 40)
        assert (await session.get_one(Listing, world.last_leg)).state is ListingState.WITHDRAWN
        new = (await session.exec(select(Listing).order_by(col(Listing.id).desc()).limit(1))).one()
        assert (new.produce_code, new.household_id, new.price_fen) == ("millet", world.wang, 850)
        acts = (await session.exec(select(ActFor).order_by(col(ActFor.id)))).all()
        assert [act.act for act in acts] == ["change_price", "change_left", "withdraw", "put_up"]
        word = (await session.exec(select(HouseholdWord))).one()
        assert (word.heard, word.sheet, word.agreed) == ("sheet", "0001-1128", True)
        assert {act.word_id for act in acts} == {word.id}


async def test_a_slip_leaves_everything_as_it_was(client: Browser, database: Database, world: World) -> None:
    await client.sign_in(world.agent)
    here = f"/village/{world.wang}/goods/typing"
    good = {f"price-{world.mutton}": "36"}
    for wrong, said in (
        ({f"price-{world.pumpkin}": "9000"}, "价格太高"), ({f"left-{world.pumpkin}": "x"}, "请填数字"),
        ({f"left-{world.pumpkin}": "999999"}, "数量太大"),
        ({"new-1": "millet:jin", "many-1": "", "cost-1": "8"}, "请填写"),
        ({"new-2": "millet:jin", "many-2": "3", "cost-2": "0"}, "要大于 0"), ({"new-3": "gold:jin"}, "没有这个品种"),
    ):  # fmt: skip
        refused = await client.post(here, {**good, **wrong, **SIGNED})
        assert (refused.status_code, said in refused.text) == (422, True), wrong
    unsigned = await client.post(here, {**good, **SIGNED, "spoken_to": ""}, files=_photo())
    assert (unsigned.status_code, "请填写" in unsigned.text) == (422, True)
    assert (await client.post(here, {**SIGNED})).status_code == 422
    async with database.transaction() as session:
        assert (await session.exec(select(ActFor))).all() == []
    # Without a photo it is typed in all the same, and the yes is asked for later.
    assert (await client.post(here, {**good, **SIGNED})).status_code == 303
    assert "1 件事没问过" in (await client.get(f"/village/{world.wang}/goods")).text
