"""What people do on the pages, tap by tap, as the stories tell it."""

import re
from io import BytesIO

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

_GPS, _LATITUDE, _LONGITUDE = 0x8825, 2, 4


def photo_with_place() -> bytes:
    """A JPEG from a telephone, which tells where it was taken."""
    made = Image.new("RGB", (1600, 1200), "#8a5a00")
    exif = made.getexif()
    exif.get_ifd(_GPS)[_LATITUDE] = (37.0, 31.0, 0.0)
    exif.get_ifd(_GPS)[_LONGITUDE] = (111.0, 8.0, 0.0)
    kept = BytesIO()
    made.save(kept, "JPEG", exif=exif)
    return kept.getvalue()


def photo_of_a_field() -> bytes:
    """A large JPEG full of detail, as cameras make them: some megabytes."""
    kept = BytesIO()
    Image.effect_noise((2400, 1800), 70).convert("RGB").save(kept, "JPEG", quality=90)
    return kept.getvalue()


def press(page: Page, number: str) -> None:
    """Type a number on the page's own keys."""
    keys = page.locator(".keypad__keys")
    while page.locator(".keypad__input").input_value():
        keys.locator("[data-key=back]").tap()
    for digit in number:
        keys.locator(f"[data-key='{digit}']").tap()


def begin_listing(page: Page, produce: str, quantity: str, price: str) -> None:
    """The first three of the four questions, from the household's own page."""
    page.get_by_role("link", name="卖一样东西").tap()
    page.get_by_role("main").get_by_role("link", name=produce, exact=True).tap()
    press(page, quantity)
    page.get_by_role("button", name="下一步").tap()
    press(page, price)
    page.get_by_role("button", name="下一步").tap()
    page.wait_for_url("**price_for=*")


def list_goods(
    page: Page, produce: str, quantity: str, price: str, *, photo: bytes | None = None, gated: bool = False
) -> str:
    """The four questions, from the household's own page; the listing's number. Gated goods ask for papers next."""
    begin_listing(page, produce, quantity, price)
    if photo is not None:
        page.locator("input[type=file]").set_input_files(
            FilePayload(name="IMG_0001.jpg", mimeType="image/jpeg", buffer=photo)
        )
    last = "去填证件" if gated else "上架"
    page.get_by_role("button", name=f"带上照片，{last}" if photo else f"不放照片，{last}").tap()
    page.wait_for_url("**/village/goods/*/papers" if gated else "**/village/goods/*")
    return page.url.split("/village/goods/")[1].split("/")[0].split("?")[0]


def show_papers(page: Page, certificate: bytes) -> None:
    """Where it was slaughtered, the certificate's number, its photo: one screen each."""
    page.locator("label.choice").first.tap()
    page.get_by_role("button", name="下一步").tap()
    page.get_by_label("照着证上的号码抄").fill("1411 0020 2611 0001")
    page.get_by_role("button", name="下一步").tap()
    page.locator("input[type=file]").set_input_files(
        FilePayload(name="certificate.jpg", mimeType="image/jpeg", buffer=certificate)
    )
    page.get_by_role("button", name="存好").tap()
    page.wait_for_url(re.compile(r"/village/goods/\d+$"))


def put_in_cart(page: Page, listing: str, quantity: int = 1) -> None:
    """Choose how many on the offer's page and put it aside."""
    page.goto(f"/listings/{listing}")
    page.get_by_label("买多少").fill(str(quantity))
    page.locator("form[action='/cart/lines'] .button--lg").click()
    expect(page.locator("#flashes")).to_contain_text("已放进购物车")


def stand_at_checkout(page: Page) -> None:
    """From the cart to the last look, with the first stop chosen."""
    page.goto("/cart")
    page.get_by_role("link", name="去下单").click()
    page.locator("label.choice").filter(has=page.locator("input[name=stop]")).first.click()


def order(page: Page, listing: str, quantity: int = 1) -> str:
    """Order this; the order's number."""
    put_in_cart(page, listing, quantity)
    stand_at_checkout(page)
    page.get_by_role("button", name="提交订单").click()
    return number_of_order(page)


def number_of_order(page: Page) -> str:
    """Where the page came to rest."""
    page.wait_for_url(re.compile(r"/orders/[\w-]+$"))
    return page.url.rsplit("/", 1)[1]


def confirm(page: Page) -> None:
    """Say yes to the question that stands over the page."""
    page.locator("#confirm[open] button[value=yes]").click()
