"""交款: cash goes from hand to hand. One person declares it, the other counts it, and only then the ledger moves."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select, SelectOfScalar

from market.books import ledger
from market.books.ledger import Book, Leg, Occasion, Rail, Reason
from market.ground import audit
from market.ground.errors import Malformed, NotAllowed, NotFound, NotMovable, OverLimit
from market.people.accounts import Account, Viewer
from payments import cash_books, cash_keepers
from payments.cash_records import HandIn, HandInState

PAGE = 50


@dataclass(frozen=True)
class Wish:
    """How much is to go to whom, and what the giver has to say."""

    receiver_id: int
    amount_fen: int
    note: str = ""


class Named(NamedTuple):
    """A hand-in with the names of both."""

    hand_in: HandIn
    giver: str
    receiver: str


def between(viewer: Viewer) -> SelectOfScalar[HandIn]:
    """Hand-ins a person may open: those they give, receive or declared."""
    me = viewer.id
    return select(HandIn).where(or_(HandIn.giver_id == me, HandIn.receiver_id == me, HandIn.declared_by == me))


async def seen_by(session: AsyncSession, viewer: Viewer, hand_in_id: int) -> Named:
    """A hand-in this person has a part in; NotFound for any other."""
    mine = between(viewer).with_only_columns(col(HandIn.id))
    found = (await session.exec(_named().where(HandIn.id == hand_in_id, col(HandIn.id).in_(mine)))).one_or_none()
    if found is None:
        raise NotFound("hand_in", str(hand_in_id))
    return Named._make(found)


async def waiting(session: AsyncSession, *, giver_id: int | None = None, receiver_id: int | None = None) -> list[Named]:
    """Hand-ins a person waits to have counted, or has to count; the oldest first."""
    query = _named().where(HandIn.state == HandInState.WAITING).order_by(col(HandIn.id))
    if giver_id is not None:
        query = query.where(HandIn.giver_id == giver_id)
    if receiver_id is not None:
        query = query.where(HandIn.receiver_id == receiver_id)
    return [Named._make(row) for row in await session.exec(query)]


async def overseen_by(session: AsyncSession, viewer: Viewer) -> list[Named]:
    """Hand-ins from the books an accountant answers for that wait to be counted, the oldest first."""
    query = _overseen(viewer).where(HandIn.state == HandInState.WAITING).order_by(col(HandIn.id))
    return [Named._make(row) for row in await session.exec(query)]


async def ended(session: AsyncSession, viewer: Viewer, *, offset: int = 0, most: int = PAGE) -> list[Named]:
    """Those that were counted, withdrawn or refused, the newest first."""
    query = _overseen(viewer).where(HandIn.state != HandInState.WAITING).order_by(col(HandIn.id).desc())
    return [Named._make(row) for row in await session.exec(query.offset(offset).limit(most))]


async def declare(
    session: AsyncSession, by: Viewer, wish: Wish, *, giver_id: int | None = None, now: datetime
) -> HandIn:
    """Say that cash is being handed in: one's own, or (`giver_id`) that of somebody who takes no more cash.

    Raises Malformed (nothing), NotFound (not a receiver), NotAllowed (for somebody who can say it themselves),
    NotMovable (the last one to the same person is not counted yet), OverLimit (more than is in hand).
    """
    if wish.amount_fen <= 0:
        raise Malformed("amount", "not_positive", str(wish.amount_fen))
    giver = by.id if giver_id is None else await _former(session, by, giver_id)
    receivers = {keeper.account_id for keeper in await cash_keepers.receivers_for(session, giver)} - {by.id}
    if wish.receiver_id not in receivers:
        raise NotFound("receiver", str(wish.receiver_id))
    await cash_books.lock(session, giver)
    for named in await waiting(session, giver_id=giver, receiver_id=wish.receiver_id):
        if named.hand_in.declared_fen == wish.amount_fen:
            return named.hand_in
        raise NotMovable("hand_in", HandInState.WAITING, "declare")
    await cash_books.must_hold(session, giver, wish.amount_fen)
    hand_in = HandIn(
        county_code=cash_keepers.county_of(await cash_keepers.places_of(session, giver)), giver_id=giver,
        receiver_id=wish.receiver_id, declared_fen=wish.amount_fen, declared_at=now, declared_by=by.id,
        note=wish.note.strip()[:200],
    )  # fmt: skip
    session.add(hand_in)
    await session.flush()  # its page's address is its id
    if giver_id is not None:
        audit.note(session, by.account_id, "declare_cash_for", subject=f"hand_in:{hand_in.id}", now=now)
    return hand_in


async def count(
    session: AsyncSession, by: Viewer, hand_in_id: int, counted_fen: int, *, remark: str = "", now: datetime
) -> HandIn:
    """The receiver has counted it: so much changes hands, the rest stays with the giver. A second tap changes nothing.

    Raises NotFound (not the receiver), Malformed (nothing), OverLimit (more than declared or than the giver's book
    holds), NotMovable (withdrawn or refused meanwhile).
    """
    hand_in = await _received_by(session, by, hand_in_id)
    if hand_in.state is HandInState.COUNTED and hand_in.counted_fen == counted_fen:
        return hand_in
    if hand_in.state is not HandInState.WAITING:
        raise NotMovable("hand_in", hand_in.state, "count")
    if counted_fen <= 0:
        raise Malformed("counted", "not_positive", str(counted_fen))
    if counted_fen > hand_in.declared_fen:
        raise OverLimit("counted_fen", hand_in.declared_fen, counted_fen)
    await cash_books.lock(session, hand_in.giver_id)
    held_fen = (await cash_books.in_hand(session, hand_in.giver_id)).fen
    if counted_fen > held_fen:
        raise OverLimit("cash_in_hand_fen", max(0, held_fen), counted_fen)
    hand_in.entry_id = await ledger.post(
        session,
        Occasion(Reason.HANDED_IN, hand_in.county_code),
        [
            Leg(Book.CLEARING, counted_fen, rail=Rail.CASH, holder_id=hand_in.giver_id),
            Leg(Book.CLEARING, -counted_fen, rail=Rail.CASH, holder_id=hand_in.receiver_id),
        ],
        at=now,
    )
    hand_in.counted_fen = counted_fen
    _end(hand_in, HandInState.COUNTED, remark=remark, now=now)
    return hand_in


async def refuse(session: AsyncSession, by: Viewer, hand_in_id: int, *, remark: str, now: datetime) -> HandIn:
    """The receiver sends it back with a reason; everything stays with the giver. Twice is once."""
    hand_in = await _received_by(session, by, hand_in_id)
    if hand_in.state is HandInState.REFUSED:
        return hand_in
    if hand_in.state is not HandInState.WAITING:
        raise NotMovable("hand_in", hand_in.state, "refuse")
    if not remark.strip():
        raise Malformed("remark", "missing")
    _end(hand_in, HandInState.REFUSED, remark=remark, now=now)
    return hand_in


async def withdraw(session: AsyncSession, by: Viewer, hand_in_id: int, *, now: datetime) -> HandIn:
    """Who declared it takes it back before it is counted. Twice is once."""
    hand_in = await _locked(session, hand_in_id)
    if by.id not in (hand_in.giver_id, hand_in.declared_by):
        raise NotFound("hand_in", str(hand_in_id))
    if hand_in.state is HandInState.WITHDRAWN:
        return hand_in
    if hand_in.state is not HandInState.WAITING:
        raise NotMovable("hand_in", hand_in.state, "withdraw")
    _end(hand_in, HandInState.WITHDRAWN, remark="", now=now)
    return hand_in


def _end(hand_in: HandIn, state: HandInState, *, remark: str, now: datetime) -> None:
    hand_in.state, hand_in.remark, hand_in.ended_at = state, remark.strip()[:200], now


async def _former(session: AsyncSession, by: Viewer, giver_id: int) -> int:
    """Somebody of the accountant's division who takes no more cash, and so cannot hand in by themselves."""
    await cash_keepers.seen_by(session, by, giver_id)
    if await cash_keepers.is_keeper(session, giver_id):
        raise NotAllowed("declare_for_keeper")
    return giver_id


async def _received_by(session: AsyncSession, by: Viewer, hand_in_id: int) -> HandIn:
    hand_in = await _locked(session, hand_in_id)
    if hand_in.receiver_id != by.id:
        raise NotFound("hand_in", str(hand_in_id))
    return hand_in


async def _locked(session: AsyncSession, hand_in_id: int) -> HandIn:
    """A hand-in, held until the transaction ends; its giver's book comes after it."""
    found = await session.exec(
        select(HandIn)
        .where(HandIn.id == hand_in_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    hand_in = found.one_or_none()
    if hand_in is None:
        raise NotFound("hand_in", str(hand_in_id))
    return hand_in


def _overseen(viewer: Viewer) -> Select[HandIn, str, str]:
    theirs = cash_keepers.keepers_seen_by(viewer).with_only_columns(col(Account.id))
    return _named().where(col(HandIn.giver_id).in_(theirs))


def _named() -> Select[HandIn, str, str]:
    giver, receiver = aliased(Account), aliased(Account)
    return (
        select(HandIn, giver.name, receiver.name)
        .join(giver, col(giver.id) == col(HandIn.giver_id))
        .join(receiver, col(receiver.id) == col(HandIn.receiver_id))
    )
