"""Every page a person may see, in every state, by who sees it: what is photographed, judged and measured.

Addresses name what `staging` prepared: `/orders/{order_paid}`. A visitor's screens each have a browser of their own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

from playwright.sync_api import Page, Response

from tests.browser.staging import Places

_nobodys_number = count(5000)
"""A number is sent a code only so often."""


@dataclass(frozen=True)
class Screen:
    """One page in one state: the invented person who opens it (empty: a visitor) and how it is reached."""

    name: str
    who: str
    path: str
    then: Callable[[Page], Response | None] | None = None
    status: int = 200
    size: str = "normal"
    contrast: str = "normal"
    language: str = "zh"

    def open(self, page: Page, places: Places) -> int:
        """Bring the page up; the status it came with."""
        answer = page.goto(self.path.format(**places))
        if self.then is not None:
            answer = self.then(page) or answer
        page.wait_for_load_state("load")
        return answer.status if answer else 0


def _send(page: Page) -> Response:
    """Send the page's own form as it stands, where the browser would first ask for more."""
    with page.expect_navigation() as navigating:
        page.evaluate("() => HTMLFormElement.prototype.submit.call(document.querySelector('main form[method=post]'))")
    return navigating.value


def _send_nothing(page: Page) -> Response:
    """Send it with 0 for an answer."""
    page.locator("main form[method=post] input:is([type=text], [type=tel], [inputmode])").first.fill("0")
    return _send(page)


def _send_without_token(page: Page) -> Response:
    page.locator("main form[method=post] input[name=csrf_token]").first.evaluate("(input) => input.remove()")
    return _send(page)


def _ask_for_code(page: Page) -> Response:
    page.locator("#f-phone").fill(f"1990000{next(_nobodys_number)}")
    return _send(page)


def _send_wrong_code(page: Page) -> Response:
    _ask_for_code(page)
    page.locator("#f-code").fill("000000")
    return _send(page)


def _give_a_reason(page: Page) -> Response:
    page.locator("#f-why").fill("去信用社办代发")
    return _send(page)


def _leave(page: Page) -> None:
    """Go back to the goods in the middle of putting some up."""
    page.goto(page.url.split("/new")[0])


def _choose_goods(page: Page) -> None:
    page.locator("form[action='/cart/lines'] .button--lg").click()
    page.wait_for_load_state("load")
    page.goto("/cart")


def _take_out(page: Page) -> None:
    _choose_goods(page)
    page.locator("form[action$='/removal'] button").first.click()
    page.locator("#cart form[action='/cart/lines']").wait_for()


def _unfold_filters(page: Page) -> None:
    page.locator("details summary").first.click()


def _ask_to_cancel(page: Page) -> None:
    page.locator("form[action$='/cancellation'] button").click()
    page.locator("#confirm[open]").wait_for()


_NEW = "/village/{household}/goods/new"
_WALNUT = f"{_NEW}?produce=walnut&counted=jin"

