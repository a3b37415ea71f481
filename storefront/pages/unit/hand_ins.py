"""Handing in cash: one says how much and to whom, the other counts it or sends it back."""

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.errors import NotMovable, OverLimit
from market.ground.money import format_yuan
from market.people.accounts import Viewer
from payments import cash_books, cash_keepers, hand_ins
from payments.cash_records import HandInState
from payments.hand_ins import Named, Wish
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain
from storefront.forms import Form, read_form
from storefront.pages.unit.cash_books import KeeperDep
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/unit/cash/hand-ins"


@router.get("/unit/cash/hand-ins/new")
async def new_hand_in(page: PageDep, session: SessionDep, keeper: KeeperDep) -> Response:
    """How much to whom?"""
    return await _ask(page, session, keeper, Form({}, {}))


@router.post("/unit/cash/hand-ins")
async def create_hand_in(
    request: Request, page: PageDep, session: SessionDep, keeper: KeeperDep, now: NowDep
) -> Response:
    """The cash is on its way to the receiver; it stays in the giver's book until it is counted."""
    form = await read_form(request)
    wish = await _wished(session, keeper, form)
    if not form.ok:
        return await _ask(page, session, keeper, form)
    try:
        hand_in = await hand_ins.declare(session, keeper, wish, now=now)
    except NotMovable as error:
        said = _("上一笔交给他的还没有点清。等他点清，或者先撤回那一笔。")
        raise StartAgain("/unit/cash/book", "warning", said) from error
    return page.redirect(f"{_HERE}/{hand_in.id}", ("success", _("已经告诉对方。他点清以前，钱还记在您手里。")))


@router.get("/unit/cash/hand-ins/{hand_in_id}")
async def show_hand_in(page: PageDep, session: SessionDep, keeper: KeeperDep, hand_in_id: int) -> Response:
    """One hand-in, as each of the two sees it."""
    return _show(page, await hand_ins.seen_by(session, keeper, hand_in_id), Form({}, {}))


@router.post("/unit/cash/hand-ins/{hand_in_id}/count")
async def create_count(
    request: Request, page: PageDep, session: SessionDep, keeper: KeeperDep, now: NowDep, hand_in_id: int
) -> Response:
    """Counted: so much changes hands."""
    named = await hand_ins.seen_by(session, keeper, hand_in_id)
    form = await read_form(request)
    counted_fen, remark = form.amount("counted"), form.text("remark", most=200)
    if form.ok and named.hand_in.state is HandInState.WAITING and counted_fen > named.hand_in.declared_fen:
        form.errors["counted"] = _("比交来的多了。请让他撤回，按实际的数重新交。")
    if not form.ok:
        return _show(page, named, form)
    try:
        await hand_ins.count(session, keeper, hand_in_id, counted_fen, remark=remark, now=now)
    except OverLimit as error:
        raise StartAgain(f"{_HERE}/{hand_in_id}", "warning", _too_little(named, error)) from error
    return page.redirect(f"{_HERE}/{hand_in_id}", ("success", _counted(named, counted_fen)))


@router.post("/unit/cash/hand-ins/{hand_in_id}/refusal")
async def create_refusal(
    request: Request, page: PageDep, session: SessionDep, keeper: KeeperDep, now: NowDep, hand_in_id: int
) -> Response:
    """Sent back, with a reason."""
    named = await hand_ins.seen_by(session, keeper, hand_in_id)
    form = await read_form(request)
    remark = form.text("reason", most=200, required=True)
    if not form.ok:
        return _show(page, named, form)
    await hand_ins.refuse(session, keeper, hand_in_id, remark=remark, now=now)
    said = _("退回了。%(money)s 还记在%(name)s手里。", money=format_yuan(named.hand_in.declared_fen), name=named.giver)
    return page.redirect(f"{_HERE}/{hand_in_id}", ("success", said))


@router.post("/unit/cash/hand-ins/{hand_in_id}/withdrawal")
async def create_withdrawal(
    page: PageDep, session: SessionDep, keeper: KeeperDep, now: NowDep, hand_in_id: int
) -> Response:
    """Taken back before it was counted."""
    hand_in = await hand_ins.withdraw(session, keeper, hand_in_id, now=now)
    said = _("撤回了。%(money)s 还在您手里。", money=format_yuan(hand_in.declared_fen))
    return page.redirect("/unit/cash/book", ("success", said))


async def _wished(session: AsyncSession, keeper: Viewer, form: Form) -> Wish:
    receivers = await cash_keepers.receivers_for(session, keeper.id)
    receiver = form.one_of("receiver", [str(found.account_id) for found in receivers])
    amount_fen = form.amount("amount")
    spare_fen = (await cash_books.in_hand(session, keeper.id)).spare_fen
    again = [
        named
        for named in await hand_ins.waiting(session, giver_id=keeper.id)
        if str(named.hand_in.receiver_id) == receiver
    ]
    if form.ok and amount_fen > spare_fen and not again:
        form.errors["amount"] = _(
            "您账上能交的只有 %(money)s。要是实际更多，请先把收了还没记的订单记上。",
            money=format_yuan(max(0, spare_fen)),
        )
    return Wish(int(receiver) if form.ok else 0, amount_fen, form.text("note", most=200))


def _too_little(named: Named, error: OverLimit) -> str:
    return _(
        "%(name)s的账上只有 %(money)s。请他先把收了还没记的订单记上，再来点。",
        name=named.giver,
        money=format_yuan(error.limit),
    )


def _counted(named: Named, counted_fen: int) -> str:
    short_fen = named.hand_in.declared_fen - counted_fen
    said = _("已收下 %(money)s，现在记在您手里。", money=format_yuan(counted_fen))
    if short_fen:
        said += _("比交来的少 %(money)s，差的还记在%(name)s手里。", money=format_yuan(short_fen), name=named.giver)
    return said


async def _ask(page: Page, session: AsyncSession, keeper: Viewer, form: Form) -> Response:
    return page(
        "unit/new_hand_in.html",
        status=200 if form.ok else 422,
        form=form,
        held=await cash_books.in_hand(session, keeper.id),
        receivers=await cash_keepers.receivers_for(session, keeper.id),
    )


def _show(page: Page, named: Named, form: Form) -> Response:
    return page("unit/hand_in.html", status=200 if form.ok else 422, named=named, hand_in=named.hand_in, form=form)
