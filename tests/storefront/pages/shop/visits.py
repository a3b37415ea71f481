"""How tests of the shop door read pages and act as buyers."""

import re
from dataclasses import dataclass
from html import unescape

from httpx import Response

from tests.client import Browser
from tests.world import World


@dataclass
class Buyer:
    """A signed-in person who fills the cart and goes to the checkout as a person would."""

    browser: Browser
    world: World

    async def puts(self, listing_id: int, quantity: int = 1) -> None:
        """Put something into the cart."""
        answer = await self.browser.post("/cart/lines", {"listing_id": listing_id, "quantity": quantity})
        assert answer.status_code == 303, answer.text

    async def form(self, **changes: str) -> dict[str, str]:
        """The checkout form as the page shows it, with the first stop chosen."""
        page = (await self.browser.get("/checkout")).text
        hidden = {
            name: unescape(value) for name, value in re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page)
        }
        stop = re.search(r'name="stop" value="([^"]+)"', page)
        assert stop is not None, "no stop on the checkout page"
        unit = str(self.world.work_unit)
        return {"wallet": "personal", **hidden, "stop": stop[1], "work_unit_id": unit, "note": "", **changes}

    async def orders(self, listing_id: int, quantity: int = 1, **changes: str) -> str:
        """Order one thing; the address of the order's page."""
        await self.puts(listing_id, quantity)
        answer = await self.browser.post("/checkout", await self.form(**changes))
        assert answer.status_code == 303, answer.text
        return answer.headers["location"]


def said(response: Response) -> str:
    """The visible words of a page, without markup."""
    body = re.sub(r"<(script|style).*?</\1>", "", response.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", body)))
