"""A buyer's orders: the list, one order as a timeline, taking it back, again into the cart, and the slip."""

from datetime import datetime

from fastapi import APIRouter
from sqlalchemy.orm import selectinload
from sqlmodel import col
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.delivery import round_cancellations
from market.delivery.stops import Stop
from market.goods import catalogue
from market.ground import places
from market.ground.errors import NotMovable, OverLimit
from market.people.accounts import Viewer
from market.people.units import WorkUnit
from market.trade import answers, carts, orders
from market.trade.answers import Short
from market.trade.orders import Order, OrderLine
from payments import desk, records, uses
from storefront import words
from storefront.deps import BuyerDep, GatewayDep, NowDep, PageDep, SessionDep, StartAgain
from storefront.pages.shop.timelines import Story, headline, stage_of, steps
from storefront.texts import gettext as _

router = APIRouter()
_PAGE = 20


@router.get("/orders")
async def list_orders(page: PageDep, session: SessionDep, viewer: BuyerDep, now: NowDep, before: str = "") -> Response:
    """The buyer's own orders, newest first."""
    mine = orders.placed_by(viewer).options(selectinload(Order.lines)).limit(_PAGE + 1)  # type: ignore[arg-type]
    if before.isascii() and before.isdigit() and len(before) < 16:  # noqa: PLR2004  ids are shorter
        mine = mine.where(col(Order.id) < int(before))
    found = (await session.exec(mine)).all()
    promised = await records.promised(session, [order.id or 0 for order in found[:_PAGE]])
    rows = [(order, stage_of(order, promised.get(order.id or 0, []), now)) for order in found[:_PAGE]]
    older = f"/orders?before={found[_PAGE - 1].id}" if len(found) > _PAGE else None
    return page("shop/orders.html", rows=rows, older=older, is_first=not before)


@router.get("/orders/{no}")
async def show_order(
    page: PageDep, session: SessionDep, viewer: BuyerDep, gateway: GatewayDep, now: NowDep, no: str
) -> Response:
    """One order: what happened, what comes next, and what can still be done."""
    story = await story_of(session, viewer, no, now)
    return page(
        "shop/order.html",
        story=story,
        order=story.order,
        title=headline(story),
        steps=steps(story),
        villages=await _by_village(session, story.order),
        shorts=await _shorts(session, story.order),
        methods=await desk.methods_for(session, story.order, gateway),
        may_cancel=story.order.may_cancel(now) and not story.is_off,
    )


@router.get("/orders/{no}/slip")
async def show_slip(page: PageDep, session: SessionDep, viewer: BuyerDep, now: NowDep, no: str) -> Response:
    """The order on one sheet of paper."""
    story = await story_of(session, viewer, no, now)
    unit = await session.get(WorkUnit, story.order.work_unit_id) if story.order.work_unit_id else None
    villages = await _by_village(session, story.order)
    return page(
        "shop/slip.html", story=story, order=story.order, unit=unit, villages=villages, hours=words.hours(story.stop)
    )


@router.post("/orders/{no}/cancellation")
async def create_cancellation(page: PageDep, session: SessionDep, viewer: BuyerDep, now: NowDep, no: str) -> Response:
    """Take an order back; what was paid goes back by the way it came."""
    here = f"/orders/{no}"
    try:
        order = await desk.cancel_order(session, viewer, no, why="buyer", now=now)
    except NotMovable as error:
        raise StartAgain(here, "warning", _("现在不能取消了，请看下面的最新情况。")) from error
    said = _("订单已取消，付的钱会原路退回。") if order.paid_at else _("订单已取消，货已经放回货架。")
    return page.redirect(here, ("success", said))


@router.post("/orders/{no}/repeat")
async def create_repeat(page: PageDep, session: SessionDep, viewer: BuyerDep, now: NowDep, no: str) -> Response:
    """Put an order's goods into the cart again, as far as they are still sold."""
    order = await orders.seen_by(session, viewer, no)
    lines = await orders.lines_of(session, order.id or 0)
    cards = await catalogue.cards_of(session, [line.listing_id for line in lines])
    still = [line for line in lines if cards[line.listing_id].is_on_sale]
    try:
        for line in still:
            await carts.put(session, carts.owner_of(viewer.id), line.listing_id, line.quantity, add=False, now=now)
    except OverLimit as error:
        said = _("购物车最多放 %(n)s 样，请先下单或者拿掉几样。", n=carts.MOST_LINES)
        raise StartAgain("/cart", "warning", said) from error
    return page.redirect("/cart", _repeated(lines, still))


async def story_of(session: AsyncSession, viewer: Viewer, no: str, now: datetime) -> Story:
    """An order this person may open, with its stop, moves, payments and refunds. NotFound for any other."""
    order = await orders.seen_by(session, viewer, no)
    order_id = order.id or 0
    payments = list(await session.exec(records.of_order(order_id)))
    promised = [payment.id for payment in payments if payment.reference]
    return Story(
        order=order,
        stop=await session.get_one(Stop, order.stop_id),
        moves=list(await session.exec(orders.moves_of(order_id))),
        payments=payments,
        refunds=list(await session.exec(records.refunds_of_order(order_id))),
        now=now,
        round_off=await round_cancellations.of_round(session, order.stop_id, order.handover_on),
        arrivals=tuple(await uses.arrivals(session, promised)) if promised else (),
    )


async def _by_village(session: AsyncSession, order: Order) -> list[tuple[str, list[OrderLine]]]:
    """The order's lines under their village's name."""
    groups: dict[str, list[OrderLine]] = {}
    for line in await orders.lines_of(session, order.id or 0):
        groups.setdefault(line.division_code, []).append(line)
    names = await places.names(session, set(groups))
    return [(names[code], lines) for code, lines in groups.items()]


async def _shorts(session: AsyncSession, order: Order) -> dict[int, str]:
    """What of a line its household cannot bring, and why, in words."""
    lines = {line.id or 0: line for line in await orders.lines_of(session, order.id or 0)}
    missing: dict[int, int] = {}
    why: dict[int, Short] = {}
    for answer in await session.exec(answers.of_lines(list(lines))):
        if answer.why is not None:
            missing[answer.order_line_id] = missing.get(answer.order_line_id, 0) + answer.short_quantity
            why[answer.order_line_id] = answer.why
    said = {}
    for line_id, quantity in missing.items():
        line = lines[line_id]
        less = words.quantity(quantity, line.measure, line.grams_each)
        said[line_id] = _("少了%(quantity)s：%(why)s", quantity=less, why=words.SHORTS[why[line_id]])
    return said


def _repeated(lines: list[OrderLine], still: list[OrderLine]) -> tuple[str, str]:
    gone = "、".join(line.title for line in lines if line not in still)
    if not still:
        return "warning", _("这几样现在都没有了：%(goods)s。", goods=gone)
    said = _("已放进购物车 %(n)s 样。", n=len(still))
    return ("warning", said + _("现在没有的：%(goods)s。", goods=gone)) if gone else ("success", said)
