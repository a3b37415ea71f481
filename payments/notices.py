"""通知 as staff see them: what came, what it led to, and acting on one again."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, or_
from sqlmodel import Field, SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import audit
from market.ground.db import key_of, new_id
from market.ground.errors import NotFound
from market.people.accounts import Viewer
from market.trade.orders import Order
from payments import desk, readers, records
from payments.records import Notice, Payment
from payments.stripe import Gateway, read_event

PAGE = 50


class Replay(SQLModel, table=True):
    """A notice acted on again: who, when, and what it led to before and then."""

    __tablename__ = "notice_replays"

    id: int | None = new_id()
    notice_id: str = Field(max_length=120, foreign_key="notices.id", index=True)
    at: datetime
    account_id: int | None = key_of("accounts.id", default=None)
    before: str = Field(max_length=40)
    outcome: str = Field(max_length=40)


class Led(StrEnum):
    """What a notice led to, in groups."""

    ALL = ""
    DONE = "done"
    """A payment or refund went on."""
    NOTHING = "nothing"
    """It was known already, or does not concern us."""
    ODD = "odd"
    """Money we cannot place: a person looks."""


_DONE = ("paid", "failed", "cancelled", "succeeded", "pending", "already_paid", "goods_gone")
_ODD = ("unknown", "amount_differs", "foreign")


def visible_to(viewer: Viewer) -> SelectOfScalar[Notice]:
    """Notices this person may see: about their counties' payments, and about nobody's."""
    return (
        select(Notice)
        .outerjoin(Payment, col(Payment.id) == col(Notice.payment_id))
        .outerjoin(Order, col(Order.id) == col(Payment.order_id))
        .where(readers.theirs(col(Order.county_code), viewer))
    )


async def listed(
    session: AsyncSession, viewer: Viewer, *, q: str = "", led: Led = Led.ALL, offset: int = 0
) -> list[Notice]:
    """Notices, the newest first; one above a page if there are. `q`: the provider's number, or part of an order's."""
    wanted = visible_to(viewer).where(_led(led))
    if q.strip():
        exact = (col(Notice.id) == q.strip(), col(Notice.object_id) == q.strip())
        wanted = wanted.where(or_(col(Order.no).contains(q.strip().upper(), autoescape=True), *exact))
    wanted = wanted.order_by(col(Notice.received_at).desc(), col(Notice.id)).offset(offset).limit(PAGE + 1)
    return list(await session.exec(wanted))


async def seen_by(session: AsyncSession, viewer: Viewer, notice_id: str) -> Notice:
    """A notice this person may see; NotFound for any other."""
    found = (await session.exec(visible_to(viewer).where(Notice.id == notice_id))).one_or_none()
    if found is None:
        raise NotFound("notice", notice_id)
    return found


async def replays_of(session: AsyncSession, notice_id: str) -> list[Replay]:
    """How often and by whom it was acted on again, in order."""
    return list(await session.exec(select(Replay).where(Replay.notice_id == notice_id).order_by(col(Replay.id))))


async def replay(session: AsyncSession, gateway: Gateway, by: Viewer, notice_id: str, *, now: datetime) -> str:
    """Act on a recorded notice again, as if it came now: the provider's object is fetched afresh.

    Raises NotFound outside the grant, Unavailable when the provider cannot be asked.
    """
    await seen_by(session, by, notice_id)
    locked = select(Notice).where(Notice.id == notice_id).with_for_update(key_share=True)
    notice = (await session.exec(locked.execution_options(populate_existing=True))).one()
    event = read_event(notice.body)
    before, notice.outcome = notice.outcome, await desk.act_on(session, gateway, event, now=now)
    notice.payment_id = await records.payment_behind(session, event.payment_id, event.refund_id)
    session.add(Replay(notice_id=notice_id, at=now, account_id=by.account_id, before=before, outcome=notice.outcome))
    audit.note(
        session, by.account_id, "replay_notice", subject=f"notice:{notice_id}"[:80], note=notice.outcome, now=now
    )
    return notice.outcome


def _led(led: Led) -> ColumnElement[bool]:
    outcome = col(Notice.outcome)
    return {
        Led.ALL: outcome.is_not(None),
        Led.DONE: outcome.in_(_DONE),
        Led.NOTHING: outcome.not_in([*_DONE, *_ODD]),
        Led.ODD: outcome.in_(_ODD),
    }[led]
