"""How payouts and the cards they go to are said to people."""

from collections.abc import Sequence

from market.books.approvals import NOTHING_LEFT, Change
from market.books.ledger import Rail
from market.books.payouts import BatchState, Payout, PayoutState
from market.books.proposals import Hindrance
from market.ground.money import format_yuan
from market.people.cards import PayoutCard, Stage
from market.reports.statements import Line, Stated
from storefront import words
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

_MOST_NAMED = 3
RAILS = {Rail.TRANSFER: _l("打到银行卡"), Rail.CASH: _l("发现金")}
BATCH_STATES = {
    BatchState.PROPOSED: ("waiting", _l("等批准")),
    BatchState.APPROVED: ("ready", _l("批准了，等到账")),
    BatchState.CLOSED: ("done", _l("办完了")),
    BatchState.DROPPED: ("cancelled", _l("没有办")),
}
STATES = {
    PayoutState.PROPOSED: ("waiting", _l("等批准")),
    PayoutState.APPROVED: ("ready", _l("等到账")),
    PayoutState.PAID: ("done", _l("到户了")),
    PayoutState.FAILED: ("failed", _l("没有打成")),
    PayoutState.RETURNED: ("failed", _l("被银行退回")),
    PayoutState.DROPPED: ("cancelled", _l("拿掉了")),
}
HINDRANCES = {
    Hindrance.BELOW_ZERO: _l("到户以后又退了货，先从下次卖的钱里扣"),
    Hindrance.ON_A_LIST: _l("钱已经在另一张名单上"),
    Hindrance.BELOW_LEAST: _l("钱太少，攒一攒再打"),
    Hindrance.NO_CARD: _l("还没有登记银行卡"),
    Hindrance.CARD_ASKED: _l("银行卡等第二个人核对"),
    Hindrance.CARD_WAITING: _l("新卡核对过了，还要等满一天"),
}
CHANGES = {
    Change.LOWERED: _l("有货退了款，少打一些"),
    Change.REFUNDED: _l("货都退了款，这次不打"),
    Change.CARD_CHANGED: _l("银行卡换过了，这次不打"),
}
FAILURES = {
    "name_differs": _l("卡号和户名对不上"),
    "card_closed": _l("卡已经注销"),
    "card_frozen": _l("卡挂失或者冻结了"),
    "bank_refused": _l("银行没有收"),
    "not_met": _l("人不在，没有当面给"),
}
"""Why money did not arrive, as one taps it; people may write their own words instead."""
STAGES = {
    Stage.ASKED: ("waiting", _l("等第二个人核对")),
    Stage.WAITING: ("waiting", _l("核对过了，等满一天")),
    Stage.IN_USE: ("done", _l("正在用")),
    Stage.REPLACED: ("cancelled", _l("换掉了")),
    Stage.ENDED: ("cancelled", _l("停用了")),
}
BANKS = {
    "rural": _l("农村信用社、农商银行"),
    "psbc": _l("邮政储蓄银行"),
    "abc": _l("农业银行"),
    "icbc": _l("工商银行"),
    "ccb": _l("建设银行"),
    "boc": _l("中国银行"),
}
"""Banks with a branch in most counties; any other is typed."""
STOPS = {"lost": _l("卡丢了"), "not_ours": _l("不是我家的意思"), "wrong": _l("卡号填错了")}


def why(said: str) -> str:
    """A reason, in the market's words where it is one of its own."""
    if said == NOTHING_LEFT:
        return _("没有一户还能打")
    return str(FAILURES.get(said) or {change.value: text for change, text in CHANGES.items()}.get(said, said))


def tail(last_four: str) -> str:
    """`尾号 1234`: all that is shown of a card's number."""
    return _("尾号 %(four)s", four=last_four)


def where_to(card: PayoutCard | None) -> str:
    """Where a row's money goes, with the number masked."""
    if card is None:
        return _("现金，当面给")
    return _("%(bank)s 尾号 %(four)s", bank=card.bank, four=card.last_four)


def holder(head_name: str, card: PayoutCard | None) -> str:
    """Whose card: the head's by name; of a relative only what they are to the head."""
    if card is None or not card.relation:
        return head_name
    return _("%(head)s的%(relation)s", head=head_name, relation=card.relation)


def is_open(payout: Payout) -> bool:
    """Whether somebody has still to say what became of it."""
    return payout.state is PayoutState.APPROVED


def what(line: Line) -> str:
    """`南瓜 2 个`."""
    said = words.quantity(line.quantity, line.measure, line.grams_each)
    return _("%(title)s %(quantity)s", title=line.title, quantity=said)


def number(line: Line) -> str:
    """`单号尾数 1234`: as buyers' slips show it."""
    return _("单号尾数 %(no)s", no=line.order_no[-4:])


def goods(line: Line) -> str:
    """`南瓜 2 个（单号尾数 1234）`: one line of an order."""
    return _("%(goods)s（%(number)s）", goods=what(line), number=number(line))


def kept_back(parts: Sequence[Stated]) -> str:
    """Why a payout is lower than what was sold."""
    said = "、".join(goods(part.line) for part in parts[:_MOST_NAMED])
    if len(parts) > _MOST_NAMED:
        said = _("%(goods)s等 %(n)s 笔", goods=said, n=len(parts))
    fen = format_yuan(sum(part.fen for part in parts))
    return _("少给 %(money)s：%(goods)s退了货，那笔钱以前已经给过您家。", money=fen, goods=said)


def masked_name(name: str) -> str:
    """`王**`: enough to compare with a card in one's hand."""
    return name[:1] + "*" * max(1, len(name) - 1)


def end_why(said: str) -> str:
    """Why a card is not used any more."""
    return _("申请了另一张卡") if said == "replaced" else str(STOPS.get(said, said))
