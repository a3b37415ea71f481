"""Statements of a payee's bank account: brought as a file, looked at, and taken: from then on their money is booked."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import col, delete, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from market.books import ledger
from market.books.ledger import Book, Leg, Occasion, Rail, Reason
from market.ground import audit, queue
from market.ground.errors import Malformed, NotFound, NotMovable, PlanMoved
from market.people.accounts import Viewer
from payments import payees, previews, row_plans
from payments.bank_files import BankFile
from payments.bank_rows import BankRow, BankStatement, Part
from payments.outcomes import Outcome, PartState, RowState, StatementState
from payments.payees import Payee

_SHOWN_DIGITS = 4


@dataclass(frozen=True)
class Sent:
    """A file somebody sent, read."""

    name: str
    sha256: str
    file: BankFile


def visible_to(viewer: Viewer) -> SelectOfScalar[BankStatement]:
    """Statements of an accountant's counties, the newest first; those discarded are left out."""
    own = payees.visible_to(viewer).with_only_columns(col(Payee.id)).order_by(None)
    return (
        select(BankStatement)
        .where(col(BankStatement.payee_id).in_(own), BankStatement.state != StatementState.DISCARDED)
        .order_by(col(BankStatement.id).desc())
    )


def rows_of(statement_id: int) -> SelectOfScalar[BankRow]:
    """A statement's lines, in the order of the file."""
    return select(BankRow).where(BankRow.statement_id == statement_id).order_by(col(BankRow.id))


async def seen_by(session: AsyncSession, viewer: Viewer, statement_id: int) -> BankStatement:
    """A statement of an accountant's counties; NotFound for any other."""
    found = (await session.exec(visible_to(viewer).where(BankStatement.id == statement_id))).one_or_none()
    if found is None:
        raise NotFound("bank_statement", str(statement_id))
    return found


async def counts(session: AsyncSession, statement_ids: list[int]) -> dict[int, dict[RowState, int]]:
    """How many lines of several statements are in which state."""
    rows = await session.exec(
        select(BankRow.statement_id, BankRow.state, func.count())
        .where(col(BankRow.statement_id).in_(statement_ids))
        .group_by(col(BankRow.statement_id), col(BankRow.state))
    )
    found: dict[int, dict[RowState, int]] = {}
    for statement_id, state, count in rows:
        found.setdefault(statement_id, {})[RowState(state)] = count
    return found


async def bring(session: AsyncSession, by: Viewer, payee_id: int, sent: Sent, *, now: datetime) -> BankStatement:
    """Keep a file's lines with what each would be. Nothing happens to any order or book.

    Raises NotFound outside the counties, Malformed("file", …): `sent_before` (given: the earlier one's id),
    `other_account`.
    """
    payee = await payees.seen_by(session, by, payee_id)
    await payees.lock(session, payee_id)  # of two that send one file at once the second finds the first
    same = select(BankStatement.id).where(
        BankStatement.payee_id == payee_id, BankStatement.sha256 == sent.sha256,
        BankStatement.state != StatementState.DISCARDED,
    )  # fmt: skip
    earlier = (await session.exec(same)).one_or_none()
    if earlier is not None:
        raise Malformed("file", "sent_before", str(earlier))
    if not _is_of(payee, sent.file.account):
        raise Malformed("file", "other_account", sent.file.account[-_SHOWN_DIGITS:])
    statement = BankStatement(
        payee_id=payee_id, name=sent.name.strip()[-120:], sha256=sent.sha256, layout=sent.file.layout, sent_at=now,
        sent_by=by.id,
    )  # fmt: skip
    session.add(statement)
    await session.flush()  # its lines need the id
    await row_plans.write(session, statement.id or 0, payee, sent.file.lines, now=now)
    return statement


async def take(session: AsyncSession, by: Viewer, statement_id: int, *, seen: str = "", now: datetime) -> BankStatement:
    """From now on its money is booked; what is clear goes on to the orders, line by line, by a job. Twice is once.

    What is done is what the preview showed: each line carries its plan, and one that fits no more waits for a person.
    `seen`: the mark of the preview this person looked at (`previews.mark`); PlanMoved when it is another one by now.
    """
    statement = await _held(session, by, statement_id)
    if statement.state is StatementState.TAKEN:
        return statement
    if seen and seen != await previews.mark(session, statement_id):
        raise PlanMoved(statement_id)
    county_code = (await session.get_one(Payee, statement.payee_id)).county_code
    rows = list(await session.exec(rows_of(statement_id)))
    taken = await row_plans.taken(session, statement.payee_id, [row.fingerprint for row in rows])
    proposed = await _proposed(session, statement_id)
    for row in rows:
        parts = proposed.get(row.id or 0, [])
        if row.fingerprint in taken:
            row.outcome = Outcome.DUPLICATE
        taken.add(row.fingerprint)
        row.state = _state_when_taken(row, parts)
        for part in parts:
            _agree(part, row, by, now)
    await book_arrivals(session, [row for row in rows if row.is_booked], county_code, now=now)
    statement.state, statement.ended_at, statement.ended_by = StatementState.TAKEN, now, by.account_id
    said = f"{statement.name} {len(rows)}"
    audit.note(session, by.account_id, "take_statement", subject=f"statement:{statement_id}", note=said, now=now)
    await settle_later(session, statement_id)
    return statement


