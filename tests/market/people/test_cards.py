"""A household's card: sealed, asked for by one, confirmed by another, in use after a day, stopped by anyone of them."""

import asyncio
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.ground.audit import Trace
from market.ground.db import Database, run
from market.ground.errors import Malformed, MarketError, NotFound, NotMovable, SamePerson, SealedShut
from market.ground.seal import Seal
from market.people import accounts, card_changes, cards
from market.people.card_changes import NewCard
from market.people.cards import WAITING_DAY, PayoutCard, Stage
from tests import build
from tests.build import SEAL
from tests.world import BEGIN, World

OWN = NewCard("演示信用社", build.card_number(7))
SONS = NewCard("演示银行", build.card_number(8), "王小样", "儿子", date(2026, 10, 20))
MINUTE = timedelta(minutes=1)


async def ask(session: AsyncSession, who: int, household: int, wanted: NewCard, now: datetime = BEGIN) -> PayoutCard:
    return await card_changes.ask(session, SEAL, await accounts.viewer_of(session, who), household, wanted, now=now)


async def confirm(
    session: AsyncSession, who: int, card: PayoutCard, *, number: str = OWN.number, now: datetime = BEGIN
) -> PayoutCard:
    by = await accounts.viewer_of(session, who)
    return await card_changes.confirm(session, SEAL, by, card.id or 0, number=number, now=now)


async def stop(session: AsyncSession, who: int, card: PayoutCard, now: datetime = BEGIN) -> PayoutCard:
    by = await accounts.viewer_of(session, who)
    return await card_changes.stop(session, by, card.id or 0, why="丢了", now=now)


async def in_use(session: AsyncSession, household: int, at: datetime) -> int | None:
    usable = cards.in_use(at).where(PayoutCard.household_id == household)
    found: int | None = await session.scalar(usable.with_only_columns(col(PayoutCard.id)))
    return found


async def test_two_people_and_a_day(session: AsyncSession, world: World) -> None:
    card = await ask(session, world.wang_account, world.wang, OWN)
    assert card.stage(None, BEGIN) is Stage.ASKED
    assert await in_use(session, world.wang, BEGIN + 9 * WAITING_DAY) is None
    await confirm(session, world.accountant, card)
    assert card.stage(None, BEGIN) is Stage.WAITING
    assert await in_use(session, world.wang, BEGIN + WAITING_DAY - MINUTE) is None
    assert await in_use(session, world.wang, BEGIN + WAITING_DAY) == card.id
    assert card.stage(card.id, BEGIN + WAITING_DAY) is Stage.IN_USE


async def test_the_database_holds_no_number_and_no_name(session: AsyncSession, world: World) -> None:
    await ask(session, world.wang_account, world.wang, SONS)
    row = str((await run(session, text("SELECT to_jsonb(c) FROM payout_cards c"))).scalar_one())
    traces = str((await run(session, text("SELECT jsonb_agg(t) FROM traces t"))).scalar_one())
    jobs = str((await run(session, text("SELECT jsonb_agg(args) FROM procrastinate_jobs"))).scalar_one())
    for said in (row, traces, jobs):
        assert SONS.number[:-4] not in said
        assert SONS.holder not in said
    assert SONS.number[-4:] in row


async def test_whoever_asked_cannot_confirm_not_even_past_the_act(session: AsyncSession, world: World) -> None:
    card = await ask(session, world.accountant, world.wang, OWN)
    with pytest.raises(SamePerson):
        await confirm(session, world.accountant, card)
    await confirm(session, world.second_accountant, card)
    later = await ask(session, world.accountant, world.wang, SONS)
    with pytest.raises(DBAPIError, match="second_person"):
        await run(
            session,
            text(
                "UPDATE payout_cards SET confirmed_at = now(), confirmed_by = asked_by, "
                "usable_from_at = now() + interval '2 days' WHERE id = :id"
            ),
            {"id": later.id},
        )
    await session.rollback()


