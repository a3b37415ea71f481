"""What officers decide about goods: yes or no to more than a ceiling, halting what should not be sold, lifting that."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlmodel import col, false, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import listings
from market.goods.capacity import CapacityPermit, season_of
from market.goods.listings import Listing, ListingState
from market.goods.waiting import Halt, Waits, open_halt
from market.ground import audit, places, queue
from market.ground.clock import day_of
from market.ground.errors import Malformed, NotFound, NotMovable
from market.people.accounts import Role, Viewer

_MOST_WHY = 200


def inside(viewer: Viewer) -> ColumnElement[bool]:
    """SQL: the listing, whatever its state, lies in one of the officer's divisions."""
    own = [places.within(col(Listing.division_code), code) for code in viewer.division_codes(Role.OFFICER)]
    return or_(*own) if own else false()


async def overseen(session: AsyncSession, viewer: Viewer, listing_id: int) -> Listing:
    """A listing of the officer's divisions, locked until the transaction ends. NotFound for any other."""
    wanted = select(Listing).where(inside(viewer), Listing.id == listing_id).with_for_update(key_share=True)
    found = (await session.exec(wanted)).one_or_none()
    if found is None:
        raise NotFound("listing", str(listing_id))
    return found


async def permits_of(session: AsyncSession, listing_id: int) -> list[CapacityPermit]:
    """Every yes and no about a listing, the newest first."""
    said = select(CapacityPermit).where(CapacityPermit.listing_id == listing_id)
    return list(await session.exec(said.order_by(col(CapacityPermit.id).desc())))


async def halts_of(session: AsyncSession, listing_id: int) -> list[Halt]:
    """Every time a listing was halted, the newest first."""
    return list(await session.exec(select(Halt).where(Halt.listing_id == listing_id).order_by(col(Halt.id).desc())))


async def permit(session: AsyncSession, officer: Viewer, listing_id: int, *, why: str, now: datetime) -> Listing:
    """Yes: what the listing has above the ceiling may be sold this season. Needs a reason the household reads."""
    listing, waits = await _excessive(session, officer, listing_id, "permit", now)
    _decide(session, officer, listing, why=why, grams=waits.excess_grams, now=now)
    await listings.settle(session, listing, now=now)
    await queue.enqueue(session, "tell_decision", listing_id=listing_id, what="permitted")
    return listing


async def refuse(session: AsyncSession, officer: Viewer, listing_id: int, *, why: str, now: datetime) -> Listing:
    """No: the listing stays unseen until its household makes it less. Needs a reason, which the household reads.

    Twice is once, as long as the household changed nothing in between.
    """
    listing, _waits = await _excessive(session, officer, listing_id, "refuse", now)
    last = next(iter(await permits_of(session, listing_id)), None)
    if last is not None and not last.granted and last.at >= listing.changed_at:
        return listing
    _decide(session, officer, listing, why=why, grams=0, now=now)
    await queue.enqueue(session, "tell_decision", listing_id=listing_id, what="refused")
    return listing


async def halt(session: AsyncSession, officer: Viewer, listing_id: int, *, why: str, now: datetime) -> Listing:
    """Keep a listing from being sold until it is lifted; what is ordered stays ordered. Twice is once."""
    listing = await overseen(session, officer, listing_id)
    if listing.state is ListingState.WITHDRAWN:
        raise NotMovable("listing", listing.state, "halt")
    if (await session.exec(open_halt(listing_id))).first() is None:
        session.add(Halt(listing_id=listing_id, at=now, account_id=officer.id, why=_reason(why)))
        await listings.settle(session, listing, now=now)
        _note(session, officer, listing, "halt", why, now)
        await queue.enqueue(session, "tell_decision", listing_id=listing_id, what="halted")
    return listing


async def lift(session: AsyncSession, officer: Viewer, listing_id: int, *, now: datetime) -> Listing:
    """Let a halted listing go; it is sold again if nothing else is missing. Twice is once."""
    listing = await overseen(session, officer, listing_id)
    halted = (await session.exec(open_halt(listing_id))).first()
    if halted is not None:
        halted.lifted_at, halted.lifted_by = now, officer.id
        await listings.settle(session, listing, now=now)
        _note(session, officer, listing, "lift_halt", halted.why, now)
        await queue.enqueue(session, "tell_decision", listing_id=listing_id, what="lifted")
    return listing


async def _excessive(
    session: AsyncSession, officer: Viewer, listing_id: int, move: str, now: datetime
) -> tuple[Listing, Waits]:
    """A listing that waits because it is too much. NotMovable for any other."""
    listing = await overseen(session, officer, listing_id)
    waits = await listings.waits_of(session, listing, on=day_of(now), hold=True)
    if listing.state is not ListingState.WAITING or not waits.excess_grams:
        raise NotMovable("listing", listing.state, move)
    return listing, waits


def _decide(session: AsyncSession, officer: Viewer, listing: Listing, *, why: str, grams: int, now: datetime) -> None:
    session.add(
        CapacityPermit(
            household_id=listing.household_id,
            produce_code=listing.produce_code,
            listing_id=listing.id or 0,
            season_on=season_of(day_of(now)),
            granted=grams > 0,
            grams=grams,
            why=_reason(why),
            at=now,
            account_id=officer.id,
        )
    )
    _note(session, officer, listing, "permit_more" if grams else "refuse_more", f"{grams} {why}", now)


def _reason(why: str) -> str:
    """Malformed for a decision nobody can understand later."""
    if not why.strip():
        raise Malformed("why", "missing")
    return why.strip()[:_MOST_WHY]


def _note(session: AsyncSession, officer: Viewer, listing: Listing, act: str, text: str, now: datetime) -> None:
    subject = f"listing:{listing.id}"
    audit.note(session, officer.account_id, act, household_id=listing.household_id, subject=subject, note=text, now=now)
