"""Who keeps a cash book, whose book an accountant answers for, and who may hand cash to whom."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, SQLColumnExpression, Subquery, text
from sqlmodel import col, false, func, or_, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.ground import places
from market.ground.db import run
from market.ground.errors import NotFound
from market.ground.places import Level
from market.people.accounts import Account, Grant, Role, Viewer
from market.people.stations import Station
from market.people.units import WorkUnit
from market.reports.scopes import Rows, columns

KEEPERS = (Role.ACCOUNTANT, Role.ORGANISER, Role.CLERK, Role.AGENT)
"""Roles that bring cash into a person's hand."""
_COLLECTORS = (Role.ACCOUNTANT, Role.ORGANISER)
"""To whom every keeper of their division may hand in."""
MOST = 300


class Keeper(NamedTuple):
    """A person who keeps a cash book: in which role, for which work unit, station or place, and whether still."""

    account_id: int
    name: str
    role: Role
    over: str
    is_live: bool


class Held(NamedTuple):
    """One cash book in the accountant's list."""

    keeper: Keeper
    fen: int
    since: datetime | None
    """When the oldest of it came in, what goes out first having come in first."""
    promised_fen: int
    """Of it, declared as handed in and not counted yet."""
    last_handed_in_at: datetime | None


def keepers_seen_by(viewer: Viewer) -> SelectOfScalar[Account]:
    """Everybody who keeps or kept a cash book inside the divisions this person is the accountant of."""
    posts = _posts()
    own = [places.within(posts.c.place, code) for code in viewer.division_codes(Role.ACCOUNTANT)]
    inside = select(posts.c.account_id).where(or_(*own) if own else false())
    return select(Account).where(col(Account.id).in_(inside))


async def seen_by(session: AsyncSession, viewer: Viewer, account_id: int) -> Account:
    """A keeper this accountant answers for; NotFound for anybody else."""
    found = (await session.exec(keepers_seen_by(viewer).where(Account.id == account_id))).one_or_none()
    if found is None:
        raise NotFound("cash_book", str(account_id))
    return found


async def places_of(session: AsyncSession, account_id: int) -> list[str]:
    """Where a person takes cash now, or did if they do no more: the widest place first."""
    posts = _posts()
    found = (await run(session, columns(posts.c.place, posts.c.is_live).where(posts.c.account_id == account_id))).all()
    live = {place for place, is_live in found if is_live}
    return sorted(live or {place for place, _ in found}, key=lambda place: (len(place), place))


async def is_keeper(session: AsyncSession, account_id: int) -> bool:
    """Whether the person may still take cash."""
    posts = _posts()
    found = columns(posts.c.account_id).where(posts.c.account_id == account_id, posts.c.is_live).limit(1)
    return (await run(session, found)).first() is not None


async def receivers_for(session: AsyncSession, giver_id: int) -> list[Keeper]:
    """To whom a person may hand cash, accountants first, by name.

    To an accountant or organiser whose division contains a place of theirs. An accountant also hands cash on, for
    refunds, to whoever takes cash inside their division.
    """
    posts = _posts()
    theirs = await places_of(session, giver_id)
    above = {code for place in theirs for code in [*places.parents(place), place]}
    collects = (posts.c.role.in_(_COLLECTORS)) & (posts.c.place.in_(above)) if above else false()
    held = columns(posts.c.place).where(
        posts.c.account_id == giver_id, posts.c.role == Role.ACCOUNTANT, posts.c.is_live
    )
    over = [places.within(posts.c.place, code) for code in (await run(session, held)).scalars()]
    query = _keepers(posts).where(or_(collects, *over), posts.c.account_id != giver_id, posts.c.is_live)
    found = [Keeper._make(row) for row in (await run(session, query.limit(MOST))).all()]
    return sorted(_foremost(found).values(), key=lambda keeper: (KEEPERS.index(keeper.role), keeper.name))


