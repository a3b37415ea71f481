"""What each line of a statement is found to be: one file with every outcome, and the sentences in between."""

import csv
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from market.ground.db import Database
from market.people import accounts
from market.trade import orders
from market.trade.orders import OrderState
from market.trade.placing import Item
from payments import desk, references
from payments.matching import Expected, Known, Owed
from payments.outcomes import Outcome, Use
from payments.records import Payment
from tests.payments.bank import Bank
from tests.world import BEGIN, World

FILE = Path(__file__).parent / "statements" / "outcomes.csv"


def slip(reference: str) -> str:
    """The reference with one character wrong."""
    return reference[:5] + ("A" if reference[5] != "A" else "B") + reference[6:]


async def told(bank: Bank, database: Database, world: World) -> dict[str, str]:
    """An order for each outcome; what the file's remarks say."""
    made = {
        "exact": await bank.promised(Item(world.mutton, 2)),
        "spaced": await bank.promised(Item(world.pear, 1)),
        "partial": await bank.promised(Item(world.pumpkin, 5), buyer=world.buyer),
        "late": await bank.promised(Item(world.pumpkin, 1), buyer=world.second_buyer),
        "first": await bank.promised(Item(world.pumpkin, 2)),
        "second": await bank.promised(Item(world.pumpkin, 4)),
        "under": await bank.promised(Item(world.millet, 1)),
        "over": await bank.promised(Item(world.pumpkin, 7)),
        "misspelt": await bank.promised(Item(world.pumpkin, 3), buyer=world.buyer),
        "guessed": await bank.promised(Item(world.pumpkin, 15)),
        "cancelled": await bank.promised(Item(world.millet, 2), buyer=world.buyer),
        "paid": await bank.promised(Item(world.mutton, 1), buyer=world.buyer),
        "number": await bank.promised(Item(world.pumpkin, 2), buyer=world.buyer),
    }
    said = {name: payment.reference or "" for name, payment in made.items()}
    async with database.transaction() as session:
        found = {name: await session.get_one(Payment, payment.id) for name, payment in made.items()}
        numbers = {name: (await orders.lock(session, payment.order_id)).no for name, payment in found.items()}
        buyer = await accounts.viewer_of(session, world.buyer)
        await desk.cancel_order(session, buyer, numbers["cancelled"], why="", now=BEGIN)
        paid = await orders.lock(session, found["paid"].order_id)
        assert await desk.complete(session, found["paid"], paid, by=None, now=BEGIN)
        late = await orders.lock(session, found["late"].order_id)
        late.expires_at = BEGIN - timedelta(minutes=1)
    async with database.transaction() as session:
        assert await orders.expire_due(session, now=BEGIN) == [numbers["late"]]
        await desk.close_left_over(session, now=BEGIN)
    spaced = said.pop("spaced")
    return said | {
        "spaced_1": spaced[:3], "spaced_2": spaced[3:], "misspelt": slip(said["misspelt"]),
        "number": numbers["number"].replace("-", ""),
    }  # fmt: skip


async def test_every_outcome_has_its_line(database: Database, world: World) -> None:
    bank = await Bank(database, world).open()
    text = FILE.read_text("utf-8").format(**await told(bank, database, world))
    expected = [line[-1] for line in csv.reader(text.splitlines()) if line[0].startswith("2026")]
    statement_id = await bank.bring(text.encode("gb18030"), "outcomes.csv")
    assert [row.outcome.value for row in await bank.rows(statement_id)] == expected


@dataclass
class Moved:
    """A line to match."""

    amount_fen: int
    memo: str = ""
    name: str = ""
    currency: str = "CNY"
    serial: str = ""


def expected(fen: int, *names: str, state: OrderState = OrderState.CONFIRMED, **more: bool) -> Expected:
    return Expected(
        uuid4(), references.new(), "261103-AAAA-BBBB", state, fen, waits=more.get("waits", True),
        has_parts=more.get("has_parts", False), names=frozenset(names),
    )  # fmt: skip


