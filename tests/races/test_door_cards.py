"""Several people at one door: a phone is let in once, never a fourth one, and a household never has two cards."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, func, select

from market.ground.clock import day_of
from market.ground.db import Database, run
from market.ground.errors import MarketError, NotMovable, OverLimit
from market.people import accounts, door_cards, door_devices
from market.people.accounts import Grant, Role
from market.people.door_cards import DoorCard, Why
from market.people.door_devices import DoorDevice, Vouch
from market.people.heard import Heard, Word
from tests.world import BEGIN, World

PRESENT = Word(Heard.PRESENT)


async def a_card(database: Database, world: World) -> int:
    async with database.transaction() as session:
        by = await accounts.viewer_of(session, world.agent)
        (made,) = await door_cards.print_for(session, by, [world.liu], now=BEGIN)
        return (await door_cards.found(session, made.secret, on=day_of(BEGIN))).id or 0


async def a_knock(database: Database, card_id: int, phone: str) -> tuple[int, str]:
    async with database.transaction() as session:
        card = await session.get_one(DoorCard, card_id)
        device = (await door_devices.knock(session, card, phone, kind="", now=BEGIN)).device
        return device.id or 0, device.number


async def confirm(database: Database, who: int, device_id: int, number: str) -> MarketError | None:
    try:
        async with database.transaction() as session:
            by = await accounts.viewer_of(session, who)
            await door_devices.confirm(session, by, device_id, Vouch(number, PRESENT), now=BEGIN)
    except MarketError as error:
        return error
    return None


async def open_count(database: Database, card_id: int) -> int:
    async with database.transaction() as session:
        confirmed = select(func.count()).where(DoorDevice.card_id == card_id, col(DoorDevice.confirmed_at).is_not(None))
        return (await session.exec(confirmed)).one()


async def test_counting_and_then_confirming_lets_a_fourth_phone_in(database: Database, world: World) -> None:
    """The race is real: two who count before they confirm both find room for one more."""
    card_id = await a_card(database, world)
    devices = [await a_knock(database, card_id, f"phone {at}") for at in range(4)]
    for device_id, number in devices[:2]:
        assert await confirm(database, world.agent, device_id, number) is None
    both_have_counted = asyncio.Barrier(2)

    async def naive(device_id: int) -> None:
        async with database.transaction() as session:
            counted = select(func.count()).where(
                DoorDevice.card_id == card_id, col(DoorDevice.confirmed_at).is_not(None)
            )
            count = (await session.exec(counted)).one()
            await both_have_counted.wait()
            if count < door_devices.MOST_DEVICES:
                confirmed = text(
                    "UPDATE door_devices SET confirmed_at = now(), confirmed_by = :by, heard = 'call' WHERE id = :id"
                )
                await run(session, confirmed, {"by": world.agent, "id": device_id})

    await asyncio.gather(naive(devices[2][0]), naive(devices[3][0]))
    assert await open_count(database, card_id) == 4


async def test_two_agents_never_let_in_a_fourth_phone(database: Database, world: World) -> None:
    card_id = await a_card(database, world)
    devices = [await a_knock(database, card_id, f"phone {at}") for at in range(4)]
    for device_id, number in devices[:2]:
        assert await confirm(database, world.agent, device_id, number) is None
    answers = await asyncio.gather(
        confirm(database, world.agent, *devices[2]), confirm(database, world.administrator, *devices[3])
    )
    assert [type(answer) for answer in answers if answer is not None] == [OverLimit]
    assert await open_count(database, card_id) == door_devices.MOST_DEVICES


async def test_two_agents_confirming_one_phone_are_one_confirmation(database: Database, world: World) -> None:
    card_id = await a_card(database, world)
    device = await a_knock(database, card_id, "phone")
    answers = await asyncio.gather(
        confirm(database, world.agent, *device), confirm(database, world.administrator, *device)
    )
    refused = [answer for answer in answers if answer is not None]
    assert [type(answer) for answer in refused] == [NotMovable]
    async with database.transaction() as session:
        kept = await session.get_one(DoorDevice, device[0])
        winner = (world.agent, world.administrator)[answers.index(None)]
        assert kept.confirmed_by == winner


async def test_the_database_itself_refuses_a_second_card(database: Database, world: World) -> None:
    card_id = await a_card(database, world)

    async def print_without_asking() -> None:
        async with database.transaction() as session:
            first = await session.get_one(DoorCard, card_id)
            session.add(
                DoorCard(
                    household_id=world.liu, account_id=first.account_id, secret_hash="another", printed_at=BEGIN,
                    printed_by=world.agent, good_until_on=day_of(BEGIN),
                )
            )  # fmt: skip

    with pytest.raises(IntegrityError):
        await print_without_asking()


async def test_printing_and_voiding_at_once_leave_one_card_that_works(database: Database, world: World) -> None:
    """Two print for the same household while a third voids its card, again and again: at most one card is live."""
    for _round in range(6):
        card_id = await a_card(database, world)

        async def print_one(who: int) -> str:
            async with database.transaction() as session:
                by = await accounts.viewer_of(session, who)
                return (await door_cards.print_for(session, by, [world.liu, world.wang], now=BEGIN))[0].secret

        async def void(card_id: int = card_id) -> None:
            async with database.transaction() as session:
                by = await accounts.viewer_of(session, world.agent)
                await door_cards.revoke(session, by, card_id, Why.LOST, now=BEGIN)

        await asyncio.gather(print_one(world.agent), void(), print_one(world.administrator))
        async with database.transaction() as session:
            live = (await session.exec(select(DoorCard).where(col(DoorCard.revoked_at).is_(None)))).all()
            assert sorted(card.household_id for card in live) == sorted([world.wang, world.liu])
            assert card_id not in {card.id for card in live}
            for card in live:
                held = select(Grant).where(
                    Grant.account_id == card.account_id, Grant.role == Role.HOUSEHOLD, col(Grant.ended_at).is_(None)
                )
                assert len((await session.exec(held)).all()) == 1
