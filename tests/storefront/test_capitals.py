"""Amounts in capitals, as they stand on Chinese vouchers."""

import pytest

from storefront.capitals import capitals


@pytest.mark.parametrize(
    ("fen", "said"),
    [
        (0, "零元整"), (1, "壹分"), (10, "壹角整"), (105, "壹元零伍分"), (7000, "柒拾元整"), (1050, "壹拾元伍角整"),
        (100500, "壹仟零伍元整"), (123456, "壹仟贰佰叁拾肆元伍角陆分"), (1000100, "壹万零壹元整"),
        (10010001, "壹拾万零壹佰元零壹分"), (100050000, "壹佰万零伍佰元整"), (10000500000, "壹亿零伍仟元整"),
        (99999999, "玖拾玖万玖仟玖佰玖拾玖元玖角玖分"),
    ],
)  # fmt: skip
def test_how_amounts_are_written_out(fen: int, said: str) -> None:
    assert capitals(fen) == said
