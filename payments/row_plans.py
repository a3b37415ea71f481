"""What a statement's lines are found to be and what is proposed for them, before anything happens."""

import hashlib
from datetime import datetime

from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from payments import expectations
from payments.bank_files import Line
from payments.bank_rows import BankRow, Part
from payments.matching import Proposal
from payments.outcomes import Outcome, PartState, RowState
from payments.payees import Payee


async def write(session: AsyncSession, statement_id: int, payee: Payee, lines: list[Line], *, now: datetime) -> None:
    """Keep a file's lines, each with what it would be."""
    seen: dict[str, int] = {}
    rows = [
        BankRow(
            statement_id=statement_id, payee_id=payee.id or 0, line=line.number, booked_on=line.booked_on,
            amount_fen=line.amount_fen, currency=line.currency, name=line.name, account=line.account, memo=line.memo,
            serial=line.serial, fingerprint=_fingerprint(line, seen), outcome=Outcome.NO_REFERENCE,
        )
        for line in lines
    ]  # fmt: skip
    session.add_all(rows)
    await session.flush()  # what is proposed for them needs the ids
    await match(session, payee, rows, now=now)


async def match(session: AsyncSession, payee: Payee, rows: list[BankRow], *, now: datetime) -> None:
    """Find out what lines mean that nothing was proposed for yet."""
    before = await taken(session, payee.id or 0, [row.fingerprint for row in rows])
    fresh = []
    for row in rows:
        if row.fingerprint in before:
            row.outcome = Outcome.DUPLICATE
        else:
            fresh.append(row)
        before.add(row.fingerprint)
    known = await expectations.known(session, payee.county_code, fresh)
    for row in fresh:
        found = known.match(row)
        row.outcome = found.outcome
        session.add_all(_proposed(row, proposal, now) for proposal in found.proposals)


async def taken(session: AsyncSession, payee_id: int, fingerprints: list[str]) -> set[str]:
    """Which of these movements were taken before."""
    found = select(BankRow.fingerprint).where(
        BankRow.payee_id == payee_id, BankRow.state != RowState.PREVIEWED, BankRow.outcome != Outcome.DUPLICATE,
        col(BankRow.fingerprint).in_(fingerprints),
    )  # fmt: skip
    return set(await session.exec(found))


def _proposed(row: BankRow, proposal: Proposal, now: datetime) -> Part:
    """A proposal as it is kept beside its line."""
    return Part(
        row_id=row.id or 0, use=proposal.use, state=PartState.PROPOSED, amount_fen=proposal.amount_fen,
        payment_id=proposal.payment_id, refund_id=proposal.refund_id, at=now,
    )  # fmt: skip


def _fingerprint(line: Line, seen: dict[str, int]) -> str:
    """By the bank's own number; else by content, and how often that content has come in this file."""
    whole: tuple[object, ...] = (line.booked_on, line.amount_fen, line.currency)
    if line.serial:
        return _hashed("serial", line.serial, *whole)
    content = _hashed("content", *whole, line.name, line.account, line.memo)
    seen[content] = seen.get(content, 0) + 1
    return _hashed(content, seen[content])


def _hashed(*values: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, values)).encode()).hexdigest()
