"""The list for the bank: as a file and on paper with masked numbers, and whole, once, for a reason that is kept."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.books import payout_lists, payouts
from market.books.ledger import Rail
from market.books.payout_lists import Whole
from market.books.payouts import BatchState, PayoutBatch, PayoutState, Row
from market.ground import audit, places
from market.ground.clock import SHANGHAI
from market.ground.errors import NotFound
from market.people import accounts
from market.people.accounts import Viewer
from storefront import downloads, payout_words
from storefront.deps import NowDep, PageDep, SealDep, SessionDep
from storefront.downloads import Fen, Sheet
from storefront.forms import Form, read_form
from storefront.pages.desk.paying import HERE, AccountantDep, PayeeViewerDep, kindly
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter(prefix="/desk/payouts/{batch_id:int}")
_FILES = (downloads.CSV, downloads.XLSX)
_PAPER = "paper"


@router.get("/list.{kind}")
async def download_list(session: SessionDep, viewer: PayeeViewerDep, now: NowDep, batch_id: int, kind: str) -> Response:
    """The rows as a file; of a card only its last four digits."""
    if kind not in _FILES:
        raise NotFound("page")
    batch = await payouts.seen_by(session, viewer, batch_id)
    rows = [row for row in await payout_lists.rows(session, batch_id) if row.payout.state is not PayoutState.DROPPED]
    audit.note(session, viewer.account_id, "download", subject=f"payout_batch:{batch_id}", note=kind, now=now)
    heads = [_("村"), _("户编号"), _("户主"), _("打到哪里"), _("户名"), _("金额"), _("情况")]
    return downloads.respond(await _sheet(session, viewer, batch, heads, [_masked(row) for row in rows], now), kind)


@router.get("/sheet")
async def show_sheet(
    page: PageDep, session: SessionDep, viewer: PayeeViewerDep, now: NowDep, batch_id: int
) -> Response:
    """The list on paper, numbers masked; for cash with room for each household's hand."""
    batch = await payouts.seen_by(session, viewer, batch_id)
    rows = [row for row in await payout_lists.rows(session, batch_id) if row.payout.state is not PayoutState.DROPPED]
    return page("desk/payout_sheet.html", rows=rows, **await _paper(session, batch, now))


@router.get("/sealed/new")
async def new_sealed(page: PageDep, session: SessionDep, _accountant: AccountantDep, batch_id: int) -> Response:
    """What are the whole numbers needed for?"""
    batch = await payouts.lock(session, page.viewer, batch_id)
    return await _ask(page, session, batch, Form({}, {}))


@router.post("/sealed")
async def create_sealed(  # noqa: PLR0917  what FastAPI hands in
    request: Request, page: PageDep, session: SessionDep, seal: SealDep, accountant: AccountantDep, now: NowDep,
    batch_id: int,
) -> Response:  # fmt: skip
    """The whole numbers, once: on a page to print or as a file. Who asked, when and why stays with the list."""
    form = await read_form(request)
    batch = await payouts.lock(session, accountant, batch_id)
    why, form_of = form.text("why", most=200, required=True), form.one_of("as", [_PAPER, *_FILES])
    if not form.ok:
        return await _ask(page, session, batch, form)
    with kindly(f"{HERE}/{batch_id}"):
        opened = await payout_lists.open_list(session, seal, accountant, batch_id, why=why, now=now)
    if form_of in _FILES:
        heads = [_("收款账号"), _("收款户名"), _("开户行"), _("金额"), _("附言")]
        return downloads.respond(await _sheet(session, accountant, batch, heads, _bank_rows(opened), now), form_of)
    answer = page("desk/payout_sealed.html", opened=opened, why=why, **await _paper(session, batch, now))
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _ask(page: Page, session: AsyncSession, batch: PayoutBatch, form: Form) -> Response:
    ready = batch.state is BatchState.APPROVED and batch.rail is Rail.TRANSFER
    return page(
        "desk/new_sealed.html", status=200 if form.ok else 422, form=form, batch=batch, ready=ready,
        openings=await payout_lists.openings(session, batch.id or 0),
    )  # fmt: skip


async def _paper(session: AsyncSession, batch: PayoutBatch, now: datetime) -> dict[str, Any]:
    who = {one for one in (batch.proposed_by, batch.approved_by) if one}
    place = (await places.get(session, batch.division_code)).name
    return {"batch": batch, "place": place, "people": await accounts.names(session, who), "printed_at": now}


async def _sheet(
    session: AsyncSession, viewer: Viewer, batch: PayoutBatch, heads: list[str], rows: list[list[Any]], now: datetime
) -> Sheet:  # fmt: skip
    place = (await places.get(session, batch.division_code)).name
    made = f"{now.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"
    return Sheet(
        name=f"payouts-{batch.id}",
        title=_("到户名单 %(n)s %(place)s", n=batch.id, place=place),
        preface=[
            (_("地方"), place), (_("怎么给"), str(payout_words.RAILS[batch.rail])),
            (_("生成时间"), made), (_("生成人"), viewer.name), (_("单位"), _("元")),
        ],
        heads=heads,
        records=lambda: _given(rows),
        widths=[22] * len(heads),
    )  # fmt: skip


def _masked(row: Row) -> list[Any]:
    said = str(payout_words.STATES[row.payout.state][1])
    home = row.household
    where = payout_words.where_to(row.card)
    return [row.village, home.number, home.head_name, where, payout_words.holder(home.head_name, row.card),
            Fen(row.payout.amount_fen), said]  # fmt: skip


def _bank_rows(opened: list[Whole]) -> list[list[Any]]:
    return [
        [
            one.number,
            one.holder,
            one.row.card.bank if one.row.card else "",
            Fen(one.row.payout.amount_fen),
            _("以购货款"),
        ]
        for one in opened
    ]


@asynccontextmanager
async def _given(rows: list[list[Any]]) -> AsyncIterator[AsyncIterator[Sequence[Any]]]:
    """Rows that were read, and noted, in the request's own transaction."""

    async def each() -> AsyncIterator[Sequence[Any]]:
        for row in rows:
            yield row

    yield each()
