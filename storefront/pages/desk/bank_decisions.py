"""What an accountant decides about a line of a bank statement. Each decision needs a reason and is said back."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.errors import Malformed, NotFound, NotMovable
from payments import asides, bank_rows, decisions, row_remarks
from payments.decisions import Word
from payments.outcomes import Use
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain
from storefront.errors import say_problem
from storefront.forms import Form, read_form
from storefront.pages.desk import bank_rows as rows
from storefront.pages.desk.statements import AccountantDep
from storefront.render import Page
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

router = APIRouter()
_MOST_ORDERS = 30
_BETWEEN = re.compile(r"[\s,，、;；]+")
_PROBLEMS = {
    "nothing_proposed": _l("系统没有找到可以照办的，请自己选。"),
    "sum_differs": _l("金额对不上，没有记。请再看一遍。"),
}


class Decision:
    """A form about one line, with the reason every decision needs."""

    def __init__(self, form: Form, word: Word) -> None:
        """The form as sent, and who decides why."""
        self.form, self.word = form, word

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong with the form."""
        return self.form.ok


async def _decision(request: Request, accountant: AccountantDep) -> Decision:
    form, kind = await read_form(request), request.url.path.rpartition("/")[2]
    return Decision(form, Word(accountant, form.text(f"why-{kind}", most=200, required=True)))


DecisionDep = Annotated[Decision, Depends(_decision)]


@router.post("/desk/bank-rows/{row_id}/confirmation")
async def create_confirmation(
    page: PageDep, session: SessionDep, decision: DecisionDep, now: NowDep, row_id: int
) -> Response:
    """What the market found is right."""
    if not decision.ok:
        return await _again(page, session, decision, row_id)
    rest_back = decision.form.text("rest") == "back"
    with _told(row_id):
        await decisions.confirm(session, decision.word, row_id, rest_back=rest_back, now=now)
    return _done(page, row_id, _("已照办，钱正在记到订单上。"))


@router.post("/desk/bank-rows/{row_id}/orders")
async def create_orders(
    request: Request, page: PageDep, session: SessionDep, decision: DecisionDep, now: NowDep, row_id: int
) -> Response:
    """It is for these orders: those ticked, and those typed."""
    ticked = [str(value) for value in (await request.form()).getlist("order")]
    typed = [each.upper() for each in _BETWEEN.split(decision.form.text("orders", most=600)) if each]
    nos = [*ticked, *typed][:_MOST_ORDERS]
    if not nos:
        decision.form.errors["orders"] = _("请勾选订单，或者填订单号")
    if not decision.ok:
        return await _again(page, session, decision, row_id)
    with _told(row_id):
        await decisions.give(session, decision.word, row_id, nos, now=now)
    return _done(page, row_id, _("记下了，钱正在记到订单上。"))


@router.post("/desk/bank-rows/{row_id}/repayment")
async def create_repayment(
    page: PageDep, session: SessionDep, decision: DecisionDep, now: NowDep, row_id: int
) -> Response:
    """What is left of it goes back to whoever paid for this order."""
    no = decision.form.text("order_no", most=40, required=True).upper()
    if not decision.ok:
        return await _again(page, session, decision, row_id)
    with _told(row_id):
        await decisions.send_back(session, decision.word, row_id, no, now=now)
    return _done(page, row_id, _("记下了：这笔钱要退回。请到“要转回去的退款”里办，买家已经收到消息。"))


@router.post("/desk/bank-rows/{row_id}/purpose")
async def create_purpose(
    page: PageDep, session: SessionDep, decision: DecisionDep, now: NowDep, row_id: int
) -> Response:
    """It is not the market's money, or stands in its books by another name."""
    use = decision.form.one_of("use", [each.value for each in Use])
    if not decision.ok:
        return await _again(page, session, decision, row_id)
    with _told(row_id):
        await asides.set_aside(session, decision.word, row_id, Use(use), now=now)
    return _done(page, row_id, _("放到一边了。弄错了可以重新拿出来。"))


@router.post("/desk/bank-rows/{row_id}/refunds")
async def create_refunds(
    request: Request, page: PageDep, session: SessionDep, decision: DecisionDep, now: NowDep, row_id: int
) -> Response:
    """The money that went is these refunds we owed."""
    ids = _uuids([str(value) for value in (await request.form()).getlist("refund")])
    if not ids:
        decision.form.errors["refund"] = _("请勾选退款")
    if not decision.ok:
        return await _again(page, session, decision, row_id)
    with _told(row_id):
        await decisions.give_refunds(session, decision.word, row_id, ids, now=now)
    return _done(page, row_id, _("记下了：退款已经转出去。"))


@router.post("/desk/bank-rows/{row_id}/counterpart")
async def create_counterpart(
    page: PageDep, session: SessionDep, decision: DecisionDep, now: NowDep, row_id: int
) -> Response:
    """The money that went gave back what another line had brought."""
    came_id = decision.form.whole("came", most=2**53)
    if not decision.ok:
        return await _again(page, session, decision, row_id)
    with _told(row_id):
        await asides.return_to(session, decision.word, row_id, came_id, now=now)
    return _done(page, row_id, _("记下了：来的和去的两笔都了结了。"))


@router.post("/desk/bank-rows/{row_id}/remarks")
async def create_remark(
    page: PageDep, session: SessionDep, decision: DecisionDep, now: NowDep, row_id: int
) -> Response:
    """It waits, and whoever looks next reads why."""
    if not decision.ok:
        return await _again(page, session, decision, row_id)
    with _told(row_id):
        await row_remarks.leave(session, decision.word, row_id, now=now)
    return _done(page, row_id, _("记下了，先放着。"))


@router.post("/desk/bank-rows/{row_id}/resumption")
async def create_resumption(
    page: PageDep, session: SessionDep, decision: DecisionDep, now: NowDep, row_id: int
) -> Response:
    """It was put aside by mistake."""
    if not decision.ok:
        return await _again(page, session, decision, row_id)
    with _told(row_id):
        await asides.take_up_again(session, decision.word, row_id, now=now)
    return _done(page, row_id, _("重新拿出来了，请再决定。"))


def _done(page: Page, row_id: int, said: str) -> Response:
    return page.redirect(f"{rows.HERE}/{row_id}", ("success", said))


async def _again(page: Page, session: AsyncSession, decision: Decision, row_id: int) -> Response:
    """The same page with what is wrong beside its field; nothing was written."""
    row = await bank_rows.seen_by(session, decision.word.by, row_id)
    context = await rows.read(session, decision.word.by, row)
    return page("desk/bank_row.html", status=422, form=decision.form, **context)


@contextmanager
def _told(row_id: int) -> Iterator[None]:
    """Whatever stands against a decision sends back to the line with a sentence; nothing of it is kept."""
    here = f"{rows.HERE}/{row_id}"
    try:
        yield
    except NotMovable as error:
        said = _("这一行刚才有人办过了，请看下面的最新情况。")
        if error.what == "order":
            said = _("有的订单现在不等钱了（取消了、付过了或者过了时间），没有记。")
        raise StartAgain(here, "warning", said) from error
    except Malformed as error:
        raise StartAgain(here, "error", str(_PROBLEMS.get(error.problem, say_problem(error)))) from error
    except NotFound as error:
        if error.what != "order":
            raise
        said = _("没有找到订单 %(no)s。只能记到收款账户所在县区的订单。", no=error.key)
        raise StartAgain(here, "error", said) from error


def _uuids(texts: list[str]) -> list[UUID]:
    found = []
    for text in texts[:_MOST_ORDERS]:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