def test_a_payer_called_like_the_unit_may_pay_all_of_it_at_once() -> None:
    one, other = expected(7000, "离石区人社局"), expected(4500, "离石区人社局")
    found = Known([one, other]).match(Moved(11500, name="离石区人社局（食堂专户）"))
    assert found.outcome is Outcome.GUESSED
    assert {proposal.payment_id for proposal in found.proposals} == {one.payment_id, other.payment_id}


def test_when_two_sums_fit_nothing_is_proposed() -> None:
    waiting = [expected(7000, "离石区人社局"), expected(7000, "离石区人社局")]
    found = Known(waiting).match(Moved(7000, name="离石区人社局"))
    assert (found.outcome, found.proposals) == (Outcome.GUESSED, ())


def test_a_strangers_right_amount_proves_nothing() -> None:
    assert Known([expected(7000, "离石区人社局")]).match(Moved(7000, name="某公司")).outcome is Outcome.NO_REFERENCE


def test_a_misspelt_reference_needs_the_right_amount() -> None:
    one = expected(7000)
    assert Known([one]).match(Moved(7000, slip(one.reference))).outcome is Outcome.MISSPELT
    assert Known([one]).match(Moved(7001, slip(one.reference))).outcome is Outcome.NO_REFERENCE


def test_more_than_is_due_may_mean_another_order_of_the_same_payer() -> None:
    one, other = expected(7000, "人社局"), expected(4500, "人社局")
    found = Known([one, other]).match(Moved(11500, one.reference))
    assert found.outcome is Outcome.OVER
    assert [(each.payment_id, each.amount_fen) for each in found.proposals] == [
        (one.payment_id, 7000), (other.payment_id, 4500),
    ]  # fmt: skip


def test_a_part_of_what_no_longer_waits_is_for_a_person() -> None:
    one = expected(7000, waits=False)
    assert Known([one]).match(Moved(3000, one.reference)).outcome is Outcome.FREED


def test_several_references_that_do_not_add_up_are_for_a_person() -> None:
    one, other = expected(7000), expected(4500)
    memo = f"{one.reference} {other.reference}"
    assert Known([one, other]).match(Moved(11500, memo)).outcome is Outcome.SEVERAL
    assert Known([one, other]).match(Moved(11400, memo)).outcome is Outcome.UNDER
    assert Known([one, other]).match(Moved(11600, memo)).outcome is Outcome.OVER


@pytest.mark.parametrize(
    ("fen", "outcome"),
    [
        (7000, Outcome.EXACT),
        (6999, Outcome.UNDER),
        (6300, Outcome.UNDER),
        (6299, Outcome.PARTIAL),
        (7001, Outcome.OVER),
    ],
)
def test_how_much_counts_as_a_slip(fen: int, outcome: Outcome) -> None:
    one = expected(7000)
    assert Known([one]).match(Moved(fen, one.reference)).outcome is outcome


def test_money_that_went_is_a_refund_by_its_reference_or_the_banks_number() -> None:
    owed = [Owed(uuid4(), references.new(), 3000, frozenset({"刘样例"})) for _ in range(2)]
    done = Owed(uuid4(), references.new(), 800, serial="B77", is_done=True)
    known = Known([], [*owed, done])
    first = known.match(Moved(-3000, f"退款{owed[0].reference}"))
    assert (first.outcome, first.proposals[0].refund_id) == (Outcome.REFUND, owed[0].refund_id)
    by_name = known.match(Moved(-3000, "退款", "刘样例"))
    assert (by_name.outcome, by_name.proposals[0].refund_id) == (Outcome.OUTGOING, owed[1].refund_id)
    recorded = known.match(Moved(-800, serial="B77"))
    assert (recorded.outcome, recorded.proposals[0].use) == (Outcome.REFUND, Use.REFUND)
    assert known.match(Moved(-799, "手续费")).proposals == ()


def test_a_refund_that_came_back_is_recognised_by_what_the_bank_says() -> None:
    went = Owed(uuid4(), references.new(), 3000, frozenset({"刘样例"}), is_done=True)
    found = Known([], [went]).match(Moved(3000, "退汇：账号户名不符", "刘样例"))
    assert (found.outcome, found.proposals[0].refund_id) == (Outcome.BOUNCED, went.refund_id)
    assert Known([], [went]).match(Moved(3000, "货款", "刘样例")).outcome is Outcome.NO_REFERENCE
