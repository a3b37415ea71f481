"""Bank statements: a file is brought, looked at line by line, and only then taken into the books."""

import hashlib
from typing import Annotated, Any
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.errors import Malformed, NotMovable, PlanMoved
from market.people import accounts
from market.people.accounts import Role, Viewer
from payments import bank_files, payees, previews, remittances, statements, uses, worklist
from payments.bank_files import MOST_BYTES
from payments.bank_rows import BankStatement
from payments.outcomes import Outcome, RowState, StatementState
from payments.payees import Payee
from payments.previews import PAGE
from payments.statements import Sent
from storefront import bank_sheets, bank_words
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain, StateDep, require
from storefront.errors import say
from storefront.forms import Form, read_form
from storefront.texts import gettext as _

router = APIRouter()
AccountantDep = Annotated[Viewer, Depends(require(Role.ACCOUNTANT))]
HERE = "/desk/statements"


class Looked(BaseModel):
    """The address of a statement's lines."""

    model_config = ConfigDict(frozen=True)

    only: Outcome | None = None
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def url(self, statement_id: int, *, only: Outcome | None = None, page: int = 1) -> str:
        """Another page of it, or the lines that were found to be something else."""
        said = {"only": only.value if only else "", "page": page if page > 1 else ""}
        asked = urlencode({key: value for key, value in said.items() if value})
        return f"{HERE}/{statement_id}?{asked}" if asked else f"{HERE}/{statement_id}"


LookedDep = Annotated[Looked, Query()]


@router.get("/desk/statements")
async def list_statements(
    page: PageDep,
    session: SessionDep,
    accountant: AccountantDep,
    page_no: Annotated[int, Query(ge=1, alias="page", le=100_000)] = 1,
) -> Response:
    """The statements of the county's accounts, the newest first, and what waits for somebody."""
    found = list(await session.exec(statements.visible_to(accountant).offset((page_no - 1) * PAGE).limit(PAGE + 1)))
    ids = [each.id or 0 for each in found]
    return page(
        "desk/bank_statements.html", rows=found[:PAGE], more=len(found) > PAGE, page_no=page_no, words_of=bank_words,
        counts=await statements.counts(session, ids), days=await previews.days(session, ids),
        payees={each.id: each for each in await session.exec(payees.visible_to(accountant))},
        people=await accounts.names(session, {each.sent_by for each in found}),
        open_count=await worklist.count(session, accountant),
        to_send_count=len(await remittances.waiting(session, accountant)), open_state=RowState.OPEN,
    )  # fmt: skip


@router.get("/desk/statements/new")
async def new_statement(page: PageDep, session: SessionDep, accountant: AccountantDep) -> Response:
    """Ask for the bank's file."""
    return await _ask(page, session, accountant, Form({}, {}))


@router.post("/desk/statements")
async def create_statement(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep
) -> Response:
    """Read the file and keep its lines with what each would be; nothing happens to any order or book yet."""
    form = await read_form(request)
    known = {str(payee.id): payee for payee in await _payees(session, accountant)}
    payee = form.one_of("payee", list(known))
    sent = await _sent(form)
    if sent is not None and form.ok:
        try:
            made = await statements.bring(session, accountant, int(payee), sent, now=now)
        except Malformed as error:
            if error.problem == "sent_before":
                said = _("这个文件以前上传过，就是这一份，没有再收一次。")
                raise StartAgain(f"{HERE}/{error.given}", "info", said) from error
            form.errors["file"] = bank_words.file_problem(error)
        else:
            return page.redirect(f"{HERE}/{made.id}")
    return await _ask(page, session, accountant, form)


@router.get("/desk/statements/{statement_id}")
async def show_statement(
    page: PageDep, session: SessionDep, accountant: AccountantDep, asked: LookedDep, statement_id: int
) -> Response:
    """Every line with what it is: before taking what it would lead to, afterwards what it led to."""
    statement = await statements.seen_by(session, accountant, statement_id)
    found = previews.listed(statement_id, asked.only).offset((asked.page - 1) * PAGE).limit(PAGE + 1)
    rows = list(await session.exec(found))
    return page(
        "desk/bank_statement.html", asked=asked, rows=rows[:PAGE], more=len(rows) > PAGE,
        shares=await uses.shares(session, [row.id or 0 for row in rows]), **await _head(session, statement),
        mark=await previews.mark(session, statement_id) if statement.state is StatementState.PREVIEWED else "",
    )  # fmt: skip


