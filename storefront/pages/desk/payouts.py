"""到户: lists of payouts, a new one from what households are owed, and the second person's yes or no."""

from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.books import approvals, payout_lists, payout_proofs, payouts, proposals
from market.books.ledger import Rail
from market.books.payout_lists import PAGE, ROWS
from market.books.payouts import RAILS, BatchState, PayoutBatch, PayoutState
from market.books.proposals import Candidate, Terms
from market.ground import places
from market.ground.errors import Malformed
from market.ground.money import parse_yuan
from market.people import accounts
from market.people.accounts import Role, Viewer
from storefront.deps import NowDep, PageDep, SessionDep, StartAgain
from storefront.forms import Form, read_form
from storefront.pages.desk.paying import HERE, AccountantDep, PayeeViewerDep, kindly
from storefront.payout_words import BATCH_STATES
from storefront.render import Page
from storefront.texts import gettext as _

router = APIRouter()


class Looked(BaseModel):
    """The address of the lists."""

    model_config = ConfigDict(frozen=True)

    only: BatchState | None = None
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def url(self, **changes: Any) -> str:
        """This address with some of it changed, on the first page if not said otherwise."""
        asked = {**self.model_dump(mode="json"), "page": 1, **changes}
        kept = {key: value for key, value in asked.items() if value not in (1, None)}
        return f"{HERE}?{urlencode(kept)}" if kept else HERE


class Wanted(BaseModel):
    """What list is wanted, as the address says it."""

    model_config = ConfigDict(frozen=True)

    division: Annotated[str, Field(max_length=12)] = ""
    rail: Rail = Rail.TRANSFER
    least: Annotated[str, Field(max_length=12)] = ""


@router.get("/desk/payouts")
async def list_payouts(
    page: PageDep, session: SessionDep, viewer: PayeeViewerDep, asked: Annotated[Looked, Query()]
) -> Response:
    """Every list of the place, the newest first."""
    found = await payout_lists.listed(session, viewer, state=asked.only, offset=(asked.page - 1) * PAGE)
    may = bool(viewer.over(Role.ACCOUNTANT))
    return page(
        "desk/payouts.html", asked=asked, rows=found[:PAGE], more=len(found) > PAGE, states=BATCH_STATES, may=may,
        cards_waiting=(await session.exec(payout_lists.waiting_cards(viewer))).one() if may else 0,
        people=await accounts.names(session, {each.batch.proposed_by for each in found}),
    )  # fmt: skip


@router.get("/desk/payouts/new")
async def new_payouts(
    page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, wanted: Annotated[Wanted, Query()]
) -> Response:
    """Who would get how much, who is left out and why."""
    form = Form({"division": wanted.division, "rail": wanted.rail, "least": wanted.least}, {})
    return await _preview(page, session, accountant, form, now=now)


@router.post("/desk/payouts")
async def create_payouts(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep
) -> Response:
    """Make the list of all that can go out. A second tap finds the money spoken for."""
    form = await read_form(request)
    terms = _terms(form, accountant)
    if not form.ok:
        return await _preview(page, session, accountant, form, now=now)
    with kindly(HERE):
        batch = await proposals.propose(session, accountant, terms, now=now)
    return page.redirect(f"{HERE}/{batch.id}", ("success", _("名单做好了，请另一位会计来批准。")))


@router.get("/desk/payouts/{batch_id:int}")
async def show_payouts(
    page: PageDep, session: SessionDep, viewer: PayeeViewerDep, now: NowDep, batch_id: int,
    page_no: Annotated[int, Query(ge=1, le=100_000, alias="page")] = 1,
) -> Response:  # fmt: skip
    """One list: its rows with masked cards, what is to be done, and who did what."""
    batch = await payouts.seen_by(session, viewer, batch_id)
    shown = await _read(session, viewer, batch, now=now)
    return page("desk/payout_list.html", page_no=page_no, most=ROWS, **shown)


