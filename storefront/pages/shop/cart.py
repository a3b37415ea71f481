"""The cart: what is put aside from many households, changed by one tap."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from market.goods import catalogue
from market.ground.errors import Malformed, NotOnSale, OverLimit
from market.trade import carts
from storefront import words
from storefront.deps import CartOwnerDep, NowDep, PageDep, SessionDep, StartAgain
from storefront.errors import say_problem
from storefront.forms import Form, read_form
from storefront.pages.shop.baskets import by_village
from storefront.texts import gettext as _

router = APIRouter()
ListingId = Annotated[int, Path(ge=1, le=2**63 - 1)]
_GONE = {"withdrawn", "sold_out"}


@router.get("/cart")
async def show_cart(request: Request, page: PageDep, session: SessionDep, owner: CartOwnerDep) -> Response:
    """Everything put aside, by village, with what has to be looked at."""
    wishes = await carts.lines(session, owner)
    problems = [wish for wish in wishes if wish.problem]
    removed, _dot, quantity = request.query_params.get("removed", "").partition(".")
    known = await catalogue.cards_of(session, [int(removed)]) if _is_number(removed) and _is_number(quantity) else {}
    return page(
        "shop/cart.html",
        villages=by_village(wishes),
        total_fen=sum(wish.amount_fen for wish in wishes if wish.problem not in _GONE),
        problem_count=len(problems),
        first_problem=problems[0].card.id if problems else 0,
        undo=(known[int(removed)], int(quantity)) if known else None,
    )


@router.post("/cart/lines")
async def create_line(
    request: Request, page: PageDep, session: SessionDep, owner: CartOwnerDep, now: NowDep
) -> Response:
    """Put an offer into the cart, on top of what is there."""
    form = await read_form(request)
    listing_id, quantity = form.whole("listing_id", least=1, most=2**53), _quantity(form)
    here = f"/listings/{listing_id}"
    if "step" in form.values and form.ok:
        return page.redirect(f"{here}?quantity={max(1, quantity)}")
    if not form.ok:
        raise StartAgain(here if listing_id else "/listings", "error", "；".join(form.errors.values()))
    with _sent_back(here):
        await carts.put(session, owner, listing_id, quantity, add=True, now=now)
    card = await catalogue.card(session, listing_id)
    said = _("已放进购物车：%(title)s %(quantity)s", title=card.title, quantity=words.quantity(quantity, card.measure))
    return page.redirect("/cart" if form.text("next") == "cart" else here, ("success", said))


@router.post("/cart/lines/{listing_id}")
async def change_line(
    request: Request, page: PageDep, session: SessionDep, owner: CartOwnerDep, now: NowDep, listing_id: ListingId
) -> Response:
    """Another quantity, or yes to a new price."""
    form = await read_form(request)
    if "price_fen" in form.values:
        price_fen = form.whole("price_fen", least=1)
        if form.ok:
            await carts.accept_price(session, owner, listing_id, price_fen)
        return page.redirect("/cart")
    quantity = _quantity(form)
    if not form.ok:
        raise StartAgain("/cart", "error", "；".join(form.errors.values()))
    if quantity <= 0:
        return await remove_line(page, session, owner, listing_id)
    with _sent_back("/cart"):
        await carts.put(session, owner, listing_id, quantity, add=False, now=now)
    return page.redirect("/cart")


@router.post("/cart/lines/{listing_id}/removal")
async def remove_line(page: PageDep, session: SessionDep, owner: CartOwnerDep, listing_id: ListingId) -> Response:
    """Take an offer out; the cart offers to put it back."""
    quantity = await carts.quantity_of(session, owner, listing_id)
    await carts.take_out(session, owner, listing_id)
    return page.redirect(f"/cart?removed={listing_id}.{quantity}" if quantity else "/cart")


@contextmanager
def _sent_back(to: str) -> Iterator[None]:
    """Where the market says no, the person goes back to where it can be mended, with a word."""
    try:
        yield
    except NotOnSale as error:
        raise StartAgain(to, "warning", _("这样货刚刚停止销售了，没有放进购物车。")) from error
    except OverLimit as error:
        said = _("购物车最多放 %(n)s 样，请先下单或者拿掉几样。", n=carts.MOST_LINES)
        raise StartAgain("/cart", "warning", said) from error
    except Malformed as error:
        raise StartAgain(to, "error", say_problem(error)) from error


def _quantity(form: Form) -> int:
    """The number in the box, one more or less where a step button sent the form."""
    quantity = form.whole("quantity", least=0, most=carts.MOST_QUANTITY)
    return quantity + {"1": 1, "-1": -1}.get(form.values.get("step", ""), 0)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 16  # noqa: PLR2004  ids and quantities are shorter
