"""Cash of a county as its accountants keep it: whose hand holds how much since when, hand-ins, the bank, refunds."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.clock import day_of, month_end, parse_month
from market.ground.errors import Malformed, NotMovable, OverLimit
from market.ground.money import format_yuan
from market.people.accounts import Account, Role, Viewer
from payments import bank_slips, cash, cash_books, cash_keepers, hand_ins
from payments.bank_slips import Slip
from payments.cash_records import SlipKind
from payments.hand_ins import Wish
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain, require
from storefront.forms import Form, read_form
from storefront.texts import gettext as _

router = APIRouter()
AccountantDep = Annotated[Viewer, Depends(require(Role.ACCOUNTANT))]
MonthDep = Annotated[str, Query(max_length=7)]
PageNoDep = Annotated[int, Query(ge=1, le=100_000, alias="page")]
_LATEST = 8


@router.get("/desk/cash")
async def list_cash_books(
    page: PageDep, session: SessionDep, accountant: AccountantDep, q: Annotated[str, Query(max_length=40)] = ""
) -> Response:
    """All cash of the division that is in people's hands, and what is on its way."""
    books = await cash_keepers.held(session, accountant, q=q.strip())
    return page(
        "desk/cash.html",
        q=q.strip(),
        books=books,
        all_fen=sum(book.fen for book in books),
        mine=await cash_books.in_hand(session, accountant.id),
        waiting=await hand_ins.overseen_by(session, accountant),
        ended=await hand_ins.ended(session, accountant, most=_LATEST),
        slips=await bank_slips.overseen_by(session, accountant, most=_LATEST),
        due_back=await cash.due_back_at(session, accountant),
    )


@router.get("/desk/cash/hand-ins")
async def list_hand_ins(
    page: PageDep, session: SessionDep, accountant: AccountantDep, page_no: PageNoDep = 1
) -> Response:
    """Every hand-in that has ended, the newest first."""
    rows = await hand_ins.ended(session, accountant, offset=(page_no - 1) * hand_ins.PAGE, most=hand_ins.PAGE + 1)
    return page("desk/cash_hand_ins.html", rows=rows[: hand_ins.PAGE], more=len(rows) > hand_ins.PAGE, page_no=page_no)


@router.get("/desk/cash/slips")
async def list_slips(page: PageDep, session: SessionDep, accountant: AccountantDep, page_no: PageNoDep = 1) -> Response:
    """Every slip of the bank, the newest first."""
    size = bank_slips.PAGE
    rows = await bank_slips.overseen_by(session, accountant, offset=(page_no - 1) * size, most=size + 1)
    return page("desk/cash_slips.html", slips=rows[:size], more=len(rows) > size, page_no=page_no)


@router.get("/desk/cash/books/{account_id}")
async def show_cash_book(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, account_id: int, month: MonthDep = ""
) -> Response:
    """One person's book, as the auditor sees it."""
    owner = await cash_keepers.seen_by(session, accountant, account_id)
    return page("desk/cash_book.html", form=Form({}, {}), **await _book(session, accountant, owner, month, day_of(now)))


@router.get("/desk/cash/books/{account_id}/sheet")
async def show_cash_sheet(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, account_id: int, month: MonthDep = ""
) -> Response:
    """The same on paper, to be signed."""
    owner = await cash_keepers.seen_by(session, accountant, account_id)
    return page("desk/cash_sheet.html", **await _book(session, accountant, owner, month, day_of(now)))


