"""Door cards: printed, knocked with, vouched for, voided; and never more than a way into the household's own pages."""

from datetime import timedelta

import pytest
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.audit import Trace
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotAllowed, NotFound, NotMovable, OverLimit, PhoneFirst, TooManyTries
from market.people import accounts, card_changes, consent, door_cards, door_devices, door_lists
from market.people.accounts import Account, Grant, Role, Viewer
from market.people.card_changes import NewCard
from market.people.door_cards import DoorCard, Printed, Why
from market.people.door_devices import DoorDevice, Known, Vouch
from market.people.door_lists import Only
from market.people.heard import Heard, Word
from market.people.households import Household
from tests import build
from tests.world import BEGIN, World

TODAY = day_of(BEGIN)
CALLED = Word(Heard.CALL, number_end="0001")


async def agent_of(session: AsyncSession, world: World) -> Viewer:
    return await accounts.viewer_of(session, world.agent)


async def printed(session: AsyncSession, world: World, *, home: int = 0) -> tuple[Printed, DoorCard]:
    by = await agent_of(session, world)
    (made,) = await door_cards.print_for(session, by, [home or world.liu], now=BEGIN)
    return made, await door_cards.found(session, made.secret, on=TODAY)


async def let_in(session: AsyncSession, world: World, card: DoorCard, phone: str = "phone") -> Known:
    by = await agent_of(session, world)
    known = await door_devices.knock(session, card, phone, kind="android", now=BEGIN)
    await door_devices.confirm(session, by, known.device.id or 0, Vouch(known.device.number, CALLED), now=BEGIN)
    return await door_devices.knock(session, card, phone, kind="android", now=BEGIN)


async def test_a_card_lets_its_household_in_and_is_less_than_a_phone(session: AsyncSession, world: World) -> None:
    made, card = await printed(session, world)
    assert made.secret not in repr(card)
    known = await let_in(session, world, card)
    viewer = await door_devices.viewer_of(session, known.device.id or 0, on=TODAY)
    assert (viewer.household_ids, viewer.by_card, viewer.phone, viewer.name) == ([world.liu], True, "", "刘样例")
    assert viewer.roles == {Role.HOUSEHOLD}
    with pytest.raises(PhoneFirst):
        accounts.must_be_proven(viewer, "change_card")
    with pytest.raises(PhoneFirst):
        await door_cards.print_for(session, viewer, [world.liu], now=BEGIN)
    account = await session.get_one(Account, viewer.id)
    assert account.phone is None
    assert await accounts.phones_of(session, world.liu) == []


async def test_a_card_at_the_door_never_changes_where_the_money_goes(session: AsyncSession, world: World) -> None:
    _made, card = await printed(session, world)
    device_id = (await let_in(session, world, card)).device.id or 0
    viewer = await door_devices.viewer_of(session, device_id, on=TODAY)
    wanted = NewCard("演示信用社", build.card_number(7))
    with pytest.raises(PhoneFirst):
        await card_changes.ask(session, build.SEAL, viewer, world.liu, wanted, now=BEGIN)
    by = await agent_of(session, world)
    asked = await card_changes.ask(session, build.SEAL, by, world.liu, wanted, now=BEGIN)
    with pytest.raises(PhoneFirst):
        await card_changes.stop(session, viewer, asked.id or 0, why="", now=BEGIN)


async def test_a_phone_that_nobody_vouched_for_stays_outside(session: AsyncSession, world: World) -> None:
    _made, card = await printed(session, world)
    known = await door_devices.knock(session, card, "phone", kind="android", now=BEGIN)
    assert not (await door_devices.viewer_of(session, known.device.id or 0, on=TODAY)).signed_in
    with pytest.raises(NotAllowed):
        await door_devices.come_in(session, card, known, now=BEGIN)
    twice = await door_devices.knock(session, card, "phone", kind="android", now=BEGIN)
    assert twice.device.id == known.device.id
    (knock,) = await door_devices.waiting(session, await agent_of(session, world), now=BEGIN)
    assert (knock.device.id, knock.household.id, knock.village, knock.before) == (
        known.device.id, world.liu, "梁家墕", "",
    )  # fmt: skip
    assert await door_devices.waiting(session, await accounts.viewer_of(session, world.buyer), now=BEGIN) == []
    much_later = BEGIN + timedelta(days=4)
    assert await door_devices.waiting(session, await agent_of(session, world), now=much_later) == []