VISITOR = [
    Screen("home", "", "/"),
    Screen("listings", "", "/listings"),
    Screen("listings-filtered", "", "/listings?produce=walnut&division=141102006&max=40&sort=price"),
    Screen("listings-filters", "", "/listings", _unfold_filters),
    Screen("listings-error", "", "/listings?min=abc", status=422),
    Screen("search", "", "/listings?q=梁家焉"),
    Screen("nothing-found", "", "/listings?q=龙虾"),
    Screen("listing", "", "/listings/{offer}"),
    Screen("listing-sold-out", "", "/listings/{sold_out}"),
    Screen("listing-stopped", "", "/listings/{stopped}"),
    Screen("cart-empty", "", "/cart"),
    Screen("cart", "", "/listings/{offer}", _choose_goods),
    Screen("cart-undo", "", "/listings/{offer}", _take_out),
    Screen("sign-in", "", "/sign-in"),
    Screen("sign-in-error", "", "/sign-in", _send_nothing, status=422),
    Screen("code", "", "/sign-in", _ask_for_code),
    Screen("code-error", "", "/sign-in", _send_wrong_code, status=422),
    Screen("demo-login", "", "/demo-logins/member"),
    Screen("not-found", "", "/nowhere", status=404),
    Screen("refused", "", "/sign-in", _send_without_token, status=403),
    Screen("home-large", "", "/", size="large"),
    Screen("home-outdoor", "", "/", contrast="outdoor"),
    Screen("home-english", "", "/", language="en"),
    Screen("listing-large", "", "/listings/{offer}", size="large"),
    Screen("listing-english", "", "/listings/{offer}", language="en"),
]
BUYER = [
    Screen("account", "member", "/account"),
    Screen("orders", "member", "/orders"),
    Screen("orders-none", "grower", "/orders"),
    Screen("order-open", "member", "/orders/{order_open}"),
    Screen("order-waiting", "member", "/orders/{order_waiting}"),
    Screen("order-failed", "member", "/orders/{order_failed}"),
    Screen("order-cash", "member", "/orders/{order_cash}"),
    Screen("order-transfer", "member", "/orders/{order_transfer}"),
    Screen("transfer-slip", "member", "/orders/{order_transfer}/transfer"),
    Screen("order-paid", "member", "/orders/{order_paid}"),
    Screen("order-paid-outdoor", "member", "/orders/{order_paid}", contrast="outdoor"),
    Screen("order-paid-english", "member", "/orders/{order_paid}", language="en"),
    Screen("order-cancel-asked", "member", "/orders/{order_paid}", _ask_to_cancel),
    Screen("order-cancelled", "member", "/orders/{order_cancelled}"),
    Screen("order-expired", "member", "/orders/{order_expired}"),
    Screen("order-foreign", "second_member", "/orders/{order_paid}", status=404),
    Screen("payment-qr", "member", "/orders/{order_qr}/payment"),
    Screen("payment-waiting", "member", "/orders/{order_waiting}/return"),
    Screen("payment-failed", "member", "/orders/{order_failed}/return"),
    Screen("payment-done", "member", "/orders/{order_paid}/return"),
    Screen("slip", "member", "/orders/{order_paid}/slip"),
    Screen("cart-troubled", "organiser", "/cart"),
    Screen("checkout", "clerk", "/checkout"),
    Screen("checkout-error", "clerk", "/checkout", _send, status=422),
]
VILLAGE = [
    Screen("goods", "grower", "/village/{household}/goods"),
    Screen("goods-large", "grower", "/village/{household}/goods", size="large"),
    Screen("goods-outdoor", "grower", "/village/{household}/goods", contrast="outdoor"),
    Screen("goods-english", "grower", "/village/{household}/goods", language="en"),
    Screen(
        "goods-begun",
        "household",
        "/village/{other_household}/goods/new?produce=millet&counted=jin&quantity=30",
        _leave,
    ),
    Screen("new-what", "grower", _NEW),
    Screen("new-what-large", "grower", _NEW, size="large"),
    Screen("new-amount", "grower", f"{_NEW}?produce=walnut"),
    Screen("new-amount-large", "grower", f"{_NEW}?produce=walnut", size="large"),
    Screen("new-amount-error", "grower", f"{_NEW}?produce=walnut&counted=jin&quantity=0", status=422),
    Screen("new-price", "grower", f"{_WALNUT}&quantity=12"),
    Screen("new-price-large", "grower", f"{_WALNUT}&quantity=12", size="large"),
    Screen("new-price-error", "grower", f"{_WALNUT}&quantity=12&price=9000&price_for=jin", status=422),
    Screen("new-photo", "grower", f"{_WALNUT}&quantity=12&price=20&price_for=jin"),
    Screen("my-listing", "grower", "/village/goods/{goods}"),
    Screen("my-listing-new", "grower", "/village/goods/{goods}?new=1"),
    Screen("my-listing-stopped", "grower", "/village/goods/{stopped}"),
    Screen("my-listing-price", "grower", "/village/goods/{goods}/price"),
    Screen("my-listing-price-error", "grower", "/village/goods/{goods}/price", _send_nothing, status=422),
    Screen("my-listing-stock", "grower", "/village/goods/{goods}/stock"),
    Screen("my-listing-restoration", "grower", "/village/goods/{stopped}/restoration"),
    Screen("my-listing-photo", "grower", "/village/goods/{goods}/photo"),
    Screen("my-listing-undo", "grower", "/village/goods/{goods}?undo=price&was=900"),
    Screen("my-listing-waiting", "household", "/village/goods/{waiting}"),
    Screen("my-listing-too-much", "grower", "/village/goods/{over}"),
    Screen("my-listing-day", "grower", "/village/goods/{goods}/day"),
    Screen("papers-point", "household", "/village/goods/{waiting}/papers?ask=slaughter_point"),
    Screen("papers-number", "household", "/village/goods/{waiting}/papers"),
    Screen("papers-number-error", "household", "/village/goods/{waiting}/papers", _send_nothing, status=422),
    Screen("papers-photo", "household", "/village/goods/{waiting}/papers?ask=certificate_photo"),
    Screen("means", "grower", "/village/{household}/means"),
    Screen("means-entered", "agent", "/village/{household}/means"),
    Screen("my-listing-foreign", "household", "/village/goods/{goods}", status=404),
    Screen("offline", "grower", "/village/{household}/offline"),
    Screen("to-prepare", "grower", "/village/{household}/orders"),
    Screen("prepared", "grower", "/village/{household}/orders?past=1"),
    Screen("shortage", "grower", "/village/{household}/orders/{line}/shortage"),
    Screen("shortage-error", "grower", "/village/{household}/orders/{line}/shortage?bring=9999", status=422),
    Screen("shortage-why", "grower", "/village/{household}/orders/{line}/shortage?bring=0"),
    Screen("shortage-why-error", "grower", "/village/{household}/orders/{line}/shortage?bring=0", _send, status=422),
    Screen("costs", "grower", "/village/{household}/costs"),
    Screen("costs-kind", "grower", "/village/{household}/costs/new"),
    Screen("costs-new", "grower", "/village/{household}/costs/new?kind=feed"),
    Screen("costs-error", "grower", "/village/{household}/costs/new?kind=feed", _send_nothing, status=422),
    Screen("costs-none", "household", "/village/{other_household}/costs"),
    Screen("looks-none", "household", "/village/{other_household}/looks"),
    Screen("looks", "grower", "/village/{household}/looks"),
    Screen("money", "grower", "/village/{household}/money"),
    Screen("money-waiting", "grower", "/village/{household}/money?show=waiting"),
    Screen("money-paid-out", "grower", "/village/{household}/money?show=paid_out"),
    Screen("statement", "grower", "/village/{household}/statement"),
    Screen("statement-season", "grower", "/village/{household}/statement?season=2025"),
    Screen("statement-nothing", "grower", "/village/{household}/statement?month=2020-01"),
    Screen("statement-large", "grower", "/village/{household}/statement", size="large"),
    Screen("my-card", "grower", "/village/{household}/card"),
    Screen("my-card-by-agent", "agent", "/village/{household}/card"),
    Screen("new-card-bank", "grower", "/village/{household}/card/new"),
    Screen("new-card-whose", "grower", "/village/{household}/card/new?bank=rural"),
    Screen("new-card", "grower", "/village/{household}/card/new?bank=rural&whose=own"),
    Screen("new-card-relative", "grower", "/village/{household}/card/new?bank=other&whose=relative"),
    Screen("new-card-error", "grower", "/village/{household}/card/new?bank=rural&whose=own", _send_nothing, status=422),
    Screen("money-large", "grower", "/village/{household}/money", size="large"),
    Screen("agent", "agent", "/village"),
    Screen("agent-none-found", "agent", "/village?q=zzz"),
    Screen("agent-orders", "agent", "/village/orders"),
    Screen("agent-money", "agent", "/village/money"),
    Screen("agent-goods", "agent", "/village/{household}/goods"),
    Screen("nobody", "member", "/village"),
]
_TOGETHER = "/village/together?produce=walnut"
VILLAGE += [
    Screen("agent-unasked", "agent", "/village?only=unasked"),
    Screen("agent-acts", "agent", "/village/{household}/acts"),
    Screen("agent-word", "agent", "/village/{household}/acts/word"),
    Screen("agent-word-error", "agent", "/village/{household}/acts/word", _send, status=422),
    Screen("acts", "grower", "/village/{household}/acts"),
    Screen("acts-large", "grower", "/village/{household}/acts", size="large"),
    Screen("acts-none", "household", "/village/{other_household}/acts"),
    Screen("objection", "grower", "/village/{household}/acts/{act}/objection"),
    Screen("together-what", "agent", "/village/together"),
    Screen("together", "agent", _TOGETHER),
    Screen("together-error", "agent", _TOGETHER, _send, status=422),
    Screen("together-done", "agent", "/village/together/done?up={goods}&refused={household}:far_too_many"),
    Screen("typing-in", "agent", "/village/{household}/goods/typing"),
    Screen("typing-in-error", "agent", "/village/{household}/goods/typing", _send, status=422),
    Screen("sheet-to-tick", "agent", "/village/{household}/goods/sheet"),
    Screen("sheets-to-tick", "agent", "/village/sheets?only=silent"),
    Screen("slip-to-prepare", "grower", "/village/{household}/orders/slip"),
    Screen("slips-to-prepare", "agent", "/village/orders/slips"),
    Screen("disagreement", "grower", "/village/goods/{other_goods}/disagreements/{disagreement}"),
    Screen("statement-of-mine", "grower", "/village/{household}/statement"),
    Screen("waiting-on-the-phone", "grower", "/village/waiting"),
    Screen("door-cards", "agent", "/cards"),
    Screen("door-card", "agent", "/cards/{door_card}"),
    Screen("door-closed", "", "/card/a-secret-that-never-was", status=404),
]
UNIT = [
    Screen("cash", "clerk", "/unit/cash"),
    Screen("cash-none-found", "clerk", "/unit/cash?q=zzz"),
    Screen("cash-book", "clerk", "/unit/cash/book"),
    Screen("cash-book-large", "clerk", "/unit/cash/book", size="large"),
    Screen("cash-book-empty", "agent", "/unit/cash/book"),
    Screen("cash-book-to-count", "accountant", "/unit/cash/book"),
    Screen("cash-sheet", "clerk", "/unit/cash/book/sheet"),
    Screen("hand-in-new", "clerk", "/unit/cash/hand-ins/new"),
    Screen("hand-in-new-nothing", "agent", "/unit/cash/hand-ins/new"),
    Screen("hand-in-new-error", "clerk", "/unit/cash/hand-ins/new", _send_nothing, status=422),
    Screen("hand-in-given", "clerk", "/unit/cash/hand-ins/{hand_in}"),
    Screen("hand-in-to-count", "accountant", "/unit/cash/hand-ins/{hand_in}"),
    Screen("hand-in-error", "accountant", "/unit/cash/hand-ins/{hand_in}", _send_nothing, status=422),
    Screen("hand-in-counted", "accountant", "/unit/cash/hand-ins/{counted}"),
    Screen("hand-in-foreign", "organiser", "/unit/cash/hand-ins/{hand_in}", status=404),
]
DESK = [
    Screen("income", "officer", "/desk/income"),
    Screen("income-english", "officer", "/desk/income", language="en"),
    Screen("income-outdoor", "officer", "/desk/income", contrast="outdoor"),
    Screen("income-by-village", "officer", "/desk/income?by=village"),
    Screen("income-by-township", "officer", "/desk/income?by=township"),
    Screen("income-by-month", "officer", "/desk/income?by=month"),
    Screen("income-by-produce", "officer", "/desk/income?by=produce"),
    Screen("income-by-unit", "officer", "/desk/income?by=unit"),
    Screen("income-silent", "officer", "/desk/income?sold=none"),
    Screen("income-none-found", "officer", "/desk/income?q=zzz"),
    Screen("income-error", "officer", "/desk/income?from=2026-13", status=422),
    Screen("income-township", "township_officer", "/desk/income"),
    Screen("household", "officer", "/desk/households/{household}"),
    Screen("household-silent", "officer", "/desk/households/{silent}"),
    Screen("desk-goods", "officer", "/desk/goods"),
    Screen("desk-goods-spoiling", "officer", "/desk/goods?only=spoiling"),
    Screen("desk-goods-none-found", "officer", "/desk/goods?q=zzz"),
    Screen("desk-listing", "officer", "/desk/goods/{over}"),
    Screen("desk-listing-error", "officer", "/desk/goods/{over}", _send, status=422),
    Screen("desk-listing-halted", "officer", "/desk/goods/{halted}"),
    Screen("desk-means", "officer", "/desk/households/{household}/means"),
    Screen("payments", "officer", "/desk/payments"),
    Screen("payments-none-found", "officer", "/desk/payments?q=zzz"),
    Screen("payment", "officer", "/desk/payments/{payment_paid}"),
    Screen("payment-refused", "officer", "/desk/payments/{payment_paid}", _send_nothing, status=422),
    Screen("payment-refunded", "officer", "/desk/payments/{payment_cancelled}"),
    Screen("payment-cash", "officer", "/desk/payments/{payment_cash}"),
    Screen("payment-seen", "township_officer", "/desk/payments/{payment_paid}"),
    Screen("rounds", "officer", "/desk/rounds"),
    Screen("rounds-elsewhere", "township_officer", "/desk/rounds"),
    Screen("round", "officer", "/desk/rounds/{round}"),
    Screen("round-error", "officer", "/desk/rounds/{round}", _send, status=422),
    Screen("round-off", "officer", "/desk/rounds/{round_off}"),
    Screen("desk-cash", "accountant", "/desk/cash"),
    Screen("desk-cash-none-found", "accountant", "/desk/cash?q=zzz"),
    Screen("desk-cash-book", "accountant", "/desk/cash/books/{keeper}"),
    Screen("desk-cash-sheet", "accountant", "/desk/cash/books/{keeper}/sheet"),
    Screen("desk-hand-ins", "accountant", "/desk/cash/hand-ins"),
    Screen("desk-slips", "accountant", "/desk/cash/slips"),
    Screen("desk-slip-new", "accountant", "/desk/cash/slips/new"),
    Screen("desk-slip-error", "accountant", "/desk/cash/slips/new", _send_nothing, status=422),
]
DESK += [
    Screen("objections", "officer", "/desk/objections"),
    Screen("objections-error", "officer", "/desk/objections", _send, status=422),
    Screen("objections-settled", "officer", "/desk/objections?settled=1"),
    Screen("household-statement", "officer", "/desk/households/{household}/statement"),
]
DESK_ACCOUNTS = [
    Screen("reconciliations", "accountant", "/desk/reconciliations"),
    Screen("reconciliations-none", "accountant", "/desk/reconciliations?only=gone"),
    Screen("reconciliations-elsewhere", "township_officer", "/desk/reconciliations"),
    Screen("difference", "accountant", "/desk/differences/{difference}"),
    Screen("difference-error", "officer", "/desk/differences/{difference}", _send, status=422),
    Screen("difference-done", "accountant", "/desk/differences/{difference_done}"),
    Screen("notices", "accountant", "/desk/notices"),
    Screen("notices-none-found", "accountant", "/desk/notices?q=zzz"),
    Screen("notice", "accountant", "/desk/notices/{notice}"),
]
DESK_BANK = [
    Screen("statements", "accountant", "/desk/statements"),
    Screen("statement-new", "accountant", "/desk/statements/new"),
    Screen("statement-new-error", "accountant", "/desk/statements/new", _send, status=422),
    Screen("statement-preview", "accountant", "/desk/statements/{statement_preview}"),
    Screen("statement-preview-none", "accountant", "/desk/statements/{statement_preview}?only=bounced"),
    Screen("statement-taken", "accountant", "/desk/statements/{statement_taken}"),
    Screen("statement-sheet", "accountant", "/desk/statements/{statement_taken}/sheet"),
    Screen("bank-rows", "accountant", "/desk/bank-rows"),
    Screen("bank-rows-none-found", "accountant", "/desk/bank-rows?q=zzz"),
    Screen("bank-row", "accountant", "/desk/bank-rows/{row_open}"),
    Screen("bank-row-large", "accountant", "/desk/bank-rows/{row_open}", size="large"),
    Screen("bank-row-done", "accountant", "/desk/bank-rows/{row_done}"),
    Screen("bank-row-aside", "accountant", "/desk/bank-rows/{row_aside}"),
    Screen("remittances", "accountant", "/desk/remittances"),
    Screen("remittance", "accountant", "/desk/remittances/{remittance}"),
    Screen("desk-payees", "accountant", "/desk/payees"),
]
PAYOUTS = [
    Screen("payouts", "accountant", "/desk/payouts"),
    Screen("payouts-none", "officer", "/desk/payouts?only=dropped"),
    Screen("new-payouts", "accountant", "/desk/payouts/new"),
    Screen("new-payouts-error", "accountant", "/desk/payouts/new?least=x", status=422),
    Screen("payouts-proposed", "accountant", "/desk/payouts/{payouts_proposed}"),
    Screen("payouts-to-approve", "second_accountant", "/desk/payouts/{payouts_proposed}"),
    Screen("payouts-approved", "accountant", "/desk/payouts/{payouts_approved}"),
    Screen("payouts-closed", "officer", "/desk/payouts/{payouts_closed}"),
    Screen("payout", "accountant", "/desk/payouts/{payouts_approved}/rows/{payout}"),
    Screen("payouts-sheet", "accountant", "/desk/payouts/{payouts_approved}/sheet"),
    Screen("payouts-sealed-new", "accountant", "/desk/payouts/{payouts_approved}/sealed/new"),
    Screen("payouts-sealed-error", "accountant", "/desk/payouts/{payouts_approved}/sealed/new", _send, status=422),
    Screen("payouts-sealed", "accountant", "/desk/payouts/{payouts_approved}/sealed/new", _give_a_reason),
    Screen("payout-cards", "accountant", "/desk/cards"),
    Screen("payout-cards-none-found", "accountant", "/desk/cards?q=zzz"),
    Screen("payout-card", "accountant", "/desk/cards/{payout_card}"),
    Screen("payout-card-error", "accountant", "/desk/cards/{payout_card}", _send_nothing, status=422),
]
OPERATOR = [
    Screen("people", "administrator", "/operator/people"),
    Screen("people-none-found", "administrator", "/operator/people?q=zzz"),
    Screen("new-grant", "administrator", "/operator/people/new"),
    Screen("new-grant-error", "administrator", "/operator/people/new", _send, status=422),
    Screen("stations", "administrator", "/operator/stations"),
    Screen("new-station-error", "administrator", "/operator/stations/new", _send, status=422),
    Screen("station", "administrator", "/operator/stations/{station}"),
    Screen("units", "administrator", "/operator/units"),
    Screen("new-unit-error", "administrator", "/operator/units/new", _send, status=422),
    Screen("unit", "administrator", "/operator/units/{unit}"),
    Screen("stops", "administrator", "/operator/stops"),
    Screen("new-stop-error", "administrator", "/operator/stops/new", _send, status=422),
    Screen("stop", "administrator", "/operator/stops/{stop}"),
    Screen("slaughter-points", "administrator", "/operator/slaughter-points"),
    Screen("new-slaughter-point-error", "administrator", "/operator/slaughter-points/new", _send, status=422),
    Screen("slaughter-point", "administrator", "/operator/slaughter-points/lishi-1"),
    Screen("register", "administrator", "/operator/households"),
    Screen("register-none-found", "administrator", "/operator/households?q=zzz"),
    Screen("registered", "administrator", "/operator/households/{household}"),
    Screen("villages", "administrator", "/operator/villages"),
    Screen("payees", "administrator", "/operator/payees"),
    Screen("new-payee", "administrator", "/operator/payees/new"),
    Screen("new-payee-error", "administrator", "/operator/payees/new", _send, status=422),
    Screen("new-import", "administrator", "/operator/imports/new"),
    Screen("new-import-error", "administrator", "/operator/imports/new", _send, status=422),
    Screen("import", "administrator", "/operator/imports/{import}"),
    Screen("import-bad", "administrator", "/operator/imports/{import_bad}"),
]
SCREENS = [*VISITOR, *BUYER, *VILLAGE, *UNIT, *DESK, *DESK_ACCOUNTS, *PAYOUTS, *DESK_BANK, *OPERATOR]
