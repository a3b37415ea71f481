"""What keeps goods from being sold, in words for sellers and for officers."""

from market.goods.gates import Gate, Paper
from market.goods.waiting import Waits
from storefront.texts import gettext as _
from storefront.texts import language
from storefront.texts import lazy_gettext as _l

PAPERS = {
    Paper.SLAUGHTER_POINT: _l("在哪个屠宰场宰的"),
    Paper.CERTIFICATE_NO: _l("检疫证号"),
    Paper.CERTIFICATE_PHOTO: _l("检疫证照片"),
    Paper.LICENCE_NO: _l("小作坊登记证号"),
}


def badge(waits: Waits) -> str:
    """What is waited for, in three words, for a list."""
    if waits.halt is not None:
        return _("被叫停")
    return _("等证件") if waits.papers else _("等同意")


def why(gate: Gate) -> str:
    """Why a gate stands there, in the viewer's language."""
    return gate.note_en if language() == "en" else gate.note