@pytest.mark.parametrize(
    ("number", "word", "field"),
    [
        ("", CALLED, "number"),
        ("12345", CALLED, "number"),
        (None, Word(Heard.CALL), "number_end"),
        (None, Word(Heard.CALL, number_end="12a4"), "number_end"),
        (None, Word(Heard.SHEET), "sheet"),
    ],
)
async def test_a_word_that_could_not_be_followed_up_lets_nobody_in(
    session: AsyncSession, world: World, number: str | None, word: Word, field: str
) -> None:
    _made, card = await printed(session, world)
    known = await door_devices.knock(session, card, "phone", kind="", now=BEGIN)
    vouch = Vouch(known.device.number if number is None else number, word)
    with pytest.raises(Malformed) as refused:
        await door_devices.confirm(session, await agent_of(session, world), known.device.id or 0, vouch, now=BEGIN)
    assert refused.value.field == field


async def test_an_agent_never_vouches_for_their_own_phone(session: AsyncSession, world: World) -> None:
    _made, card = await printed(session, world)
    known = await door_devices.knock(session, card, "the agent's", kind="", now=BEGIN)
    vouch = Vouch(known.device.number, Word(Heard.PRESENT), device_hash="the agent's")
    with pytest.raises(NotAllowed):
        await door_devices.confirm(session, await agent_of(session, world), known.device.id or 0, vouch, now=BEGIN)


async def test_a_confirmation_ends_with_the_service_of_whoever_gave_it(session: AsyncSession, world: World) -> None:
    """The one who could have let in a phone of their own is the one who leaves."""
    _made, card = await printed(session, world)
    device_id = (await let_in(session, world, card)).device.id or 0
    administrator = await accounts.viewer_of(session, world.administrator)
    held = (await session.exec(select(Grant).where(Grant.account_id == world.agent))).one()
    await accounts.end_grant(session, administrator, held.id or 0, now=BEGIN)
    assert not (await door_devices.viewer_of(session, device_id, on=TODAY)).signed_in
    again = await door_devices.knock(session, card, "phone", kind="android", now=BEGIN)
    assert not again.is_open
    (knock,) = await door_devices.waiting(session, administrator, now=BEGIN)
    assert knock.before == "agent"
    vouch = Vouch(again.device.number, Word(Heard.PRESENT))
    await door_devices.confirm(session, administrator, device_id, vouch, now=BEGIN)
    assert (await door_devices.viewer_of(session, device_id, on=TODAY)).household_ids == [world.liu]


async def test_printing_anew_voids_the_old_card_and_whoever_is_in_by_it(session: AsyncSession, world: World) -> None:
    old, card = await printed(session, world)
    device_id = (await let_in(session, world, card)).device.id or 0
    new, fresh = await printed(session, world)
    assert new.secret != old.secret
    assert fresh.account_id == card.account_id
    with pytest.raises(NotFound):
        await door_cards.found(session, old.secret, on=TODAY)
    assert not (await door_devices.viewer_of(session, device_id, on=TODAY)).signed_in
    assert (await let_in(session, world, fresh)).is_open


async def test_a_lost_card_opens_nothing_and_a_new_one_does(session: AsyncSession, world: World) -> None:
    made, card = await printed(session, world)
    device_id = (await let_in(session, world, card)).device.id or 0
    for why in (Why.LOST, Why.RETURNED):
        await door_cards.revoke(session, await agent_of(session, world), card.id or 0, why, now=BEGIN)
    assert (card.why, card.revoked_by) == (Why.LOST, world.agent)
    with pytest.raises(NotFound):
        await door_cards.found(session, made.secret, on=TODAY)
    assert not (await door_devices.viewer_of(session, device_id, on=TODAY)).signed_in
    live = select(Grant).where(Grant.account_id == card.account_id, col(Grant.ended_at).is_(None))
    assert (await session.exec(live)).all() == []
    vouch = Vouch("0000", Word(Heard.PRESENT))
    with pytest.raises(NotMovable):
        await door_devices.confirm(session, await agent_of(session, world), device_id, vouch, now=BEGIN)
    _new, fresh = await printed(session, world)
    assert (await let_in(session, world, fresh)).is_open


async def test_a_card_grows_old(session: AsyncSession, world: World) -> None:
    made, card = await printed(session, world)
    known = await let_in(session, world, card)
    after = TODAY + door_cards.GOOD_FOR + timedelta(days=1)
    with pytest.raises(NotFound):
        await door_cards.found(session, made.secret, on=after)
    assert not (await door_devices.viewer_of(session, known.device.id or 0, on=after)).signed_in


