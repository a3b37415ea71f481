"""Lines of bank statements that wait for a person: the list, and each with what the bank wrote and what it may be."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground import places
from market.people import accounts
from market.people.accounts import Viewer
from payments import bank_rows, remittances, row_remarks, uses, worklist
from payments.asides import OF_CAME, OF_WENT
from payments.bank_rows import BankRow, BankStatement
from payments.outcomes import ASIDE, PartState, RowState
from payments.payees import Payee
from payments.remittances import ToSend
from payments.uses import Share
from payments.worklist import PAGE
from storefront import bank_words
from storefront.deps import PageDep, SessionDep
from storefront.forms import Form
from storefront.pages.desk.statements import AccountantDep

router = APIRouter()
HERE = "/desk/bank-rows"


class Looked(BaseModel):
    """The address of the list."""

    model_config = ConfigDict(frozen=True)

    q: Annotated[str, Field(max_length=60)] = ""
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def url(self, page: int) -> str:
        """Another page of it."""
        said = {"q": self.q.strip(), "page": page if page > 1 else ""}
        asked = urlencode({key: value for key, value in said.items() if value})
        return f"{HERE}?{asked}" if asked else HERE


SearchedDep = Annotated[str, Query(max_length=60)]
LookedDep = Annotated[Looked, Query()]


@router.get("/desk/bank-rows")
async def list_bank_rows(page: PageDep, session: SessionDep, accountant: AccountantDep, asked: LookedDep) -> Response:
    """What waits for somebody, the oldest first, each with why it was left the last time."""
    query = worklist.waiting(accountant, q=asked.q).offset((asked.page - 1) * PAGE).limit(PAGE + 1)
    rows = list(await session.exec(query))
    ids = [row.id or 0 for row in rows]
    return page(
        "desk/bank_rows.html", rows=rows[:PAGE], more=len(rows) > PAGE, asked=asked, words_of=bank_words,
        count=await worklist.count(session, accountant), rests=await bank_rows.rest_of(session, ids),
        left={each.row_id: each for each in await row_remarks.of_rows(session, ids)},
    )  # fmt: skip


@router.get("/desk/bank-rows/{row_id}")
async def show_bank_row(
    page: PageDep, session: SessionDep, accountant: AccountantDep, row_id: int, q: SearchedDep = ""
) -> Response:
    """One line: what the bank wrote, what it may be, what can be decided, and what was."""
    row = await bank_rows.seen_by(session, accountant, row_id)
    return page("desk/bank_row.html", form=Form({}, {}), **await read(session, accountant, row, q=q))


@router.get("/desk/bank-rows/{row_id}/state")
async def show_bank_row_state(
    session: SessionDep, accountant: AccountantDep, row_id: int, seen: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    """What the page asks while the money is on its way to its order: has anything changed?"""
    row = await bank_rows.seen_by(session, accountant, row_id)
    return Response(status_code=204) if row.state == seen else Response(headers={"HX-Refresh": "true"})


async def read(session: AsyncSession, accountant: Viewer, row: BankRow, *, q: str = "") -> dict[str, Any]:
    """Everything the page of a line says."""
    row_id = row.id or 0
    payee = await session.get_one(Payee, row.payee_id)
    shares = (await uses.shares(session, [row_id])).get(row_id, [])
    remarks = await row_remarks.of_rows(session, [row_id])
    who = {share.part.account_id for share in shares} | {remark.account_id for remark in remarks}
    rest = await bank_rows.rest_fen(session, row)
    proposed = [share for share in shares if share.part.state is PartState.PROPOSED]
    return {
        "row": row, "payee": payee, "place": (await places.get(session, payee.county_code)).name,
        "statement": await session.get_one(BankStatement, row.statement_id), "q": q, "words_of": bank_words,
        "remarks": remarks, "people": await accounts.names(session, {each for each in who if each}),
        "proposed": proposed, "decided": [share for share in shares if share not in proposed],
        "rest_fen": rest, "over_fen": rest - sum(share.part.amount_fen for share in proposed),
        "may_take_up": _may_take_up(shares), "aside_uses": OF_CAME if row.came else OF_WENT,
        **(await _choices(session, accountant, row, rest, q) if row.state is RowState.OPEN else {}),
    }  # fmt: skip


async def _choices(session: AsyncSession, accountant: Viewer, row: BankRow, rest_fen: int, q: str) -> dict[str, Any]:
    """What an open line may be given to."""
    if row.is_booked:
        return {"candidates": await worklist.candidates(session, row, rest_fen=rest_fen, q=q)}
    if row.came:
        return {}
    return {
        "owed": await _owed(session, accountant, row),
        "alike": await worklist.came_alike(session, accountant, row, rest_fen=rest_fen),
    }


async def _owed(session: AsyncSession, accountant: Viewer, row: BankRow) -> list[ToSend]:
    payee = await session.get_one(Payee, row.payee_id)
    waiting = await remittances.waiting(session, accountant)
    return [each for each in waiting if each.order.county_code == payee.county_code]


def _may_take_up(shares: list[Share]) -> bool:
    return any(share.part.state is PartState.DONE and share.part.use in ASIDE for share in shares)