@pytest.mark.parametrize("waits", ["1 hour", "23 hours 59 minutes"])
async def test_the_database_knows_the_waiting_day(session: AsyncSession, world: World, waits: str) -> None:
    card = await ask(session, world.wang_account, world.wang, OWN)
    hurry = text(
        "UPDATE payout_cards SET confirmed_at = now(), confirmed_by = :by, "
        "usable_from_at = now() + CAST(:waits AS text)::interval WHERE id = :id"
    )
    with pytest.raises(DBAPIError, match="waiting_day"):
        await run(session, hurry, {"by": world.accountant, "waits": waits, "id": card.id})
    await session.rollback()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payout_cards SET last_four = '0000'",
        "UPDATE payout_cards SET household_id = household_id + 1",
        "UPDATE payout_cards SET asked_by = confirmed_by",
        "UPDATE payout_cards SET confirmed_at = now()",
    ],
)
async def test_a_confirmed_card_is_not_rewritten(session: AsyncSession, world: World, change: str) -> None:
    await build.card(session, world, world.wang)
    await session.flush()
    with pytest.raises(DBAPIError, match="new row"):
        await run(session, text(change))
    await session.rollback()


async def test_the_second_person_reads_the_card_for_themselves(session: AsyncSession, world: World) -> None:
    card = await ask(session, world.agent, world.wang, OWN)
    for typed in ("", build.card_number(9), OWN.number[:-1], "六二"):
        with pytest.raises(Malformed, match="another_number"):
            await confirm(session, world.accountant, card, number=typed)
    spaced = " ".join(OWN.number[at : at + 4] for at in range(0, len(OWN.number), 4))
    await confirm(session, world.accountant, card, number=spaced)
    await confirm(session, world.second_accountant, card, number="a second tap, whoever it is")
    assert card.confirmed_by == world.accountant


async def test_only_the_households_own_people_ask_and_only_its_accountants_confirm(
    session: AsyncSession, world: World
) -> None:
    for stranger in (world.zhao_account, world.buyer, world.officer, world.administrator, world.township_accountant):
        with pytest.raises(NotFound):
            await ask(session, stranger, world.wang, OWN)
    card = await ask(session, world.agent, world.wang, OWN)
    for stranger in (world.wang_account, world.officer, world.township_accountant, world.administrator):
        with pytest.raises(NotFound):
            await confirm(session, stranger, card)
    with pytest.raises(NotFound):
        await stop(session, world.officer, card)
    waiting = await accounts.viewer_of(session, world.accountant)
    elsewhere = await accounts.viewer_of(session, world.township_accountant)
    assert [row[0].id for row in await session.exec(cards.to_confirm(waiting))] == [card.id]
    assert (await session.exec(cards.to_confirm(elsewhere))).all() == []


async def test_asking_again_takes_the_place_of_what_nobody_confirmed(session: AsyncSession, world: World) -> None:
    first = await ask(session, world.wang_account, world.wang, OWN)
    assert (await ask(session, world.agent, world.wang, OWN)).id == first.id
    second = await ask(session, world.wang_account, world.wang, SONS)
    assert second.id != first.id
    with pytest.raises(NotMovable):
        await confirm(session, world.accountant, first)
    await confirm(session, world.accountant, second, number=SONS.number)


async def test_the_old_card_serves_until_the_new_ones_day_has_passed(session: AsyncSession, world: World) -> None:
    old = await build.card(session, world, world.wang)
    new = await ask(session, world.wang_account, world.wang, SONS)
    await confirm(session, world.accountant, new, number=SONS.number)
    assert await in_use(session, world.wang, BEGIN + WAITING_DAY - MINUTE) == old.id
    assert await in_use(session, world.wang, BEGIN + WAITING_DAY) == new.id
    assert old.stage(new.id, BEGIN + WAITING_DAY) is Stage.REPLACED


async def test_a_card_stopped_in_its_waiting_day_leaves_the_old_one(session: AsyncSession, world: World) -> None:
    old = await build.card(session, world, world.wang)
    new = await ask(session, world.agent, world.wang, SONS)
    await confirm(session, world.accountant, new, number=SONS.number)
    await stop(session, world.wang_account, new, BEGIN + MINUTE)
    assert await in_use(session, world.wang, BEGIN + 9 * WAITING_DAY) == old.id


