"""The desk's words for what is not the same on both sides: what it means, and what to do about it."""

from typing import NamedTuple

from market.ground.money import format_yuan
from payments.notices import Led
from payments.reconciliations import Condition, Kind
from payments.records import PaymentState, RefundState
from payments.stripe import CURRENCY, Fate
from storefront.pages.desk.wording import REFUND_STATES, STATES
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l


class Meaning(NamedTuple):
    """A kind of difference for somebody who keeps books, not programs."""

    name: str
    means: str
    to_do: str


MEANINGS = {
    Kind.MISSING_NOTICE: Meaning(
        _l("付款的通知没有到"),
        _l("买家付了钱，收款方也收到了，可是收款方的通知没有送到我们这里。"),
        _l("已经按平常的办法补记。如果经常这样，请管服务器的人检查通知的地址和密钥。"),
    ),
    Kind.MISSING_REFUND_NOTICE: Meaning(
        _l("退款结果的通知没有到"),
        _l("退款在收款方那里已经有了结果，通知没有送到我们这里。"),
        _l("已经按平常的办法补记。没有退成的，在“付款”里能看到，可以再试或者当面退。"),
    ),
    Kind.REFUND_NOT_SENT: Meaning(
        _l("决定了退款，没有交给收款方"),
        _l("退款决定一个多小时了，还没有交给收款方。"),
        _l("已经交给收款方。如果经常这样，请管服务器的人检查后台任务是不是在运行。"),
    ),
    Kind.REFUND_MISSING: Meaning(
        _l("账上退了，收款方没有这笔退款"),
        _l("我们的账上这笔退款已经交出去，收款方却没有。还在路上的，会用原来的编号重新交出去，不会退两次。"),
        _l("账上已经退完的，请在收款方的后台查这笔付款。真的没有退，就另外退给买家，再把经过记在这一页。"),
    ),
    Kind.REFUND_TWICE: Meaning(
        _l("同一笔退款退了两次"),
        _l("收款方把钱退给了买家，我们又用别的办法退过。"),
        _l("请联系买家把多退的钱要回来，再把经过记在这一页。"),
    ),
    Kind.UNKNOWN_REFUND: Meaning(
        _l("收款方有一笔我们不知道的退款"),
        _l("有人在收款方的后台直接退了钱，没有经过这里，农户的账上还没有扣。"),
        _l("是我们的人退的，就把它记成我们的退款。不是的，马上查是谁动了收款方的账号。"),
    ),
    Kind.UNKNOWN_CHARGE: Meaning(
        _l("收到一笔不认识的钱"),
        _l("收款方收到一笔钱，我们没有对应的付款，或者那笔付款已经付过了。系统不会自己编一笔账。"),
        _l("在收款方的后台看是谁付的，不该收的在那里退回去，再把经过记在这一页。"),
    ),
    Kind.CHARGE_MISSING: Meaning(
        _l("账上收到了，收款方没有"),
        _l("我们的账上这笔钱已经到了，收款方那里没有。"),
        _l("先看密钥是不是换成了别的收款账号，再到收款方的后台找。找不到的，先不要发货，联系管系统的人。"),
    ),
    Kind.AMOUNT_DIFFERS: Meaning(
        _l("付的钱和应付的不一样"),
        _l("收款方收到的钱，和这笔付款的金额不一样。金额不一样的钱，系统不会自己记到订单上。"),
        _l("在收款方的后台把钱退给买家，请买家重新付，再把经过记在这一页。"),
    ),
    Kind.REFUND_AMOUNT_DIFFERS: Meaning(
        _l("退的钱和决定的不一样"),
        _l("收款方退给买家的钱，和我们决定退的金额不一样。"),
        _l("联系买家，多退少补，再把经过记在这一页。"),
    ),
    Kind.CURRENCY_DIFFERS: Meaning(
        _l("不是人民币"),
        _l("收款方那里的这笔钱不是人民币。"),
        _l("在收款方的后台查这笔钱是怎么来的，退回去，再把经过记在这一页。"),
    ),
    Kind.CHARGE_WITHOUT_ORDER: Meaning(
        _l("钱到了，没有对应的订单"),
        _l("这笔钱既没有算作卖货的钱，也没有记成要退给买家的钱。"),
        _l("请把这一页告诉管系统的人，先不要改任何数据。"),
    ),
    Kind.LEDGER_DIFFERS: Meaning(
        _l("账本和付款对不上"),
        _l("账本上这笔付款剩下的钱，和收到的减去退掉的不一样。"),
        _l("请把这一页告诉管系统的人，先不要改任何数据。"),
    ),
    Kind.OTHER_MOVEMENT: Meaning(
        _l("收款方自己动了钱"),
        _l("不是付款也不是退款，例如买家向银行申诉，钱被扣回去了。"),
        _l("到收款方的后台看原因，有期限的在期限内回复，再把经过记在这一页。"),
    ),
}
CONDITIONS = {
    Condition.OPEN: ("failed", _l("等人处理")),
    Condition.REPAIRED: ("done", _l("已经补好")),
    Condition.DEALT_WITH: ("done", _l("有人处理了")),
    Condition.GONE: ("cancelled", _l("后来对上了")),
}
LED = {
    Led.ALL: _l("全部"),
    Led.DONE: _l("办了事的"),
    Led.NOTHING: _l("不用办的"),
    Led.ODD: _l("要看一看的"),
}
KINDS = {
    "payment_intent.created": _l("付款开始了"),
    "payment_intent.requires_action": _l("等买家付款"),
    "payment_intent.succeeded": _l("付款成功"),
    "payment_intent.payment_failed": _l("付款没有成功"),
    "payment_intent.canceled": _l("付款关闭了"),
    "checkout.session.completed": _l("银行卡付款页办完了"),
    "checkout.session.expired": _l("银行卡付款页过期了"),
    "refund.created": _l("退款开始了"),
    "refund.updated": _l("退款有了变化"),
    "refund.failed": _l("退款没有成功"),
    "charge.succeeded": _l("钱扣到了"),
    "charge.failed": _l("钱没有扣到"),
    "charge.refunded": _l("钱退出去了"),
    "charge.refund.updated": _l("退出去的钱有了变化"),
    "charge.dispute.created": _l("买家向银行申诉"),
}
"""Kinds of notices that come; rarer ones are named as the provider names them."""
_FATES = {
    Fate.WAITING: _l("正在办理"),
    Fate.SUCCEEDED: _l("已经成功"),
    Fate.FAILED: _l("没有成功"),
    Fate.CANCELLED: _l("已经关闭"),
}
_OF_REFUNDS = (Kind.MISSING_REFUND_NOTICE, Kind.REFUND_NOT_SENT, Kind.REFUND_MISSING)
_PARTS_OF_A_MOVEMENT = 3


def said(kind: Kind, value: str) -> str:
    """What one side has: a sum, a state, or nothing."""
    parts = value.split()
    if len(parts) == _PARTS_OF_A_MOVEMENT and parts[2] == CURRENCY:
        value = parts[1]
    if value.lstrip("-").isdigit():
        return format_yuan(int(value))
    if value in ("", "nothing"):
        return _("没有")
    if kind in _OF_REFUNDS and value in set(RefundState):
        return str(REFUND_STATES[RefundState(value)][1])
    if value in set(PaymentState):
        return str(STATES[PaymentState(value)][1])
    return str(_FATES[Fate(value)]) if value in set(Fate) else value
