"""The market's errors in people's words: family to status, class to sentence, for page, fragment and JSON alike."""

import logging
import secrets
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from market.ground import errors
from market.ground.errors import Malformed, MarketError
from storefront.deps import SignInFirst, StartAgain
from storefront.once import Taken
from storefront.render import Pages, is_delivery
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

log = logging.getLogger("yigou")

STATUS: dict[type[MarketError], int] = {
    errors.NotFound: 404,
    errors.NotAllowed: 403,
    errors.Refused: 409,
    errors.Malformed: 422,
    errors.Unavailable: 503,
}
_TOO_MANY = 429
_SERIALIZATION, _DEADLOCK, _LOCK_NOT_AVAILABLE = "40001", "40P01", "55P03"
_VALUE_ERRORS = ("22", "23503")

SENTENCES: dict[type[MarketError], str] = {
    errors.NotFound: _l("没有找到。可能已经下架，或者地址写错了。"),
    errors.NotAllowed: _l("这一步您不能做。请换一个账号登录，或者回到上一页重试。"),
    errors.PhoneFirst: _l("进门卡办不了这一步。请用手机号登录，或者请代办员帮忙。"),
    errors.OutOfStock: _l("有的货不够了，订单没有提交，什么都没有扣。"),
    errors.PriceChanged: _l("有的价格变了，订单没有提交。请看一下新价格再决定。"),
    errors.NotOnSale: _l("有的货已经停止销售，订单没有提交。"),
    errors.RoundCancelled: _l("这一趟取消了，不能再下单、付款。请选别的取货日。"),
    errors.NotMovable: _l("现在的状态不能这样做。请刷新看看最新情况。"),
    errors.AlreadyPaid: _l("这个订单已经付过款了，不用再付。"),
    errors.SamePerson: _l("这一步要换一个人来办：一个人申请，另一个人确认。"),
    errors.NothingToPay: _l("现在没有可以到户的钱，没有新建。"),
    errors.TotalMoved: _l("刚才有变化，金额和您看到的不一样了，还没有批准。请再看一遍。"),
    errors.PlanMoved: _l("刚才有人重新对过这份对账单，和您看到的不一样了，还没有入账。请再看一遍。"),
    errors.OverLimit: _l("超过了上限，没有保存。"),
    errors.OverCapacity: _l("比您家今年能产的多，没有改。要卖得更多，请另外上架一份，工作人员看过就能卖。"),
    errors.TooManyTries: _l("试得太多了，请过一会儿再来。"),
    errors.OtherHands: _l("这是另一个人填的，没有记下。请他自己登录，再送一次。"),
    errors.StillRunning: _l("上一次提交还在处理，请稍等再看。"),
    errors.SealedShut: _l("密封的卡号打不开：钥匙不对。请找管系统的人，卡号没有丢。"),
    errors.Unavailable: _l("外面的服务暂时连不上，什么都没有变。请过一会儿再试。"),
}
_HTTP: dict[int, tuple[str, str]] = {
    401: ("TokenNeeded", _l("请带上有效的令牌。没有令牌，或者令牌已经作废。")),
    404: ("NotFound", SENTENCES[errors.NotFound]),
    405: ("MethodNotAllowed", _l("这个地址不支持这种操作。")),
    413: ("TooLarge", _l("发来的内容太大了，没有接收。")),
}
"""What the web itself refuses, in the same words, for machines."""
PROBLEMS: dict[str, str] = {
    "missing": _l("请填写这一项"),
    "choose_one": _l("请选一个"),
    "not_a_number": _l("请填数字"),
    "not_an_amount": _l("请填钱数，例如 35 或 35.50"),
    "not_positive": _l("要大于 0"),
    "far_too_many": _l("数量太大了，请检查是不是多按了 0"),
    "over_capacity": _l("比这家今年能产的多。要卖得更多，另外上架一份，工作人员看过就能卖"),
    "far_too_low": _l("价格太低了，请检查是不是少按了一位"),
    "far_too_high": _l("价格太高了，请检查是不是多按了一位"),
    "unknown_produce": _l("没有这个品种，请重新选"),
    "unknown_measure": _l("没有这种计量，请重新选"),
    "wrong_measure": _l("这个品种不能这样计量，请重新选"),
    "impossible": _l("这个重量不对，请重新填"),
    "not_a_mobile_number": _l("请填 11 位手机号"),
    "code_wrong": _l("验证码不对，请再看一眼短信"),
    "code_expired": _l("验证码过期了，请重新获取"),
    "not_a_division_code": _l("没有这个地方"),
    "nothing_to_search": _l("请输入汉字、拼音或数字"),
    "not_offered": _l("这个订单不能用这种方式付款"),
    "not_a_paper": _l("要一张照片，或者一个 PDF 文件"),
    "not_a_photo": _l("这不是照片，请重新拍或重新选"),
    "too_large": _l("太大了，请选小一点的"),
    "too_small": _l("数字太小了"),
    "out_of_range": _l("数字超出范围了"),
    "not_text": _l("请填普通文字"),
    "not_json": _l("发来的内容不是有效的 JSON"),
    "not_a_cursor": _l("翻页位置不对，请从第一页重新看"),
    "bad_key": _l("幂等键不对，请换一个"),
    "key_used_for_another_request": _l("这个幂等键已经用在别的请求上了"),
    "taken": _l("这个地方已经有同名的，请换个名字，或者看看是不是已经加过了"),
    "not_after": _l("结束的时间要比开始的晚"),
    "not_in_the_order": _l("这个订单里没有这样货"),
    "not_a_month": _l("请选月份"),
    "not_that_day": _l("日期不对：不能晚于今天，也不能早过三个月"),
    "slip_taken": _l("这个单号当天已经记过了，请再核对一下"),
    "too_far_ahead": _l("这个日子太远了，请重新选"),
    "kept_too_long": _l("按这个日子已经放得太久，不能卖了"),
    "not_a_paper_number": _l("号码不对，请照着证件再抄一遍"),
    "not_asked": _l("这样货不用填这一项"),
    "not_a_card_number": _l("卡号不对，请对着银行卡再看一遍"),
    "another_number": _l("和申请时填的卡号不一样，请对着银行卡再看一遍"),
    "not_the_same": _l("两次填的不一样，请再填一遍"),
    "in_future": _l("日期不能在今天以后"),
    "not_a_day": _l("请填日期"),
    "four_digits": _l("请填打通的那个电话号码的后四位"),
    "other_number": _l("和那台手机上的号对不上，请让对方再念一遍"),
}


