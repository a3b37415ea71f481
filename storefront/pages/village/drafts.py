"""A listing in the making. It lives in the address: nothing is written before the last tap, going back loses nothing.

The answers are read in the order of the questions and checked with the market's own rules; the first question without a
good answer is the one to ask.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlencode

from sqlmodel.ext.asyncio.session import AsyncSession

from market.goods import listings, produce
from market.goods.listings import Offer
from market.goods.produce import Band, Produce, ProduceMeasure
from market.ground.errors import Malformed
from market.ground.measure import Measure
from market.ground.money import parse_yuan
from storefront.forms import Form
from storefront.pages.village import days

_FIELDS = ("produce", "counted", "quantity", "price", "price_for")


class Ask(StrEnum):
    """The four questions."""

    WHAT = "what"
    AMOUNT = "amount"
    PRICE = "price"
    PHOTO = "photo"


@dataclass(frozen=True)
class Way:
    """One way to count a produce: a measure, and for bags and boxes the weight of one."""

    row: ProduceMeasure
    grams_each: int | None

    @property
    def key(self) -> str:
        """How the form names it: `jin`, `bag-5000`."""
        return f"{self.row.measure}-{self.grams_each}" if self.row.measure.is_pack else self.row.measure.value

    @property
    def measure(self) -> Measure:
        """What is counted in."""
        return self.row.measure

    @property
    def band(self) -> Band:
        """Usual and possible prices of one."""
        return produce.band(self.row, self.grams_each)


@dataclass
class Draft:
    """What was answered so far. Answers stand in the order of the questions; a missing one leaves the rest unread."""

    form: Form
    ask: Ask = Ask.WHAT
    item: Produce | None = None
    ways: list[Way] = field(default_factory=list)
    way: Way | None = None
    quantity: int = 0
    price_fen: int = 0

    def address(self, ask: str) -> str:
        """The query that opens a question again, with everything answered so far."""
        return urlencode({**self.answers(), "ask": ask})

    def answers(self, *leave_out: str) -> dict[str, str]:
        """The answers as the forms carry them."""
        return {name: self.form.values[name] for name in _FIELDS if name in self.form.values and name not in leave_out}

    def offer(self, photo: str | None) -> Offer:
        """What is to be put up. Needs every answer."""
        if self.item is None or self.way is None:
            raise Malformed("produce", "missing")
        return Offer(
            produce_code=self.item.code,
            measure=self.way.measure,
            price_fen=self.price_fen,
            quantity=self.quantity,
            grams_each=self.way.grams_each,
            photo=photo,
            ready_on=days.parse(self.form.text("ready")),
        )


async def read(session: AsyncSession, form: Form) -> Draft:
    """The draft in a form or address, up to the question that is asked next."""
    draft = Draft(form)
    for ask, answered in ((Ask.WHAT, _what), (Ask.AMOUNT, _amount), (Ask.PRICE, _price)):
        draft.ask = ask
        if not await answered(session, draft) or form.values.get("ask") == ask.value:
            return draft
    draft.ask = Ask.PHOTO
    return draft


async def _what(session: AsyncSession, draft: Draft) -> bool:
    code = draft.form.values.get("produce")
    if code is None:
        return False
    try:
        draft.item = await produce.get(session, code)
    except Malformed as error:
        draft.form.reject_for(error)
        return False
    rows = await session.exec(produce.measures_of(code))
    draft.ways = ways_of(list(rows))
    return True


async def _amount(_session: AsyncSession, draft: Draft) -> bool:
    form = draft.form
    draft.way = _chosen(draft)
    if "quantity" not in form.values:
        return False
    if draft.way is None:
        form.reject("counted", "wrong_measure")
        return False
    quantity = form.whole("quantity", least=1)
    if not form.ok:
        return False
    try:
        listings.check_quantity(draft.way.row, quantity)
    except Malformed as error:
        form.reject_for(error)
    draft.quantity = quantity
    return form.ok


async def _price(_session: AsyncSession, draft: Draft) -> bool:
    form, way = draft.form, draft.way
    # A price given for another measure is no answer: 6 yuan a jin must never become 6 yuan a kilo.
    if way is None or "price" not in form.values or form.values.get("price_for") != way.key:
        return False
    try:
        draft.price_fen = parse_yuan(form.text("price", most=20))
        listings.check_price(way.row, draft.price_fen, way.grams_each)
    except Malformed as error:
        form.reject_for(error)
    return form.ok


def ways_of(rows: list[ProduceMeasure]) -> list[Way]:
    """Every way in the order of the measures, bags and boxes once for each weight they come in."""
    order = list(Measure)
    ways: list[Way] = []
    for row in sorted(rows, key=lambda row: order.index(row.measure)):
        grams = sorted(row.pack_grams_choices) if row.measure.is_pack else [row.measure.fixed_grams]
        ways.extend(Way(row, each) for each in grams)
    return ways


def _chosen(draft: Draft) -> Way | None:
    """The way that was tapped; before any tap the first."""
    wanted = draft.form.values.get("counted")
    if wanted is None:
        return draft.ways[0] if draft.ways else None
    return next((way for way in draft.ways if way.key == wanted), None)
