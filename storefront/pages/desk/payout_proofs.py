"""Proofs of payouts: the bank's paper or the signed sheet, handed in and shown."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from market.books import payout_proofs, payouts
from market.ground.errors import Malformed, Unavailable
from storefront import payout_papers
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain, StorageDep
from storefront.errors import say, say_problem
from storefront.forms import read_form
from storefront.pages.desk.paying import HERE, AccountantDep, PayeeViewerDep, kindly
from storefront.texts import gettext as _

router = APIRouter(prefix="/desk/payouts/{batch_id:int}/proofs")


@router.post("")
async def create_proof(  # noqa: PLR0917  what FastAPI hands in
    request: Request, page: PageDep, session: SessionDep, storage: StorageDep, accountant: AccountantDep, now: NowDep,
    batch_id: int,
) -> Response:  # fmt: skip
    """Keep a paper with the list, or with one row of it."""
    form = await read_form(request)
    row = form.text("row", most=19)
    payout_id = int(row) if row.isascii() and row.isdigit() else None
    here = f"{HERE}/{batch_id}" if payout_id is None else f"{HERE}/{batch_id}/rows/{payout_id}"
    await payouts.lock(session, accountant, batch_id)  # nobody else's file is read
    upload = form.files.get("paper")
    if upload is None:
        raise StartAgain(here, "warning", _("请先拍一张，或者选一个文件。"))
    try:
        content, kind = await payout_papers.keep(upload, storage)
    except Malformed as error:
        raise StartAgain(here, "warning", say_problem(error)) from error
    except Unavailable as error:
        raise StartAgain(here, "error", say(error)) from error
    with kindly(here):
        await payout_proofs.attach(
            session, accountant, batch_id, content=content, kind=kind, payout_id=payout_id, now=now
        )
    return page.redirect(here, ("success", _("凭证存好了，不会再删掉。")))


@router.get("/{proof_id:int}")
async def show_proof(
    session: SessionDep, viewer: PayeeViewerDep, storage: StorageDep, batch_id: int, proof_id: int
) -> Response:
    """The paper itself."""
    proof = await payout_proofs.seen_by(session, viewer, batch_id, proof_id)
    data, headers = await payout_papers.read(proof, storage)
    return Response(data, headers=headers)
