"""Checkout: whose money, where to pick up, a note; then one order over many households."""

from datetime import datetime
from uuid import uuid4

from fastapi import APIRouter, Request
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.responses import Response

from market.delivery import round_cancellations, stops
from market.delivery.stops import Handover
from market.ground import idempotency
from market.ground.clock import day_of
from market.ground.errors import NotFound, NotOnSale, OutOfStock, OverLimit, PriceChanged, RoundCancelled, StillRunning
from market.ground.idempotency import Claim
from market.people import units
from market.people.accounts import Role, Viewer
from market.people.units import Wallet
from market.trade import carts, placing
from market.trade.placing import Item, Placed, Terms
from storefront import words
from storefront.deps import NowDep, PageDep, ProvenDep, SessionDep, StartAgain
from storefront.errors import say
from storefront.forms import Form, read_form
from storefront.pages.shop.baskets import by_village, packed, unpacked
from storefront.pages.shop.refusals import refusal
from storefront.texts import gettext as _

router = APIRouter()
_MOST_NOTE = 200


@router.get("/checkout")
async def show_checkout(page: PageDep, session: SessionDep, viewer: ProvenDep, now: NowDep) -> Response:
    """The last look before ordering; lines with a problem are mended in the cart first."""
    return await _show(page, session, viewer, Form({}, {}), now)


@router.post("/checkout")
async def create_order(
    request: Request, page: PageDep, session: SessionDep, viewer: ProvenDep, now: NowDep
) -> Response:
    """Place the order exactly as the page showed it. The same form sent twice is one order."""
    form = await read_form(request)
    claimed = await _claim(session, viewer, form)
    if isinstance(claimed, str):
        said = _("这张单子刚才已经提交过了，没有再下一次。")
        return page.redirect(f"/orders/{claimed}", ("info", said))
    items = unpacked(form.text("lines"))
    terms = await _terms(session, viewer, form, now)
    if terms is None:
        return await _show(page, session, viewer, form, now)
    await carts.empty(session, carts.owner_of(viewer.id), [item.listing_id for item in items])
    # Placing comes last and keeps the answer itself: whoever wants the same goods waits for the commit only.
    placed = await _place(session, viewer, items, terms, claimed, now)
    return page.redirect(f"/orders/{placed.no}")


async def _show(page: PageDep, session: AsyncSession, viewer: Viewer, form: Form, now: datetime) -> Response:
    wishes = await carts.lines(session, carts.owner_of(viewer.id))
    if not wishes:
        return page.redirect("/cart")
    if any(wish.problem for wish in wishes):
        return page.redirect("/cart", ("warning", _("有几样需要您先看一下，再去下单。")))
    my_units = (await session.exec(units.visible_to(viewer))).all()
    counties = {wish.card.division_code for wish in wishes} | {unit.division_code for unit in my_units}
    return page(
        "shop/checkout.html",
        status=200 if form.ok else 422,
        form=form,
        key=form.values.get("key") or uuid4().hex,
        villages=by_village(wishes),
        lines=packed(wishes),
        total_fen=sum(wish.amount_fen for wish in wishes),
        wallet_cards=[_wallet_card(wallet) for wallet in units.wallets_of(viewer)],
        unit_options=[*((unit.id, unit.name) for unit in my_units), ("", _("个人买的，不记在单位"))]
        if my_units
        else [],
        stop_cards=[_stop_card(handover) for handover in await _offered(session, viewer, counties, now)],
    )


def _wallet_card(wallet: Wallet) -> dict[str, str]:
    hints = {
        Wallet.PERSONAL: (_("自己付钱自己用"), "user"),
        Wallet.CANTEEN: (_("单位公款，要验收单"), "bank"),
        Wallet.UNION: (_("工会经费，节日慰问"), "hand-heart"),
    }
    hint, icon = hints[wallet]
    return {"value": wallet.value, "label": str(words.WALLETS[wallet]), "hint": hint, "icon": icon}