@router.post("/desk/cash/books/{account_id}/hand-ins")
async def create_hand_in_for(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, account_id: int
) -> Response:
    """Cash of somebody who takes no more, declared for them; another accountant counts it."""
    owner = await cash_keepers.seen_by(session, accountant, account_id)
    form = await read_form(request)
    book = await _book(session, accountant, owner, "", day_of(now))
    receiver = form.one_of("receiver", [str(keeper.account_id) for keeper in book["receivers"]])
    wish = Wish(int(receiver) if form.ok else 0, form.amount("amount"), form.text("note", most=200))
    if form.ok and wish.amount_fen > book["held"].spare_fen:
        form.errors["amount"] = _("他账上能交的只有 %(money)s", money=format_yuan(book["held"].spare_fen))
    if not form.ok:
        return page("desk/cash_book.html", status=422, form=form, **book)
    try:
        await hand_ins.declare(session, accountant, wish, giver_id=account_id, now=now)
    except NotMovable as error:
        said = _("上一笔还没有点清。")
        raise StartAgain(f"/desk/cash/books/{account_id}", "warning", said) from error
    return page.redirect(f"/desk/cash/books/{account_id}", ("success", _("登记好了，等对方点清。")))


@router.post("/desk/cash/refunds/{refund_id}/receipt")
async def create_cash_refund_receipt(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, refund_id: UUID
) -> Response:
    """The buyer has the cash back, out of the accountant's hand."""
    try:
        refund = await cash.hand_back(session, accountant, refund_id, now=now)
    except OverLimit as error:
        said = _("您手里能用的只有 %(money)s，不够退。可以先从银行取出，记一张取款单。", money=format_yuan(error.limit))
        raise StartAgain("/desk/cash", "warning", said) from error
    said = _("已记下：退还现金 %(money)s。记下后不能撤销。", money=format_yuan(refund.amount_fen))
    return page.redirect("/desk/cash", ("success", said))


@router.get("/desk/cash/slips/new")
async def new_slip(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, kind: SlipKind = SlipKind.PAID_IN
) -> Response:
    """What does the bank's paper say?"""
    form = Form({"kind": kind, "slip_on": day_of(now).isoformat()}, {})
    return page("desk/cash_slip.html", form=form, held=await cash_books.in_hand(session, accountant.id))


@router.post("/desk/cash/slips")
async def create_slip(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep
) -> Response:
    """Cash went to the bank, or came from it."""
    form = await read_form(request)
    held = await cash_books.in_hand(session, accountant.id)
    slip = _slip(form)
    try:
        if form.ok:
            await bank_slips.enter(session, accountant, slip, now=now)
    except Malformed as error:
        form.reject_for(error)
    except OverLimit as error:
        form.errors["amount"] = _("您手里能存的只有 %(money)s", money=format_yuan(error.limit))
    if not form.ok:
        return page("desk/cash_slip.html", status=422, form=form, held=held)
    said = _("记下了：存入银行 %(money)s。") if slip.kind is SlipKind.PAID_IN else _("记下了：从银行取出 %(money)s。")
    return page.redirect("/desk/cash", ("success", said % {"money": format_yuan(slip.amount_fen)}))


def _slip(form: Form) -> Slip:
    kind = form.one_of("kind", list(SlipKind))
    serial = form.text("serial", most=40, required=True)
    try:
        slip_on = date.fromisoformat(form.text("slip_on"))
    except ValueError:
        form.reject("slip_on", "not_that_day")
        slip_on = date.min
    return Slip(SlipKind(kind) if kind in list(SlipKind) else SlipKind.PAID_IN, form.amount("amount"), serial, slip_on)


async def _book(session: AsyncSession, accountant: Viewer, owner: Account, month: str, today: date) -> dict[str, Any]:
    try:
        first = parse_month(month) if month else today.replace(day=1)
    except ValueError:
        raise Malformed("month", "not_a_month", month) from None
    owner_id = owner.id or 0
    left = not await cash_keepers.is_keeper(session, owner_id)
    receivers = await cash_keepers.receivers_for(session, owner_id) if left else []
    return {
        "owner": owner,
        "keeper": (await cash_keepers.keepers_of(session, [owner_id]))[owner_id],
        "held": await cash_books.in_hand(session, owner_id),
        "given": await hand_ins.waiting(session, giver_id=owner_id),
        "book": await cash_books.pages(session, owner_id, first, month_end(first)),
        "today": today,
        "has_left": left,
        "receivers": [keeper for keeper in receivers if keeper.account_id != accountant.id],
    }
