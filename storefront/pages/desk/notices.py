"""The provider's notices: what came, what it led to, and acting on one again."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.people import accounts
from market.trade.orders import Order
from payments import notices
from payments.notices import PAGE, Led
from payments.records import Notice, Payment
from storefront.deps import GatewayDep, NowDep, PageDep, SessionDep
from storefront.pages.desk.differing import KINDS, LED
from storefront.pages.desk.reconciliations import ReaderDep
from storefront.pages.desk.wording import OUTCOMES
from storefront.texts import gettext as _

router = APIRouter()
_HERE = "/desk/notices"


class Looked(BaseModel):
    """The address of the list."""

    model_config = ConfigDict(frozen=True)

    q: Annotated[str, Field(max_length=120)] = ""
    only: Led = Led.ALL
    page: Annotated[int, Field(ge=1, le=100_000)] = 1

    def url(self, **changes: Any) -> str:
        """This address with some of it changed, on the first page if not said otherwise."""
        asked = {**self.model_dump(mode="json"), "page": 1, **changes}
        kept = {key: value for key, value in asked.items() if value not in ("", 1)}
        return f"{_HERE}?{urlencode(kept)}" if kept else _HERE


@router.get("/desk/notices")
async def list_notices(
    page: PageDep, session: SessionDep, viewer: ReaderDep, asked: Annotated[Looked, Query()]
) -> Response:
    """What the provider told us, the newest first."""
    rows = await notices.listed(session, viewer, q=asked.q, led=asked.only, offset=(asked.page - 1) * PAGE)
    return page("desk/notices.html", asked=asked, rows=rows, most=PAGE, led=LED, kinds=KINDS, outcomes=OUTCOMES)


@router.get("/desk/notices/{notice_id}")
async def show_notice(page: PageDep, session: SessionDep, viewer: ReaderDep, notice_id: str) -> Response:
    """One notice, what it led to, and every time it was acted on again."""
    notice = await notices.seen_by(session, viewer, notice_id)
    again = await notices.replays_of(session, notice_id)
    return page(
        "desk/notice.html", notice=notice, again=again, kinds=KINDS, outcomes=OUTCOMES,
        order=await _order(session, notice),
        people=await accounts.names(session, {each.account_id for each in again if each.account_id}),
    )  # fmt: skip


@router.post("/desk/notices/{notice_id}/replays")
async def create_replay(
    page: PageDep, session: SessionDep, gateway: GatewayDep, viewer: ReaderDep, now: NowDep, notice_id: str
) -> Response:
    """Act on it again, on what the provider has now."""
    outcome = await notices.replay(session, gateway, viewer, notice_id, now=now)
    said = _("又办了一次，结果：%(outcome)s", outcome=OUTCOMES.get(outcome, outcome))
    return page.redirect(f"{_HERE}/{notice_id}", ("success", said))


async def _order(session: AsyncSession, notice: Notice) -> Order | None:
    payment = await session.get(Payment, notice.payment_id) if notice.payment_id else None
    return await session.get(Order, payment.order_id) if payment else None
