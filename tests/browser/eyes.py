"""What old eyes and thick fingers need of the village door, measured on the page as it stands.

Text of at least 18 px, 24 px in large mode; everything that is tapped at least 48 px; contrast in every way the page
can be shown. The ways are set on the open page: attributes the style sheet reads, and the browser's own dark mode.
"""

from typing import Any

from playwright.sync_api import Page

_LEAST = {"normal": 18, "large": 24}
_TAP = 48
WAYS: tuple[tuple[str, str, str], ...] = (
    ("large", "normal", "light"), ("normal", "outdoor", "light"), ("large", "outdoor", "dark"),
)  # fmt: skip
"""Size, contrast and the browser's own light besides the usual way."""

_SHOWN = """(node) => {
  const box = node.getBoundingClientRect();
  return box.width > 1 && box.height > 1 && getComputedStyle(node).visibility !== 'hidden'
    && !node.closest('.visually-hidden, [hidden], .skip, dialog:not([open])');
}"""
_SMALL = f"""(least) => {{
  const shown = {_SHOWN}, found = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {{
    const {{data, parentElement: at}} = walker.currentNode;
    if (!data.trim() || at.closest('script, style, option, svg') || !shown(at)) continue;
    const size = parseFloat(getComputedStyle(at).fontSize);
    if (size < least - 0.01) found.add(`${{size}} px: ${{data.trim().slice(0, 30)}}`);
  }}
  return [...found];
}}"""
_TIGHT = f"""(least) => {{
  const shown = {_SHOWN}, found = new Set();
  const tapped = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
  for (const node of document.querySelectorAll(tapped)) {{
    if (!shown(node)) continue;
    // What lies over its card, or inside its label, is tapped there.
    const over = node.matches('.cover') ? '.list__row, .card, .offer, li, article' : 'label';
    const box = (node.closest(over) ?? node).getBoundingClientRect();
    if (box.width < least - 0.5 || box.height < least - 0.5)
      found.add([Math.round(box.width), Math.round(box.height), node.cloneNode().outerHTML.slice(0, 120)].join(' '));
  }}
  return [...found];
}}"""
_CONTRAST = """() => axe.run(document, {
  runOnly: ['color-contrast'], resultTypes: ['violations'], selectors: false, preload: false
})"""
_SHOW = """([size, contrast]) => {
  Object.assign(document.documentElement.dataset, {size, contrast});
  document.documentElement.style.fontSize = '';
}"""
_HEARD = """() => {
  const button = document.querySelector('[data-speak]');
  if (!button || button.hidden) return '';
  let said = '';
  speechSynthesis.speak = (speech) => { said = speech.text };
  button.click();
  button.click();
  return said;
}"""


def is_in_village(page: Page) -> bool:
    """Whether the page belongs to the village door."""
    return bool(page.evaluate("() => document.documentElement.dataset.door === 'village'"))


def strains(page: Page) -> list[str]:
    """What is too small, too tight or too faint, in every way this page can be shown. Needs axe on the page."""
    shown = page.evaluate("() => ({...document.documentElement.dataset})")
    found = [*_too_small(page, shown.get("size", "normal"))]
    if shown.get("size") == "normal" and shown.get("contrast") == "normal":
        for size, contrast, light in WAYS:
            page.emulate_media(color_scheme="dark" if light == "dark" else "light")
            page.evaluate(_SHOW, [size, contrast])
            # Colours do not change with the size of letters.
            faint = _too_faint(page) if (contrast, light) != ("normal", "light") else []
            found += [f"{size} {contrast} {light}: {said}" for said in [*_too_small(page, size), *faint]]
        page.emulate_media(color_scheme="light")
        page.evaluate(_SHOW, ["normal", "normal"])
    return found


def heard(page: Page) -> str:
    """What the page says when it is asked to read itself aloud."""
    return str(page.evaluate(_HEARD))


def _too_small(page: Page, size: str) -> list[str]:
    return [*page.evaluate(_SMALL, _LEAST[size]), *page.evaluate(_TIGHT, _TAP)]


def _too_faint(page: Page) -> list[str]:
    report: dict[str, Any] = page.evaluate(_CONTRAST)
    return [node["html"][:120] for violation in report["violations"] for node in violation["nodes"][:3]]
