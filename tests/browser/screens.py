"""Every page a person may see, by who sees it: what the contact sheet photographs and the accessibility test reads."""

from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page


@dataclass(frozen=True)
class Screen:
    """One page: the demo person who opens it (empty: a visitor) and how it is reached."""

    name: str
    who: str
    path: str
    then: Callable[[Page], None] | None = None

    def open(self, page: Page, url: str) -> None:
        """Bring the page up."""
        page.goto(url + self.path)
        if self.then is not None:
            self.then(page)


def _first_offer(page: Page) -> None:
    page.locator(".offer a.cover").first.click()
    page.wait_for_load_state()


def _fill_cart(page: Page) -> None:
    for at in range(3):
        page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + "/listings")
        page.locator(".offer:not(:has(.is-gone)) a.cover").nth(at).click()
        page.wait_for_load_state()
        page.locator("form[action='/cart/lines'] button[type=submit]").last.click()
        page.wait_for_load_state()


def _cart(page: Page) -> None:
    _fill_cart(page)
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + "/cart")


def _checkout(page: Page) -> None:
    _fill_cart(page)
    page.goto(page.url.split("/", 3)[0] + "//" + page.url.split("/")[2] + "/checkout")


def _first_order(page: Page) -> None:
    page.locator("main a[href^='/orders/']").first.click()
    page.wait_for_load_state()


def _first_household(page: Page) -> None:
    page.locator("main a[href^='/desk/households/']").first.click()
    page.wait_for_load_state()


def _first_payment(page: Page) -> None:
    _first_household(page)
    page.locator("main a[href^='/desk/payments/']").first.click()
    page.wait_for_load_state()


def _first_produce(page: Page) -> None:
    page.locator(".pick, .picks a, .picks button, main .pictures a").first.click()
    page.wait_for_load_state()


def _first_good(page: Page) -> None:
    page.locator("main a[href^='/village/goods/']").first.click()
    page.wait_for_load_state()


SCREENS = [
    Screen("home", "", "/"),
    Screen("listings", "", "/listings"),
    Screen("search", "", "/listings?q=梁家焉"),
    Screen("nothing-found", "", "/listings?q=龙虾"),
    Screen("listing", "", "/listings", _first_offer),
    Screen("cart-empty", "", "/cart"),
    Screen("cart", "", "/", _cart),
    Screen("sign-in", "", "/sign-in"),
    Screen("not-found", "", "/nowhere"),
    Screen("account", "member", "/account"),
    Screen("orders", "member", "/orders"),
    Screen("order", "member", "/orders", _first_order),
    Screen("checkout", "member", "/", _checkout),
    Screen("village", "household", "/village"),
    Screen("new-what", "household", "/village/goods/new"),
    Screen("village-orders", "household", "/village/orders"),
    Screen("village-money", "household", "/village/money"),
    Screen("agent", "agent", "/village"),
    Screen("cash", "clerk", "/unit/cash"),
    Screen("income", "officer", "/desk/income"),
    Screen("income-by-township", "officer", "/desk/income?by=township"),
    Screen("income-by-month", "officer", "/desk/income?by=month"),
    Screen("household", "officer", "/desk/income", _first_household),
    Screen("payment", "officer", "/desk/income", _first_payment),
    Screen("people", "administrator", "/operator/people"),
    Screen("new-grant", "administrator", "/operator/people/new"),
]
