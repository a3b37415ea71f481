"""Photographs every page at phone and desktop size and lays the pictures side by side.

Run: `bin/contact-sheet FOLDER [zh|en]`. Made for looking at, not for comparing.
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import sync_playwright

from tests.browser.running import DESKTOP, PHONE, Market, open_browser, running_market
from tests.browser.screens import SCREENS
from tests.browser.staging import stage
from tests.browser.survey import Survey

_THUMB_WIDTH = {PHONE: 300, DESKTOP: 640}
_A_SHEET = {PHONE: 24, DESKTOP: 16}
_COLUMNS = {PHONE: 8, DESKTOP: 4}
_GAP, _LABEL, _LABEL_SIZE = 24, 34, 22
_GROUND, _INK, _EDGE = "#d8d2c6", "#1f1b16", "#8d8577"


def main(folder: Path, language: str) -> None:
    """Photograph everything into the folder, and sheets of it all."""
    folder.mkdir(parents=True, exist_ok=True)
    # PostgreSQL may run as another user, who must be able to enter.
    with tempfile.TemporaryDirectory() as var, running_market(Path(var) / "var") as market:
        photograph(market, folder, language)


def photograph(market: Market, folder: Path, language: str = "zh") -> None:
    """Everything this market shows."""
    places = stage(market.url)
    with sync_playwright() as playwright:
        browser = open_browser(playwright)
        survey = Survey(browser, market, places)
        for size, name in ((PHONE, "phone"), (DESKTOP, "desktop")):
            pictures = list(_pictures(survey, size, folder / name, language))
            for number, at in enumerate(range(0, len(pictures), _A_SHEET[size]), 1):
                _lay_out(pictures[at : at + _A_SHEET[size]], size).save(folder / f"{name}-{number}.png")
        survey.close()
        browser.close()


def _pictures(survey: Survey, size: tuple[int, int], folder: Path, language: str) -> Iterator[Path]:
    """What is seen first on each screen; a bar that sticks to the window stands where it stands for people."""
    folder.mkdir(exist_ok=True)
    for screen in SCREENS:
        path = folder / f"{screen.name}.png"
        page, _status = survey.show(screen, size, language if language != "zh" else "")
        page.wait_for_timeout(200)
        page.screenshot(path=path)
        yield path


def _lay_out(pictures: list[Path], size: tuple[int, int]) -> Image.Image:
    """Pictures in rows on one sheet, each under its name."""
    width = _THUMB_WIDTH[size]
    height = round(size[1] * width / size[0])
    columns = min(_COLUMNS[size], len(pictures))
    rows = -(-len(pictures) // columns)
    cell = (width + _GAP, height + _LABEL + _GAP)
    sheet = Image.new("RGB", (columns * cell[0] + _GAP, rows * cell[1] + _GAP), _GROUND)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(_LABEL_SIZE)
    for at, path in enumerate(pictures):
        left, top = _GAP + at % columns * cell[0], _GAP + at // columns * cell[1]
        draw.text((left, top), path.stem, fill=_INK, font=font)
        with Image.open(path) as picture:
            sheet.paste(picture.convert("RGB").resize((width, height)), (left, top + _LABEL))
        draw.rectangle((left - 1, top + _LABEL - 1, left + width, top + _LABEL + height), outline=_EDGE)
    return sheet


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "zh")
