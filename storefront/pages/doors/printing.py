"""Printing cards, eight to a sheet. The page is shown once: what the codes say is kept nowhere."""

from uuid import uuid4

import segno
from fastapi import APIRouter, Request
from starlette.responses import Response

from market.ground import idempotency
from market.ground.idempotency import Claim
from market.people import door_cards
from market.people.door_cards import Printed
from market.people.stations import Station
from storefront.deps import NowDep, PageDep, SessionDep, SettingsDep, StartAgain
from storefront.forms import read_form, ticked
from storefront.pages.doors.asked import KeeperDep
from storefront.texts import gettext as _

router = APIRouter(prefix="/cards")
A_SHEET = 8
_MOST = 80


@router.post("/sheets")
async def create_sheets(
    request: Request, page: PageDep, session: SessionDep, settings: SettingsDep, viewer: KeeperDep, now: NowDep
) -> Response:
    """Make a new card for every ticked household and show them for printing. The old ones are void at once."""
    form, chosen = await read_form(request), await ticked(request, "household")
    if not 0 < len(chosen) <= _MOST:
        raise StartAgain("/cards", "error", _("请先在名字前打勾，一次最多 %(n)s 户。", n=_MOST))
    key = form.text("key") or uuid4().hex
    claimed = await idempotency.claim(session, viewer.id, key=key, body=repr(sorted(chosen)).encode())
    if not isinstance(claimed, Claim):
        raise StartAgain("/cards", "info", _("那一页只出现一次，刚才已经印过了。还要印，请重新打勾。"))
    printed = await door_cards.print_for(session, viewer, chosen, now=now)
    idempotency.keep(session, claimed, answer={"count": len(printed)}, now=now)
    stations = {home.station_id: await session.get(Station, home.station_id) for home, *_rest in printed}
    cards = [
        {"printed": one, "station": stations[one.household.station_id], "code": _code(settings.public_url, one)}
        for one in printed
    ]
    answer = page("doors/sheets.html", sheets=[cards[at : at + A_SHEET] for at in range(0, len(cards), A_SHEET)])
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _code(public_url: str, printed: Printed) -> str:
    """The address as a drawing; medium correction bears a crease and a greasy thumb."""
    address = f"{public_url.rstrip('/')}/card/{printed.secret}"
    return segno.make(address, micro=False, error="m").svg_inline(border=2, omitsize=True, svgclass="qr-drawing")
