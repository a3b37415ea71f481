"""Amounts in the capital numerals Chinese accounts are written with, so that nobody adds a stroke: `柒拾元整`."""

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("", "拾", "佰", "仟")
_MYRIADS = ("", "万", "亿")


def capitals(fen: int) -> str:
    """`123456` as `壹仟贰佰叁拾肆元伍角陆分`. Not for amounts below zero."""
    yuan, rest = divmod(fen, 100)
    jiao, last = divmod(rest, 10)
    said = f"{_whole(yuan)}元" if yuan else ""
    if jiao:
        said += f"{_DIGITS[jiao]}角"
    elif said and last:
        said += "零"
    if last:
        return f"{said}{_DIGITS[last]}分"
    return f"{said}整" if said else "零元整"


def _whole(number: int) -> str:
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    said = ""
    for at in range(len(groups) - 1, -1, -1):
        group = groups[at]
        # A zero is said once for all the noughts between two figures, and never at the end.
        if said and group and (group < 1000 or not said.endswith(_MYRIADS[at + 1])):  # noqa: PLR2004
            said += "零"
        said += _four(group) + (_MYRIADS[at] if group else "")
    return said


def _four(group: int) -> str:
    said, nought = "", False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if digit:
            said += ("零" if nought and said else "") + _DIGITS[digit] + _PLACES[place]
        nought = digit == 0
    return said
