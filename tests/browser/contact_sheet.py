"""Photographs every page at phone and desktop size and lays the pictures side by side.

Run: `python -m tests.browser.contact_sheet FOLDER [zh|en]`. Made for looking at, not for comparing.
"""

import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.running import DESKTOP, PHONE, Market, open_browser, open_context, running_market, sign_in_as
from tests.browser.screens import SCREENS, Screen

_THUMB_WIDTH = {PHONE: 260, DESKTOP: 520}
_MOST_HEIGHT = 900
_GAP, _LABEL = 16, 22


def main(folder: Path, language: str) -> None:
    """Photograph everything into the folder, and two sheets of it all."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as var, running_market(Path(var)) as market, sync_playwright() as playwright:
        browser = open_browser(playwright)
        for size, name in ((PHONE, "phone"), (DESKTOP, "desktop")):
            pictures = []
            for who in dict.fromkeys(screen.who for screen in SCREENS):
                context = open_context(browser, size, language=language)
                if who:
                    sign_in_as(context, market, who)
                mine = [screen for screen in SCREENS if screen.who == who]
                pictures += [_photograph(context, market, screen, folder / f"{name}-{screen.name}.png") for screen in mine]
                context.close()
            _lay_out(pictures, _THUMB_WIDTH[size]).save(folder / f"contact-{name}.png")
        browser.close()


def _photograph(context: BrowserContext, market: Market, screen: Screen, path: Path) -> Path:
    page = context.new_page()
    screen.open(page, market.url)
    _settle(page)
    page.screenshot(path=path, full_page=True)
    page.close()
    return path


def _settle(page: Page) -> None:
    page.wait_for_load_state("load")
    page.wait_for_timeout(150)


def _lay_out(pictures: list[Path], width: int) -> Image.Image:
    """All pictures in rows on one sheet, each under its name."""
    thumbs = []
    for path in pictures:
        with Image.open(path) as picture:
            shown = picture.convert("RGB")
        shown = shown.resize((width, round(shown.height * width / shown.width)))
        thumbs.append((path.stem, shown.crop((0, 0, width, min(shown.height, _MOST_HEIGHT)))))
    columns = max(1, 2600 // (width + _GAP))
    rows = [thumbs[at : at + columns] for at in range(0, len(thumbs), columns)]
    heights = [max(thumb.height for _, thumb in row) + _GAP + _LABEL for row in rows]
    sheet = Image.new("RGB", (columns * (width + _GAP) + _GAP, sum(heights) + _GAP), "#d8d2c6")
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for row, height in zip(rows, heights, strict=True):
        for at, (name, thumb) in enumerate(row):
            left = _GAP + at * (width + _GAP)
            draw.text((left, top), name, fill="#1f1b16")
            sheet.paste(thumb, (left, top + _LABEL))
        top += height
    return sheet


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "zh")
