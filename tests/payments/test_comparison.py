"""What a simulator cannot be made to do: other currencies, and a provider's list against books of our choosing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from payments.comparison import OurPayment, OurRefund, Ours, compare
from payments.reconciliations import Kind
from payments.records import PaymentState, RefundState
from payments.stripe import Charged, Fate, Moved, SentBack, Statement

AT = datetime(2026, 11, 24, tzinfo=UTC)
PAID = OurPayment(UUID(int=1), "pi_1", "pi_1", 7000, PaymentState.SUCCEEDED, AT)
BACK = OurRefund(UUID(int=9), PAID.id, "re_1", 500, RefundState.SUCCEEDED, AT)
CHARGE = Charged("pi_1", PAID.id, 7000, "cny", AT)
REFUND = SentBack("re_1", BACK.id, "pi_1", 500, "cny", Fate.SUCCEEDED, AT)


def kinds(theirs: Statement, *ours: OurPayment | OurRefund) -> list[Kind]:
    payments = {found.id: found for found in ours if isinstance(found, OurPayment)}
    refunds = {found.id: found for found in ours if isinstance(found, OurRefund)}
    window = {"from_at": AT - timedelta(hours=5), "to_at": AT + timedelta(hours=5)}
    return [found.kind for found in compare(theirs, Ours(payments, refunds), **window)]


def test_what_agrees_is_not_suspected() -> None:
    assert kinds(Statement([CHARGE], [REFUND], []), PAID, BACK) == []
    assert kinds(Statement()) == []


def test_another_currency_is_never_taken_for_ours() -> None:
    charge, refund = replace(CHARGE, currency="usd"), replace(REFUND, currency="usd")
    assert kinds(Statement([charge], [refund], []), PAID, BACK) == [Kind.CURRENCY_DIFFERS] * 2
    waiting = PAID._replace(state=PaymentState.STARTED, charge_key=None)
    assert kinds(Statement([charge]), waiting) == [Kind.CURRENCY_DIFFERS]


def test_a_refund_of_a_strangers_charge_is_named_with_its_charge_only() -> None:
    charge = Charged("pi_strange", None, 300, "cny", AT)
    refund = SentBack("re_strange", None, "pi_strange", 300, "cny", Fate.SUCCEEDED, AT)
    assert kinds(Statement([charge], [refund], [])) == [Kind.UNKNOWN_CHARGE]
    assert kinds(Statement([], [refund], [])) == [Kind.UNKNOWN_REFUND]


def test_a_refund_that_failed_there_without_us_moved_nothing() -> None:
    assert kinds(Statement([], [SentBack("re_x", None, "pi_1", 5, "cny", Fate.FAILED, AT)], []), PAID) == [
        Kind.CHARGE_MISSING
    ]


def test_a_dispute_leads_to_our_payment_or_to_nobodys() -> None:
    moved = [Moved("txn_1", "adjustment", "pi_1", -7000, "cny", AT), Moved("txn_2", "adjustment", "", -1, "hkd", AT)]
    assert kinds(Statement([CHARGE], [], moved), PAID) == [Kind.OTHER_MOVEMENT] * 2
