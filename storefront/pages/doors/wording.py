"""Door cards in plain words."""

from market.people.door_cards import Why
from market.people.heard import Heard
from storefront.texts import gettext as _
from storefront.texts import lazy_gettext as _l

WHYS = {Why.REPLACED: _l("印了新卡"), Why.LOST: _l("丢了，或者落到别人手里"), Why.RETURNED: _l("这家不要了")}
HEARD = {
    Heard.OWN: _l("自己的手机"),
    Heard.CALL: _l("打过电话"),
    Heard.PRESENT: _l("当面问过"),
    Heard.SHEET: _l("有按手印的单子"),
}
_SYSTEMS = {
    "iphone": _l("苹果手机"),
    "ipad": _l("苹果平板"),
    "android": _l("安卓手机"),
    "windows": _l("电脑"),
    "mac": _l("电脑"),
}


def phone(kind: str) -> str:
    """`安卓手机，微信里打开`."""
    system, _space, inside = kind.partition(" ")
    word = str(_SYSTEMS.get(system, _l("手机或电脑")))
    return _("%(phone)s，微信里打开", phone=word) if inside else word