def status_of(error: MarketError) -> int:
    """HTTP status of an error, by its family."""
    if isinstance(error, errors.TooManyTries):
        return _TOO_MANY
    return next(status for family, status in STATUS.items() if isinstance(error, family))


def say(error: MarketError) -> str:
    """The error in the viewer's language: what is wrong, and that nothing is lost."""
    if isinstance(error, Malformed):
        return say_problem(error)
    kinds = [kind for kind in type(error).__mro__ if kind in SENTENCES]
    return str(SENTENCES[kinds[0]]) if kinds else _("没有成功，什么都没有变。")


def say_problem(error: Malformed) -> str:
    """What is wrong with one field."""
    return str(PROBLEMS.get(error.problem, _l("这一项填得不对，请检查")))


def as_json(error: MarketError) -> JSONResponse:
    """The error for a machine."""
    body = {"error": type(error).__name__, "detail": error.detail, "message": say(error)}
    return JSONResponse(body, status_code=status_of(error))


def install(app: FastAPI) -> None:
    """Register every handler."""
    handlers: list[tuple[Any, Any]] = [
        (MarketError, _market_error),
        (RequestValidationError, _validation_error),
        (HTTPException, _http_error),
        (DBAPIError, _database_error),
        (StartAgain, _start_again),
        (Taken, _taken),
        (Exception, _bug),
    ]
    for kind, handler in handlers:
        app.add_exception_handler(kind, handler)


async def _market_error(request: Request, error: MarketError) -> Response:
    if _is_machine(request):
        return as_json(error)
    if isinstance(error, SignInFirst):
        back = quote(request.url.path + (f"?{request.url.query}" if request.url.query else ""))
        return _pages(request).redirect(f"/sign-in?next={back if request.method == 'GET' else '/'}")
    return _page(request, status_of(error), say(error))


async def _start_again(request: Request, wish: StartAgain) -> Response:
    return _pages(request).redirect(wish.url, (wish.kind, wish.text), to=request)


async def _taken(request: Request, form: Taken) -> Response:
    return _pages(request).redirect(form.url, *form.said, to=request)


async def _validation_error(request: Request, error: RequestValidationError) -> Response:
    first = error.errors()[0] if error.errors() else {"loc": ("body",), "type": "malformed"}
    place = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    found = Malformed(place, str(first["type"]))
    if _is_machine(request):
        return as_json(found)
    # A page's address with letters where a number belongs is simply not a page.
    return _page(request, 404, "") if first["loc"][0] == "path" else _page(request, 422, say(found))


async def _http_error(request: Request, error: HTTPException) -> Response:
    if not _is_machine(request):
        return _page(request, error.status_code, "")
    name, sentence = _HTTP.get(error.status_code, ("HttpError", error.detail))
    body = {"error": name, "detail": {}, "message": str(sentence)}
    return JSONResponse(body, status_code=error.status_code, headers=error.headers)


async def _database_error(request: Request, error: DBAPIError) -> Response:
    """A clash that a second try resolves, or a number no column can hold; anything else is a bug."""
    state = str(getattr(error.orig, "sqlstate", "") or "")
    if state in (_SERIALIZATION, _DEADLOCK, _LOCK_NOT_AVAILABLE):
        clash = errors.StillRunning("")
        return as_json(clash) if _is_machine(request) else _page(request, 409, say(clash))
    if state.startswith(_VALUE_ERRORS) or "value out of" in str(error.orig):
        malformed = Malformed("request", "impossible")
        return as_json(malformed) if _is_machine(request) else _page(request, 422, say(malformed))
    return await _bug(request, error)


async def _bug(request: Request, error: Exception) -> Response:
    reference = secrets.token_hex(4).upper()
    log.error("bug %s at %s %s", reference, request.method, request.url.path, exc_info=error)
    if _is_machine(request):
        body = {"error": "Bug", "detail": {"reference": reference}, "message": _("系统出错了，编号 %(n)s", n=reference)}
        return JSONResponse(body, status_code=500)
    return _page(request, 500, "", reference=reference)


def _page(request: Request, status: int, message: str, **more: str) -> Response:
    shown = status if status in (403, 404, 409, 422, 500, 503) else (409 if status == _TOO_MANY else 404)
    context = {"message": message, **more}
    page = getattr(request.state, "page", None)
    if page is not None:
        response: Response = page(f"errors/{shown}.html", status=status, **context)
        return response
    viewer = getattr(request.state, "viewer", None)
    known = {"viewer": viewer} if viewer is not None else {}
    return _pages(request).show(request, f"errors/{shown}.html", {**context, **known}, status=status)


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.yigou.pages
    return pages


def _is_machine(request: Request) -> bool:
    return request.url.path.startswith(("/api/", "/hooks/")) or is_delivery(request)
