"""What the pages of payouts share: who may look and act, and where a refused step leads back to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends

from market.ground.errors import MarketError, NothingToPay, NotMovable, OverLimit, SamePerson, TotalMoved
from market.ground.money import format_yuan
from market.people.accounts import Role, Viewer
from storefront.deps import StartAgain, require
from storefront.errors import say
from storefront.texts import gettext as _

PayeeViewerDep = Annotated[Viewer, Depends(require(Role.OFFICER, Role.ACCOUNTANT))]
"""Someone who may see lists of payouts; card numbers stay masked."""
AccountantDep = Annotated[Viewer, Depends(require(Role.ACCOUNTANT))]
"""Someone who keeps the papers of payouts."""
HERE = "/desk/payouts"
_REFUSALS = (NothingToPay, NotMovable, OverLimit, SamePerson, TotalMoved)


@contextmanager
def kindly(url: str) -> Iterator[None]:
    """A second tap or an old page changes nothing: the person comes back to how things stand, and is told."""
    try:
        yield
    except _REFUSALS as error:
        raise StartAgain(url, "warning", _said(error)) from error


def _said(error: MarketError) -> str:
    if isinstance(error, SamePerson):
        return _("名单是您做的，要请另一位会计来批准。")
    if isinstance(error, NotMovable):
        return _("这一步已经有人办过了，下面是现在的情况。")
    if isinstance(error, OverLimit):
        return _("您手里的现金只有 %(money)s，不够发。先从银行取出，记一张取款单。", money=format_yuan(error.limit))
    return say(error)
