"""对账 on the desk: asked for, read in plain words, dealt with by those of the county, and nobody else."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest_asyncio
from sqlalchemy import text
from sqlmodel import select

from market.ground.audit import Trace
from market.ground.db import Database, run
from payments.reconcile import Window, reconcile
from payments.reconciliations import Condition, Difference, Kind, Reconciliation
from payments.records import Refund, RefundState, of_order
from storefront import jobs
from storefront.pages.desk.differing import CONDITIONS, KINDS, LED, MEANINGS, said
from tests import build
from tests.client import Browser
from tests.simulator import Cashier
from tests.world import COUNTY, World


def now() -> datetime:
    return datetime.now(UTC)


@pytest_asyncio.fixture
async def found(database: Database, world: World) -> dict[str, int]:
    """A comparison that found a dispute of our county's, a stranger's charge, and one that is repaired."""
    async with database.transaction() as session:
        placed = await build.cash_order(session, world)
        payment = (await session.exec(of_order(placed.id))).one()
        made = Reconciliation(
            from_at=now() - timedelta(days=3), to_at=now(), started_at=now(), ended_at=now(), charge_count=12,
            refund_count=3, found_count=3, repaired_count=1, left_count=2,
        )  # fmt: skip
        session.add(made)
        await session.flush()

        def differs(kind: Kind, county: str | None, condition: Condition, found: str) -> Difference:
            return Difference(
                kind=kind, subject=f"x_{kind}", expected="", found=found, at=now(), county_code=county,
                payment_id=payment.id if county else None, condition=condition, first_id=made.id or 0,
                last_id=made.id or 0, found_at=now(),
            )  # fmt: skip

        rows = {
            "dispute": differs(Kind.OTHER_MOVEMENT, COUNTY, Condition.OPEN, "adjustment -7000 cny"),
            "strange": differs(Kind.UNKNOWN_CHARGE, None, Condition.OPEN, "5000"),
            "healed": differs(Kind.MISSING_NOTICE, COUNTY, Condition.REPAIRED, "started"),
        }
        session.add_all(rows.values())
        await session.flush()
    return {name: row.id or 0 for name, row in rows.items()}


async def test_every_kind_and_condition_has_words() -> None:
    assert set(MEANINGS) == set(Kind)
    assert set(CONDITIONS) == set(Condition)
    assert all(meaning.name and meaning.means and meaning.to_do for meaning in MEANINGS.values())
    assert len(LED) == 4
    assert KINDS
    assert [said(Kind.UNKNOWN_CHARGE, value) for value in ("", "nothing", "5000", "started", "cancelled")] == [
        "没有", "没有", "¥50.00", "等待付款", "已关闭",
    ]  # fmt: skip
    assert said(Kind.MISSING_REFUND_NOTICE, "pending") == "正在退"
    assert said(Kind.MISSING_REFUND_NOTICE, "waiting") == "正在办理"
    assert said(Kind.OTHER_MOVEMENT, "adjustment -7000 cny") == "-¥70.00"
    assert said(Kind.OTHER_MOVEMENT, "adjustment -7000 hkd") == "adjustment -7000 hkd"
    assert said(Kind.CURRENCY_DIFFERS, "usd") == "usd"


async def test_the_list_says_what_differs_and_is_filtered(
    client: Browser, database: Database, world: World, found: dict[str, int]
) -> None:
    await client.sign_in(world.accountant)
    shown = (await client.get("/desk/reconciliations")).text
    for word in (
        "收款方自己动了钱",
        "收到一笔不认识的钱",
        "-¥70.00",
        "¥50.00",
        "12 笔",
        "2 处等人处理",
        "自动",
    ):
        assert word in shown
    assert "付款的通知没有到" not in shown
    assert "付款的通知没有到" in (await client.get("/desk/reconciliations?only=repaired")).text
    assert "没有这样的" in (await client.get("/desk/reconciliations?only=gone")).text
    assert (await client.get("/desk/reconciliations?only=nonsense")).status_code == 422


async def test_a_difference_is_explained_and_dealt_with_once(
    client: Browser, database: Database, world: World, found: dict[str, int]
) -> None:
    await client.sign_in(world.officer)
    here = f"/desk/differences/{found['dispute']}"
    shown = (await client.get(here)).text
    assert "买家向银行申诉" in shown
    assert "/desk/payments/" in shown
    assert "记成我们的退款" not in shown
    answer = await client.post(f"{here}/settlement", {"why": "  "})
    assert answer.status_code == 422
    assert "请填写这一项" in answer.text
    assert (await client.post(f"{here}/settlement", {"why": "和银行谈好了"})).status_code == 303
    assert (await client.post(f"{here}/settlement", {"why": "又一次"})).status_code == 409
    shown = (await client.get(here)).text
    for word in ("有人处理了", "和银行谈好了", "officer"):
        assert word in shown
    assert 'name="why"' not in shown
    async with database.transaction() as session:
        traces = (await session.exec(select(Trace).where(Trace.act == "deal_with_difference"))).all()
        assert [trace.account_id for trace in traces] == [world.officer]
    assert "收款方自己动了钱" not in (await client.get("/desk/reconciliations")).text


async def test_an_accountant_is_led_to_no_page_that_is_not_theirs(
    client: Browser, world: World, found: dict[str, int]
) -> None:
    await client.sign_in(world.accountant)
    shown = (await client.get(f"/desk/differences/{found['dispute']}")).text
    assert "/desk/payments/" not in shown
    assert "/desk/income" not in shown


async def test_others_find_nothing_here(client: Browser, world: World, found: dict[str, int]) -> None:
    for who in (world.township_accountant, world.township_officer):
        await client.sign_in(who)
        shown = (await client.get("/desk/reconciliations")).text
        assert "对账由县区办理" in shown
        assert "收款方自己动了钱" not in shown
        assert (await client.get(f"/desk/differences/{found['strange']}")).status_code == 404
        assert (await client.post(f"/desk/differences/{found['strange']}/settlement", {"why": "x"})).status_code == 404
        assert (await client.post("/desk/reconciliations")).status_code == 403
    await client.sign_in(world.buyer)
    assert (await client.get("/desk/reconciliations")).status_code == 404
    assert (await client.post("/desk/reconciliations")).status_code == 404


async def test_before_the_first_comparison_the_page_says_so(client: Browser, world: World) -> None:
    await client.sign_in(world.accountant)
    shown = (await client.get("/desk/reconciliations")).text
    assert "这里没有开通线上收款" in shown
    assert "现在对一次" not in shown


async def test_now_is_done_once_by_the_worker_in_the_name_of_who_asked(paying_client: Browser, world: World) -> None:
    await paying_client.sign_in(world.accountant)
    assert "还没有对过账" in (await paying_client.get("/desk/reconciliations")).text
    for said_then in ("已经排上", "不用再点"):
        await paying_client.post("/desk/reconciliations")
        assert said_then in (await paying_client.get("/desk/reconciliations")).text
    app = jobs.make_app(paying_client.state)
    async with app.open_async():
        await app.run_worker_async(wait=False, install_signal_handlers=False, queues=["default"])
    async with paying_client.state.database.transaction() as session:
        (made,) = (await session.exec(select(Reconciliation))).all()
        assert (made.account_id, made.ended_at is not None) == (world.accountant, True)
    assert "accountant" in (await paying_client.get("/desk/reconciliations")).text


async def test_a_refund_made_in_the_dashboard_is_booked_from_its_page(
    paying_client: Browser, world: World, cashier: Cashier
) -> None:
    """The whole way: paid, told, refunded behind our back, compared, booked with a reason."""
    state = paying_client.state
    await paying_client.sign_in(world.accountant)
    payment_id, difference_id = await refunded_behind_our_back(paying_client, world, cashier)
    here = f"/desk/differences/{difference_id}"
    assert "这里只是补记账" in (await paying_client.get(here)).text
    assert (await paying_client.post(f"{here}/refund", {"reason": ""})).status_code == 422
    assert (await paying_client.post(f"{here}/refund", {"reason": "店里的人在后台退的"})).status_code == 303
    async with state.database.transaction() as session:
        refund = (await session.exec(select(Refund).where(Refund.payment_id == payment_id))).one()
        assert (refund.amount_fen, refund.requested_by) == (2500, world.accountant)
        assert refund.state in (RefundState.PENDING, RefundState.SUCCEEDED)
    shown = (await paying_client.get(here)).text
    assert "已经补好" in shown
    assert "店里的人在后台退的" in shown
    answer = await paying_client.post(f"{here}/refund", {"reason": "再来"})
    assert answer.status_code == 303
    assert "不用再记" in (await paying_client.get(here)).text


async def refunded_behind_our_back(client: Browser, world: World, cashier: Cashier) -> tuple[UUID, int]:
    began = now() - timedelta(seconds=1)
    async with client.state.database.transaction() as session:
        placed = await build.cash_order(session, world, now=now())
        payment = (await session.exec(of_order(placed.id))).one()
        made = await cashier.charge(7000)
        moved = text("UPDATE payments SET rail = 'stripe', provider_id = :key, charge_key = :key")
        await run(session, text("SET LOCAL session_replication_role = replica"))
        await run(session, moved, {"key": made})
        await run(session, text("UPDATE postings SET rail = 'stripe', holder_id = NULL WHERE rail = 'cash'"))
    await cashier.call("refunds", payment_intent=made, amount=2500)
    window = Window(began, now() + timedelta(seconds=1))
    await reconcile(client.state.database, client.state.gateway, window, now=now())
    async with client.state.database.transaction() as session:
        mine = select(Difference).where(Difference.payment_id == payment.id)
        difference = (await session.exec(mine)).one()
        assert difference.kind is Kind.UNKNOWN_REFUND
        return payment.id, difference.id or 0
