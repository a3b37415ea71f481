"""What became of the rows of a list: arrived, could not be sent, came back; one at a time or all that are left."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.books import outcomes, payout_lists, payout_proofs, payouts
from market.people import accounts
from market.people.accounts import Role
from payments import cash_payouts
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain
from storefront.forms import Form, read_form
from storefront.pages.desk.paying import HERE, AccountantDep, PayeeViewerDep, kindly
from storefront.payout_words import FAILURES
from storefront.texts import gettext as _

router = APIRouter(prefix="/desk/payouts/{batch_id:int}")


@router.get("/rows/{payout_id:int}")
async def show_row(
    page: PageDep, session: SessionDep, viewer: PayeeViewerDep, batch_id: int, payout_id: int
) -> Response:
    """One household's row: where the money goes, every move of it, and its papers."""
    batch = await payouts.seen_by(session, viewer, batch_id)
    row = await payout_lists.row(session, batch_id, payout_id)
    proofs = await session.exec(payout_proofs.of_batch(batch_id))
    return page(
        "desk/payout_row.html", form=Form({}, {}), batch=batch, row=row, failures=FAILURES,
        moves=(await session.exec(payout_lists.moves_of(payout_id))).all(),
        proofs=[(proof, who) for proof, who in proofs if proof.payout_id == payout_id],
        people=await accounts.names(session, {batch.proposed_by}), may=bool(viewer.over(Role.ACCOUNTANT)),
    )  # fmt: skip


@router.post("/arrivals")
async def create_arrivals(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, batch_id: int
) -> Response:
    """The money of every row that is left reached its household."""
    with kindly(f"{HERE}/{batch_id}"):
        count = await cash_payouts.pay(session, accountant, batch_id, now=now)
    said = _("记下了：%(n)s 户到账。", n=count) if count else _("这些早就记过了，没有再记。")
    return page.redirect(f"{HERE}/{batch_id}", ("success", said))


@router.post("/failures")
async def create_failures(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, batch_id: int
) -> Response:
    """Nothing of what is left could be sent; it is free for the next list."""
    why = await _why(request, f"{HERE}/{batch_id}")
    with kindly(f"{HERE}/{batch_id}"):
        count = await outcomes.fail(session, accountant, batch_id, why=why, now=now)
    said = _("记下了：%(n)s 户没有打成，钱可以再做名单。", n=count) if count else _("这些早就记过了，没有再记。")
    return page.redirect(f"{HERE}/{batch_id}", ("success", said))


@router.post("/rows/{payout_id:int}/arrival")
async def create_arrival(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, batch_id: int, payout_id: int
) -> Response:
    """The money of one row reached its household."""
    with kindly(f"{HERE}/{batch_id}"):
        await cash_payouts.pay(session, accountant, batch_id, payout_id=payout_id, now=now)
    row = await payout_lists.row(session, batch_id, payout_id)
    said = _("记下了：%(name)s家到账。", name=row.household.head_name)
    return page.redirect(f"{HERE}/{batch_id}", ("success", said))


@router.post("/rows/{payout_id:int}/failure")
async def create_failure(  # noqa: PLR0917  what FastAPI hands in
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, batch_id: int,
    payout_id: int,
) -> Response:  # fmt: skip
    """The money of one row could not be sent; it is free for the next list."""
    why = await _why(request, f"{HERE}/{batch_id}/rows/{payout_id}")
    with kindly(f"{HERE}/{batch_id}"):
        await outcomes.fail(session, accountant, batch_id, payout_id=payout_id, why=why, now=now)
    row = await payout_lists.row(session, batch_id, payout_id)
    said = _("记下了：%(name)s家没有打成，钱可以再做名单。", name=row.household.head_name)
    return page.redirect(f"{HERE}/{batch_id}", ("success", said))


@router.post("/rows/{payout_id:int}/return")
async def create_return(  # noqa: PLR0917  what FastAPI hands in
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, batch_id: int,
    payout_id: int,
) -> Response:  # fmt: skip
    """The bank sent the money of a paid row back."""
    why = await _why(request, f"{HERE}/{batch_id}/rows/{payout_id}")
    with kindly(f"{HERE}/{batch_id}"):
        await outcomes.take_back(session, accountant, batch_id, payout_id, why=why, now=now)
    row = await payout_lists.row(session, batch_id, payout_id)
    said = _("记下了：%(name)s家的钱退回来了，可以再做名单。", name=row.household.head_name)
    return page.redirect(f"{HERE}/{batch_id}", ("success", said))


async def _why(request: Request, url: str) -> str:
    """What somebody wrote, or else the reason they tapped. Without either they are asked again."""
    form = await read_form(request)
    why = form.text("other", most=200) or form.one_of("why", list(FAILURES))
    if why not in FAILURES and not form.text("other"):
        raise StartAgain(url, "warning", _("请选一个原因，或者写一句。"))
    return why