def _stop_card(handover: Handover) -> dict[str, str]:
    """A stop with its next round. The value carries the day, so that a day that moved on is noticed."""
    stop = handover.stop
    hint, badge = words.next_round(handover), _("单位门口") if stop.work_unit_id else ""
    return {"value": f"{stop.id}.{handover.on}", "label": stop.name, "hint": hint, "icon": "map-pin", "badge": badge}


async def _offered(session: AsyncSession, viewer: Viewer, places: set[str], now: datetime) -> list[Handover]:
    """Stops this person may choose: near the goods or the buyer's unit (same county), the unit's own gate first."""
    near = await session.exec(stops.open_to(viewer, day_of(now), near=places))
    found = near.all() or (await session.exec(stops.open_to(viewer, day_of(now)))).all()
    coming = await stops.next_handovers(session, found, now=now)
    return sorted(coming, key=lambda h: h.stop.work_unit_id is None)


async def _claim(session: AsyncSession, viewer: Viewer, form: Form) -> Claim | str:
    """The right to place this form's order, or the number of the order it already became."""
    try:
        # One form is one order, whatever was changed in it after going back to it.
        claimed = await idempotency.claim(session, viewer.id, key=form.text("key"), body=b"checkout")
    except StillRunning as error:
        raise StartAgain("/orders", "info", _("订单正在提交，请在这里看结果，不用再下一次。")) from error
    return claimed if isinstance(claimed, Claim) else str(claimed["no"])


async def _terms(session: AsyncSession, viewer: Viewer, form: Form, now: datetime) -> Terms | None:
    """What the form says about the order as a whole; None, with what is wrong noted in the form."""
    wallet = form.one_of("wallet", [wallet.value for wallet in units.wallets_of(viewer)])
    clerk_only = wallet != Wallet.PERSONAL
    theirs = viewer.work_unit_ids(Role.CLERK) if clerk_only else viewer.work_unit_ids()
    unit_id = form.one_of("work_unit_id", [*([] if clerk_only else [""]), *map(str, theirs)])
    handover = await _handover(session, viewer, form, now)
    if handover is None or not form.ok:
        return None
    return Terms(
        wallet=Wallet(wallet),
        stop_id=handover.stop.id or 0,
        county_code=handover.county_code,
        handover_on=handover.on,
        cutoff_at=handover.cutoff_at,
        work_unit_id=int(unit_id) if unit_id else None,
        note=form.text("note", most=_MOST_NOTE),
    )


async def _handover(session: AsyncSession, viewer: Viewer, form: Form, now: datetime) -> Handover | None:
    """The stop and day that were chosen, if they are still to be had: the cut-off may have passed meanwhile."""
    chosen, _dot, shown = form.text("stop").partition(".")
    stop_id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 16 else 0  # noqa: PLR2004  an id
    try:
        handover = await stops.handover_for(session, viewer, stop_id, now=now)
    except NotFound:
        form.errors["stop"] = _("请选一个取货的地方")
        return None
    if handover.on.isoformat() != shown:
        off = await round_cancellations.off_days(session, [stop_id], from_on=day_of(now))
        if shown in {on.isoformat() for on in off.get(stop_id, ())}:
            said = _("那一趟取消了，下一个取货日是%(day)s，请再选一次。", day=words.day(handover.on))
        else:
            said = _("刚过截单时间，取货日改到了%(day)s，请再选一次。", day=words.day(handover.on))
        form.errors["stop"] = said
    return handover


async def _place(
    session: AsyncSession, viewer: Viewer, items: list[Item], terms: Terms, claimed: Claim, now: datetime
) -> Placed:
    """Place it, or roll everything back and send the person where it can be mended."""
    try:
        return await placing.place(session, viewer, items, terms, now=now, claim=claimed)
    except RoundCancelled as error:  # while the form was on its way; the next page offers the round after it
        raise StartAgain("/checkout", "warning", say(error)) from error
    except (OutOfStock, PriceChanged, NotOnSale, OverLimit) as error:
        back = "/checkout" if isinstance(error, OutOfStock) and not error.lines else "/cart"
        raise StartAgain(back, "warning", await refusal(session, error)) from error
