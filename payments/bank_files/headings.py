"""What Chinese banks call the columns of their statements: data, to be added to when another one turns up.

From the exports of the industrial and commercial, agricultural, construction, postal, communications and merchants
banks, the Bank of China and rural credit unions. What stands in brackets or after a stroke in a heading is not read.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest


class Field(StrEnum):
    """What a column holds."""

    DAY = "day"
    CREDIT = "credit"
    """Money that came."""
    DEBIT = "debit"
    """Money that went."""
    AMOUNT = "amount"
    """Either, by its sign or by a column that says which."""
    SIDE = "side"
    CURRENCY = "currency"
    NAME = "name"
    ACCOUNT = "account"
    PAYER_NAME = "payer_name"
    PAYER_ACCOUNT = "payer_account"
    PAYEE_NAME = "payee_name"
    PAYEE_ACCOUNT = "payee_account"
    MEMO = "memo"
    SERIAL = "serial"
    OWN_ACCOUNT = "own_account"


NAMES: dict[Field, tuple[str, ...]] = {
    Field.DAY: (
        "交易日期", "记账日期", "记帐日期", "入账日期", "入帐日期", "会计日期", "业务日期", "交易日", "记账日", "日期",
        "交易日期时间", "发生日期", "交易时间", "记账时间", "入账时间", "时间",
    ),
    Field.CREDIT: (
        "贷方发生额", "贷方金额", "贷方", "收入金额", "收入", "存入金额", "存入", "转入金额", "转入", "贷方交易金额",
        "贷方发生金额", "收入贷", "来账金额", "收款金额", "入账金额",
    ),
    Field.DEBIT: (
        "借方发生额", "借方金额", "借方", "支出金额", "支出", "支取金额", "支取", "取出", "转出金额", "转出",
        "借方交易金额", "借方发生金额", "支出借", "往账金额", "付款金额",
    ),
    Field.AMOUNT: ("交易金额", "发生额", "金额", "交易额", "发生金额", "交易发生额"),
    Field.SIDE: (
        "借贷标志", "借贷标识", "借贷", "借贷方向", "借贷别", "借贷状态", "收付标志", "收支标志", "收支", "收付",
        "收付方向", "收支方向", "交易方向", "往来标志", "交易类型", "借贷类型", "资金方向",
    ),
    Field.CURRENCY: ("币种", "币别", "交易币种", "交易货币", "货币", "货币种类"),
    Field.NAME: (
        "对方户名", "对方账户名称", "对方帐户名称", "对方账户名", "对方名称", "对方单位", "对方单位名称", "对手户名",
        "交易对手", "交易对手名称", "对手名称", "对手方名称", "对方姓名", "往来户名", "对方账号名称", "收付方名称",
        "收方名称", "收付款方名称", "对方", "对方客户名称", "交易对方",
    ),
    Field.ACCOUNT: (
        "对方账号", "对方帐号", "对方账户", "对方帐户", "对手账号", "对手帐号", "交易对手账号", "往来账号",
        "收付方账号", "收付方帐号", "收方账号", "收方帐号", "收付款方账号", "对方卡号", "对方账号卡号", "对手方账号",
    ),
    Field.PAYER_NAME: ("付款人名称", "付款人户名", "付款方名称", "付款方户名", "付款人", "付款户名", "付款单位"),
    Field.PAYER_ACCOUNT: ("付款人账号", "付款人帐号", "付款方账号", "付款账号"),
    Field.PAYEE_NAME: ("收款人名称", "收款人户名", "收款方名称", "收款方户名", "收款人", "收款户名", "收款单位"),
    Field.PAYEE_ACCOUNT: ("收款人账号", "收款人帐号", "收款方账号", "收款账号"),
    Field.MEMO: (
        "摘要", "附言", "用途", "备注", "交易附言", "交易摘要", "摘要说明", "客户附言", "汇款附言", "交易备注",
        "个性化信息", "交易说明", "业务摘要", "转账附言", "汇款用途", "交易用途", "留言", "客户备注", "摘要描述",
        "附加信息", "补充说明",
    ),
    Field.SERIAL: (
        "交易流水号", "流水号", "核心流水号", "交易流水", "银行流水号", "银行流水", "账户明细编号-交易流水号",
        "柜员流水号", "日志号", "交易日志号", "交易参考号", "业务流水号", "交易编号", "流水", "账务流水号",
        "主机流水号", "回单编号",
    ),
    Field.OWN_ACCOUNT: ("账号", "帐号", "本方账号", "本方帐号", "查询账号", "卡号", "账户", "本方账户"),
}  # fmt: skip
_FIELDS = {name: (field, rank) for field, names in NAMES.items() for rank, name in enumerate(names)}
_ASIDE = re.compile(r"[\[(【<].*?[\])】>]|/\s*[A-Za-z].*$|[\s/*'\"“”:]")
_CAME = {
    "贷", "贷方", "贷记", "收", "收入", "收款", "来", "来账", "入", "入账", "转入", "存", "存入", "进", "C", "CR", "+",
}  # fmt: skip
_WENT = {
    "借", "借方", "借记", "支", "支出", "支取", "付", "付款", "往", "往账", "出", "出账", "转出", "取", "D", "DR", "-",
}  # fmt: skip
_LEAST_NAMES = 2
"""A line below a heading that names fewer columns is one of its lines."""
_ENDING = (
    "合计", "总", "共", "小计", "本页", "累计", "借方", "贷方", "打印", "制表", "期初", "期末", "说明", "注",
)  # fmt: skip
_OWN = re.compile(r"(?:账号|帐号|账户|卡号)\s*[:：]?\s*([0-9][0-9 *\-]{6,40})")
_TOLD_CURRENCY = re.compile(r"币\s*[种别]\s*[:：]?\s*([^\s,，;；]{1,12})")


@dataclass(frozen=True)
class Heading:
    """Which column holds what; several may hold a memo."""

    columns: dict[Field, int]
    memos: tuple[int, ...]

    def cell(self, cells: list[str], field: Field) -> str:
        """What a line says of a field; nothing where the file has no such column."""
        at = self.columns.get(field)
        return cells[at] if at is not None and at < len(cells) else ""


def heading_in(cells: list[str]) -> Heading | None:
    """The line as a heading: it names at least a day and an amount. Of two columns for one thing the usual counts."""
    found: dict[Field, tuple[int, int]] = {}
    memos = []
    for at, cell in enumerate(cells):
        field, rank = _FIELDS.get(_bare(cell), (None, 0))
        if field is Field.MEMO:
            memos.append(at)
        elif field is not None:
            found[field] = min(found.get(field, (rank, at)), (rank, at))
    has_amount = Field.CREDIT in found or Field.AMOUNT in found
    if Field.DAY not in found or not has_amount:
        return None
    return Heading({field: at for field, (_rank, at) in found.items()}, tuple(memos))


def heading_over(above: list[str], below: list[str]) -> Heading | None:
    """Two lines as one heading, as when `发生额` stands merged over `借方` and `贷方`: what stands below counts."""
    if sum(_bare(cell) in _FIELDS for cell in below) < _LEAST_NAMES:
        return None
    return heading_in([lower or upper for upper, lower in zip_longest(above, below, fillvalue="")])


def side_in(text: str) -> int:
    """1 for money that came, -1 for money that went, 0 where the text does not say."""
    said = unicodedata.normalize("NFKC", text).strip().upper()
    return 1 if said in _CAME else -1 if said in _WENT else 0


def is_ending(cells: list[str]) -> bool:
    """Whether a line sums up or signs off: nothing moved by it."""
    first = next((cell for cell in cells if cell), "")
    return first.replace(" ", "").startswith(_ENDING)


def own_account_in(cells: list[str]) -> str:
    """The account number a title names; empty where it does not."""
    found = _OWN.search(re.sub(r"\[.*?\]", "", " ".join(cells)))
    return found[1] if found else ""


def currency_told_in(cells: list[str]) -> str:
    """The currency a title names."""
    found = _TOLD_CURRENCY.search(" ".join(cells))
    return found[1] if found else ""


def _bare(cell: str) -> str:
    said = unicodedata.normalize("NFKC", cell)
    return _ASIDE.sub("", said)
