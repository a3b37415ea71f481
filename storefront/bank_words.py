"""How lines of bank statements are said to people who keep books: what each was found to be, and what is to be done."""

from typing import NamedTuple

from market.ground.errors import Malformed
from payments.bank_rows import BankRow, Part
from payments.outcomes import CURRENCY, Outcome, PartState, RowState, StatementState, Use
from payments.row_remarks import Remark
from payments.uses import Share
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l


class Meaning(NamedTuple):
    """What a line was found to be, in a few words, and what that leads to."""

    name: str
    means: str


MEANINGS = {
    Outcome.EXACT: Meaning(_l("对上了"), _l("附言和金额都对，这一单就付清了。")),
    Outcome.SPACED: Meaning(_l("对上了，附言写散了"), _l("附言里夹了空格或者横线，拼起来是对的，金额也对。")),
    Outcome.REST: Meaning(_l("尾款到了"), _l("前面付过一部分，加上这一笔正好付清。")),
    Outcome.LATE: Meaning(_l("过了留货的时间才到"), _l("货还在就算付清；货没了，等人决定退不退。")),
    Outcome.SEVERAL: Meaning(_l("一笔付了几单"), _l("附言里写了几个订单，金额正好是它们的总和。")),
    Outcome.PARTIAL: Meaning(_l("付了一部分"), _l("比订单少，先记着，等付款人把剩下的转来。")),
    Outcome.REFUND: Meaning(_l("退款转出去了"), _l("是我们要退给买家的钱，编号和金额都对。")),
    Outcome.OVER: Meaning(_l("多付了"), _l("比订单多。多的退回，还是算在他别的订单上，由人决定。")),
    Outcome.UNDER: Meaning(_l("少付了一点"), _l("像是被银行扣了手续费，或者抄错了金额，由人决定。")),
    Outcome.MISSPELT: Meaning(_l("附言错了一个字"), _l("只有一个订单这么像，金额也对，要人点头。")),
    Outcome.GUESSED: Meaning(_l("没写附言，像是这几单"), _l("付款人和金额对得上，要人点头。")),
    Outcome.ALREADY_PAID: Meaning(_l("订单已经付过了"), _l("这一单的钱早就齐了，多半要退回。")),
    Outcome.CANCELLED: Meaning(_l("订单已经取消"), _l("钱到了，订单却取消了，多半要退回。")),
    Outcome.GOODS_GONE: Meaning(_l("货已经没有了"), _l("过了留货的时间，货卖给了别人，多半要退回。")),
    Outcome.FREED: Meaning(_l("原来那一单不要这笔钱了"), _l("那一单取消了、变便宜了，或者用别的办法付了。")),
    Outcome.NO_REFERENCE: Meaning(_l("认不出是哪一单"), _l("附言里没有我们的编号，付款人和金额也对不上。")),
    Outcome.WRONG_CURRENCY: Meaning(_l("不是人民币"), _l("账上只记人民币，这一笔不入账。")),
    Outcome.BOUNCED: Meaning(_l("退款被银行退回来了"), _l("我们退出去的钱没有到买家手里，还欠着。")),
    Outcome.OUTGOING: Meaning(_l("转出去的钱，不知道是什么"), _l("对不上我们要退的钱。")),
    Outcome.DUPLICATE: Meaning(_l("以前记过"), _l("同一笔在别的对账单里已经有了，不会再记。")),
}
STATES = {
    RowState.PREVIEWED: ("waiting", _l("还没入账")),
    RowState.SETTLING: ("waiting", _l("正在记")),
    RowState.OPEN: ("failed", _l("等人看")),
    RowState.DONE: ("done", _l("办完了")),
}
STATEMENTS = {
    StatementState.PREVIEWED: ("waiting", _l("还没入账")),
    StatementState.TAKEN: ("done", _l("已入账")),
    StatementState.DISCARDED: ("cancelled", _l("没有要")),
}
USES = {
    Use.PAYMENT: _l("付订单"),
    Use.REFUND: _l("退给买家"),
    Use.BOUNCED: _l("退款被退回来"),
    Use.RETURNED: _l("原样转回去"),
    Use.FOREIGN: _l("和市场没有关系"),
    Use.CASH_DEPOSIT: _l("存进银行的货款现金"),
    Use.PAYOUT: _l("发给农户的钱"),
    Use.DUPLICATE: _l("别的行已经记过这笔钱"),
}
PARTS = {
    PartState.PROPOSED: _l("系统找到的，还没人定"),
    PartState.AGREED: _l("定了，正在记"),
    PartState.DONE: _l("记好了"),
    PartState.VOID: _l("没有这样办"),
}
REMARKS = {Remark.LEFT: _l("先放着"), Remark.TAKEN_UP: _l("重新拿出来看")}
LAYOUTS = {"table": _l("表格"), "mt940": "MT940", "camt053": "CAMT.053"}
_FILES = {
    "no_file": _l("文件是空的，请重新选"),
    "too_large": _l("文件太大：最多 5 MB、一万行。请在网银里按月分开导出"),
    "old_excel": _l("这是老版本的 Excel（.xls）。请另存为 .xlsx，或者在网银里导出 CSV"),
    "not_a_table": _l("这不是表格。请在网银里导出 CSV 或 XLSX，不要用网页或 PDF"),
    "not_a_statement": _l("看不出这是银行对账单：没有找到日期和金额这两列"),
    "formulas": _l("表里有还没算出来的公式。请在 Excel 里打开、保存一次再传"),
    "no_lines": _l("对账单里一笔收支都没有"),
}
_LINES = {
    "bad_day": _l("第 %(line)s 行的日期看不懂：%(said)s"),
    "bad_amount": _l("第 %(line)s 行的金额看不懂：%(said)s"),
    "bad_side": _l("第 %(line)s 行没说是收入还是支出：%(said)s"),
}


def file_problem(error: Malformed) -> str:
    """Why a bank's file could not be read, and what to do about it."""
    if error.problem in _LINES:
        line, _colon, said = error.given.partition(": ")
        return str(_LINES[error.problem]) % {"line": line, "said": said or _("空的")}
    if error.problem == "other_account":
        return _("这份对账单是尾号 %(digits)s 的账户的，不是选的这个账户", digits=error.given)
    return str(_FILES.get(error.problem, _FILES["not_a_statement"]))


def meaning(row: BankRow) -> Meaning:
    """What a line was found to be."""
    return MEANINGS[row.outcome]


def purpose(share: Share) -> str:
    """What a part of a line's money is for: `付订单 261104-K7M3-QX2A`."""
    name = str(USES[share.part.use])
    if share.part.use is Use.PAYMENT and not share.reference:
        name = _("要退回，挂在订单")  # money no order needed: a payment of its own, that nobody was asked for
    return f"{name} {share.order.no}" if share.order else name


def decided(part: Part, people: dict[int, str]) -> str:
    """On whose word a part is what it is."""
    return people.get(part.account_id or 0, "") or _("系统")


def in_yuan(row: BankRow) -> bool:
    """Whether its amount is money the books know."""
    return row.currency == CURRENCY
