from pathlib import Path

import pytest
import stripe

from tests.payments.simulator.runs import Running, running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lists")


async def test_pages_follow_each_other_without_gap(folder: Path) -> None:
    async with running(folder / "pages.sqlite3") as simulator:
        ids = [(await simulator.card(1_000 + number)).id for number in range(7)]
        first = await simulator.api.payment_intents.list_async({"limit": 3})
        assert [item.id for item in first.data] == ids[:3:-1]
        assert first.has_more
        everything = [item.id async for item in first.auto_paging_iter()]
        assert everything == ids[::-1]
        back = await simulator.api.payment_intents.list_async({"limit": 3, "ending_before": ids[2]})
        assert [item.id for item in back.data] == ids[5:2:-1]
        assert back.has_more
        last = await simulator.api.payment_intents.list_async({"starting_after": ids[0]})
        assert (last.data, last.has_more) == ([], False)


async def test_the_balance_of_a_window_adds_up(simulator: Running) -> None:
    since = (await simulator.card(9_000)).created
    paid = await simulator.paid_alipay(7_000)
    refund = await simulator.api.refunds.create_async({"payment_intent": paid.id, "amount": 2_000})
    listed = await simulator.api.balance_transactions.list_async(
        {"created": {"gte": since, "lte": refund.created}, "limit": 1, "expand": ["data.source"]}
    )
    found = {
        item.source.id: item
        async for item in listed.auto_paging_iter()
        if not isinstance(item.source, str) and item.source
    }
    charge = found[str(paid.latest_charge)]
    assert (charge.amount, charge.net) == (7_000, 7_000 - charge.fee)
    assert isinstance(charge.source, stripe.Charge)
    assert charge.source.payment_intent == paid.id
    back = found[refund.id]
    assert isinstance(back.source, stripe.Refund)
    assert (back.amount, back.type, back.reporting_category) == (-2_000, "payment_refund", "refund")
    later = await simulator.api.balance_transactions.list_async({"created": {"gt": refund.created + 60}})
    assert later.data == []


async def test_refunds_and_charges_of_one_payment(simulator: Running) -> None:
    paid = await simulator.paid_alipay(7_000)
    refunds = [
        await simulator.api.refunds.create_async({"payment_intent": paid.id, "amount": fen}) for fen in (500, 700)
    ]
    listed = await simulator.api.refunds.list_async({"payment_intent": paid.id})
    assert [item.id for item in listed.data] == [item.id for item in refunds[::-1]]
    same = await simulator.api.refunds.list_async({"charge": str(paid.latest_charge)})
    assert [item.id for item in same.data] == [item.id for item in listed.data]


async def test_expanding_goes_as_deep_as_asked(simulator: Running) -> None:
    paid = await simulator.paid_alipay()
    known = await simulator.api.payment_intents.retrieve_async(
        paid.id, {"expand": ["latest_charge.balance_transaction", "payment_method"]}
    )
    assert isinstance(known.latest_charge, stripe.Charge)
    assert isinstance(known.latest_charge.balance_transaction, stripe.BalanceTransaction)
    assert isinstance(known.payment_method, stripe.PaymentMethod)
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        await simulator.api.payment_intents.retrieve_async(paid.id, {"expand": ["metadata"]})


async def test_events_are_found_by_kind(simulator: Running) -> None:
    paid = await simulator.paid_alipay()
    listed = await simulator.api.events.list_async({"type": "payment_intent.succeeded", "limit": 1})
    event = listed.data[0]
    assert event.data.object.id == paid.id
    known = await simulator.api.events.retrieve_async(event.id)
    assert known.data.object.to_dict() == event.data.object.to_dict()
    both = await simulator.api.events.list_async(
        {"types": ["charge.succeeded", "payment_intent.succeeded"], "limit": 2}
    )
    assert {item.type for item in both.data} == {"charge.succeeded", "payment_intent.succeeded"}


async def test_wrong_pages_are_refused(simulator: Running) -> None:
    list_ = simulator.api.payment_intents.list_async
    for limit in (0, 101):
        with pytest.raises(stripe.InvalidRequestError) as refusal:
            await list_({"limit": limit})
        assert refusal.value.param == "limit"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await list_({"starting_after": "pi_nobody"})
    assert refusal.value.code == "resource_missing"
    with pytest.raises(stripe.InvalidRequestError) as refusal:
        await list_({"starting_after": "pi_a", "ending_before": "pi_b"})
    assert refusal.value.param == "ending_before"