@router.post("/desk/payouts/{batch_id:int}/approval")
async def create_approval(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, batch_id: int
) -> Response:
    """A second person agrees to the sum before their eyes."""
    seen = (await read_form(request)).whole("seen", most=10**12)
    with kindly(f"{HERE}/{batch_id}"):
        batch = await approvals.approve(session, accountant, batch_id, seen_fen=seen, now=now)
    if batch.state is BatchState.DROPPED:
        return page.redirect(f"{HERE}/{batch_id}", ("info", _("没有一户还能打，名单收起来了。")))
    said = _("批准了。现在可以去银行打款。") if batch.rail is Rail.TRANSFER else _("批准了。现在可以发现金。")
    return page.redirect(f"{HERE}/{batch_id}", ("success", said))


@router.post("/desk/payouts/{batch_id:int}/withdrawal")
async def create_withdrawal(
    request: Request, page: PageDep, session: SessionDep, accountant: AccountantDep, now: NowDep, batch_id: int
) -> Response:
    """The list is taken back, by who made it, or refused by who should approve it: the reason stays with it."""
    form = await read_form(request)
    why = form.text("why", most=200, required=True)
    if not form.ok:
        raise StartAgain(f"{HERE}/{batch_id}", "warning", _("请写一下为什么不办。"))
    with kindly(f"{HERE}/{batch_id}"):
        await approvals.drop(session, accountant, batch_id, why=why, now=now)
    return page.redirect(f"{HERE}/{batch_id}", ("success", _("名单收起来了，这些钱可以再做新的名单。")))


async def _read(session: AsyncSession, viewer: Viewer, batch: PayoutBatch, *, now: datetime) -> dict[str, Any]:
    """Everything the page of a list says."""
    batch_id = batch.id or 0
    rows = await payout_lists.rows(session, batch_id)
    found = await approvals.findings(session, batch, now=now) if batch.state is BatchState.PROPOSED else []
    who = {one for one in (batch.proposed_by, batch.approved_by, batch.ended_by) if one}
    ended = (PayoutState.FAILED, PayoutState.RETURNED, PayoutState.DROPPED)
    return {
        "batch": batch,
        "place": (await places.get(session, batch.division_code)).name,
        "rows": rows,
        "found": {row.payout_id: row for row in found},
        "now_fen": sum(row.amount_fen for row in found),
        "sum_fen": sum(row.payout.amount_fen for row in rows if row.payout.state is not PayoutState.DROPPED),
        "left": [row for row in rows if row.payout.state is PayoutState.APPROVED],
        "whys": dict((await session.exec(payout_lists.whys(batch_id, *ended))).all()),
        "people": await accounts.names(session, who),
        "proofs": (await session.exec(payout_proofs.of_batch(batch_id))).all(),
        "openings": await payout_lists.openings(session, batch_id),
        "may": any(places.is_within(batch.division_code, code) for code in viewer.division_codes(Role.ACCOUNTANT)),
    }


async def _preview(page: Page, session: AsyncSession, accountant: Viewer, form: Form, *, now: datetime) -> Response:
    terms = _terms(form, accountant)
    found: list[Candidate] = []
    if form.ok:
        found = await proposals.candidates(session, accountant, terms, now=now)
    going = [one for one in found if one.hindrance is None]
    near = (await session.exec(proposals.places_of(accountant))).all()
    return page(
        "desk/new_payouts.html", status=200 if form.ok else 422, form=form, terms=terms, going=going,
        left=[one for one in found if one.hindrance is not None], sum_fen=sum(one.available_fen for one in going),
        rails=RAILS, most=ROWS, divisions=[(each.code, each.name) for each in near],
    )  # fmt: skip


def _terms(form: Form, accountant: Viewer) -> Terms:
    own = accountant.division_codes(Role.ACCOUNTANT)
    rail = form.one_of("rail", [rail.value for rail in RAILS], default=Rail.TRANSFER)
    least, typed = 0, form.text("least", most=12)
    try:
        least = parse_yuan(typed, field="least") if typed else 0
    except Malformed as error:
        form.reject_for(error)
    return Terms(form.text("division", most=12) or own[0], Rail(rail) if rail in RAILS else Rail.TRANSFER, least)
