"""`verify` and `reconcile` as a service manager runs them: what they print, and whether they raise an alarm."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from market.ground.db import Database, plain_url, run
from market.people import accounts
from payments import desk
from payments.records import Method, Payment
from storefront.migrations import ROOT
from tests import build
from tests.simulator import Cashier, running_cashier
from tests.world import World


@pytest.fixture(scope="module")
def own_cashier() -> Iterator[Cashier]:
    with running_cashier() as running:
        yield running


async def command(database_url: str, cashier: Cashier | None, *words: str) -> tuple[int, str]:
    """Exit code and all it said."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STRIPE_")}
    paying = {"STRIPE_SECRET_KEY": "sk_test_yigou", "STRIPE_API_BASE": cashier.url} if cashier else {}
    own = {"DATABASE_URL": plain_url(database_url), "YIGOU_DEMO": "1", "PYTHONPATH": str(ROOT), **paying}
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "storefront.commands", *words],
        cwd=ROOT, env=kept | own, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


async def paid_and_untold(database: Database, world: World, cashier: Cashier) -> Payment:
    gateway = cashier.gateway()
    async with database.transaction() as session:
        no = (await build.order(session, world, now=datetime.now(UTC))).no
        buyer = await accounts.viewer_of(session, world.buyer)
        payment = await desk.start(
            session, gateway, buyer, no, Method.ALIPAY, return_url="http://shop.test/", now=datetime.now(UTC)
        )
    await gateway.hang_up()
    await cashier.pay(payment)
    return payment


async def test_what_is_repaired_is_named_and_no_alarm(
    database: Database, database_url: str, world: World, own_cashier: Cashier
) -> None:
    await own_cashier.act("oblivion")
    payment = await paid_and_untold(database, world, own_cashier)
    code, said = await command(database_url, own_cashier, "reconcile")
    assert code == 0, said
    assert f"missing_notice: {payment.provider_id}: expected 7000, found started: repaired" in said
    assert "1 charges, 0 refunds: 1 differences, 1 repaired, 0 left." in said
    code, said = await command(database_url, own_cashier, "verify")
    assert (code, said) == (0, "Everything adds up.\n")


async def test_what_is_left_is_an_alarm(
    database: Database, database_url: str, world: World, own_cashier: Cashier
) -> None:
    await own_cashier.act("oblivion")
    payment = await paid_and_untold(database, world, own_cashier)
    async with database.transaction() as session:
        await run(session, text("UPDATE payments SET amount_fen = 6999"))
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for _ in range(2):
        code, said = await command(database_url, own_cashier, "reconcile", "--from", today)
        assert code == 1, said
        assert f"amount_differs: {payment.provider_id}: expected 6999, found 7000: open" in said
    code, said = await command(database_url, own_cashier, "reconcile", "--from", "2026-02-02", "--to", "2026-02-01")
    assert code == 1
    assert "not_a_window" in said
    code, said = await command(database_url, own_cashier, "reconcile", "--from", "yesterday")
    assert code == 2


async def test_where_nothing_is_paid_online_there_is_nothing_to_compare(database_url: str, world: World) -> None:
    code, said = await command(database_url, None, "reconcile")
    assert code == 0
    assert said == "Online payment is not set up: there is nothing to compare.\n"
