"""对账: the last comparisons with the provider, each difference in plain words, and what a person did about it."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.ground.clock import day_of
from market.ground.errors import NotMovable, OverLimit
from market.people import accounts
from market.people.accounts import Role, Viewer
from market.trade.orders import Order
from payments import readers, reconciliations
from payments.reconciliations import PAGE, Condition, Difference
from storefront.deps import GatewayDep, NowDep, PageDep, SessionDep, StartAgain, require
from storefront.forms import Form, read_form
from storefront.pages.desk.differing import CONDITIONS, MEANINGS, said
from storefront.texts import gettext as _

router = APIRouter()
ReaderDep = Annotated[Viewer, Depends(require(Role.OFFICER, Role.ACCOUNTANT))]
"""Someone who answers for money at the desk; what they may see is their counties'."""
_HERE = "/desk/reconciliations"
_LATEST = 5
_WORDS: dict[str, Any] = {"meanings": MEANINGS, "conditions": CONDITIONS, "said": said, "day_of": day_of}


class Looked(BaseModel):
    """The address of the list."""

    model_config = ConfigDict(frozen=True)

    only: Condition = Condition.OPEN
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def url(self, **changes: Any) -> str:
        """This address with some of it changed, on the first page if not said otherwise."""
        asked = {**self.model_dump(mode="json"), "page": 1, **changes}
        kept = {key: value for key, value in asked.items() if value not in (1, Condition.OPEN.value)}
        return f"{_HERE}?{urlencode(kept)}" if kept else _HERE


@router.get("/desk/reconciliations")
async def list_reconciliations(
    page: PageDep, session: SessionDep, viewer: ReaderDep, gateway: GatewayDep, asked: Annotated[Looked, Query()]
) -> Response:
    """What was compared lately, and what did not match."""
    made = (await session.exec(reconciliations.latest(_LATEST))).all() if readers.codes(viewer) else []
    return page(
        "desk/reconciliations.html", asked=asked, made=made, most=PAGE, **_WORDS,
        is_open=gateway.is_open, may=bool(readers.codes(viewer)),
        people=await accounts.names(session, {each.account_id for each in made if each.account_id}),
        counts=await reconciliations.counts(session, viewer),
        rows=await reconciliations.listed(session, viewer, condition=asked.only, offset=(asked.page - 1) * PAGE),
    )  # fmt: skip


@router.post("/desk/reconciliations")
async def create_reconciliation(page: PageDep, session: SessionDep, viewer: ReaderDep, now: NowDep) -> Response:
    """Have it done now, by the worker."""
    if await reconciliations.ask(session, viewer, now=now):
        return page.redirect(_HERE, ("success", _("已经排上，一般一两分钟对完，请刷新看结果")))
    return page.redirect(_HERE, ("info", _("已经有一次在排队或者正在对，不用再点")))


@router.get("/desk/differences/{difference_id}")
async def show_difference(page: PageDep, session: SessionDep, viewer: ReaderDep, difference_id: int) -> Response:
    """One difference: what it means, what to do, and what was done."""
    difference = await reconciliations.seen_by(session, viewer, difference_id)
    return page("desk/difference.html", form=Form({}, {}), **await _read(session, difference))


@router.post("/desk/differences/{difference_id}/settlement")
async def create_settlement(
    request: Request, page: PageDep, session: SessionDep, viewer: ReaderDep, now: NowDep, difference_id: int
) -> Response:
    """Somebody has seen to it."""
    difference = await reconciliations.seen_by(session, viewer, difference_id)
    form = await read_form(request)
    why = form.text("why", most=200, required=True)
    if not form.ok:
        return page("desk/difference.html", status=422, form=form, **await _read(session, difference))
    await reconciliations.deal_with(session, viewer, difference_id, why=why, now=now)
    return page.redirect(f"/desk/differences/{difference_id}", ("success", _("已记下，不再算作没有处理")))


@router.post("/desk/differences/{difference_id}/refund")
async def create_adopted_refund(
    page: PageDep, session: SessionDep, gateway: GatewayDep, viewer: ReaderDep, now: NowDep, difference_id: int
) -> Response:
    """Book a refund made at the provider as one of ours."""
    difference = await reconciliations.seen_by(session, viewer, difference_id)
    form = await read_form(page.request)
    reason = form.text("reason", most=200, required=True)
    if not form.ok:
        return page("desk/difference.html", status=422, form=form, **await _read(session, difference))
    back = f"/desk/differences/{difference_id}"
    try:
        await reconciliations.adopt_refund(session, gateway, viewer, difference_id, reason=reason, now=now)
    except OverLimit:
        raise StartAgain(back, "error", _("退的钱比这笔付款剩下的多，记不进去。请联系管系统的人。")) from None
    except NotMovable:
        raise StartAgain(back, "error", _("这笔退款已经记过，或者收款方没有退成，不用再记。")) from None
    return page.redirect(back, ("success", _("已记成我们的退款，各户的账已经扣过")))


async def _read(session: AsyncSession, difference: Difference) -> dict[str, Any]:
    payment = await reconciliations.payment_of(session, difference)
    return {
        "difference": difference, "payment": payment, **_WORDS,
        "order": await session.get(Order, payment.order_id) if payment else None,
        "may_adopt": reconciliations.may_adopt(difference),
        "people": await accounts.names(session, {difference.settled_by} if difference.settled_by else set()),
    }  # fmt: skip