async def test_stopping_a_card_never_brings_an_older_one_back(session: AsyncSession, world: World) -> None:
    """Else one person alone could send the money back to where two had taken it from."""
    await build.card(session, world, world.wang)
    new = await ask(session, world.wang_account, world.wang, SONS)
    await confirm(session, world.accountant, new, number=SONS.number)
    for _ in range(2):
        await stop(session, world.agent, new, BEGIN + 2 * WAITING_DAY)
    assert await in_use(session, world.wang, BEGIN + 3 * WAITING_DAY) is None
    assert new.end_why == "丢了"
    assert new.stage(None, BEGIN + 3 * WAITING_DAY) is Stage.ENDED


@pytest.mark.parametrize(
    ("wrong", "field", "problem"),
    [
        (replace(OWN, number=OWN.number[:-1] + str((int(OWN.number[-1]) + 1) % 10)), "number", "not_a_card_number"),
        (replace(OWN, number="4242424242"), "number", "not_a_card_number"),
        (replace(OWN, number="0" * 16), "number", "not_a_card_number"),
        (replace(OWN, number=""), "number", "not_a_card_number"),
        (replace(OWN, bank=" "), "bank", "missing"),
        (replace(SONS, holder=" "), "holder", "missing"),
        (replace(SONS, mandate_on=None), "mandate_on", "missing"),
        (replace(SONS, mandate_on=date(2026, 11, 3)), "mandate_on", "in_future"),
    ],
)
async def test_what_cannot_be_a_card_is_refused(
    session: AsyncSession, world: World, wrong: NewCard, field: str, problem: str
) -> None:
    with pytest.raises(Malformed) as refused:
        await ask(session, world.wang_account, world.wang, wrong)
    assert (refused.value.field, refused.value.problem) == (field, problem)
    assert refused.value.given in ("", "2026-11-03")


async def test_a_card_of_ones_own_bears_the_heads_name(session: AsyncSession, world: World) -> None:
    wide = OWN.number.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    card = await ask(session, world.wang_account, world.wang, replace(OWN, number=wide, holder="谁都行"))
    assert (cards.holder_of(SEAL, card), cards.number_of(SEAL, card)) == ("王样例", OWN.number)


async def test_every_opening_leaves_a_trace_and_every_act_names_agent_and_household(
    session: AsyncSession, world: World
) -> None:
    card = await ask(session, world.agent, world.wang, OWN)
    await confirm(session, world.accountant, card)
    by = await accounts.viewer_of(session, world.second_accountant)
    (opened,) = await cards.open_all(session, SEAL, by, [card], subject="payout_batch:1", now=BEGIN)
    assert (opened.holder, opened.number) == ("王样例", OWN.number)
    left = (await session.exec(select(Trace).where(col(Trace.act).endswith("card")).order_by(col(Trace.id)))).all()
    assert [(trace.act, trace.account_id, trace.household_id) for trace in left] == [
        ("ask_card", world.agent, world.wang),
        ("confirm_card", world.accountant, world.wang),
        ("open_card", world.second_accountant, world.wang),
    ]
    assert left[2].subject == "payout_batch:1"


async def test_a_number_moved_to_another_household_does_not_open(session: AsyncSession, world: World) -> None:
    mine, theirs = await build.card(session, world, world.wang), await build.card(session, world, world.zhao)
    mine.sealed_number = theirs.sealed_number
    with pytest.raises(SealedShut):
        cards.number_of(SEAL, mine)
    await session.rollback()


async def test_seals_are_renewed_under_a_new_secret(session: AsyncSession, world: World) -> None:
    card = await build.card(session, world, world.wang)
    fresh = "a new secret of the tests, long enough too"
    both = Seal([fresh, "a secret of the tests, which is long enough"])
    assert await cards.renew_seals(session, both) == 1
    await session.flush()
    assert cards.number_of(Seal([fresh]), card) == build.card_number(world.wang)


async def test_two_asks_at_once_leave_one_waiting(database: Database, world: World) -> None:
    async def attempt(who: int, wanted: NewCard) -> bool:
        try:
            async with database.transaction() as session:
                await ask(session, who, world.wang, wanted)
        except MarketError:
            return False
        return True

    assert all(await asyncio.gather(attempt(world.wang_account, OWN), attempt(world.agent, SONS)))
    async with database.transaction() as session:
        by = await accounts.viewer_of(session, world.accountant)
        assert len((await session.exec(cards.to_confirm(by))).all()) == 1
