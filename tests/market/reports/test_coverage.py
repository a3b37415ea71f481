"""Which sales a payout covered, and what a refund that came after it does to the next one. Without a database."""

import random
from datetime import date, timedelta
from uuid import uuid4

import pytest

from market.books.ledger import Reason
from market.reports.coverage import Event, Part, cover

DAY = date(2026, 11, 2)


def sale(at: int, line: int, fen: int) -> Event:
    return Event(at, DAY + timedelta(days=at), Reason.SALE, line, fen, None, None)


def refund(at: int, line: int, fen: int) -> Event:
    return Event(at, DAY + timedelta(days=at), Reason.REFUND, line, -fen, uuid4(), None)


def payout(at: int, fen: int, number: int = 1) -> Event:
    return Event(at, DAY + timedelta(days=at), Reason.PAYOUT, None, -fen, None, number)


def test_a_payout_covers_the_oldest_sales_first() -> None:
    found = cover([sale(1, 1, 100), sale(2, 2, 50), payout(3, 120)])
    assert found.payouts[0].parts == [Part(1, 100), Part(2, 20)]
    assert (found.waiting, found.waiting_fen) == ({2: 30}, 30)


def test_a_refund_after_the_payout_lowers_the_next_one_and_is_named() -> None:
    found = cover([sale(1, 1, 100), payout(2, 100), refund(3, 1, 30), sale(4, 2, 50), payout(5, 20, 2)])
    assert [one.had_fen for one in found.refunds] == [30]
    assert (found.payouts[1].parts, found.payouts[1].kept_back) == ([Part(2, 20)], [Part(1, 30)])
    assert (found.waiting, found.owed, found.waiting_fen) == ({}, [], 0)


def test_what_is_owed_with_nothing_to_take_it_from_waits() -> None:
    found = cover([sale(1, 1, 100), payout(2, 100), refund(3, 1, 30)])
    assert (found.owed, found.waiting_fen) == ([Part(1, 30)], -30)


def test_a_refund_before_the_payout_takes_nothing_back() -> None:
    found = cover([sale(1, 1, 100), refund(2, 1, 30), payout(3, 70)])
    assert ([one.had_fen for one in found.refunds], found.payouts[0].kept_back) == ([0], [])


def test_a_refund_between_approval_and_money_counts_as_had() -> None:
    found = cover([sale(1, 1, 100), refund(2, 1, 30), payout(3, 100), sale(4, 2, 50)])
    assert ([one.had_fen for one in found.refunds], found.kept_back) == ([30], [Part(1, 30)])
    assert (found.waiting, found.waiting_fen) == ({2: 20}, 20)


def test_a_payout_approved_before_a_refund_is_paid_whole_and_the_next_one_lowered() -> None:
    events = [sale(1, 1, 30), payout(2, 30), sale(3, 2, 100), refund(4, 1, 30), payout(5, 100, 2), sale(6, 3, 50)]
    found = cover(events)
    assert (found.payouts[1].parts, found.payouts[1].kept_back) == ([Part(2, 100)], [])
    assert (found.kept_back, found.waiting, found.waiting_fen) == ([Part(1, 30)], {3: 20}, 20)


def test_what_the_bank_sent_back_covered_nothing() -> None:
    back = Event(3, DAY + timedelta(days=3), Reason.PAYOUT, None, 100, None, 1)
    found = cover([sale(1, 1, 100), payout(2, 100), back, payout(4, 100, 2)])
    assert [(one.parts, one.came_back_on) for one in found.payouts] == [([], back.on), ([Part(1, 100)], None)]
    assert found.waiting_fen == 0


@pytest.mark.parametrize("seed", range(40))
def test_what_waits_is_always_what_stands_in_the_book(seed: int) -> None:
    """Random sales, refunds, payouts of all that stood some entries ago, and returns."""
    chance = random.Random(seed)
    events: list[Event] = []
    left: dict[int, int] = {}
    book, stood = 0, 0
    for at in range(1, 60):
        kind = chance.choice(("sale", "sale", "refund", "approve", "pay"))
        if kind == "sale":
            events.append(sale(at, at, chance.randint(1, 100)))
            left[at] = events[-1].fen
        elif kind == "refund" and left:
            line = chance.choice(list(left))
            fen = chance.randint(1, left[line])
            events.append(refund(at, line, fen))
            left[line] -= fen
            if not left[line]:
                del left[line]
        elif kind == "approve":
            stood = max(0, book)
            continue
        elif kind == "pay" and stood:
            events.append(payout(at, stood, at))
            if chance.random() < 0.2:
                book -= stood
                events.append(Event(at, DAY + timedelta(days=at), Reason.PAYOUT, None, stood, None, at))
            stood = 0
        else:
            continue
        book += events[-1].fen
        found = cover(events)
        assert found.waiting_fen == book == sum(event.fen for event in events)
        assert sum(one.fen for one in found.sales) == sum(event.fen for event in events if event.reason is Reason.SALE)