@router.get("/desk/statements/{statement_id}/state")
async def show_statement_state(
    session: SessionDep, accountant: AccountantDep, statement_id: int, seen: Annotated[int, Query(ge=0)] = 0
) -> Response:
    """What a page asks while lines are on their way to their orders: have some arrived?"""
    await statements.seen_by(session, accountant, statement_id)
    counts = (await statements.counts(session, [statement_id])).get(statement_id, {})
    return (
        Response(status_code=204)
        if counts.get(RowState.SETTLING, 0) == seen
        else Response(headers={"HX-Refresh": "true"})
    )


@router.post("/desk/statements/{statement_id}/taking")
async def create_taking(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, statement_id: int
) -> Response:
    """Take it, exactly as it was shown. Pressed twice it is taken once."""
    form = await read_form(request)
    try:
        await statements.take(session, accountant, statement_id, seen=form.text("mark", most=64) or "none", now=now)
    except PlanMoved as error:
        raise StartAgain(f"{HERE}/{statement_id}", "warning", say(error)) from error
    return page.redirect(f"{HERE}/{statement_id}", ("success", _("已入账。能自己对上的正在记到订单上，别的等人看。")))


@router.post("/desk/statements/{statement_id}/comparison")
async def create_comparison(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, statement_id: int
) -> Response:
    """Match it anew: orders have come and gone since."""
    try:
        await statements.look_again(session, accountant, statement_id, now=now)
    except NotMovable as error:
        raise StartAgain(f"{HERE}/{statement_id}", "info", _("这份已经入账了，不用再对。")) from error
    return page.redirect(f"{HERE}/{statement_id}", ("success", _("重新对过了，请再看一遍。")))


@router.post("/desk/statements/{statement_id}/removal")
async def create_removal(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, statement_id: int
) -> Response:
    """It is not taken after all."""
    try:
        await statements.discard(session, accountant, statement_id, now=now)
    except NotMovable as error:
        raise StartAgain(f"{HERE}/{statement_id}", "warning", _("这份已经入账了，不能不要。")) from error
    return page.redirect(HERE, ("success", _("没有收这份对账单，账上什么都没有变。")))


@router.get("/desk/statements/{statement_id}/sheet")
async def show_statement_sheet(
    page: PageDep, session: SessionDep, accountant: AccountantDep, statement_id: int
) -> Response:
    """All of it on paper."""
    statement = await statements.seen_by(session, accountant, statement_id)
    rows = list(await session.exec(previews.listed(statement_id)))
    shares = await uses.shares(session, [row.id or 0 for row in rows])
    return page("desk/bank_sheet.html", rows=rows, shares=shares, **await _head(session, statement))


@router.get("/desk/statements/{statement_id}/file")
async def show_statement_file(
    session: SessionDep, state: StateDep, accountant: AccountantDep, now: NowDep, statement_id: int,
    kind: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "csv",
) -> Response:  # fmt: skip
    """The same as a table to be kept."""
    statement = await statements.seen_by(session, accountant, statement_id)
    return await bank_sheets.respond(session, state, accountant, statement, kind=kind, now=now)


async def _sent(form: Form) -> Sent | None:
    """The file that was sent, read; none, with the reason beside its field, when it is no statement."""
    file = form.files.get("file")
    if file is None:
        form.reject("file", "missing")
        return None
    content, name = await file.read(MOST_BYTES + 1), file.filename or ""
    try:
        # Unpacking a spreadsheet takes seconds: nobody else waits for it.
        read = await to_thread.run_sync(bank_files.read, content, name)
    except Malformed as error:
        form.errors["file"] = bank_words.file_problem(error)
        return None
    return Sent(name, hashlib.sha256(content).hexdigest(), read)


async def _ask(page: PageDep, session: AsyncSession, accountant: Viewer, form: Form) -> Response:
    return page(
        "desk/new_bank_statement.html", status=200 if form.ok else 422, form=form,
        payees=await _payees(session, accountant),
    )  # fmt: skip


async def _payees(session: AsyncSession, accountant: Viewer) -> list[Payee]:
    """Accounts buyers transfer to, or did."""
    shown = payees.visible_to(accountant).where(col(Payee.confirmed_at).is_not(None))
    return list(await session.exec(shown))


async def _head(session: AsyncSession, statement: BankStatement) -> dict[str, Any]:
    statement_id = statement.id or 0
    found = await previews.tallies(session, statement_id)
    days = await previews.days(session, [statement_id])
    return {
        "statement": statement, "tallies": found, "sums": previews.sums(found), "words_of": bank_words,
        "days": days.get(statement_id),
        "by_outcome": previews.by_outcome(found), "payee": await session.get_one(Payee, statement.payee_id),
        "people": await accounts.names(session, {who for who in (statement.sent_by, statement.ended_by) if who}),
        "settling_count": sum(tally.count for tally in found if tally.state is RowState.SETTLING),
    }  # fmt: skip