async def discard(session: AsyncSession, by: Viewer, statement_id: int, *, now: datetime) -> None:
    """It is not taken after all: its lines go, who sent it stays. NotMovable once it was taken."""
    statement = await _held(session, by, statement_id)
    if statement.state is StatementState.TAKEN:
        raise NotMovable("statement", statement.state, "discard")
    ids = select(BankRow.id).where(BankRow.statement_id == statement_id)
    await session.exec(delete(Part).where(col(Part.row_id).in_(ids)))
    await session.exec(delete(BankRow).where(col(BankRow.statement_id) == statement_id))
    statement.state, statement.ended_at, statement.ended_by = StatementState.DISCARDED, now, by.account_id


async def look_again(session: AsyncSession, by: Viewer, statement_id: int, *, now: datetime) -> BankStatement:
    """Match a statement that is not taken yet anew: orders come and go. NotMovable once it was taken."""
    statement = await _held(session, by, statement_id)
    if statement.state is StatementState.TAKEN:
        raise NotMovable("statement", statement.state, "look_again")
    payee = await session.get_one(Payee, statement.payee_id)
    rows = list(await session.exec(rows_of(statement_id)))
    await session.exec(delete(Part).where(col(Part.row_id).in_([row.id for row in rows])))
    await row_plans.match(session, payee, rows, now=now)
    return statement


async def book_arrivals(session: AsyncSession, rows: list[BankRow], county_code: str, *, now: datetime) -> None:
    """Money these lines tell of stands in the books, whether or not anybody knows what for."""
    entries = [
        (
            Occasion(Reason.ARRIVAL, county_code, bank_row_id=row.id),
            [
                Leg(Book.CLEARING, -row.amount_fen, rail=Rail.TRANSFER),
                Leg(Book.UNASSIGNED, row.amount_fen, rail=Rail.TRANSFER),
            ],
        )
        for row in rows
    ]
    if entries:
        await ledger.post_all(session, entries, at=now)


async def settle_later(session: AsyncSession, statement_id: int) -> None:
    """Have the worker do what was agreed, one part a transaction: a crash loses nothing and repeats nothing."""
    await queue.enqueue(session, "settle_rows", statement_id=statement_id, lock=f"statement-{statement_id}")


async def _held(session: AsyncSession, by: Viewer, statement_id: int) -> BankStatement:
    """A statement with its payee held: statements of one account are taken one at a time."""
    statement = await seen_by(session, by, statement_id)
    await payees.lock(session, statement.payee_id)
    await session.refresh(statement)
    if statement.state is StatementState.DISCARDED:
        raise NotFound("bank_statement", str(statement_id))
    return statement


def _state_when_taken(row: BankRow, parts: list[Part]) -> RowState:
    if row.outcome is Outcome.DUPLICATE:
        return RowState.DONE
    return RowState.SETTLING if row.outcome.is_clear and parts else RowState.OPEN


def _agree(part: Part, row: BankRow, by: Viewer, now: datetime) -> None:
    """What was clear is agreed with the statement; what is not stays proposed for a person to decide."""
    if row.outcome is Outcome.DUPLICATE:
        part.state, part.ended_at = PartState.VOID, now
    elif row.outcome.is_clear:
        part.state, part.at, part.account_id = PartState.AGREED, now, by.account_id


async def _proposed(session: AsyncSession, statement_id: int) -> dict[int, list[Part]]:
    rows = select(Part).join(BankRow, col(BankRow.id) == col(Part.row_id))
    found: dict[int, list[Part]] = {}
    for part in await session.exec(rows.where(BankRow.statement_id == statement_id).order_by(col(Part.id))):
        found.setdefault(part.row_id, []).append(part)
    return found


def _is_of(payee: Payee, account: str) -> bool:
    """Whether a file is about this account, as far as it says: masked numbers and numbers of a branch fit too."""
    if not account:
        return True
    if "*" in account:
        return payee.account_no.endswith(account.rpartition("*")[2][-_SHOWN_DIGITS:])
    return payee.account_no.endswith(account) or account.endswith(payee.account_no)
