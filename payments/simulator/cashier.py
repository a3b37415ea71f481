"""The test cashier (测试收银台): the pages a payer sees at Alipay, WeChat Pay and the card checkout."""

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path
from string import Template
from urllib.parse import urlencode, urlsplit, urlunsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from payments.simulator.codes import picture
from payments.simulator.faults import ApiError, Json
from payments.simulator.intents import NOT_AUTHENTICATED, WALLET_CANCELLED, WALLET_FAILED, pay, refuse
from payments.simulator.methods import WALLETS
from payments.simulator.sessions import pay_session
from payments.simulator.world import World

PAGES = Path(__file__).parent / "templates"
NAMES = {"alipay": ("支付宝", "Alipay"), "wechat_pay": ("微信支付", "WeChat Pay"), "card": ("银行卡", "Card")}
REFUSALS = {
    "Your card was declined.": "银行没有通过这张卡",
    "Your card has insufficient funds.": "这张卡余额不足",
    "Your card has expired.": "这张卡已过期",
    "Your card's security code is incorrect.": "卡背面的安全码不对",
    "Only the test cards are taken here.": "这里只收测试卡号",
}
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
Words = dict[str, str | None]
Act = Callable[[Request], Awaitable[Response]]


class Cashier:
    """The payer's side of one world."""

    def __init__(self, world: World) -> None:
        self.world = world

    def routes(self) -> list[Route]:
        """Every page a payer can come to."""
        return [
            Route("/cashier/checkout/{id}", self._guarded(self._checkout), methods=["GET", "POST"]),
            Route("/cashier/{method}/{id}", self._guarded(self._choose), methods=["GET", "POST"]),
            Route("/cashier/wechat_pay/{id}/qr", self._guarded(self._qr_page)),
            Route("/cashier/wechat_pay/{id}/qr.{kind:str}", self._guarded(self._qr_picture)),
        ]

    def _guarded(self, act: Act) -> Act:
        async def handle(request: Request) -> Response:
            self.world.request = None
            try:
                return await act(request)
            except ApiError:
                return shown("done", {"title": "没有这笔付款", "english": "No such payment", "amount": ""}, status=404)

        return handle

    def _intent(self, request: Request, method: str) -> Json:
        # A page belongs to one way of paying; an intent whose payment failed has none until it is tried again.
        intent = self.world.load("payment_intent", request.path_params["id"])
        chosen = intent["payment_method"] and self.world.load("payment_method", intent["payment_method"])["type"]
        if method not in NAMES or chosen not in {None, method}:
            raise ApiError(404, "No such page")
        return intent

    async def _choose(self, request: Request) -> Response:
        method = request.path_params["method"]
        outcome = str((await request.form()).get("outcome", "")) if request.method == "POST" else ""
        with self.world.store.transaction():
            intent = self._intent(request, method)
            if outcome == "pay":
                intent = pay(self.world, intent)
            elif outcome in {"fail", "cancel"}:
                wallet = WALLET_CANCELLED if outcome == "cancel" else WALLET_FAILED
                intent = refuse(self.world, intent, wallet if method in WALLETS else NOT_AUTHENTICATED)
        if request.method == "GET" and intent["status"] == "requires_action":
            return shown("choose", _words(method, intent["amount"], intent["description"]))
        if request.method == "GET":
            return _ended(intent)
        # Without a way back the payer stays, by a page that may be loaded again.
        return _leave(intent) if intent.get("_return_url") else _go(request.url.path)

    async def _qr_page(self, request: Request) -> Response:
        intent = self._intent(request, "wechat_pay")
        action = intent["next_action"]
        if not action or "wechat_pay_display_qr_code" not in action:
            return _leave(intent) if intent.get("_return_url") else _ended(intent)
        code = action["wechat_pay_display_qr_code"]
        words = _words("wechat_pay", intent["amount"], intent["description"])
        words |= {"picture": code["image_data_url"], "address": code["data"]}
        return shown("qr", words, refresh='<meta http-equiv="refresh" content="2">')

    async def _qr_picture(self, request: Request) -> Response:
        intent = self._intent(request, "wechat_pay")
        kind = "svg" if request.path_params["kind"] == "svg" else "png"
        code = picture(f"{self.world.public_url}/cashier/wechat_pay/{intent['id']}", kind)
        return Response(code, media_type="image/svg+xml" if kind == "svg" else "image/png", headers=HEADERS)

    async def _checkout(self, request: Request) -> Response:
        form = await request.form() if request.method == "POST" else {}
        wrong: ApiError | None = None
        with self.world.store.transaction():
            session = self.world.load("checkout.session", request.path_params["id"])
            if request.method == "POST":
                try:
                    payer = str(form.get("name", "")) or None
                    session = pay_session(self.world, session, str(form.get("card", "")), payer)
                except ApiError as fault:
                    wrong = fault
        if session["status"] == "complete":
            return _go(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))
        if session["status"] == "expired":
            return _end("这个付款页面已过期", "This page has expired", session["amount_total"], session["cancel_url"])
        return _card_page(session, wrong, str(form.get("card", "")))


