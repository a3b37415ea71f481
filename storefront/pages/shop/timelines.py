"""What has happened to an order and what comes next, in plain words; only what the books say."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from market.delivery.round_cancellations import RoundCancellation
from market.delivery.stops import Stop
from market.ground.clock import day_of
from market.ground.money import format_yuan
from market.trade.orders import Order, OrderMove, OrderState
from market.trade.revivals import is_revivable
from payments import called_off
from payments.records import Method, Payment, PaymentState, Refund, RefundState
from payments.uses import Arrival
from storefront import words
from storefront.texts import gettext as _


class Stage(StrEnum):
    """Where an order's money is, as its buyer needs to know it."""

    OPEN = "open"
    """Waiting to be paid; no way chosen yet."""
    WAITING = "waiting"
    """A way was chosen; the provider has not told us yet."""
    FAILED = "failed"
    """The last attempt came to nothing; another one is possible."""
    CASH = "cash"
    """A word was given to pay at the stop."""
    TRANSFER = "transfer"
    """A word was given to pay by bank transfer."""
    PAID = "paid"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Story:
    """An order with everything its page tells."""

    order: Order
    stop: Stop
    moves: list[OrderMove]
    payments: list[Payment]
    refunds: list[Refund]
    now: datetime
    round_off: RoundCancellation | None = None
    """The cancellation of its round, if there is one."""
    arrivals: tuple[Arrival, ...] = ()
    """Lines of bank statements that brought some of a transfer."""

    @property
    def is_off(self) -> bool:
        """Whether its round ended it, or is about to; not what ended by itself before."""
        stands = self.order.holds_stock or self.order.is_paid
        return self.round_off is not None and (stands or (bool(self.moves) and self.moves[-1].why == called_off.WHY))

    @property
    def stage(self) -> Stage:
        """Where the money is."""
        return Stage.CANCELLED if self.is_off else stage_of(self.order, self.payments, self.now)

    @property
    def today(self) -> date:
        """The day in the village."""
        return day_of(self.now)

    @property
    def is_over(self) -> bool:
        """Whether the handover day has passed."""
        return self.today > self.order.handover_on

    @property
    def is_bought(self) -> bool:
        """Whether the village packs for it."""
        return self.stage in {Stage.PAID, Stage.CASH, Stage.TRANSFER}

    @property
    def may_still_arrive(self) -> bool:
        """Whether an attempt is open whose money may come, even if the time to pay is over."""
        return any(payment.state is PaymentState.STARTED and not payment.method.is_promise for payment in self.payments)

    @property
    def transfer(self) -> Payment | None:
        """The transfer the buyer gave a word for last, whether or not it is still waited for."""
        return next((found for found in reversed(self.payments) if found.method is Method.TRANSFER), None)

    @property
    def arrived(self) -> list[Arrival]:
        """What has come for the transfer that is waited for."""
        waiting = self.transfer
        return [each for each in self.arrivals if waiting is not None and each.part.payment_id == waiting.id]

    @property
    def arrived_fen(self) -> int:
        """How much that is."""
        return sum(each.part.amount_fen for each in self.arrived)

    @property
    def may_be_revived(self) -> bool:
        """Whether the buyer may still pay though the time ran out, should the goods be there; not if ordered anew."""
        replaced = bool(self.moves) and self.moves[-1].why == "replaced"
        gone = replaced or self.round_off is not None
        return self.stage is Stage.EXPIRED and not gone and is_revivable(self.order, self.now)

    @property
    def paid_by(self) -> Payment | None:
        """The payment whose money arrived."""
        return next((payment for payment in self.payments if payment.state is PaymentState.SUCCEEDED), None)

    @property
    def open_attempt(self) -> Payment | None:
        """The online payment the buyer may still finish."""
        return self.payments[-1] if self.stage is Stage.WAITING else None

    @property
    def mark(self) -> str:
        """Changes whenever a waiting page has something new to tell."""
        return f"{self.stage}-{len(self.payments)}-{len(self.refunds)}-{len(self.arrivals)}"

    @property
    def minutes_left(self) -> int:
        """Whole minutes left to pay, at least one while there is any time."""
        return max(1, int((self.order.expires_at - self.now).total_seconds()) // 60)


def stage_of(order: Order, payments: list[Payment], now: datetime) -> Stage:
    """Where an order's money is at this moment, by our own books."""
    settled = {
        OrderState.PAID: Stage.PAID,
        OrderState.CANCELLED: Stage.CANCELLED,
        OrderState.EXPIRED: Stage.EXPIRED,
    }
    if order.state in settled:
        return settled[order.state]
    if order.expires_at <= now:
        return Stage.EXPIRED
    if order.state is OrderState.CONFIRMED:
        return Stage.TRANSFER if _promised(payments) is Method.TRANSFER else Stage.CASH
    if not payments:
        return Stage.OPEN
    # The order was read before the payment: the money may have come between the two, and is told at the next look.
    came_to_nothing = payments[-1].state in {PaymentState.FAILED, PaymentState.CANCELLED}
    return Stage.FAILED if came_to_nothing else Stage.WAITING


def _promised(payments: list[Payment]) -> Method | None:
    """How the buyer last said the money would come."""
    given = [found.method for found in payments if found.method.is_promise and found.state is PaymentState.STARTED]
    return given[-1] if given else None


def pick_up(story: Story) -> str:
    """`12月4日（周五）上午10:00–11:30，在区政府大院南门取货。`."""
    on, hours = words.day(story.order.handover_on), words.hours(story.stop)
    return _("%(day)s%(hours)s，在%(place)s取货。", day=on, hours=hours, place=story.stop.name)


def headline(story: Story) -> str:
    """The order in one sentence."""
    order, on = story.order, words.day(story.order.handover_on)
    plain = {
        Stage.WAITING: _("正在等付款结果"),
        Stage.TRANSFER: _("已预订，等转账到账"),
        Stage.EXPIRED: _("超时没有付款，订单已取消"),
        Stage.CANCELLED: _("这一趟取消了") if story.is_off else _("订单已取消"),
    }
    match story.stage:
        case Stage.CASH:
            late = _("约定的取货日已过，还没有收到现金")
            return late if story.is_over else _("已预订，%(day)s取货时付现金", day=on)
        case Stage.PAID:
            return _("已付款，约定的取货日已过") if story.is_over else _("已付款，%(day)s取货", day=on)
        case Stage.OPEN | Stage.FAILED:
            return _("货给您留着，请在%(time)s前付款", time=words.clock(order.expires_at))
        case stage:
            return plain[stage]


def steps(story: Story) -> list[dict[str, Any]]:
    """The order's timeline for the macro: title, text, at, state."""
    order = story.order
    placed = {"title": _("已下单"), "at": words.moment(order.placed_at), "state": "done"}
    refunds = [_refund(story, refund) for refund in story.refunds]
    if story.stage in {Stage.EXPIRED, Stage.CANCELLED}:
        return [placed, *_paid_before(story), _ended(story), *refunds]
    money = [] if story.stage is Stage.CASH else [_money(story)]
    return [placed, *money, _packing(story), _handing(story), *refunds]


def _money(story: Story) -> dict[str, Any]:
    order, payment = story.order, story.paid_by
    amount = format_yuan(order.total_fen)
    match story.stage:
        case Stage.PAID:
            title, text = _("已付款 %(amount)s", amount=amount), str(words.METHODS[payment.method]) if payment else ""
            return {"title": title, "text": text, "at": words.moment(order.paid_at), "state": "done"}
        case Stage.TRANSFER:
            title = _("银行转账 %(amount)s", amount=amount)
            text = _("货留到%(day)s。会计对上账，这里就变成已付款。", day=words.day(day_of(order.expires_at)))
            if story.arrived_fen:
                title = _("银行转账 %(amount)s，已到 %(came)s", amount=amount, came=format_yuan(story.arrived_fen))
        case Stage.WAITING:
            title, text = _("正在确认付款 %(amount)s", amount=amount), _("一般几秒钟，最多几分钟。")
        case _:
            title = _("付款 %(amount)s", amount=amount)
            text = _("请在%(time)s前付款，过了时间货会放回货架。", time=words.clock(order.expires_at))
    return {"title": title, "text": text, "state": "now"}


def _packing(story: Story) -> dict[str, Any]:
    cutoff = _("%(time)s截单，之后装货送出。", time=words.moment(story.order.cutoff_at))
    state = "next" if not story.is_bought else "now" if story.today < story.order.handover_on else "done"
    return {"title": _("农户备货"), "text": cutoff, "state": state}


def _handing(story: Story) -> dict[str, Any]:
    order, stop = story.order, story.stop
    on, amount = words.day(order.handover_on), format_yuan(order.total_fen)
    cash = story.stage is Stage.CASH
    title = _("%(day)s取货，付现金 %(amount)s", day=on, amount=amount) if cash else _("%(day)s取货", day=on)
    text = _("%(hours)s，%(place)s %(address)s", hours=words.hours(stop), place=stop.name, address=stop.address).strip()
    if story.is_over:
        text = _("约定的日子已过。没有取到的话，请联系取货点：%(place)s", place=text)
    return {
        "title": title,
        "text": text,
        "state": "now" if story.is_bought and story.today >= order.handover_on else "next",
    }


def _paid_before(story: Story) -> list[dict[str, Any]]:
    payment = story.paid_by
    if payment is None:
        return []
    title = _("已付款 %(amount)s", amount=format_yuan(payment.amount_fen))
    return [
        {
            "title": title,
            "text": str(words.METHODS[payment.method]),
            "at": words.moment(payment.ended_at),
            "state": "done",
        }
    ]


def _ended(story: Story) -> dict[str, Any]:
    last = story.moves[-1] if story.moves else None
    if story.round_off is not None and story.is_off:
        title, text = _("这一趟取消了"), _round_off(story, story.round_off)
        return {"title": title, "text": text, "at": words.moment(story.round_off.at), "state": "failed"}
    if story.stage is Stage.CANCELLED:
        title, text = _("订单已取消"), _("货已经放回货架。")
    elif last is not None and last.why == "replaced":
        title, text = _("已由您的新订单代替"), _("同样的货您又下了一张单，这一张就不留了。")
    else:
        title, text = _("超时没有付款，订单已取消"), _("货已经放回货架，随时可以再买一次。")
    return {
        "title": title,
        "text": text,
        "at": words.moment(last.at if last else story.order.expires_at),
        "state": "failed",
    }


def _round_off(story: Story, off: RoundCancellation) -> str:
    """Why, and what becomes of the money."""
    why = _("原因：%(why)s。", why=off.why.rstrip("。"))
    if story.order.state is not OrderState.CANCELLED:
        return why + _("订单马上就取消。付过的钱会退给您。")
    return why + (_("付的钱退给您，怎么退请看下面。") if story.refunds else _("订单已取消，不用付钱。"))


def _refund(story: Story, refund: Refund) -> dict[str, Any]:
    states = {RefundState.SUCCEEDED: "done", RefundState.FAILED: "failed"}
    method = next((payment.method for payment in story.payments if payment.id == refund.payment_id), None)
    owed = refund.state is not RefundState.SUCCEEDED
    by_hand = {Method.CASH: _("请到取货点领回现金。"), Method.TRANSFER: _("会计会把钱转回原来的账户。")}
    state = by_hand[method] if owed and method in by_hand else str(words.REFUND_STATES[refund.state])
    reasons = {
        "goods_gone": _("钱到的时候货已经没有了。"),
        "already_paid": _("同一个订单付了两次。"),
        "overpaid": _("转来的钱比订单多。"),
        "order_cancelled": _("钱到的时候订单已经取消。"),
    }
    why = reasons.get(refund.reason, "")
    return {
        "title": _("退款 %(amount)s", amount=format_yuan(refund.amount_fen)),
        "text": f"{why} {state}".strip(),
        "at": words.moment(refund.ended_at or refund.requested_at),
        "state": states.get(refund.state, "now"),
    }
