"""Calling a round off: which ones are to come, what hangs on each, and how far a cancellation has come."""

from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.delivery import calling_off
from market.delivery.calling_off import Round
from market.delivery.round_cancellations import Outcome, RoundCancellation
from market.ground.clock import day_of
from market.ground.errors import NotFound
from market.people import accounts
from payments import round_figures
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.forms import Form, read_form
from storefront.pages.desk.asked import OfficerDep
from storefront.pages.desk.wording import FAILURES, REFUND_STATES
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/desk/rounds"
_ROUND = _HERE + "/{stop_id}/{on}"
_MOST_WHY = 100
_MOST = 200
"""Rounds of one list: a county has a dozen; whoever sees more begins with the soonest."""


async def _round(session: SessionDep, officer: OfficerDep, now: NowDep, stop_id: int, on: str) -> Round:
    """The round the address names; NotFound outside the grant."""
    try:
        day = date.fromisoformat(on)
    except ValueError:
        raise NotFound("round", f"{stop_id} {on[:20]}") from None
    return await calling_off.round_of(session, officer, stop_id, day, now=now)


RoundDep = Annotated[Round, Depends(_round)]


@router.get(_HERE)
async def list_rounds(page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep) -> Response:
    """The rounds to come, the soonest first."""
    rounds = await calling_off.rounds(session, officer, now=now)
    return page("desk/rounds.html", rounds=rounds[:_MOST], most=_MOST, more=len(rounds) > _MOST,
                may=bool(calling_off.codes(officer)))  # fmt: skip


@router.get(_ROUND)
async def show_round(page: PageDep, session: SessionDep, now: NowDep, chosen: RoundDep) -> Response:
    """What calling it off would do; or, once it is off, what became of every order and its money."""
    if chosen.off is not None:
        return page("desk/round_off.html", round=chosen, off=chosen.off, **await _progress(session, chosen.off))
    return await _ask(page, session, chosen, Form({}, {}), now)


@router.post(f"{_ROUND}/cancellation")
async def create_cancellation(
    request: Request, page: PageDep, session: SessionDep, officer: OfficerDep, now: NowDep, chosen: RoundDep
) -> Response:
    """Call it off. It cannot be taken back."""
    form = await read_form(request)
    why = form.text("why", most=_MOST_WHY, required=True)
    if chosen.off is None and not form.ok:
        return await _ask(page, session, chosen, form, now)
    said = ("info", _("这一趟刚才已经取消了，不用再点。"))
    if chosen.off is None:
        made = await calling_off.call_off(session, officer, chosen.stop.id or 0, chosen.on, why=why, now=now)
        if made.account_id == officer.account_id and made.at == now:
            said = ("success", _("这一趟取消了。订单正在一张一张退，请在这里看进展。"))
    return page.redirect(f"{_HERE}/{chosen.stop.id}/{chosen.on}", said)


async def _ask(page: PageDep, session: AsyncSession, chosen: Round, form: Form, now: datetime) -> Response:
    seen = await round_figures.preview(session, chosen.stop.id or 0, chosen.on)
    is_today = chosen.on == day_of(now)
    return page(
        "desk/round.html", status=200 if form.ok else 422, round=chosen, seen=seen, form=form, is_today=is_today
    )


async def _progress(session: AsyncSession, off: RoundCancellation) -> dict[str, Any]:
    off_id, counts = off.id or 0, await round_figures.outcomes(session, off.id or 0)
    whole = sum(number for outcome, number in counts.items() if outcome is not Outcome.OVER)
    return {
        "whole": whole, "done": whole - counts[Outcome.WAITING], "counts": counts, "outcomes": Outcome,
        "who": (await accounts.names(session, {off.account_id})).get(off.account_id, ""),
        "returning": await round_figures.returning(session, off_id),
        "stuck": await round_figures.stuck(session, off_id),
        "refund_states": REFUND_STATES, "failures": FAILURES,
    }  # fmt: skip
