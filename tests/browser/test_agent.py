"""An agent's morning on a phone: goods of several households on one screen, a call, and a household that says no."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.running import DESKTOP


def test_goods_go_up_for_several_households_and_each_is_asked(open_page: OpenPage) -> None:
    agent, grower, officer = open_page("agent"), open_page("grower"), open_page("officer", DESKTOP)
    grower.goto("/village")
    household = grower.url.split("/")[4]
    name = _put_up_for_two(agent, household)

    agent.get_by_role("link", name="去问这几家").tap()
    other = agent.locator("a.big-choice", has_not_text=name).first
    expect(other).to_contain_text("件事等点头")
    other.tap()
    _write_down_a_call(agent)

    grower.goto(f"/village/{household}/goods")
    grower.get_by_role("link", name=re.compile(r"代办员替您做了 \d+ 件事")).tap()
    expect(grower.get_by_role("main")).to_contain_text("上架核桃 7 斤，一斤 ¥6.00")
    grower.get_by_role("link", name="不对").first.tap()
    grower.get_by_label("哪里不对？不写也行").fill("没跟我说过")
    grower.get_by_role("button", name="没同意过").tap()
    expect(grower.get_by_role("main")).to_contain_text("说的是：没跟我说过")

    officer.goto("/desk/objections")
    card = officer.locator("section.card", has_text="上架核桃 7 斤")
    expect(card).to_contain_text("没跟我说过")
    card.get_by_label("问清楚了什么").fill("代办员填错了一家，已经撤下")
    card.get_by_role("button", name="记下来").click()
    grower.reload()
    expect(grower.get_by_role("main")).to_contain_text("工作人员看过了：代办员填错了一家，已经撤下")


def _put_up_for_two(agent: Page, household: str) -> str:
    """Walnuts of this household and of another, by a double tap; the household's name."""
    agent.goto("/village")
    agent.get_by_text("几家一起办").tap()
    agent.get_by_role("link", name="几家一起上架").tap()
    agent.get_by_role("link", name="核桃").tap()
    agent.get_by_label("多少钱").fill("6")
    mine = agent.locator(f"#f-amount-{household}")
    name = agent.locator(f"label[for=f-amount-{household}] strong").inner_text()
    mine.fill("7")
    agent.locator(f".how-much__input:not(#f-amount-{household})").first.fill("9")
    agent.get_by_role("button", name="给填了数的几家上架").dblclick()
    expect(agent.get_by_role("heading", level=1)).to_have_text("2 家上架了")
    expect(agent.get_by_role("main")).to_contain_text(f"{name} 核桃 7 斤")
    return name


def _write_down_a_call(agent: Page) -> None:
    agent.get_by_role("link", name="记下这家怎么说").tap()
    agent.get_by_text("都同意").tap()
    agent.get_by_text("打电话", exact=True).tap()
    agent.get_by_label("这家谁说的").fill("老伴")
    agent.get_by_label("打的哪个号码，填后四位").fill("0001")
    agent.get_by_role("button", name="记下来").tap()
    expect(agent.get_by_role("main")).to_contain_text("打电话问的：老伴，尾号 0001")
