"""How cash books and hand-ins are said to people."""

from market.books.ledger import Reason
from payments.cash_books import Movement
from payments.cash_keepers import Keeper
from payments.cash_records import HandInState
from storefront import words
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

HAND_IN_STATES = {
    HandInState.WAITING: ("waiting", _l("等点清")),
    HandInState.COUNTED: ("done", _l("已点清")),
    HandInState.WITHDRAWN: ("cancelled", _l("已撤回")),
    HandInState.REFUSED: ("failed", _l("退回了")),
}


def keeper(found: Keeper) -> str:
    """`单位经办人 · 区人社局`: as what somebody keeps a cash book."""
    role = _("%(role)s · %(over)s", role=words.ROLES[found.role], over=found.over)
    return role if found.is_live else _("以前是%(role)s", role=role)


def line(move: Movement) -> tuple[str, str]:
    """One line of a cash book: what happened, and the number it goes by."""
    said = {
        Reason.SALE: _("收到货款"),
        Reason.UNDELIVERABLE: _("收到货款，货没了，要退"),
        Reason.RETURN: _("退还买家"),
    }
    number = move.order_no or move.serial or ""
    if move.reason is Reason.HANDED_IN:
        name = move.other or ""
        return (_("交给%(name)s", name=name) if move.amount_fen < 0 else _("%(name)s交来", name=name)), number
    if move.reason is Reason.PAYOUT:
        return (_("发给农户") if move.amount_fen < 0 else _("发给农户的退回来了")), number
    if move.reason is Reason.BANKED:
        return (_("存入银行") if move.amount_fen < 0 else _("从银行取出")), number
    return said[move.reason], number
