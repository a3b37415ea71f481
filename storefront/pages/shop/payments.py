"""Paying an order: off to the provider, the QR code, and the truth about where the money is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from market.ground.errors import AlreadyPaid, Malformed, NotFound, NotMovable, OutOfStock, RoundCancelled, Unavailable
from market.people.units import WorkUnit
from payments import desk
from payments.records import Method, Payment
from payments.stripe import Gateway
from storefront import words
from storefront.capitals import capitals
from storefront.deps import BuyerDep, GatewayDep, NowDep, PageDep, SessionDep, SettingsDep, StartAgain
from storefront.errors import say, say_problem
from storefront.forms import read_form
from storefront.pages.shop.orders import story_of
from storefront.pages.shop.refusals import refusal
from storefront.pages.shop.timelines import Stage, Story, headline, pick_up
from storefront.texts import gettext as _

router = APIRouter()


@dataclass(frozen=True)
class Wish:
    """How the buyer wants to pay, and what starting it needs."""

    method: Method
    gateway: Gateway
    return_url: str
    now: datetime


async def _wish(request: Request, gateway: GatewayDep, settings: SettingsDep, now: NowDep, no: str) -> Wish:
    form = await read_form(request)
    method = form.one_of("method", [method.value for method in Method])
    if not form.ok:
        raise StartAgain(f"/orders/{no}", "error", _("请选一种付款方式。"))
    return Wish(Method(method), gateway, f"{settings.public_url.rstrip('/')}/orders/{no}/return", now)


@router.post("/orders/{no}/payments")
async def create_payment(
    page: PageDep, session: SessionDep, viewer: BuyerDep, wish: Annotated[Wish, Depends(_wish)], no: str
) -> Response:
    """Start paying. Two taps are one payment; another method takes the place of the one before."""
    try:
        payment = await desk.start(
            session, wish.gateway, viewer, no, wish.method, return_url=wish.return_url, now=wish.now
        )
    except (AlreadyPaid, NotMovable, RoundCancelled) as error:
        raise StartAgain(f"/orders/{no}", "info", say(error)) from error
    except OutOfStock as error:
        raise StartAgain(f"/orders/{no}", "warning", await refusal(session, error)) from error
    except Malformed as error:
        raise StartAgain(f"/orders/{no}", "error", say_problem(error)) from error
    except Unavailable as error:
        said = _("付款通道暂时连不上，钱没有扣。请过一会儿再试，或者换一种方式。")
        raise StartAgain(f"/orders/{no}", "error", said) from error
    return _onwards(page, payment, no)


@router.get("/orders/{no}/payment")
async def show_payment(page: PageDep, session: SessionDep, viewer: BuyerDep, now: NowDep, no: str) -> Response:
    """The code to scan, the way back to the provider or where to transfer to, and whether the money has arrived."""
    story = await story_of(session, viewer, no, now)
    if story.stage in {Stage.OPEN, Stage.CASH}:
        return page.redirect(f"/orders/{no}")
    return _show(page, "shop/payment.html", story, "payment")


@router.get("/orders/{no}/transfer")
async def show_transfer_slip(page: PageDep, session: SessionDep, viewer: BuyerDep, now: NowDep, no: str) -> Response:
    """How to transfer, on one sheet of paper for whoever makes the transfer."""
    story = await story_of(session, viewer, no, now)
    if story.transfer is None:
        raise NotFound("transfer", no)
    unit = await session.get(WorkUnit, story.order.work_unit_id) if story.order.work_unit_id else None
    return page(
        "shop/transfer_slip.html",
        story=story,
        order=story.order,
        title=headline(story),
        unit=unit,
        hours=words.hours(story.stop),
        capitals=capitals(story.transfer.amount_fen),
    )


@router.get("/orders/{no}/return")
async def show_return(page: PageDep, session: SessionDep, viewer: BuyerDep, now: NowDep, no: str) -> Response:
    """Where the provider sends the buyer back to. It shows what we know and changes nothing."""
    return _show(page, "shop/payment.html", await story_of(session, viewer, no, now), "return")


@router.get("/orders/{no}/payment/state")
async def show_payment_state(
    request: Request, page: PageDep, session: SessionDep, viewer: BuyerDep, now: NowDep, no: str
) -> Response:
    """What a waiting page asks every few seconds: nothing new, or how things stand now."""
    story = await story_of(session, viewer, no, now)
    here, unchanged = request.query_params.get("here", ""), request.query_params.get("seen") == story.mark
    if here == "order":
        if unchanged:
            return page("shop/_time_left.html", story=story)
        return Response(headers={"HX-Refresh": "true"})
    if unchanged:
        return Response(status_code=204)
    return _show(page, "shop/_payment_state.html", story, "return" if here == "return" else "payment")


def _show(page: PageDep, template: str, story: Story, here: str) -> Response:
    return page(template, story=story, order=story.order, title=headline(story), pick_up=pick_up(story), here=here)


def _onwards(page: PageDep, payment: Payment, no: str) -> Response:
    if payment.method is Method.TRANSFER:
        return page.redirect(f"/orders/{no}", ("success", _("已记下：货给您留着，请照下面的办法转账。")))
    if payment.method is Method.CASH:
        return page.redirect(f"/orders/{no}", ("success", _("已记下：取货时付现金，货给您留着。")))
    if "qr_image" in payment.next or not payment.next.get("redirect_url"):
        return page.redirect(f"/orders/{no}/payment")
    return page.redirect(str(payment.next["redirect_url"]))