async def keepers_of(session: AsyncSession, account_ids: Iterable[int]) -> dict[int, Keeper]:
    """The foremost of each person's roles that bring cash into a hand: one still held before one that ended."""
    posts = _posts()
    query = _keepers(posts).where(posts.c.account_id.in_(list(account_ids)))
    return _foremost([Keeper._make(row) for row in (await run(session, query)).all()])


def _foremost(found: list[Keeper]) -> dict[int, Keeper]:
    first: dict[int, Keeper] = {}
    for keeper in sorted(found, key=lambda keeper: (not keeper.is_live, KEEPERS.index(keeper.role), keeper.over)):
        first.setdefault(keeper.account_id, keeper)
    return first


# The oldest receipt still in hand is found walking back from the newest, so a book of many years is not read whole.
_HELD = text("""
    SELECT h.id, held.fen, since.at, promised.fen,
           (SELECT max(ended_at) FROM hand_ins i WHERE i.giver_id = h.id AND i.state = 'counted') AS last_handed_in_at
    FROM accounts h
    CROSS JOIN LATERAL (
        SELECT coalesce(-sum(amount_fen), 0)::bigint AS fen FROM postings WHERE holder_id = h.id
    ) held
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(declared_fen), 0)::bigint AS fen FROM hand_ins i
        WHERE i.giver_id = h.id AND i.state = 'waiting'
    ) promised
    LEFT JOIN LATERAL (
        SELECT e.at FROM (
            SELECT p.id, p.entry_id, sum(-p.amount_fen) OVER (ORDER BY p.id DESC) AS newest_fen
            FROM postings p WHERE p.holder_id = h.id AND p.amount_fen < 0
        ) r JOIN entries e ON e.id = r.entry_id
        WHERE r.newest_fen >= held.fen ORDER BY r.id DESC LIMIT 1
    ) since ON held.fen > 0
    WHERE h.id = ANY(:ids) AND (held.fen <> 0 OR CAST(:also_empty AS boolean))
    ORDER BY held.fen = 0, since.at, h.name, h.id LIMIT :most
""")


async def held(session: AsyncSession, viewer: Viewer, *, q: str = "", also_empty: bool = False) -> list[Held]:
    """Cash books of the accountant's divisions: whoever has held cash longest first. `q`: part of a name."""
    query = keepers_seen_by(viewer).with_only_columns(col(Account.id))
    if q:
        query = query.where(col(Account.name).contains(q, autoescape=True))
    ids = (await run(session, query)).scalars().all()
    values = {"ids": list(ids), "also_empty": also_empty or bool(q), "most": MOST}
    found = (await run(session, _HELD, values)).all()
    keepers = await keepers_of(session, [row[0] for row in found])
    return [Held(keepers[account_id], *book) for account_id, *book in found]


def county_of(codes: Iterable[str]) -> str:
    """The county cash belongs to, by the first of the places; of a wider grant the wider place."""
    return next((code[: Level.COUNTY] for code in codes), "")


def _posts() -> Subquery:
    """Every grant that brings cash into a hand, with its place; those that ended are no longer live."""
    place: SQLColumnExpression[str] = func.coalesce(
        col(Grant.division_code), col(Station.division_code), col(WorkUnit.division_code)
    )
    live: ColumnElement[bool] = col(Grant.ended_at).is_(None)
    return (
        columns(
            Grant.account_id,
            Grant.role,
            place.label("place"),
            live.label("is_live"),
            func.coalesce(col(WorkUnit.short_name), col(Station.name)).label("over"),
        )
        .outerjoin(Station, col(Station.id) == col(Grant.station_id))
        .outerjoin(WorkUnit, col(WorkUnit.id) == col(Grant.work_unit_id))
        .where(col(Grant.role).in_(KEEPERS))
        .subquery()
    )


def _keepers(posts: Subquery) -> Rows:
    over = func.coalesce(posts.c.over, col(places.Division.name))
    return (
        columns(posts.c.account_id, Account.name, posts.c.role, over, posts.c.is_live)
        .join(Account, col(Account.id) == posts.c.account_id)
        .join(places.Division, col(places.Division.code) == posts.c.place)
        .order_by(posts.c.role, Account.name)
    )
