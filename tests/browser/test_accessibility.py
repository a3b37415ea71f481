"""No screen keeps anybody out: axe finds no serious or critical violation, on a phone and on the desk's big screen."""

import re

import pytest
from starlette.routing import compile_path

from storefront.pages import routers
from tests.browser.running import DESKTOP, PHONE
from tests.browser.screens import DESK, OPERATOR, PAYOUTS, SCREENS, UNIT, VILLAGE, Screen
from tests.browser.survey import Survey
from tests.test_house import within

NO_SCREENS = {
    "/desk",
    "/unit",
    "/operator",
    "/desk/income.{kind}",
    "/orders/{no}/payment/state",
    "/desk/statements/{statement_id}/state",
    "/desk/statements/{statement_id}/file",
    "/desk/bank-rows/{row_id}/state",
    "/village/goods/{listing_id:int}/papers/photo",
    "/village/{household_id:int}/acts/sheets/{word_id:int}",
    "/village/pass",
    "/village/uploads/{name}",
    "/card/{secret}/state",
    "/village/{household_id:int}/offline",  # opened by the phone itself, where there is no network
    "/desk/payouts/{batch_id:int}/list.{kind}",
    "/desk/payouts/{batch_id:int}/proofs/{proof_id:int}",
    "/cards/devices/{device_id:int}",  # a phone before a door: its card's secret is kept nowhere
    "/desk/goods/{listing_id:int}/papers/photo",
}
"""Addresses that only lead on, and those that answer with a file or a piece of a page."""


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_nothing_serious_on_a_phone(survey: Survey, screen: Screen) -> None:
    found = survey.of(screen, PHONE)
    assert found.status == screen.status
    assert found.barriers == []
    assert found.errors == []


@pytest.mark.parametrize("screen", [*DESK, *PAYOUTS, *UNIT, *OPERATOR], ids=lambda screen: screen.name)
def test_nothing_serious_on_a_big_screen(survey: Survey, screen: Screen) -> None:
    assert survey.of(screen, DESKTOP).barriers == []


@pytest.mark.parametrize("screen", VILLAGE, ids=lambda screen: screen.name)
def test_old_eyes_and_thick_fingers_manage(survey: Survey, screen: Screen) -> None:
    assert survey.of(screen, PHONE).strains == []


@pytest.mark.parametrize("screen", VILLAGE, ids=lambda screen: screen.name)
def test_every_page_of_the_village_is_read_aloud(survey: Survey, screen: Screen) -> None:
    found = survey.of(screen, PHONE)
    assert found.title.split("\n")[0] in found.heard


def test_every_page_has_a_screen() -> None:
    named = [re.sub(r"\{round\w*\}", "1/1", screen.path.split("?")[0]) for screen in SCREENS]
    seen = [re.sub(r"\{\w+\}", "1", path) for path in named]
    pages = [
        each.path
        for router in routers
        for each in within(router.routes)
        if "GET" in (each.route.methods or ()) and each.path not in NO_SCREENS
    ]
    assert [page for page in pages if not any(compile_path(page)[0].match(path) for path in seen)] == []
