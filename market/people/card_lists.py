"""Cards as accountants look them up: what waits for a second person first, then for its day, then the rest."""

from datetime import datetime

from sqlmodel import case, col, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import Select

from market.ground.errors import NotFound
from market.people import cards, households
from market.people.accounts import Viewer
from market.people.cards import PayoutCard
from market.people.households import Household

PAGE = 40


def live(viewer: Viewer, at: datetime, *, q: str = "") -> Select[PayoutCard, Household]:
    """Cards asked for, waiting and in use in an accountant's divisions; of those named, or ending like, `q`."""
    in_use = cards.in_use(at).with_only_columns(col(PayoutCard.id))
    coming = or_(col(PayoutCard.usable_from_at).is_(None), col(PayoutCard.usable_from_at) > at)
    found = (
        select(PayoutCard, Household)
        .join(Household, col(Household.id) == col(PayoutCard.household_id))
        .where(
            col(PayoutCard.household_id).in_(households.accounted_by(viewer).with_only_columns(col(Household.id))),
            col(PayoutCard.ended_at).is_(None),
            or_(coming, col(PayoutCard.id).in_(in_use)),
        )
    )
    if q:
        named = col(Household.head_name).contains(q, autoescape=True)
        found = found.where(or_(named, Household.number == q, PayoutCard.last_four == q))
    first = case((col(PayoutCard.confirmed_at).is_(None), 0), (col(PayoutCard.usable_from_at) > at, 1), else_=2)
    return found.order_by(first, col(PayoutCard.asked_at), col(PayoutCard.id))


async def seen_by(session: AsyncSession, viewer: Viewer, card_id: int) -> tuple[PayoutCard, Household]:
    """A card of an accountant's divisions with whose it is; NotFound for any other."""
    mine = households.accounted_by(viewer).with_only_columns(col(Household.id))
    found = (
        await session.exec(
            select(PayoutCard, Household)
            .join(Household, col(Household.id) == col(PayoutCard.household_id))
            .where(PayoutCard.id == card_id, col(PayoutCard.household_id).in_(mine))
        )
    ).one_or_none()
    if found is None:
        raise NotFound("card", str(card_id))
    return found


async def stage_of(session: AsyncSession, card: PayoutCard, at: datetime) -> cards.Stage:
    """Where a card is on its way."""
    in_use = cards.in_use(at).where(PayoutCard.household_id == card.household_id)
    current = (await session.exec(in_use)).one_or_none()
    return card.stage(current.id if current else None, at)
