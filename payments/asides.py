"""Money a statement tells of that is not the market's, or stands in its books already: put aside, with a reason."""

from datetime import datetime

from sqlmodel.ext.asyncio.session import AsyncSession

from market.books import ledger
from market.books.ledger import Book, Leg, Occasion, Rail, Reason
from market.ground import audit
from market.ground.errors import Malformed, NotMovable
from payments import bank_rows, row_remarks
from payments.bank_rows import BankRow
from payments.decisions import Word, drop_proposals, open_row, part
from payments.matching import Proposal
from payments.outcomes import ASIDE, PartState, Use
from payments.payees import Payee
from payments.row_remarks import Remark

OF_CAME = (Use.FOREIGN, Use.CASH_DEPOSIT, Use.DUPLICATE)
OF_WENT = (Use.FOREIGN, Use.PAYOUT, Use.DUPLICATE)


async def set_aside(session: AsyncSession, word: Word, row_id: int, use: Use, *, now: datetime) -> BankRow:
    """It is not the market's money, or stands in its books by another name already. A reason stays with it.

    Malformed: no reason, or a use this money cannot have.
    """
    row = await open_row(session, word, row_id)
    if use not in (OF_CAME if row.came else OF_WENT):
        raise Malformed("use", "choose_one", use)
    if not word.why.strip():
        raise Malformed("why", "missing")
    rest = await bank_rows.rest_fen(session, row)
    await _put_aside(session, row, rest, now)
    session.add(part(row, Proposal(use, rest), word, now, done=True))
    await drop_proposals(session, row, now)
    await bank_rows.set_state(session, row)
    note = f"{use} {rest} {word.why}"
    audit.note(session, word.by.account_id, "set_aside", subject=f"bank_row:{row_id}", note=note, now=now)
    return row


async def return_to(session: AsyncSession, word: Word, row_id: int, came_id: int, *, now: datetime) -> BankRow:
    """The money that went gave back what another line had brought and nobody knew: both are done.

    Raises NotFound, NotMovable, Malformed when the two amounts differ.
    """
    held = {each: await open_row(session, word, each) for each in sorted({row_id, came_id})}
    went, came = held[row_id], held[came_id]
    amount = await bank_rows.rest_fen(session, came)
    if went.came or not came.is_booked or amount != await bank_rows.rest_fen(session, went):
        raise Malformed("came", "sum_differs")
    await _put_aside(session, came, amount, now)
    for row, other in ((went, came), (came, went)):
        wish = Proposal(Use.RETURNED, amount, other_row_id=other.id)
        session.add(part(row, wish, word, now, done=True))
        await drop_proposals(session, row, now)
        await bank_rows.set_state(session, row)
    return went


async def take_up_again(session: AsyncSession, word: Word, row_id: int, *, now: datetime) -> BankRow:
    """What was put aside was put aside by mistake: a person decides anew. NotMovable when nothing is aside."""
    await bank_rows.seen_by(session, word.by, row_id)
    row = await bank_rows.lock(session, row_id)
    aside = [
        each for each in await session.exec(bank_rows.parts_of(row_id))
        if each.state is PartState.DONE and each.use in ASIDE
    ]  # fmt: skip
    if not aside:
        raise NotMovable("bank_row", row.state, "take_up_again")
    for each in aside:
        each.state, each.ended_at = PartState.VOID, now
        await _put_aside(session, row, -each.amount_fen, now)
    await bank_rows.set_state(session, row)
    row_remarks.note(session, word, row_id, Remark.TAKEN_UP, now=now)
    audit.note(session, word.by.account_id, "take_up_again", subject=f"bank_row:{row_id}", note=word.why, now=now)
    return row


async def _put_aside(session: AsyncSession, row: BankRow, amount_fen: int, now: datetime) -> None:
    """Take what a line brought out of the books; with a minus, back into them. Money that went was never there."""
    if not row.is_booked:
        return
    payee = await session.get_one(Payee, row.payee_id)
    legs = [
        Leg(Book.UNASSIGNED, -amount_fen, rail=Rail.TRANSFER), Leg(Book.CLEARING, amount_fen, rail=Rail.TRANSFER)
    ]  # fmt: skip
    await ledger.post(session, Occasion(Reason.ASIDE, payee.county_code, bank_row_id=row.id), legs, at=now)
