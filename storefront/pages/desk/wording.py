"""The desk's words for what happens to payments."""

from market.books.ledger import Book, Rail, Reason
from payments.oversight import Only
from payments.records import PaymentState, RefundState
from storefront.texts import lazy_gettext as _l

ONLY = {
    Only.ALL: _l("全部"),
    Only.ARRIVED: _l("已到账"),
    Only.WAITING: _l("等待付款"),
    Only.RETURNED: _l("有退款"),
    Only.STUCK: _l("退款没退成"),
}
STATES = {
    PaymentState.STARTED: ("waiting", _l("等待付款")),
    PaymentState.SUCCEEDED: ("paid", _l("已到账")),
    PaymentState.FAILED: ("failed", _l("没有付成")),
    PaymentState.CANCELLED: ("cancelled", _l("已关闭")),
}
REFUND_STATES = {
    RefundState.REQUESTED: ("waiting", _l("已受理，等待退出")),
    RefundState.PENDING: ("waiting", _l("正在退")),
    RefundState.SUCCEEDED: ("refunded", _l("已退回")),
    RefundState.FAILED: ("failed", _l("没有退成")),
}
BOOKS = {
    Book.PAYABLE: _l("农户应得"),
    Book.CLEARING: _l("收到的钱"),
    Book.UNASSIGNED: _l("转账到的钱，还没对上订单"),
    Book.RETURNS: _l("待退给买家"),
    Book.FEES: _l("手续费"),
    Book.ROUNDING: _l("尾差"),
    Book.PAID_OUT: _l("已到户"),
}
REASONS = {
    Reason.SALE: _l("卖出"),
    Reason.REFUND: _l("退款"),
    Reason.UNDELIVERABLE: _l("钱到了订单用不上，全部退回"),
    Reason.ARRIVAL: _l("银行对账单上到的钱"),
    Reason.ASIDE: _l("不是市场的钱，放到一边"),
    Reason.RETURN: _l("退款到账"),
    Reason.PAYOUT: _l("到户"),
}
RAILS = {Rail.STRIPE: _l("线上"), Rail.CASH: _l("现金"), Rail.TRANSFER: _l("转账")}
FAILURES = {
    "expired_or_canceled_card": _l("卡过期或注销了"),
    "lost_or_stolen_card": _l("卡已挂失"),
    "declined": _l("银行没有同意"),
    "insufficient_funds": _l("收款账户余额不够"),
    "merchant_request": _l("收款方按要求撤回了"),
    "came_back": _l("银行退回来了，会计会再转一次"),
}
"""Why the provider could not send money back, by its own codes; of others we only know that it failed."""
OUTCOMES = {
    "paid": _l("订单已付款"),
    "already_paid": _l("重复付款，已退回"),
    "goods_gone": _l("货没有了，已退回"),
    "known": _l("以前已经知道"),
    "waiting": _l("还在等"),
    "failed": _l("没有成功"),
    "cancelled": _l("已关闭"),
    "succeeded": _l("已成功"),
    "pending": _l("正在办理"),
    "ignored": _l("不用处理"),
    "foreign": _l("不是我们的"),
    "superseded": _l("已有新的退款，不用处理"),
    "unknown": _l("没有对应的付款"),
    "amount_differs": _l("金额不一样，没有记"),
}
OF_A_PAYMENT = {
    "states": STATES,
    "refund_states": REFUND_STATES,
    "books": BOOKS,
    "reasons": REASONS,
    "rails": RAILS,
    "failures": FAILURES,
    "outcomes": OUTCOMES,
}
