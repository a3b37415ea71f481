"""What is ordered: what to get ready for which day and stop. Buyers stay unnamed."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import groupby

from fastapi import APIRouter
from starlette.responses import Response

from market.delivery import round_cancellations, stops
from market.ground.clock import day_of
from market.reports import household as reports
from market.reports.household import Wish
from storefront.deps import NowDep, PageDep, SessionDep
from storefront.pages.village.houses import HouseDep

router = APIRouter(prefix="/village/{household_id:int}")
_BEHIND, _DAY = timedelta(days=14), timedelta(days=1)


@dataclass
class Bundle:
    """Everything of one kind that goes to one stop on one day."""

    first: Wish
    quantity: int = 0
    amount_fen: int = 0
    wishes: list[Wish] = field(default_factory=list)


@dataclass(frozen=True)
class Handover:
    """One day at one stop, with what to bring there."""

    first: Wish
    bundles: list[Bundle]
    order_count: int

    @property
    def unanswered(self) -> list[int]:
        """Lines nobody has said anything about yet."""
        return [wish.line_id for bundle in self.bundles for wish in bundle.wishes if not wish.is_answered]

    @property
    def line_ids(self) -> list[int]:
        """Every line of it."""
        return [wish.line_id for bundle in self.bundles for wish in bundle.wishes]

    @property
    def amount_fen(self) -> int:
        """What it all comes to."""
        return sum(bundle.amount_fen for bundle in self.bundles)


@router.get("/orders")
async def list_orders(page: PageDep, session: SessionDep, house: HouseDep, now: NowDep, past: bool = False) -> Response:
    """The picking list, the soonest first; or what was handed over in the last two weeks, the latest first."""
    today = day_of(now)
    days = (today - _BEHIND, today - _DAY) if past else (today, today + reports.AHEAD)
    handovers = handovers_of(await reports.to_prepare(session, house.id, from_on=days[0], until_on=days[1]))
    shown = handovers[::-1] if past else handovers
    off = [] if past else (await session.exec(round_cancellations.of_household(house.id, from_on=today))).all()
    names = await stops.names(session, {each.stop_id for each in off})
    return page("village/orders.html", house=house, handovers=shown, past=past, now=now, off=off, stop_names=names)


def handovers_of(wishes: list[Wish]) -> list[Handover]:
    """The lines by day and stop, and there by listing."""
    found: list[Handover] = []
    for _key, group in groupby(wishes, key=lambda wish: (wish.handover_on, wish.stop_id)):
        lines = list(group)
        by_listing: dict[int, list[Wish]] = defaultdict(list)
        for line in lines:
            by_listing[line.listing_id].append(line)
        bundles = [
            Bundle(same[0], sum(line.quantity for line in same), sum(line.amount_fen for line in same), same)
            for same in by_listing.values()
        ]
        found.append(Handover(lines[0], bundles, len({line.order_no for line in lines})))
    return found
