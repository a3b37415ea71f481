"""Without a finger or a mouse: everything is reached with Tab and Enter, and one always sees where one is."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.running import DESKTOP

_MOST_TABS = 120
# A control that lies over its card or inside its label shows the focus on that.
_FOCUS = """(kind) => {
  const at = document.activeElement;
  const around = [];
  for (let node = at; node && !node.matches('main, body'); node = node.parentElement) around.push(node);
  const shown = around.slice(0, 6).some((node) => {
    const style = getComputedStyle(node);
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== 'none';
  });
  const name = at.getAttribute('aria-label') || at.innerText || at.labels?.[0]?.innerText || at.value || '';
  const html = at.cloneNode().outerHTML.slice(0, 160);
  return {name: name.trim(), shown, tag: at.tagName, fits: at.matches(kind), html};
}"""


def test_from_the_door_to_the_order(open_page: OpenPage) -> None:
    page = open_page(size=DESKTOP)
    page.goto("/sign-in")
    _go_to(page, "手机号")
    page.keyboard.type("19900000004")
    _enter(page)
    code = page.get_by_text("验证码是").inner_text().strip()[-6:]
    _go_to(page, "6 位验证码")
    page.keyboard.type(code)
    _enter(page)
    expect(page.get_by_role("link", name="刘职工")).to_be_visible()

    page.goto("/")
    _go_to(page, "找农产品或村名")
    page.keyboard.type("hetao")
    _enter(page)
    _go_to(page, "核桃", ".offer a")
    _enter(page)
    _go_to(page, "放进购物车")
    _enter(page)
    expect(page.locator("#flashes")).to_contain_text("已放进购物车")
    _go_to(page, "购物车")
    _enter(page)
    _go_to(page, "去下单")
    _enter(page)
    _go_to(page, "区人社局门厅")
    page.keyboard.press("Space")
    expect(page.locator("input[name=stop]").first).to_be_checked()
    _go_to(page, "提交订单")
    _enter(page)
    expect(page.get_by_role("heading", level=1)).to_contain_text("货给您留着")


def test_the_first_tab_leads_past_the_head(open_page: OpenPage) -> None:
    page = open_page(size=DESKTOP)
    page.goto("/")
    page.keyboard.press("Tab")
    link = page.get_by_role("link", name="跳到正文")
    expect(link).to_be_focused()
    expect(link).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("main#main")).to_be_focused()


def _enter(page: Page) -> None:
    """Press what has the focus, and arrive where it leads."""
    with page.expect_navigation():
        page.keyboard.press("Enter")


def _go_to(page: Page, name: str, kind: str = "*") -> None:
    """Tab on until something of that name and kind has the focus; on the way it is always visible where that is."""
    passed = []
    for _ in range(_MOST_TABS):
        page.keyboard.press("Tab")
        here = page.evaluate(_FOCUS, kind)
        if here["tag"] == "BODY":
            continue
        assert here["shown"], f"the focus cannot be seen on {here['html']}"
        if here["fits"] and here["name"].startswith(name):
            return
        passed.append(here["name"])
    pytest.fail(f"{name} is not reached: {passed}")