def yuan(fen: int) -> str:
    """¥1,234.50 for 123450 fen."""
    return f"¥{fen // 100:,}.{fen % 100:02d}"


def shown(page: str, words: Words, *, status: int = 200, refresh: str = "") -> HTMLResponse:
    """A page of ours. Every word is escaped; `refresh` alone is markup of our own."""
    safe = {name: escape(word or "") for name, word in words.items()}
    for name in ("back", "problem", "note"):
        safe.setdefault(name, "")
        safe[f"{name}_hidden"] = "" if safe[name] else " hidden"
    body = Template((PAGES / f"{page}.html").read_text("utf-8")).substitute(safe)
    frame = Template((PAGES / "page.html").read_text("utf-8"))
    return HTMLResponse(frame.substitute(safe, body=body, refresh=refresh), status, HEADERS)


def _words(method: str, fen: int, note: str | None) -> Words:
    title, english = NAMES[method]
    return {"title": title, "english": english, "amount": yuan(fen), "note": note}


def _card_page(session: Json, wrong: ApiError | None, number: str) -> Response:
    problem = ""
    if wrong:
        message = str(wrong)
        problem = f"{REFUSALS.get(message, '这张卡没有付成')}，没有扣钱。请换一张卡再试。（{message}）"
    note = "、".join(line["description"] for line in session["_lines"])
    words = _words("card", session["amount_total"], note)
    words |= {"problem": problem, "number": number, "back": session["cancel_url"]}
    return shown("card", words, status=402 if wrong else 200)


def _ended(intent: Json) -> Response:
    words = {
        "succeeded": ("已付款", "Paid"),
        "requires_capture": ("已付款，等商家确认", "Authorised"),
        "canceled": ("这笔付款已由商家取消", "Cancelled by the shop"),
    }
    title, english = words.get(intent["status"], ("没有付成，没有扣钱", "Not paid"))
    back = _return_address(intent) if intent.get("_return_url") else None
    return _end(title, english, intent["amount"], back)


def _end(title: str, english: str, fen: int, back: str | None) -> Response:
    note = None if back else "可以关上这一页，回到商家那里看订单。"
    return shown("done", {"title": title, "english": english, "amount": yuan(fen), "back": back, "note": note})


def _leave(intent: Json) -> Response:
    return _go(_return_address(intent))


def _return_address(intent: Json) -> str:
    paid = intent["status"] in {"succeeded", "requires_capture"}
    status = "pending" if intent["status"] == "requires_action" else "succeeded" if paid else "failed"
    told = {
        "payment_intent": intent["id"],
        "payment_intent_client_secret": intent["client_secret"],
        "redirect_status": status,
    }
    address = urlsplit(intent["_return_url"])
    query = "&".join(part for part in (address.query, urlencode(told)) if part)
    return urlunsplit(address._replace(query=query))


def _go(address: str) -> Response:
    return RedirectResponse(address, status_code=303, headers=HEADERS)