async def test_a_family_has_three_phones_and_a_crowd_waits_outside(session: AsyncSession, world: World) -> None:
    _made, card = await printed(session, world)
    by = await agent_of(session, world)
    family = [await let_in(session, world, card, f"phone {at}") for at in range(door_devices.MOST_DEVICES)]
    fourth = await door_devices.knock(session, card, "fourth", kind="", now=BEGIN)
    vouch = Vouch(fourth.device.number, CALLED)
    with pytest.raises(OverLimit):
        await door_devices.confirm(session, by, fourth.device.id or 0, vouch, now=BEGIN)
    for _twice in range(2):
        await door_devices.take_off(session, by, family[0].device.id or 0, now=BEGIN)
    assert not (await door_devices.viewer_of(session, family[0].device.id or 0, on=TODAY)).signed_in
    await door_devices.confirm(session, by, fourth.device.id or 0, vouch, now=BEGIN)
    for at in range(5):
        await door_devices.knock(session, card, f"stranger {at}", kind="", now=BEGIN)
    with pytest.raises(TooManyTries):
        await door_devices.knock(session, card, "one more", kind="", now=BEGIN)


async def test_doors_of_others_do_not_exist(session: AsyncSession, world: World) -> None:
    by = await agent_of(session, world)
    with pytest.raises(NotFound):
        await door_cards.print_for(session, by, [world.liu, world.zhao], now=BEGIN)
    assert (await session.exec(select(DoorCard))).all() == []
    administrator = await accounts.viewer_of(session, world.administrator)
    (made,) = await door_cards.print_for(session, administrator, [world.zhao], now=BEGIN)
    card = await door_cards.found(session, made.secret, on=TODAY)
    known = await door_devices.knock(session, card, "phone", kind="", now=BEGIN)
    with pytest.raises(NotFound):
        await door_cards.revoke(session, by, card.id or 0, Why.LOST, now=BEGIN)
    for act in (door_devices.take_off(session, by, known.device.id or 0, now=BEGIN),):
        with pytest.raises(NotFound):
            await act
    with pytest.raises(NotFound):
        await door_devices.confirm(session, by, known.device.id or 0, Vouch(known.device.number, CALLED), now=BEGIN)


async def test_a_card_bears_the_name_only_where_it_was_agreed_to(session: AsyncSession, world: World) -> None:
    home = await session.get_one(Household, world.wang)
    await consent.agree_to_name(session, home, "王样例", on=TODAY)
    by = await agent_of(session, world)
    made = await door_cards.print_for(session, by, [world.liu, world.wang], now=BEGIN)
    assert {one.household.id: one.is_named for one in made} == {world.wang: True, world.liu: False}
    await consent.withdraw_name(session, home, on=TODAY)
    assert await door_cards.named(session, [world.wang]) == set()


async def test_the_list_tells_who_has_a_card(session: AsyncSession, world: World) -> None:
    _made, card = await printed(session, world)
    await let_in(session, world, card)
    by = await agent_of(session, world)
    listed = await door_lists.listed(session, by, now=BEGIN)
    assert [(one.household_id, one.card_id, one.phone_count, one.is_old) for one in listed] == [
        (world.wang, None, 0, False), (world.liu, card.id, 1, False),
    ]  # fmt: skip
    without = await door_lists.listed(session, by, now=BEGIN, only=Only.WITHOUT)
    assert [one.household_id for one in without] == [world.wang]
    for q, count in (("刘", 1), ("0002", 1), ("liangjia", 2), ("%", 0)):
        assert len(await door_lists.listed(session, by, now=BEGIN, q=q)) == count
    later = BEGIN + door_cards.GOOD_FOR + timedelta(days=2)
    assert [one.is_old for one in await door_lists.listed(session, by, now=later, only=Only.WITH)] == [True]


async def test_every_act_leaves_its_trace(session: AsyncSession, world: World) -> None:
    _made, card = await printed(session, world)
    known = await let_in(session, world, card)
    await door_devices.come_in(session, card, known, now=BEGIN)
    by = await agent_of(session, world)
    await door_devices.take_off(session, by, known.device.id or 0, now=BEGIN)
    await door_cards.revoke(session, by, card.id or 0, Why.RETURNED, now=BEGIN)
    traces = await session.exec(select(Trace).where(Trace.household_id == world.liu).order_by(col(Trace.id)))
    assert [(trace.act, trace.account_id, trace.note) for trace in traces if trace.act != "put_up"] == [
        ("print_card", world.agent, ""),
        ("confirm_device", world.agent, "call 0001"),
        ("come_in", card.account_id, ""),
        ("take_off_device", world.agent, "call 0001"),
        ("revoke_card", world.agent, "returned"),
    ]
    assert (await session.exec(select(DoorDevice))).one().ended_by == world.agent
