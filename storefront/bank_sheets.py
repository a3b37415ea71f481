"""A bank statement as a file: every line with what it was found to be, what became of it, and on whose word."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground import audit
from market.ground.clock import SHANGHAI
from market.people import accounts
from market.people.accounts import Viewer
from payments import previews, uses
from payments.bank_rows import BankRow, BankStatement
from payments.payees import Payee
from payments.uses import Share
from storefront import bank_words, downloads
from storefront.downloads import Fen, Sheet
from storefront.state import State
from storefront.texts import gettext as _

_AT_ONCE = 500
_WIDTHS = (6, 12, 14, 14, 8, 24, 12, 36, 20, 22, 10, 40, 16, 30)


async def respond(
    session: AsyncSession, state: State, viewer: Viewer, statement: BankStatement, *, kind: str, now: datetime
) -> Response:
    """The statement as a download (`csv` or `xlsx`), noted in the request's transaction."""
    statement_id = statement.id or 0
    audit.note(session, viewer.account_id, "download", subject=f"statement:{statement_id}", note=kind, now=now)
    payee = await session.get_one(Payee, statement.payee_id)
    sheet = Sheet(
        name=f"statement-{statement_id}",
        title=_("对账单 %(name)s", name=statement.name),
        preface=[
            (_("户名"), payee.name),
            (_("账户尾号"), payee.account_no[-4:]),
            (_("情况"), str(bank_words.STATEMENTS[statement.state][1])),
            (_("生成时间"), f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"),
            (_("生成人"), viewer.name),
            (_("单位"), _("元")),
        ],
        heads=[
            _("行"), _("记账日"), _("到账"), _("转出"), _("币种"), _("对方户名"), _("对方账号"), _("附言"),
            _("银行流水号"), _("是什么"), _("情况"), _("怎么用的"), _("谁定的"), _("为什么"),
        ],
        records=lambda: _records(state, statement_id),
        widths=_WIDTHS,
    )  # fmt: skip
    return downloads.respond(sheet, kind)


@asynccontextmanager
async def _records(state: State, statement_id: int) -> AsyncIterator[AsyncIterator[Sequence[Any]]]:
    async with state.database.transaction() as session:
        yield _lines(session, statement_id)


async def _lines(session: AsyncSession, statement_id: int) -> AsyncIterator[Sequence[Any]]:
    offset = 0
    while rows := list(await session.exec(previews.listed(statement_id).offset(offset).limit(_AT_ONCE))):
        shares = await uses.shares(session, [row.id or 0 for row in rows])
        said = {share.part.account_id for some in shares.values() for share in some if share.part.account_id}
        people = await accounts.names(session, said)
        for row in rows:
            yield _line(row, [share for share in shares.get(row.id or 0, []) if not share.is_gone], people)
        offset += _AT_ONCE


def _line(row: BankRow, shares: list[Share], people: dict[int, str]) -> Sequence[Any]:
    decided = list(dict.fromkeys(bank_words.decided(share.part, people) for share in shares))
    why = list(dict.fromkeys(share.part.why for share in shares if share.part.why))
    return [
        str(row.line), row.booked_on.isoformat(), Fen(row.amount_fen) if row.came else "",
        "" if row.came else Fen(-row.amount_fen), row.currency, row.name, row.account, row.memo, row.serial,
        str(bank_words.meaning(row).name), str(bank_words.STATES[row.state][1]),
        "；".join(bank_words.purpose(share) for share in shares), "、".join(decided), "；".join(why),
    ]  # fmt: skip
